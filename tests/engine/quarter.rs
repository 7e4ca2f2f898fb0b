//! A quarter of mornings: the example's campaign calendar, run day by day as a scheduler does, and what must hold of all that it left
//! behind. The laws are checked by plain loops over the published tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use segue::audience::store::{Chain, Kind, Manifest, Store, Table};
use segue::language::calendar::{Zone, date_of, days_of};
use segue::language::ir::Date;
use segue::project;

use crate::deliver_postgres;
use crate::support::{copy, root, segue};

const DAY: i64 = 86_400_000_000;

/// A row of the history.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    event: String,
    name: String,
    customer: String,
    arm: Option<String>,
    channel: Option<String>,
    cost: i128,
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    let at = batch.column_by_name("at").expect("at").as_primitive::<TimestampMicrosecondType>().clone();
    let cost = batch.column_by_name("cost").expect("cost").as_primitive::<Decimal128Type>().clone();
    let column = |name| texts(batch, name);
    let (events, names, customers) = (column("event"), column("name"), column("customer"));
    let (arms, channels) = (column("arm"), column("channel"));
    (0..batch.num_rows())
        .map(|row| Row {
            at: at.value(row),
            event: events[row].clone().expect("an event"),
            name: names[row].clone().expect("a name"),
            customer: customers[row].clone().expect("an id"),
            arm: arms[row].clone(),
            channel: channels[row].clone(),
            cost: if cost.is_null(row) { 0 } else { cost.value(row) },
        })
        .collect()
}

async fn history(store: &Store, chain: &Chain) -> Vec<Row> {
    let mut all = Vec::new();
    for file in chain.history() {
        store.read(&file).await.expect("reads").iter().for_each(|batch| all.extend(rows(batch)));
    }
    all
}

async fn customers(store: &Store, version: &Manifest, name: &str) -> BTreeSet<String> {
    let file = version.draft.audience(name).unwrap_or_else(|| panic!("no audience {name}"));
    let batches = store.read(file).await.expect("reads");
    batches.iter().flat_map(|batch| texts(batch, "customer")).flatten().collect()
}

fn days() -> Vec<Date> {
    let (first, last) = (Date { year: 2026, month: 8, day: 24 }, Date { year: 2026, month: 11, day: 21 });
    (days_of(first)..=days_of(last)).map(date_of).collect()
}

/// Nobody has more than `n` in any stretch of `days` (a day of the clock's change is 25 hours: stretches are reckoned by date).
fn at_most(touches: &[&Row], n: usize, days: i32, zone: &Zone) {
    let mut by_customer: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    touches.iter().for_each(|row| by_customer.entry(&row.customer).or_default().push(row.at));
    for (customer, mut all) in by_customer {
        all.sort_unstable();
        for window in all.windows(n + 1) {
            let (first, last) = (window[0], window[n]);
            // (T − days, T] by the local clock.
            let local = |at: i64| zone.local(at);
            assert!(local(first) <= local(last) - i64::from(days) * DAY, "{customer}: {n} in {days}d, {window:?}");
        }
    }
}

