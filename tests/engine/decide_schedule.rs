//! At which instants campaigns are due, what a run decides of them, and the files that start runs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use segue::audience::schedule::formats::{Asked, Format, write};
use segue::audience::schedule::{CatchUp, Run, due, plan_runs};
use segue::language::calendar::{Zone, parse_date, parse_moment};
use segue::language::ir::{Campaign, Every, Program};

use super::decide_world::World;
use super::engine_support::Shop;
use crate::support::segue;

const MINUTE: i64 = 60_000_000;
const DAILY: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];

/// Campaigns `k0`, `k1` … that are due at these times; no days: not said.
fn program(times: &[(&[u8], u16)]) -> Program {
    let mut program = World::new(7, 1, times.len()).program;
    for (campaign, &(weekdays, at)) in program.campaigns.iter_mut().zip(times) {
        campaign.every = (!weekdays.is_empty()).then(|| Every { weekdays: weekdays.to_vec(), at });
        (campaign.from, campaign.until, campaign.was) = (None, None, None);
    }
    program
}

fn zone(name: &str) -> Zone {
    Zone::new(name).expect("known")
}

fn at(text: &str, zone: &Zone) -> i64 {
    parse_moment(text, zone).expect("an instant")
}

fn found(campaign: &Campaign, after: &str, upto: &str, zone: &Zone) -> Vec<i64> {
    due(campaign, at(after, zone), at(upto, zone), zone)
}

fn instants(texts: &[&str], zone: &Zone) -> Vec<i64> {
    texts.iter().map(|text| at(text, zone)).collect()
}

#[test]
fn instants_are_local_times_after_one_and_up_to_another() {
    let paris = zone("Europe/Paris");
    let mut monday = program(&[(&[1], 540)]).campaigns.remove(0);
    let found = |campaign: &Campaign, after, upto| found(campaign, after, upto, &paris);
    assert_eq!(
        found(&monday, "2026-11-02T09:00", "2026-11-16T09:00"),
        instants(&["2026-11-09T09:00", "2026-11-16T09:00"], &paris)
    );
    assert_eq!(
        found(&monday, "2026-11-02T08:59:59.999999", "2026-11-16T08:59:59.999999"),
        instants(&["2026-11-02T09:00", "2026-11-09T09:00"], &paris)
    );
    assert!(found(&monday, "2026-11-16T09:00", "2026-11-16T09:00").is_empty());
    assert!(found(&monday, "2026-11-16T09:00", "2026-11-02T09:00").is_empty());
    // Both days are included.
    monday.from = parse_date("2026-11-09");
    monday.until = parse_date("2026-11-16");
    assert_eq!(found(&monday, "2026-10-01", "2026-12-31"), instants(&["2026-11-09T09:00", "2026-11-16T09:00"], &paris));
    monday.every = None;
    assert!(found(&monday, "2026-10-01", "2026-12-31").is_empty());
    // From the beginning of time, as far as there are years.
    let daily = program(&[(&DAILY, 0)]).campaigns.remove(0);
    assert_eq!(due(&daily, i64::MIN, at("0001-01-03", &Zone::utc()), &Zone::utc()).len(), 3);
}

#[test]
fn the_clock_is_put_forward_and_back() {
    let paris = zone("Europe/Paris");
    let night = program(&[(&DAILY, 150)]).campaigns.remove(0);
    // 02:30 is skipped and moves on to 03:30; in autumn it comes twice and is the first.
    assert_eq!(
        found(&night, "2026-03-28T12:00", "2026-03-30T12:00", &paris),
        instants(&["2026-03-29T01:30Z", "2026-03-30T02:30+02:00"], &paris)
    );
    assert_eq!(
        found(&night, "2026-10-24T12:00", "2026-10-26T12:00", &paris),
        instants(&["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"], &paris)
    );
    // Samoa had no 30 December 2011: what was due then is due with the 31st, once.
    let apia = zone("Pacific/Apia");
    let morning = program(&[(&DAILY, 540)]).campaigns.remove(0);
    assert_eq!(
        found(&morning, "2011-12-29T08:00", "2012-01-01T10:00", &apia),
        instants(&["2011-12-29T09:00", "2011-12-31T09:00", "2012-01-01T09:00"], &apia)
    );
}

/// What a run decides, as instants and places.
fn planned(program: &Program, seen: &[(&str, &str)], as_of: &str, catch_up: CatchUp) -> Vec<(i64, Vec<usize>)> {
    let paris = zone("Europe/Paris");
    let seen = seen.iter().map(|(name, upto)| ((*name).to_owned(), at(upto, &paris))).collect();
    let runs = plan_runs(program, &seen, None, at(as_of, &paris), &paris, catch_up);
    runs.into_iter().map(|Run { at, campaigns }| (at, campaigns)).collect()
}

