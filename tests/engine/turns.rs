//! What a scheduler and its people do to a store over the days: rename, take away, bring back, restore, edit, come late, stop.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

use crate::engine_support::parquet;
use crate::erase_steps::tables;
use crate::results_support::{open, quick};
use crate::support::segue;

const CATALOG: &str = "\
sources:
  activity: {path: data/events.parquet, customer: customer_id, time: ts, event: event}
events:
  purchased:
    source: activity
    raw: purchase
    properties:
      amount: {type: money}
profiles:
  path: data/profiles.parquet
  customer: customer_id
  attributes:
    email_consent: {type: yes/no}
lists:
  suppressed: {path: suppressed.txt}
suppression: [suppressed]
channels:
  email: {consent: email_consent, cost: 0.5}
actions:
  offer: {channel: email}
  call: {}
";

const PROJECT: &str = "\
name: shop
edition: \"2026\"
timezone: Europe/Paris
currency: EUR
catalog: catalog.yaml
rules: rules
store: published
audits: {change: 100000%, small: 100000}
";

/// Ten customers, `c0` to `c9` or 100 to 109, each with a purchase at the beginning of 2026, and whatever else.
struct Shop {
    folder: tempfile::TempDir,
    numbers: bool,
}

impl Shop {
    fn new(rules: &str) -> Shop {
        Shop::of(rules, false)
    }

    fn of(rules: &str, numbers: bool) -> Shop {
        let shop = Shop { folder: quick(), numbers };
        for folder in ["data", "rules"] {
            std::fs::create_dir(shop.path(folder)).expect("made");
        }
        shop.write("catalog.yaml", CATALOG);
        shop.write("segue.yaml", PROJECT);
        shop.write("suppressed.txt", "");
        shop.rules(rules);
        shop.profiles(&[]);
        shop.events(&(0..10).map(|n| (n, 0)).collect::<Vec<_>>());
        shop
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("written");
    }

    fn rules(&self, text: &str) {
        self.write("rules/a.seg", text);
    }

    fn ids(&self, customers: impl Iterator<Item = i64>) -> ArrayRef {
        match self.numbers {
            true => Arc::new(Int64Array::from_iter_values(customers.map(|n| 100 + n))),
            false => Arc::new(StringArray::from_iter_values(customers.map(|n| format!("c{n}")))),
        }
    }

    /// Everybody consents but some.
    fn profiles(&self, without: &[i64]) {
        let consents = BooleanArray::from_iter((0..10).map(|n| Some(!without.contains(&n))));
        let columns = vec![("customer_id", self.ids(0..10)), ("email_consent", Arc::new(consents) as ArrayRef)];
        parquet(&self.path("data/profiles.parquet"), columns);
    }

    /// Who bought on which day of the year, at 06:00 in UTC.
    fn events(&self, all: &[(i64, i64)]) {
        const HOUR: i64 = 3_600_000_000;
        let at = all.iter().map(|(_, day)| 1_767_225_600_000_000 + day * 24 * HOUR + 6 * HOUR);
        let at = TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC");
        parquet(
            &self.path("data/events.parquet"),
            vec![
                ("customer_id", self.ids(all.iter().map(|(n, _)| *n))),
                ("ts", Arc::new(at)),
                ("event", Arc::new(StringArray::from(vec!["purchase"; all.len()]))),
                ("amount", Arc::new(Float64Array::from(vec![5.0; all.len()]))),
            ],
        );
    }

    /// Exit code and all that was said.
    fn call(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = segue().current_dir(self.folder.path()).args(arguments).output().expect("runs");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.code(), said)
    }

    fn run(&self, as_of: &str) {
        let (code, said) = self.call(&["run", "--quiet", "--as-of", as_of]);
        assert_eq!(code, Some(0), "{as_of}: {said}");
    }

    /// That it is refused, in these words.
    fn refuses(&self, arguments: &[&str], words: &str) {
        let (code, said) = self.call(arguments);
        assert_eq!(code, Some(5), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }

    /// The customers of an audience in the newest version.
    fn members(&self, name: &str) -> Vec<String> {
        let all = tables(&open(&self.path("published")));
        let newest = all.keys().map(|(version, _)| *version).max().expect("a version");
        let rows = all.get(&(newest, format!("Audience {name}"))).unwrap_or_else(|| panic!("no audience {name}"));
        rows.iter().map(|row| row[0].clone()).collect()
    }

    fn versions(&self) -> usize {
        std::fs::read_dir(self.path("published/manifests")).map_or(0, Iterator::count)
    }
}

