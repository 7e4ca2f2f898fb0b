//! Deliveries to a real PostgreSQL, which the test starts: Debian's package, or the one whose programs SEGUE_POSTGRES names. Without
//! either the comparison is skipped, which it says. A database refuses to run as root, so that it runs as `postgres` then.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use segue::audience::deliver::Delivered;
use segue::error::Exit;
use segue::language::catalog::Mode;
use tokio_postgres::{Client, NoTls};

use crate::deliver_support::{Ask, Place, Versions, batch, block_on, scored, texts, version};

/// With signs that an address escapes.
const PASSWORD: &str = "hunter2/s@cret:word";
const ESCAPED: &str = "hunter2%2Fs%40cret%3Aword";

pub struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The folder of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SEGUE_POSTGRES") {
        return Some(PathBuf::from(named));
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort();
    found.pop()
}

fn root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// A program as a user that may run a database.
fn command(program: &Path) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

/// A server of its own, if there is a PostgreSQL.
pub fn server() -> Option<Server> {
    let bin = programs()?;
    let folder = tempfile::Builder::new().prefix("segue-pg-").tempdir_in("/tmp").expect("a folder");
    let data = folder.path().join("data");
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).expect("written");
    if root() {
        let done = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().expect("chown runs");
        assert!(done.success(), "there is no user `postgres`");
    }
    let made = command(&bin.join("initdb"))
        .args(["-U", "segue", "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C"])
        .arg(format!("--pwfile={}", password.display()))
        .arg("-D")
        .arg(&data)
        .current_dir(folder.path())
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let child = command(&bin.join("postgres"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-p", &port.to_string(), "-k"])
        .arg(folder.path())
        .arg("-D")
        .arg(&data)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres runs");
    let mut server = Server { child, port, _folder: folder };
    let until = Instant::now() + Duration::from_secs(60);
    while block_on(client(&server, "postgres")).is_err() {
        assert!(server.child.try_wait().expect("asked").is_none(), "postgres ended");
        assert!(Instant::now() < until, "postgres does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(server)
}

pub async fn client(server: &Server, database: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port).user("segue").password(PASSWORD).dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A database of its own.
pub struct Base<'s> {
    server: &'s Server,
    name: &'static str,
}

impl Base<'_> {
    pub fn new<'s>(server: &'s Server, name: &'static str) -> Base<'s> {
        block_on(async {
            let client = client(server, "postgres").await.expect("connected");
            client.batch_execute(&format!("create database {name}")).await.expect("made");
        });
        Base { server, name }
    }

    pub fn url(&self) -> String {
        format!("postgres://segue:{ESCAPED}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// A destination whose address stands in a file.
    fn place(&self, more: &str) -> Place {
        let place = Place::new(&format!("destinations: {{crm: {{kind: postgres, url: {{file: url.txt}}{more}}}}}"));
        std::fs::write(place.root.path().join("url.txt"), self.url() + "\n").expect("written");
        place
    }

    fn run(&self, sql: &str) {
        block_on(async {
            let client = client(self.server, self.name).await.expect("connected");
            client.batch_execute(sql).await.expect("done");
        });
    }

    /// Rows as lines, columns between bars, nothing as ∅.
    fn ask(&self, sql: &str) -> Vec<String> {
        block_on(async {
            let client = client(self.server, self.name).await.expect("connected");
            let rows = client.simple_query(sql).await.expect("answered");
            rows.iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                })
                .map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("∅")).collect::<Vec<_>>().join("|"))
                .collect()
        })
    }
}

fn told(delivered: Delivered) -> segue::audience::deliver::Told {
    let Delivered::Done(mut told) = delivered else { panic!("{delivered:?}") };
    assert_eq!(told.len(), 1);
    told.pop().expect("one")
}

#[test]
fn a_real_database() {
    let Some(server) = server() else {
        eprintln!("skipped: no PostgreSQL below /usr/lib/postgresql (apt-get install postgresql), no SEGUE_POSTGRES");
        return;
    };
    versions_one_after_the_other(&Base::new(&server, "a"));
    repeats_change_nothing(&Base::new(&server, "b"));
    every_type(&Base::new(&server, "c"));
    tables_of_others(&Base::new(&server, "d"));
    all_or_nothing(&Base::new(&server, "e"));
    no_connection(&Base::new(&server, "f"));
    many_rows(&Base::new(&server, "g"));
    contacts_of_all_decisions(&Base::new(&server, "h"));
    renamed(&Base::new(&server, "i"));
    what_was_lost(&Base::new(&server, "j"));
}