#[test]
fn missed_instants_are_caught_up_as_asked() {
    let paris = zone("Europe/Paris");
    // k0 daily at 09:00, k1 on Thursdays at 08:00, k2 at every run. 21 November 2026 is a Saturday.
    let program = program(&[(&DAILY, 540), (&[4], 480), (&[], 0)]);
    let seen = [("k0", "2026-11-18T10:00"), ("k1", "2026-11-18T10:00"), ("k2", "2026-11-18T10:00")];
    let run = |text: &str, places: &[usize]| (at(text, &paris), places.to_vec());
    let now = "2026-11-21T10:00";
    assert_eq!(
        planned(&program, &seen, now, CatchUp::All),
        [
            run("2026-11-19T08:00", &[1]),
            run("2026-11-19T09:00", &[0]),
            run("2026-11-20T09:00", &[0]),
            run("2026-11-21T09:00", &[0]),
            run(now, &[2]),
        ]
    );
    assert_eq!(
        planned(&program, &seen, now, CatchUp::Last),
        [run("2026-11-19T08:00", &[1]), run("2026-11-21T09:00", &[0]), run(now, &[2])]
    );
    assert_eq!(planned(&program, &seen, now, CatchUp::None), [run("2026-11-21T09:00", &[0]), run(now, &[2])]);
    // At the instant itself, be it for the first time or again.
    let nine = "2026-11-21T09:00";
    for catch_up in [CatchUp::None, CatchUp::Last] {
        let seen = [("k0", "2026-11-20T09:00"), ("k1", "2026-11-20T09:00")];
        assert_eq!(planned(&program, &seen, nine, catch_up), [run(nine, &[0, 2])]);
        let seen = [("k0", nine), ("k1", nine)];
        assert_eq!(planned(&program, &seen, nine, catch_up), [run(nine, &[0, 2])]);
        // Long ago, when runs have gone on since.
        let seen = [("k0", "2027-01-01"), ("k1", "2027-01-01")];
        assert_eq!(planned(&program, &seen, nine, catch_up), [run(nine, &[0, 2])]);
        assert_eq!(planned(&program, &seen, now, catch_up), [run(now, &[2])]);
    }
    assert_eq!(CatchUp::default(), CatchUp::Last);
    // By campaign.
    let runs = plan_runs(&program, &BTreeMap::new(), None, at(nine, &paris), &paris, CatchUp::Last);
    assert_eq!(runs[0].due(&program), [true, false, true]);
}

#[test]
fn a_campaign_that_no_run_has_seen_misses_nothing_but_today() {
    let paris = zone("Europe/Paris");
    let program = program(&[(&DAILY, 540), (&[4], 480)]);
    let run = |text: &str, places: &[usize]| (at(text, &paris), places.to_vec());
    for catch_up in [CatchUp::None, CatchUp::Last, CatchUp::All] {
        assert_eq!(
            planned(&program, &[], "2026-11-21T10:00", catch_up),
            [run("2026-11-21T09:00", &[0]), run("2026-11-21T10:00", &[])]
        );
        assert_eq!(planned(&program, &[], "2026-11-21T08:00", catch_up), [run("2026-11-21T08:00", &[])]);
        // One of the two is new.
        let seen = [("k0", "2026-11-20T10:00")];
        assert_eq!(planned(&program, &seen, "2026-11-21T08:00", catch_up), [run("2026-11-21T08:00", &[])]);
    }
    // It is known by the name that it had.
    let mut renamed = program.clone();
    renamed.campaigns[1].was = Some("old".into());
    let seen = [("old", "2026-11-18"), ("k0", "2026-11-21T09:30")];
    assert_eq!(
        planned(&renamed, &seen, "2026-11-21T10:00", CatchUp::Last),
        [run("2026-11-19T08:00", &[1]), run("2026-11-21T10:00", &[])]
    );
}