#[test]
fn ninety_mornings_of_the_example() {
    let folder = tempfile::tempdir().expect("folder");
    let shop = folder.path().join("shop");
    copy(&root().join("examples/cosmetics"), &shop);
    let server = deliver_postgres::server();
    let database = server.as_ref().map(|server| deliver_postgres::Base::new(server, "quarter"));
    let mut destinations =
        "\ndestinations:\n  drop: {kind: csv, path: out/drop, audiences: [loyal, antiage_winback]}\n".to_owned();
    match &database {
        Some(database) => {
            std::fs::write(shop.join("crm.txt"), database.url()).expect("written");
            destinations
                .push_str("  crm: {kind: postgres, url: {file: crm.txt}, audiences: [loyal, antiage_winback]}\n");
        }
        None => println!("skipped: there is no PostgreSQL to deliver to"),
    }
    let lake = lake();
    if lake.is_some() {
        destinations.push_str("  lake: {kind: parquet, path: \"s3://segue-test/quarter\", audiences: [loyal]}\n");
    }
    let catalog = std::fs::read_to_string(shop.join("catalog.yaml")).expect("the catalog");
    std::fs::write(shop.join("catalog.yaml"), catalog + &destinations).expect("written");
    for date in days() {
        let as_of = format!("{:04}-{:02}-{:02}T10:00", date.year, date.month, date.day);
        let ran = segue().current_dir(folder.path()).args(["run", "shop", "--quiet", "--as-of", &as_of]).output();
        let ran = ran.expect("runs");
        assert!(ran.status.success(), "{as_of}: {}", String::from_utf8_lossy(&ran.stderr));
        let mut deliver = segue();
        deliver
            .current_dir(&shop)
            .args(["deliver", "--quiet"])
            .envs(lake.as_ref().map(Lake::access).unwrap_or_default());
        let brought = deliver.output().expect("runs");
        assert!(brought.status.success(), "{as_of}: {}", String::from_utf8_lossy(&brought.stderr));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(laws(&shop));
    if let Some(server) = &server {
        runtime.block_on(arrived(server, &shop));
    }
    if let Some(lake) = &lake {
        let there = runtime.block_on(lake.customers("quarter/loyal.parquet"));
        let published = runtime.block_on(async {
            let store = Store::open("published", &shop).expect("opens");
            let chain = store.chain().await.expect("whole");
            customers(&store, chain.latest().expect("a version"), "loyal").await
        });
        assert_eq!(there, published);
    }
    let again = |as_of: &str| {
        let call = segue().current_dir(folder.path()).args(["run", "shop", "--as-of", as_of]).output().expect("runs");
        call.status.code()
    };
    let count = || std::fs::read_dir(shop.join("published/manifests")).expect("manifests").count();
    let before = count();
    assert_eq!(
        (again("2026-11-21T10:00"), again("2026-11-01T10:00")),
        (Some(0), Some(5)),
        "the same run, and an earlier one"
    );
    assert_eq!(count(), before);
}

async fn laws(shop: &Path) {
    let mut project = project::load(shop).expect("loads");
    let program = project.check(None).program;
    let zone = Zone::new(&project.file.timezone).expect("a zone");
    let store = Store::open("published", shop).expect("opens");
    let chain = store.chain().await.expect("whole");
    let history = history(&store, &chain).await;
    let contacts: Vec<&Row> = history.iter().filter(|row| row.event == "contacted").collect();
    let touches = |name: &str| -> Vec<&Row> {
        let touch = |row: &&Row| row.name == name && matches!(row.event.as_str(), "contacted" | "held out");
        history.iter().filter(touch).collect()
    };
    println!("{} versions, {} rows of history, {} contacts", chain.versions().len(), history.len(), contacts.len());
    assert!(chain.versions().len() >= days().len() && contacts.len() > 300);
    // Nobody hears more than the policies admit, whatever the campaigns wanted.
    at_most(&contacts, 3, 7, &zone);
    let sms: Vec<&Row> = contacts.iter().copied().filter(|row| row.channel.as_deref() == Some("sms")).collect();
    at_most(&sms, 2, 30, &zone);
    at_most(&touches("antiage_winback"), 1, 30, &zone);
    at_most(&touches("cart_reminder"), 1, 7, &zone);
    at_most(&touches("serum_with_it"), 1, 60, &zone);
    // Whoever was contacted agreed, and nobody suppressed was.
    let suppressed = std::fs::read_to_string(shop.join("lists/suppressed.txt")).expect("the list");
    let suppressed: BTreeSet<&str> = suppressed.lines().map(str::trim).collect();
    assert!(contacts.iter().all(|row| !suppressed.contains(row.customer.as_str())));
    let consents = consents(shop);
    for row in &contacts {
        let channel = row.channel.as_deref().expect("a contact has a channel");
        let agreed = consents.get(channel).is_none_or(|agreed| agreed.contains(&row.customer));
        assert!(agreed, "{row:?}");
    }
    // The budget is for the whole life of the campaign, in millionths.
    for (name, budget) in [("antiage_winback", 500_i128), ("loyalty_gift", 400), ("stay_with_us", 300)] {
        let spent: i128 = touches(name).iter().map(|row| row.cost).sum();
        assert!(spent > 0 && spent <= budget * 1_000_000, "{name}: {spent}");
    }
    // An arm is for ever, and all three parts are there.
    let mut arms: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in touches("antiage_winback") {
        let part = row.arm.as_deref().unwrap_or("held out");
        seen.insert(part);
        assert_eq!(*arms.entry(&row.customer).or_insert(part), part, "{}", row.customer);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["a", "b", "held out"]);
    // What entered and left says adds up to what was published, at every version.
    let segments = ["loyal", "heavy_users", "slipping_away", "skincare_lovers"];
    let mut members: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for version in chain.versions() {
        for file in version.draft.of(Table::History) {
            for batch in store.read(file).await.expect("reads") {
                for row in rows(&batch) {
                    let Some(name) = segments.iter().find(|name| **name == row.name) else { continue };
                    let inside = members.entry(name).or_default();
                    let fits = match row.event.as_str() {
                        "entered" => inside.insert(row.customer),
                        "left" => inside.remove(&row.customer),
                        _ => true,
                    };
                    assert!(fits, "{name} {} twice", row.event);
                }
            }
        }
        for name in segments {
            assert_eq!(
                members.get(name).cloned().unwrap_or_default(),
                customers(&store, version, name).await,
                "{name}"
            );
        }
    }
    // Every pair of a campaign that was due and a customer who met its condition has one outcome, and what was sent is the audience.
    let mut decided = 0;
    for version in chain.versions() {
        assert_eq!(version.draft.kind, Kind::Run);
        let mut outcomes: BTreeMap<(String, String), String> = BTreeMap::new();
        for file in version.draft.of(Table::Decisions) {
            for batch in store.read(file).await.expect("reads") {
                let (campaigns, ids, said) =
                    (texts(&batch, "campaign"), texts(&batch, "customer"), texts(&batch, "outcome"));
                for row in 0..batch.num_rows() {
                    let key = (campaigns[row].clone().expect("a name"), ids[row].clone().expect("an id"));
                    assert!(
                        outcomes.insert(key, said[row].clone().expect("an outcome")).is_none(),
                        "one outcome a pair"
                    );
                }
            }
        }
        decided += outcomes.len();
        for decided in &version.draft.decided {
            if version.draft.counts.get(&decided.key).is_none_or(|count| !count.outcomes.contains_key("sent")) {
                continue;
            }
            let sent = outcomes.iter().filter(|((name, _), said)| *name == decided.key && *said == "sent");
            let sent: BTreeSet<String> = sent.map(|((_, id), _)| id.clone()).collect();
            assert_eq!(sent, customers(&store, version, &decided.key).await, "{}", decided.key);
        }
    }
    println!("{decided} decisions");
    assert!(decided > 10_000);
    // Every campaign of the calendar reached somebody in the quarter.
    for campaign in &program.campaigns {
        let rule = &program.rules[campaign.rule.0 as usize];
        let listed = campaign.arms.iter().all(|arm| arm.action.channel.is_none());
        assert!(listed || contacts.iter().any(|row| row.name == rule.name), "{} reached nobody", rule.name);
    }
}

/// An S3-compatible store, where the tests know of one.
#[cfg(feature = "cloud")]
struct Lake(crate::cloud::Store);

#[cfg(feature = "cloud")]
fn lake() -> Option<Lake> {
    let lake = crate::cloud::store().map(Lake);
    if lake.is_none() {
        println!("skipped: there is no S3-compatible store to deliver to");
    }
    lake
}

#[cfg(feature = "cloud")]
impl Lake {
    fn access(&self) -> Vec<(&'static str, String)> {
        let address = [("AWS_ENDPOINT_URL", self.0.endpoint.clone()), ("AWS_ALLOW_HTTP", "true".to_owned())];
        crate::cloud::access().into_iter().chain(address).collect()
    }

    async fn customers(&self, key: &str) -> BTreeSet<String> {
        use object_store::ObjectStoreExt as _;
        let got = crate::cloud::bucket(&self.0).get(&object_store::path::Path::from(key)).await.expect("an object");
        let bytes = got.bytes().await.expect("bytes");
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).expect("Parquet");
        let batches = reader.build().expect("reads");
        batches.flat_map(|batch| texts(&batch.expect("a batch"), "customer")).flatten().collect()
    }
}