/// Several decisions at once, one of them again, one without anybody: none takes the place of another.
fn contacts_of_all_decisions(base: &Base<'_>) {
    let place = base.place("");
    let versions = Versions::default().with("c", 1, scored(&[("a", 1), ("b", 1)])).with("c", 2, scored(&[])).with(
        "c",
        3,
        scored(&[("b", 2), ("d", 1)]),
    );
    let contacts = |version| Ask { version, contacts: true, ..Ask::default() };
    let all = || base.ask("select customer, version, score from c order by 1, 2");
    place.deliver("c", &versions, contacts(1)).expect("delivered");
    place.deliver("c", &versions, contacts(3)).expect("delivered");
    let everything = ["a|1|1", "b|1|1", "b|3|2", "d|3|1"];
    assert_eq!(all(), everything);
    // Made again, it replaces its own contacts and nobody else's.
    base.run("delete from c where customer = 'd'; update c set score = 7 where customer = 'b'");
    place.deliver("c", &versions, Ask { again: true, ..contacts(3) }).expect("delivered");
    assert_eq!(all(), ["a|1|1", "b|1|7", "b|3|2", "d|3|1"]);
    // A payload of that name would be taken for the decision's.
    let rows = scored(&[("a", 1)]);
    let columns = vec![Arc::clone(rows.column(0)), Arc::clone(rows.column(1))];
    let rows = RecordBatch::try_from_iter(["customer", "version"].into_iter().zip(columns)).expect("a batch");
    let error = place.deliver("x", &Versions::default().with("x", 1, rows), contacts(1)).expect_err("refused");
    assert!(error.to_string().contains("has a column `version`, which means something else"), "{error}");
}

/// An audience goes on in its table under a new name, whatever the table is called after.
fn renamed(base: &Base<'_>) {
    let versions = Versions::default().with("gold", 1, scored(&[("a", 1), ("b", 1)])).with(
        "vip",
        2,
        scored(&[("b", 1), ("c", 1)]),
    );
    // The store finds the rows of then under the name of then.
    let versions = versions.with("vip", 1, scored(&[("a", 1), ("b", 1)]));
    for (pattern, table) in [("members", "members"), ("\"{audience}\"", "gold")] {
        let place = base.place(&format!(", table: {pattern}"));
        place.deliver("gold", &versions, version(1)).expect("delivered");
        let later = told(
            place.deliver("vip", &versions, Ask { known_as: Some("gold"), ..version(2) }).expect("it is the same one"),
        );
        assert_eq!((later.which.base, later.counts.upserts, later.counts.deletes), (Some(1), 1, 1));
        assert_eq!(base.ask(&format!("select customer from {table} order by 1")), ["b", "c"]);
        let sql = format!("select audience, version from segue_deliveries where \"table\" = '{table}' order by number");
        assert_eq!(base.ask(&sql), ["gold|1", "gold|2"]);
    }
}

/// What the database remembers of a table is no reason to leave another one, or a new one, empty.
fn what_was_lost(base: &Base<'_>) {
    let versions = Versions::default().with("v", 1, scored(&[("a", 1), ("b", 1)]));
    let full = Ask { mode: Some(Mode::Full), ..version(1) };
    let place = base.place(", table: one");
    let first = told(place.deliver("v", &versions, full).expect("delivered"));
    let other = told(base.place(", table: two").deliver("v", &versions, full).expect("delivered"));
    assert_eq!(first.which.key, other.which.key);
    assert_eq!(base.ask("select customer from two order by 1"), ["a", "b"], "the key is known of the other table");
    for lost in ["drop table one", "delete from one", "drop table one; delete from segue_deliveries"] {
        base.run(lost);
        place.deliver("v", &versions, version(1)).expect("nothing to do");
        place.deliver("v", &versions, full).expect("delivered");
        assert_eq!(base.ask("select customer from one order by 1"), ["a", "b"], "after `{lost}`");
    }
    let contacts = Ask { contacts: true, ..full };
    let place = base.place(", table: three");
    place.deliver("v", &versions, contacts).expect("delivered");
    base.run("drop table three");
    place.deliver("v", &versions, contacts).expect("delivered");
    assert_eq!(base.ask("select customer, version from three order by 1"), ["a|1", "b|1"]);
}