#[test]
fn runs_at_any_times_decide_every_instant_once() {
    let berlin = zone("Europe/Berlin");
    let program = program(&[(&DAILY, 150), (&[1, 4], 540), (&[7], 1_439)]);
    let (start, end) = (at("2026-03-01T00:00", &berlin), at("2026-05-01T00:00", &berlin));
    for step in [7, 60, 601, 1_440, 2_917, 10_000] {
        let mut seen: BTreeMap<String, i64> = (0..3).map(|n| (format!("k{n}"), start)).collect();
        let mut decided = vec![Vec::new(); 3];
        let mut now = start;
        while now < end {
            now = (now + step * MINUTE).min(end);
            let runs = plan_runs(&program, &seen, None, now, &berlin, CatchUp::All);
            assert!(runs.windows(2).all(|pair| pair[0].at < pair[1].at));
            assert_eq!(runs.last().map(|run| run.at), Some(now));
            for run in runs {
                run.campaigns.iter().for_each(|&place| decided[place].push(run.at));
            }
            seen.values_mut().for_each(|upto| *upto = now);
        }
        for (campaign, decided) in program.campaigns.iter().zip(&decided) {
            assert_eq!(*decided, due(campaign, start, end, &berlin), "every {step} minutes");
        }
    }
}

fn text(format: Format, program: &Program, zone: &Zone) -> String {
    let around = at("2026-11-21", zone);
    let asked = Asked { project: "Café 100% \"shop\"", folder: "/srv/it's 100%", program, zone, around };
    write(format, &asked).expect("written")
}

/// The minutes of a week (from Sunday) at which a crontab's five fields start something.
fn minutes(cron: &str) -> BTreeSet<i64> {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minute, hours, "*", "*", days] = fields[..] else { panic!("{cron}") };
    let days: Vec<i64> = match days {
        "*" => (0..7).collect(),
        days => days
            .split(',')
            .flat_map(|part| match part.split_once('-') {
                Some((from, to)) => (from.parse().expect("a day")..=to.parse().expect("a day")).collect(),
                None => vec![part.parse().expect("a day")],
            })
            .collect(),
    };
    let hours: Vec<i64> = hours.split(',').map(|hour| hour.parse().expect("an hour")).collect();
    let minute: i64 = minute.parse().expect("a minute");
    days.iter().flat_map(|day| hours.iter().map(move |hour| (day * 24 + hour) * 60 + minute)).collect()
}

fn minute_of_week(at: i64, zone: &Zone) -> i64 {
    (i64::from(zone.weekday(at)) + 1) % 7 * 1_440 + zone.local(at).rem_euclid(1_440 * MINUTE) / MINUTE
}

#[test]
fn a_scheduler_starts_a_run_at_every_instant() {
    for (name, times) in [
        (
            "Europe/Berlin",
            vec![(&[1u8][..], 540u16), (&DAILY[..], 540), (&[1, 2, 3, 4, 5][..], 1_020), (&[6, 7][..], 30)],
        ),
        ("America/St_Johns", vec![(&[7][..], 5), (&DAILY[..], 150)]),
        ("Asia/Kolkata", vec![(&[1, 3][..], 300)]),
        ("UTC", vec![(&[2, 3, 4][..], 0), (&[][..], 0)]),
    ] {
        let zone = zone(name);
        let program = program(&times);
        let (start, end) = (at("2026-11-21", &zone), at("2029-01-01", &zone));
        let instants: BTreeSet<i64> = program.campaigns.iter().flat_map(|c| due(c, start, end, &zone)).collect();
        let utc = Zone::utc();
        for (format, shown) in
            [(Format::Cron, &zone), (Format::Github, &utc), (Format::Kubernetes, &zone), (Format::Airflow, &zone)]
        {
            let text = text(format, &program, &zone);
            let is_cron = |line: &&str| line.split(' ').nth(2) == Some("*") && line.split(' ').nth(3) == Some("*");
            let lines = text.lines().map(|line| {
                let line = line.trim().trim_start_matches("- cron: ").trim_start_matches("schedule: ");
                line.trim_end_matches(',').trim_matches('"')
            });
            let started: BTreeSet<i64> = lines
                .filter(is_cron)
                .map(|line| line.split(' ').take(5).collect::<Vec<_>>().join(" "))
                .flat_map(|cron| minutes(&cron))
                .collect();
            assert!(!started.is_empty(), "{text}");
            for &instant in &instants {
                assert!(started.contains(&minute_of_week(instant, shown)), "{name} {format:?} {instant}:\n{text}");
            }
            // And at few others: those of the other side of daylight saving time.
            let needed: BTreeSet<i64> = instants.iter().map(|&instant| minute_of_week(instant, shown)).collect();
            assert_eq!(started, needed, "{name} {format:?}");
        }
    }
}

