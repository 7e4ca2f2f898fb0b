//! What the YAML says of reaching customers: channels, suppression, and what runs leave behind.

use segue::language::catalog::{Audits, Catalog, ListId, ProjectFile, load};
use segue::language::num::Num;
use segue::language::source::Sources;

use crate::catalog_mistakes::{check, first_fix};

const PROJECT: &str = "name: p\nedition: \"2026\"\ntimezone: UTC\n";
const BESIDE: &str = "profiles: {path: p, customer: c, attributes: {home: {type: text}, agreed: {type: yes/no}}}\nlists: {staff: {path: a.txt}, gone: {path: b.txt}, odd: {}}\n";

fn catalog(text: &str) -> Catalog {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", text);
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    catalog.expect("a catalog")
}

fn project(more: &str) -> ProjectFile {
    let mut sources = Sources::default();
    let id = sources.add("segue.yaml", format!("{PROJECT}{more}"));
    let (project, found) = load::project(sources.get(id).expect("added"));
    assert!(found.is_empty(), "{found:#?}");
    project.expect("a project")
}

fn exact(units: i128, scale: u8) -> Option<Num> {
    Some(Num::Exact { units, scale })
}

#[test]
fn channels_say_whom_they_reach_when_and_for_how_much() {
    let beside = BESIDE.replace(", odd: {}", "").replace("customer: c,", "customer: c, zone: home,");
    let text = format!(
        "{beside}suppression: [gone, staff]\nchannels:\n  sms: {{consent: agreed, suppression: staff, cost: 0.05, quiet: \"21:00 to 08:30\", pii: true}}\n  mail:\n"
    );
    let catalog = catalog(&text);
    assert_eq!(catalog.suppression, [ListId(1), ListId(0)]);
    assert_eq!(catalog.zone.map(|z| z.0), Some(0));
    let [sms, mail] = &catalog.channels[..] else { panic!("two channels") };
    assert_eq!(sms.consent.map(|c| c.0), Some(1));
    assert_eq!(
        (sms.suppression.as_slice(), sms.cost, sms.quiet, sms.pii),
        (&[ListId(0)][..], exact(5, 2), Some((1260, 510)), true)
    );
    assert_eq!((mail.suppression.len(), mail.cost, mail.quiet, mail.pii), (0, None, None, false));
}

#[test]
fn what_is_unsaid_changes_nothing() {
    let file = project("");
    assert!(file.store.is_none() && file.holdout.is_none() && file.retention.is_none());
    assert_eq!((file.audits, file.erased.name.as_str()), (Audits::default(), "erased.txt"));
    assert_eq!(catalog("suppression: []\n").suppression, []);
}

#[test]
fn the_project_says_what_is_kept() {
    let file = project(
        "store: s3://bucket/x\nholdout: 2.5%\naudits: {change: 150%, small: 100}\nretention: 90\nerased: a/gone.txt\n",
    );
    assert_eq!(file.store.map(|s| s.name).as_deref(), Some("s3://bucket/x"));
    assert_eq!(file.holdout, exact(25, 3));
    assert_eq!(file.audits, Audits { change: exact(150, 2), small: 100 });
    assert_eq!((file.retention, file.erased.name.as_str()), (Some(90), "a/gone.txt"));
}

#[test]
fn names_that_lead_nowhere() {
    let with = |more: &str| format!("{}{more}", BESIDE.replace(", odd: {}", ""));
    check("catalog", &with("suppression: [staf, staff]\n"), &["E0214 staf"]);
    check("catalog", &with("suppression: staff\nchannels: {sms: {suppression: [agreed]}}\n"), &["E0214 agreed"]);
    check("catalog", &with("suppression: [staff, gone, staff]\n"), &["E0209 staff"]);
    check("catalog", &with("suppression: {staff: yes}\n"), &["E0206 {staff: yes}"]);
    check("catalog", "suppression: staff\n", &["E0214 staff"]);
    // A list with mistakes of its own has been told.
    check("catalog", &format!("{BESIDE}suppression: odd\n"), &["E0208 {}"]);
    let zone = |name: &str| with("").replace("customer: c,", &format!("customer: c, zone: {name},"));
    check("catalog", &zone("hom"), &["E0214 hom"]);
    check("catalog", &zone("agreed"), &["E0215 agreed"]);
    check("catalog", &zone("Europe/Paris"), &["E0214 Europe/Paris"]);
}