fn versions_one_after_the_other(base: &Base<'_>) {
    let place = base.place("");
    let versions = Versions::default()
        .with("vip", 1, scored(&[("a", 1), ("b", 1), ("c", 1)]))
        .with("vip", 4, scored(&[("a", 1), ("c", 2), ("d", 1)]))
        .with("vip", 5, scored(&[("a", 1), ("c", 2), ("d", 1)]))
        .with("vip", 6, scored(&[("e", 1)]));
    let all = || base.ask("select customer, score from vip order by customer");
    place.deliver("vip", &versions, version(1)).expect("delivered");
    assert_eq!(all(), ["a|1", "b|1", "c|1"]);
    let second = told(place.deliver("vip", &versions, version(4)).expect("delivered"));
    assert_eq!((second.counts.upserts, second.counts.deletes, second.counts.unchanged), (2, 1, 1));
    assert_eq!(all(), ["a|1", "c|2", "d|1"]);
    // Nothing changes, and the database knows the version nevertheless.
    place.deliver("vip", &versions, version(5)).expect("delivered");
    place.deliver("vip", &versions, Ask { mode: Some(Mode::Full), ..version(6) }).expect("delivered");
    assert_eq!(all(), ["e|1"]);
    assert_eq!(
        base.ask("select project, destination, audience, mode, version, base, upserts, deletes from segue_deliveries order by number"),
        [
            "shop|crm|vip|delta|1|∅|3|0",
            "shop|crm|vip|delta|4|1|2|1",
            "shop|crm|vip|delta|5|4|0|0",
            "shop|crm|vip|full|6|∅|1|0"
        ]
    );
    // A database that was brought back from an earlier day: changes would be onto another version.
    base.run("delete from segue_deliveries where version > 1");
    let versions = versions.with("vip", 7, scored(&[("e", 2)]));
    let error = place.deliver("vip", &versions, version(7)).expect_err("refused");
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(
        error.to_string(),
        "destination `crm`: table \"vip\" has version 1, and these are the changes since version 6"
    );
    place.deliver("vip", &versions, Ask { mode: Some(Mode::Full), ..version(7) }).expect("delivered");
    assert_eq!(all(), ["e|2"]);
}

fn repeats_change_nothing(base: &Base<'_>) {
    let place = base.place("");
    let versions = Versions::default().with("v", 1, scored(&[("a", 1)])).with("v", 2, scored(&[("b", 1)]));
    place.deliver("v", &versions, version(1)).expect("delivered");
    // The state is lost after the database had committed: the same key, and nothing is done.
    let forgetful = base.place("");
    base.run("update v set score = 77");
    let again = told(forgetful.deliver("v", &versions, version(1)).expect("delivered"));
    assert!(again.repeated);
    assert_eq!(base.ask("select score from v"), ["77"], "it was not applied again");
    let asked = told(place.deliver("v", &versions, Ask { again: true, ..version(1) }).expect("delivered"));
    assert!(!asked.repeated);
    assert_eq!(base.ask("select score from v"), ["1"], "asked for, it is");
    assert_eq!(base.ask("select count(*) from segue_deliveries"), ["1"]);
    // And again with the changes since.
    place.deliver("v", &versions, version(2)).expect("delivered");
    base.run("delete from v");
    place.deliver("v", &versions, Ask { again: true, ..version(2) }).expect("delivered");
    assert_eq!(base.ask("select customer from v"), ["b"]);
}

const HOSTILE: [&str; 6] =
    ["tab\there", "line\nend\r", "back\\slash \\N \\.", "'; drop table x; --", "\"{a,b}\" é\u{1f600}", ""];