/// The cap of a campaign goes on under every name that it has had, also where a name comes back, or is told late.
#[test]
fn a_renamed_campaign_remembers_whom_it_contacted() {
    let of = |head: &str| format!("campaign {head}: purchased\n  → offer by email\n  at most 1 in 90d\n");
    let shop = Shop::new(&of("a"));
    shop.run("2026-02-01");
    assert_eq!(shop.members("a").len(), 10);
    for (day, head, name) in [
        ("2026-02-02", "b was a", "b"),
        ("2026-02-03", "a was b", "a"),
        ("2026-02-04", "a was b", "a"),
        ("2026-02-05", "a", "a"),
        ("2026-02-06", "z was a", "z"),
    ] {
        shop.rules(&of(head));
        shop.run(day);
        assert_eq!(shop.members(name), Vec::<String>::new(), "{head}");
    }
    // Whoever calls another thing by one of its names is told.
    shop.rules(&format!("{}{}", of("z"), of("a")));
    shop.refuses(&["run", "--as-of", "2026-02-07"], "`a` is what `z` was called before");

    let late = Shop::new(&of("a"));
    late.run("2026-02-01");
    late.rules(&of("b"));
    late.run("2026-02-12");
    assert_eq!(late.members("b").len(), 10, "another campaign, as far as anybody said");
    late.rules(&of("b was a"));
    late.run("2026-02-13");
    assert_eq!(late.members("b"), Vec::<String>::new());
}

/// Who was in a segment that went away is not a member of the one that comes back.
#[test]
fn a_segment_that_comes_back_begins_anew() {
    let vip = "segment vip: purchased in 10d\nsegment loyal: member of vip for 3d\n";
    let shop = Shop::new(vip);
    shop.events(&[(1, 25), (2, 50)]);
    shop.run("2026-02-01");
    assert_eq!(shop.members("vip"), ["c1"]);
    shop.rules("segment other: purchased\n");
    shop.run("2026-02-10");
    shop.rules(vip);
    shop.run("2026-02-25");
    shop.run("2026-03-01");
    assert_eq!((shop.members("vip"), shop.members("loyal")), (vec!["c2".to_owned()], vec!["c2".to_owned()]));
}

/// One store, one project; one instant, one decision.
#[test]
fn what_was_decided_stays_decided() {
    let shop = Shop::new("campaign c: purchased\n  → offer by email\n");
    shop.run("2026-02-01");
    let before = shop.versions();
    // Layout decides nothing.
    shop.rules("\n\ncampaign  c :\n\n  purchased\n      → offer by email\n");
    shop.run("2026-02-01");
    shop.write("segue.yaml", &format!("{PROJECT}holdout: 50%\n"));
    shop.refuses(&["run", "--as-of", "2026-02-01"], "was decided with other rules, another catalog or project file");
    shop.refuses(&["run", "--as-of", "2026-01-31"], "which is later");
    shop.write("segue.yaml", PROJECT);
    shop.events(&[(1, 3)]);
    shop.refuses(&["run", "--as-of", "2026-02-01"], "was decided with other data");
    shop.write("segue.yaml", &PROJECT.replace("name: shop", "name: other"));
    shop.refuses(&["run", "--as-of", "2026-02-02"], "holds what the project `shop` published");
    assert_eq!(shop.versions(), before);
}

#[test]
fn a_restore_closes_its_instant() {
    let shop = Shop::new("segment vip: purchased in 40d\n");
    shop.run("2026-02-01");
    shop.events(&[(1, 30)]);
    shop.run("2026-02-02");
    assert_eq!(shop.members("vip"), ["c1"]);
    // A project that is pinned to an instant restores there, and not at the machine's: else no run would follow for long.
    shop.write("segue.yaml", &format!("{PROJECT}as_of: 2026-02-03\n"));
    assert_eq!(shop.call(&["restore", "1"]).0, Some(0));
    assert_eq!(shop.members("vip").len(), 10);
    shop.refuses(&["run"], "an earlier version was restored, in version 3");
    shop.run("2026-02-04");
    assert_eq!(shop.members("vip"), ["c1"]);
}