/// Who comments out the value of a gate must not open it.
#[test]
fn a_key_that_is_written_says_something() {
    for nothing in ["", " ~", " null", "\n    # agreed"] {
        for key in ["consent", "suppression", "quiet", "cost", "pii"] {
            let text = format!("channels:\n  sms:\n    {key}:{nothing}\n");
            check("catalog", &text, &[&format!("E0208 {key}")]);
        }
        for key in ["suppression", "session_gap", "identities", "population", "channels"] {
            check("catalog", &format!("{key}:{nothing}\n"), &[&format!("E0208 {key}")]);
        }
        for key in ["store", "holdout", "audits", "retention", "erased"] {
            check("segue", &format!("{PROJECT}{key}:{nothing}\n"), &[&format!("E0208 {key}")]);
        }
        check("segue", &format!("{PROJECT}audits:\n  change:{nothing}\n"), &["E0208 change"]);
        check("catalog", &format!("channels:\n  sms:{nothing}\n"), &[]);
    }
    let (codes, messages) = crate::catalog_mistakes::findings("catalog", "suppression: ~\n");
    assert_eq!((codes.len(), messages.as_slice()), (1, &["`suppression` says nothing".to_owned()][..]));
}

#[test]
fn costs() {
    let with = |cost: &str| format!("channels: {{sms: {{cost: {cost}}}}}\n");
    for good in ["0", "0.05", "1_000", "12.345678", "\"0.1\""] {
        check("catalog", &with(good), &[]);
    }
    for bad in ["-1", "0.1234567", "free", "5 cents", ".5", "5.", "1e3", "12345678901234567890", "_1"] {
        check("catalog", &with(bad), &[&format!("E0231 {bad}")]);
        assert_eq!(first_fix("catalog", &with(bad)), None, "{bad}");
    }
    for (bad, good) in [("0.05€", "0.05"), ("\"0,05 EUR\"", "0.05"), ("$3", "3")] {
        check("catalog", &with(bad), &[&format!("E0231 {bad}")]);
        assert_eq!(first_fix("catalog", &with(bad)).as_deref(), Some(good));
    }
    check("catalog", &with("[1]"), &["E0206 [1]"]);
}

#[test]
fn shares() {
    for good in ["0%", "5%", "12.5%", "99.999999%", "\"5 %\""] {
        check("segue", &format!("{PROJECT}holdout: {good}\n"), &[]);
    }
    for (bad, good) in [
        ("5", Some("5%")),
        ("0.05", Some("5%")),
        ("0.125", Some("12.5%")),
        ("100%", None),
        ("-5%", None),
        ("some", None),
        ("5 per cent", None),
    ] {
        check("segue", &format!("{PROJECT}holdout: {bad}\n"), &[&format!("E0232 {bad}")]);
        assert_eq!(first_fix("segue", &format!("{PROJECT}holdout: {bad}\n")).as_deref(), good, "{bad}");
    }
    let audits = |audits: &str| format!("{PROJECT}audits: {audits}\n");
    check("segue", &audits("{change: half, small: -1}"), &["E0232 half", "E0206 -1"]);
    check("segue", &audits("{chnge: 50%}"), &["E0207 chnge"]);
    check("segue", &audits("50%"), &["E0206 50%"]);
}

#[test]
fn quiet_hours() {
    let with = |quiet: &str| format!("channels: {{sms: {{quiet: {quiet}}}}}\n");
    for good in ["\"21:00 to 08:00\"", "00:00 to 06:30", "13:00 to 14:00"] {
        check("catalog", &with(good), &[]);
    }
    for (bad, good) in [
        ("21-8", Some("21:00 to 08:00")),
        ("21:00-8:30", Some("21:00 to 08:30")),
        ("21:00 until 08:00", Some("21:00 to 08:00")),
        ("21 to 8", Some("21:00 to 08:00")),
        ("24:00 to 08:00", None),
        ("21:60 to 08:00", None),
        ("21:00 to 21:00", None),
        ("9pm to 8am", None),
        ("nights", None),
    ] {
        check("catalog", &with(bad), &[&format!("E0233 {bad}")]);
        assert_eq!(first_fix("catalog", &with(bad)).as_deref(), good, "{bad}");
    }
    check("catalog", "channels: {sms: {pii: yes}}\n", &["E0206 yes"]);
}

#[test]
fn places_of_what_is_kept() {
    let with = |more: &str| format!("{PROJECT}{more}\n");
    check("segue", &with("store: gs://bucket/x"), &["E0222 gs://bucket/x"]);
    check("segue", &with("store: ../published"), &["E0221 ../published"]);
    check("segue", &with("store: ../published\nallow_outside: true"), &[]);
    check("segue", &with("store: ./out/"), &["E0222 ./out/"]);
    check("segue", &with("output: results\nstore: results"), &["E0222 results"]);
    check("segue", &with("erased: s3://bucket/gone.txt"), &["E0222 s3://bucket/gone.txt"]);
    check("segue", &with("retention: 90 days"), &["E0206 90 days"]);
}