fn every_type(base: &Base<'_>) {
    let money = Decimal128Array::from(vec![Some(123_456_789_012_345), Some(-5), None]).with_precision_and_scale(38, 2);
    let list: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new("item", DataType::Utf8, true)),
        OffsetBuffer::from_lengths([6, 0, 0]),
        Arc::new(StringArray::from(HOSTILE.to_vec())),
        Some(vec![true, true, false].into()),
    ));
    let micros =
        TimestampMicrosecondArray::from(vec![Some(1_795_336_200_000_001), Some(-1), None]).with_timezone("UTC");
    let rows = batch(&[
        ("customer", Arc::new(Int64Array::from(vec![3, 1, 2])) as ArrayRef),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]))),
        ("small", Arc::new(Int16Array::from(vec![Some(-1), Some(1), None]))),
        ("wide", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(0), None]))),
        ("float", Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::INFINITY), None]))),
        ("money", Arc::new(money.expect("fits"))),
        ("date", Arc::new(Date32Array::from(vec![Some(20_778), Some(-1), None]))),
        ("instant", Arc::new(micros)),
        ("select", texts(&[Some(HOSTILE[2]), Some(""), None])),
        ("a \"quoted\" name", texts(&[Some(HOSTILE[0]), Some(HOSTILE[1]), None])),
        ("list", list),
    ]);
    let place = base.place(", table: 'seg.{audience}-odd'");
    base.run("create schema seg");
    let versions = Versions::default().with("tÿpes", 1, rows);
    place.deliver("tÿpes", &versions, version(1)).expect("delivered");
    let table = "seg.\"tÿpes-odd\"";
    let columns =
        "select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute where attnum > 0 and attrelid = ";
    assert_eq!(
        base.ask(&format!("{columns} '{table}'::regclass order by attnum")),
        [
            "customer bigint",
            "yes boolean",
            "int bigint",
            "small bigint",
            "wide numeric(20,0)",
            "float double precision",
            "money numeric(38,2)",
            "date date",
            "instant timestamp with time zone",
            "select text",
            "a \"quoted\" name text",
            "list text[]"
        ]
    );
    let plain = "customer, yes, int, small, wide, float, money, date, instant at time zone 'UTC'";
    assert_eq!(
        base.ask(&format!("select {plain} from {table} order by customer desc")),
        [
            "3|t|-9223372036854775808|-1|18446744073709551615|0.1|1234567890123.45|2026-11-21|2026-11-22 08:30:00.000001",
            "2|∅|∅|∅|∅|∅|∅|∅|∅",
            "1|f|9223372036854775807|1|0|Infinity|-0.05|1969-12-31|1969-12-31 23:59:59.999999",
        ]
    );
    let odd = format!("select \"select\", \"a \"\"quoted\"\" name\" from {table} order by customer");
    assert_eq!(
        base.ask(&odd),
        [format!("|{}", HOSTILE[1]), "∅|∅".to_owned(), format!("{}|{}", HOSTILE[2], HOSTILE[0])]
    );
    assert_eq!(base.ask(&format!("select unnest(list) from {table} where customer = 3")), HOSTILE);
    assert_eq!(base.ask(&format!("select cardinality(list) from {table} order by customer")), ["0", "∅", "6"]);
    assert_eq!(base.ask("select count(*) from seg.segue_deliveries"), ["1"], "the ledger is beside the table");
    // What no text of PostgreSQL holds is told, and nothing is there.
    let zero = batch(&[("customer", texts(&[Some("a\0b")]))]);
    let error = place.deliver("zero", &Versions::default().with("zero", 1, zero), version(1)).expect_err("a zero");
    assert!(error.to_string().contains("zero byte"), "{error}");
    assert_eq!(base.ask("select to_regclass('seg.\"zero-odd\"') is null"), ["t"]);
}

fn tables_of_others(base: &Base<'_>) {
    let place = base.place(", table: '{audience}'");
    // A table of their own making, with columns and types of their own.
    base.run(
        "create table vip (id serial, customer uuid, score smallint, note text default 'theirs');\
         create table taken (customer text, score bigint); insert into taken values ('theirs', 1);\
         create table thin (customer text)",
    );
    let ids = ["6f1de8bd-0c6a-4b3b-8c8c-000000000001", "6f1de8bd-0c6a-4b3b-8c8c-000000000002"];
    let versions = Versions::default()
        .with("vip", 1, scored(&[(ids[0], 1), (ids[1], 2)]))
        .with("vip", 2, scored(&[(ids[1], 3)]))
        .with("taken", 1, scored(&[("a", 1)]))
        .with("thin", 1, scored(&[("a", 1)]));
    place.deliver("vip", &versions, version(1)).expect("delivered");
    base.run("update vip set note = 'kept'");
    place.deliver("vip", &versions, version(2)).expect("delivered");
    assert_eq!(base.ask("select customer, score, note from vip"), [format!("{}|3|kept", ids[1])]);
    let error = place.deliver("taken", &versions, version(1)).expect_err("refused");
    assert_eq!(error.to_string(), "destination `crm`: table \"taken\" holds rows that no delivery made");
    assert_eq!(base.ask("select customer from taken"), ["theirs"]);
    let error = place.deliver("thin", &versions, version(1)).expect_err("a column is missing");
    assert_eq!(error.help(), Some("alter table \"thin\" add column \"score\" bigint"));
    // One table is of one audience.
    let one = base.place(", table: contacts");
    let both = Versions::default().with("x", 1, scored(&[("a", 1)])).with("y", 1, scored(&[("a", 1)]));
    one.deliver("x", &both, version(1)).expect("delivered");
    let error = one.deliver("y", &both, version(1)).expect_err("refused");
    assert_eq!(error.to_string(), "destination `crm`: table \"contacts\" holds audience `x` of project `shop`");
    let long = "a".repeat(64);
    let versions = Versions::default().with(&long, 1, scored(&[("a", 1)]));
    let error = place.deliver(&long, &versions, version(1)).expect_err("too long");
    assert!(error.to_string().contains("63 bytes are the most"), "{error}");
}