/// What nobody can be is nobody, and keeps nobody else from being suppressed.
#[test]
fn a_text_among_suppressed_numbers() {
    let shop = Shop::of("campaign c: purchased\n  → offer by email\n", true);
    shop.run("2026-02-01");
    shop.write("suppressed.txt", "guest-7\n104\n0105\n");
    let (code, said) = shop.call(&["run", "--as-of", "2026-02-02"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("list `suppressed`: 2 rows without customer left out"), "{said}");
    assert_eq!(shop.members("c").len(), 9);
    assert!(!shop.members("c").contains(&"104".to_owned()));
}

/// A campaign that is not decided keeps its audience, less those who may not be contacted by now; a list of no channel keeps everybody.
#[test]
fn an_audience_stands_between_decisions() {
    let of = |action: &str| format!("campaign c: purchased in 20h\n  → {action}\n  every monday at 09:00\n");
    for (action, left) in [("offer by email", vec!["c2"]), ("call", vec!["c1", "c2", "c3"])] {
        let shop = Shop::new(&of(action));
        shop.events(&[(1, 32), (2, 32), (3, 32)]);
        shop.run("2026-02-02T09:00");
        assert_eq!(shop.members("c"), ["c1", "c2", "c3"], "{action}");
        shop.profiles(&[1]);
        shop.write("suppressed.txt", "c3\n");
        shop.run("2026-02-03T09:00");
        assert_eq!(shop.members("c"), left, "{action}");
    }
}

/// Whether a campaign is looked at alone or with the others, it is decided with them: they take places under the policy.
#[test]
fn one_campaign_is_decided_among_all() {
    let shop = Shop::new(
        "policy one: at most 1 contact in 7d\n\
         campaign first: purchased\n  → offer by email\n  priority 2\n  limit 4\n\
         campaign second: purchased\n  → offer by email\n  priority 1\n",
    );
    let looked = |only: &[&str]| {
        let arguments = ["run", "--no-write", "--as-of", "2026-02-01", "--limit", "99", "--format", "json"];
        let (code, said) = shop.call(&[&arguments, only].concat());
        assert_eq!(code, Some(0), "{said}");
        let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        let audiences = json["audiences"].as_array().expect("audiences").clone();
        audiences.into_iter().find(|a| a["name"] == "second").expect("there")["customers"].clone()
    };
    let alone = looked(&["--only", "second"]);
    assert_eq!(alone.as_array().map(Vec::len), Some(6));
    assert_eq!(alone, looked(&[]));
    assert_eq!(shop.versions(), 0, "nothing is published by looking");
}

/// A scheduler that stops a run finds the store open for the next.
#[cfg(unix)]
#[test]
fn a_run_that_is_told_to_end_gives_the_lock_back() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = quick();
    let shop = folder.path().join("shop");
    crate::support::copy(&crate::support::root().join("examples/cosmetics"), &shop);
    let locks = shop.join("published/locks");
    let held = || std::fs::read_dir(&locks).map_or(0, Iterator::count);
    let mut stopped = 0;
    for signal in ["-TERM", "-INT"] {
        let mut child = segue()
            .current_dir(&shop)
            .args(["run", "--quiet", "--as-of", "2026-11-21"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let since = Instant::now();
        while held() == 0 && since.elapsed() < Duration::from_secs(60) && child.try_wait().expect("waits").is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        let ended = child.wait().expect("ends");
        assert!(matches!(ended.code(), Some(0 | 130)), "{signal}: {ended:?}");
        stopped += i32::from(ended.code() == Some(130));
        assert_eq!(held(), 0, "{signal}");
    }
    assert!(stopped > 0, "no run was stopped in its midst");
}

/// A campaign has its own instant, and a run comes a little later: its files hold whom it contacted then.
#[test]
fn files_of_a_run_are_what_stands_published() {
    let shop = Shop::new(
        "campaign c: purchased\n  → offer by email\n  every sunday at 07:00\ncampaign d: purchased\n  → offer by email\n  limit 2\n",
    );
    let (code, said) = shop.call(&["run", "--as-of", "2026-02-01T07:00:09", "--write", "csv", "-o", "out"]);
    assert_eq!(code, Some(0), "{said}");
    let lines = |name: &str| std::fs::read_to_string(shop.path(name)).expect("a file").lines().count();
    assert_eq!((lines("out/c.csv"), lines("out/d.csv")), (11, 3), "{said}");
    let (_, again) = shop.call(&["run", "--as-of", "2026-02-01T07:00:09", "--write", "csv", "-o", "again"]);
    assert!(again.contains("was published before in `"), "{again}");
    assert_eq!(lines("again/c.csv"), 11);
    // What is published is said although the files can't be written.
    shop.write("in_the_way", "");
    let (code, said) = shop.call(&["run", "--as-of", "2026-02-02", "--write", "csv", "-o", "in_the_way"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("published in `"), "{said}");
    // One is looked at, and no other is told.
    let (_, said) = shop.call(&["run", "--only", "d", "--as-of", "2026-02-03T07:00"]);
    assert!(said.contains("campaigns at") && !said.contains("not due: c"), "{said}");
}

#[test]
fn what_was_typed_wrong_is_not_published() {
    let shop = Shop::new("campaign c: purchased\n  → offer by email\n");
    let (code, said) = shop.call(&["run", "--as-of", "2206-02-01"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("lies more than a year ahead"), "{said}");
    assert_eq!(shop.call(&["run", "--as-of", "2206-02-01", "--no-write"]).0, Some(0));
    let (code, said) = shop.call(&["plan", "--only", "c", "--out", "some.plan"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(!shop.path("some.plan").exists() && shop.versions() == 0);
}

/// Whoever was erased does not come back since somebody forgot to check a file out.
#[test]
fn without_the_file_of_erased_ids_nothing_is_run() {
    let shop = Shop::new("campaign c: purchased\n  → offer by email\n");
    shop.run("2026-02-01");
    assert_eq!(shop.call(&["erase", "c4"]).0, Some(0));
    std::fs::remove_file(shop.path("erased.txt")).expect("there");
    shop.refuses(&["run", "--as-of", "2026-02-02"], "has receipts of erasures");
    shop.refuses(&["plan", "--as-of", "2026-02-02"], "has receipts of erasures");
}

/// What decides on a campaign is what it uses, and its own.
#[test]
fn a_campaign_uses_its_parts() {
    let shop = Shop::new(
        "campaign c:\n  purchased in 90d\n  → when purchased in 30d: offer by email\n  → otherwise: call\n  \
         limit 5 by sum(amount of purchased in 7d)\n  with (purchased ≥ 2 in 9d) as keen\n",
    );
    let (code, said) = shop.call(&["plan", "--reads", "--only", "c", "--as-of", "2026-02-01", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let plan: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let of_c = |of: &str| {
        let all = plan[of].as_array().expect("a list");
        all.iter()
            .filter(|one| one["rules"].as_array().is_some_and(|rules| rules.iter().any(|rule| rule == "c")))
            .count()
    };
    assert!(of_c("terms") >= 4, "{said}");
    assert_eq!(plan["terms"].as_array().map(Vec::len), Some(of_c("terms")), "nothing is nobody's: {said}");
}

/// A list for the telephone goes nowhere by itself, and stops nothing that does.
#[test]
fn a_campaign_without_channel_is_no_delivery() {
    let shop = Shop::new("campaign c: purchased\n  → call\ncampaign d: purchased\n  → offer by email\n");
    shop.write("catalog.yaml", &format!("{CATALOG}destinations:\n  drop: {{kind: csv, path: out}}\n"));
    shop.run("2026-02-01");
    let (code, said) = shop.call(&["deliver"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("note: `c` goes by no channel, and is not delivered\n"), "{said}");
    assert!(said.contains("d → drop: version 1, 10 rows\n"), "{said}");
    shop.refuses(&["deliver", "c"], "has customers whom no channel reaches");
}