#[test]
fn lines_are_few() {
    let berlin = zone("Europe/Berlin");
    let program = program(&[(&[1], 540), (&DAILY, 1_020), (&[1, 2, 3, 4, 5], 480), (&[1], 600)]);
    let crons = |format| -> Vec<String> {
        let text = text(format, &program, &berlin);
        text.lines().filter(|line| line.contains("* * ") && !line.starts_with('#')).map(str::to_owned).collect()
    };
    let call = r"segue run --project '/srv/it'\''s 100\%'";
    assert_eq!(
        crons(Format::Cron),
        [format!("0 8 * * 1-5 {call}"), format!("0 9,10 * * 1 {call}"), format!("0 17 * * * {call}")]
    );
    assert_eq!(
        crons(Format::Github),
        ["    - cron: \"0 6,7 * * 1-5\"", "    - cron: \"0 8,9 * * 1\"", "    - cron: \"0 15,16 * * *\""]
            .map(str::to_owned)
    );
    let text = text(Format::Systemd, &program, &berlin);
    let calendars: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("OnCalendar=")).collect();
    assert_eq!(
        calendars,
        [
            "Mon,Tue,Wed,Thu,Fri *-*-* 08:00:00 Europe/Berlin",
            "Mon *-*-* 09,10:00:00 Europe/Berlin",
            "*-*-* 17:00:00 Europe/Berlin"
        ]
    );
    assert!(text.contains("WorkingDirectory=/srv/it's 100%%\n") && text.contains("Persistent=true\n"), "{text}");
    // Its own tool reads them, where there is one.
    if let Ok(read) = Command::new("systemd-analyze").arg("calendar").args(&calendars).output() {
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}

#[test]
fn what_is_written_is_what_schedulers_read() {
    let berlin = zone("Europe/Berlin");
    let program = program(&[(&[1], 540), (&DAILY, 1_020)]);
    let github = text(Format::Github, &program, &berlin);
    let value: serde_json::Value = serde_yaml::from_str(&github).expect("YAML");
    assert_eq!(value["on"]["schedule"].as_array().map(Vec::len), Some(2), "{github}");
    assert_eq!(value["name"], "Segue run of Café 100% \"shop\"");
    assert_eq!(value["jobs"]["run"]["steps"][1]["run"], "segue run");
    assert!(github.contains("# GitHub's schedules are in UTC"));
    let kubernetes = text(Format::Kubernetes, &program, &berlin);
    let documents: Vec<serde_json::Value> =
        kubernetes.split("---\n").skip(1).map(|document| serde_yaml::from_str(document).expect("YAML")).collect();
    assert_eq!(documents.len(), 2);
    for (document, cron) in documents.iter().zip(["0 9 * * 1", "0 17 * * *"]) {
        assert_eq!((&document["kind"], &document["spec"]["schedule"]), (&"CronJob".into(), &cron.into()));
        assert_eq!(
            (&document["spec"]["timeZone"], &document["spec"]["concurrencyPolicy"]),
            (&"Europe/Berlin".into(), &"Forbid".into())
        );
        let container = &document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["command"], serde_json::json!(["segue", "run"]));
    }
    assert_eq!(documents[0]["metadata"]["name"], "segue-caf-100-shop-1");
    let airflow = text(Format::Airflow, &program, &berlin);
    assert!(
        airflow.contains("--as-of '{{ data_interval_end | ts }}'") && airflow.contains("catchup=False"),
        "{airflow}"
    );
    // Where there is Python, it reads it.
    let python = Command::new("python3")
        .args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    if let Ok(mut python) = python {
        std::io::Write::write_all(&mut python.stdin.take().expect("piped"), airflow.as_bytes()).expect("written");
        let read = python.wait_with_output().expect("ends");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}

#[test]
fn the_command_writes_them() {
    let shop = Shop::plain();
    let call = |arguments: &[&str]| {
        let output = segue().current_dir(shop.dir.path()).args(arguments).output().expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, err) = call(&["schedule", "--format", "cron"]);
    assert!(code == Some(2) && err.contains("no campaign of the project says when it is due"), "{err}");
    std::fs::write(shop.path("rules/weekly.seg"), "campaign weekly: buy → offer every monday at 09:00\n")
        .expect("written");
    for (format, said) in [
        ("cron", "0 9 * * 1 segue run --project '"),
        ("systemd", "OnCalendar=Mon *-*-* 09:00:00"),
        ("github", "- cron: \""),
        ("airflow", "\"0 9 * * 1\","),
        ("kubernetes", "schedule: \"0 9 * * 1\""),
    ] {
        let (code, out, err) = call(&["schedule", "--format", format, "--as-of", "2026-11-21"]);
        assert!(code == Some(0) && out.contains(said), "{out}{err}");
    }
    let folder = shop.dir.path().to_string_lossy().into_owned();
    let (_, out, _) = call(&["schedule", "--format", "cron"]);
    assert!(out.contains(folder.trim_start_matches("/private")), "{out}");
}