fn all_or_nothing(base: &Base<'_>) {
    let place = base.place("");
    let versions = Versions::default().with("v", 1, scored(&[("a", 1), ("b", 1)])).with(
        "v",
        2,
        scored(&[("b", 2), ("c", -5), ("d", 1)]),
    );
    place.deliver("v", &versions, version(1)).expect("delivered");
    let before = || base.ask("select * from v order by customer");
    let there = before();
    // Broken at each step of the transaction, as a rule of the table breaks it.
    for (name, event) in [("no_delete", "delete"), ("no_update", "update"), ("no_insert", "insert")] {
        base.run(&format!(
            "create function {name}() returns trigger language plpgsql as \
             $$ begin raise exception 'not in here, {PASSWORD}' using detail = 'customer a'; end $$;\
             create trigger {name} before {event} on v for each row execute function {name}()"
        ));
        let error = place.deliver("v", &versions, version(2)).expect_err("broken");
        let text = format!("{error} {error:?} {:?}", error.help());
        assert!(text.contains("not in here") && text.contains("P0001"), "{text}");
        assert!(!text.contains(PASSWORD) && !text.contains("hunter2") && !text.contains("customer a"), "{text}");
        assert_eq!(before(), there);
        assert_eq!(base.ask("select version from segue_deliveries"), ["1"]);
        base.run(&format!("drop trigger {name} on v"));
    }
    base.run(
        "create function no_ledger() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$;\
              create trigger no_ledger before insert on segue_deliveries for each row execute function no_ledger()",
    );
    place.deliver("v", &versions, version(2)).expect_err("broken");
    assert_eq!(before(), there, "without its key nothing is there");
    base.run("drop trigger no_ledger on segue_deliveries");
    place.deliver("v", &versions, version(2)).expect("delivered");
    assert_eq!(before(), ["b|2", "c|-5", "d|1"]);
}

fn no_connection(base: &Base<'_>) {
    let versions = Versions::default().with("v", 1, scored(&[("a", 1)]));
    let port = base.server.port;
    for (url, words) in [
        (format!("postgres://segue:{ESCAPED}@127.0.0.1:{port}/{}?sslmode=require", base.name), "asks for TLS"),
        (format!("postgres://segue:{ESCAPED}x@127.0.0.1:{port}/{}", base.name), "password authentication failed"),
        (format!("postgres://segue:{ESCAPED}@127.0.0.1:1/{}", base.name), "cannot connect"),
        (format!("postgres://segue:{ESCAPED}@127.0.0.1:{port}/nowhere"), "does not exist"),
        (format!("postgres://segue:{ESCAPED}@127.0.0.1:{port}port/x"), "can't be read"),
        (format!("hunter2 {ESCAPED}"), "can't be read"),
    ] {
        let place = base.place("");
        std::fs::write(place.root.path().join("url.txt"), &url).expect("written");
        let error = place.deliver("v", &versions, version(1)).expect_err("no connection");
        let text = format!("{error} {error:?} {:?}", error.help());
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(error.exit(), Exit::Environment);
        assert!(!text.contains("hunter2") && !text.contains("s@cret") && !text.contains("s%40cret"), "{text}");
        let kept = place.kept();
        assert!(!kept.is_empty() && kept.iter().all(|(_, text)| !text.contains("hunter2")), "{kept:?}");
    }
}

fn many_rows(base: &Base<'_>) {
    let place = base.place("");
    let of = |from: i64, to: i64, plus: i64| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
        let scores: ArrayRef = Arc::new(Int64Array::from_iter_values((from..to).map(|n| n * plus)));
        batch(&[("customer", ids), ("score", scores)])
    };
    let versions = Versions::default().with("v", 1, of(0, 60_000, 1)).with("v", 2, of(10_000, 80_000, 2));
    place.deliver("v", &versions, version(1)).expect("delivered");
    place.deliver("v", &versions, version(2)).expect("delivered");
    assert_eq!(
        base.ask("select count(*), min(customer), max(customer), sum(score) from v"),
        [format!("70000|10000|79999|{}", (10_000..80_000_i64).map(|n| n * 2).sum::<i64>())]
    );
}