/// Built without stores in a network there is none.
#[cfg(not(feature = "cloud"))]
enum Lake {}

#[cfg(not(feature = "cloud"))]
fn lake() -> Option<Lake> {
    None
}

#[cfg(not(feature = "cloud"))]
impl Lake {
    fn access(&self) -> Vec<(&'static str, String)> {
        match *self {}
    }

    async fn customers(&self, _: &str) -> BTreeSet<String> {
        match *self {}
    }
}

/// What the database has at the end: the segment as it was published last, and of a campaign every contact; the files as well.
async fn arrived(server: &deliver_postgres::Server, shop: &Path) {
    let store = Store::open("published", shop).expect("opens");
    let chain = store.chain().await.expect("whole");
    let client = deliver_postgres::client(server, "quarter").await.expect("connected");
    let ids = async |table: &str| -> BTreeSet<String> {
        let rows = client.query(&format!("select customer from {table}"), &[]).await.expect("a table");
        rows.iter().map(|row| row.get(0)).collect()
    };
    let newest = chain.latest().expect("a version");
    assert_eq!(ids("loyal").await, customers(&store, newest, "loyal").await);
    let history = history(&store, &chain).await;
    let contacted = history.into_iter().filter(|row| row.event == "contacted" && row.name == "antiage_winback");
    let mut contacted: Vec<String> = contacted.map(|row| row.customer).collect();
    contacted.sort();
    assert!(contacted.len() > 20, "{contacted:?}");
    let rows = client.query("select customer, version from antiage_winback order by 1, 2", &[]).await.expect("a table");
    assert_eq!(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), contacted, "every contact once");
    let mut dropped: Vec<String> = Vec::new();
    for file in std::fs::read_dir(shop.join("out/drop")).expect("a folder") {
        let path = file.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("antiage_winback.")) {
            let text = std::fs::read_to_string(&path).expect("a file");
            dropped.extend(text.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_owned));
        }
    }
    dropped.sort();
    assert_eq!(dropped, contacted, "and once in the files of the decisions");
    let rows = client.query("select count(*), count(distinct key) from segue_deliveries", &[]).await.expect("the keys");
    let (all, distinct): (i64, i64) = (rows[0].get(0), rows[0].get(1));
    assert!(all == distinct && all > 10, "{all} deliveries, {distinct} keys");
}

/// Who agreed to a channel, for those that ask.
fn consents(shop: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let file = std::fs::File::open(shop.join("data/profiles.parquet")).expect("opens");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build();
    let mut agreed: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for batch in reader.expect("reads") {
        let batch = batch.expect("a batch");
        let ids = batch.column_by_name("customer_id").expect("ids");
        let ids = arrow::compute::cast(ids, &arrow::datatypes::DataType::Utf8).expect("text");
        let ids = ids.as_string::<i32>();
        for (channel, column) in [("email", "email_consent"), ("sms", "sms_consent"), ("push", "push_consent")] {
            let said = batch.column_by_name(column).expect("a column").as_boolean();
            let of = agreed.entry(channel).or_default();
            of.extend(
                (0..ids.len())
                    .filter(|&row| said.is_valid(row) && said.value(row))
                    .map(|row| ids.value(row).to_owned()),
            );
        }
    }
    agreed
}
