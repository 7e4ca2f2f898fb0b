//! A table in PostgreSQL.
//!
//! Owns: how rows become those of a table: members are what it holds, contacts of one decision stand beside those of the others, by
//! [`VERSION`]. Promises: one transaction brings a delivery and remembers its idempotency key, so that it
//! is there wholly and once, or not at all; changes are applied only onto the version that they are changes of; rows that no
//! delivery made are not touched. Names are quoted, values go by COPY.
//!
//! Connections are made without TLS: `sslmode=disable` and `prefer` (where unsaid); an address that requires TLS is refused.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, Transaction};

use super::rows;
use super::secret::Secret;
use super::{Parcel, Sent, Target};
use crate::error::Error;
use crate::language::catalog::Mode;

/// The table that remembers deliveries, beside the target's.
pub const LEDGER: &str = "segue_deliveries";
/// The column that tells a decision's contacts from those of the others: the version that published it.
pub const VERSION: &str = "version";
/// The most bytes of a name; PostgreSQL would cut it off.
const MAX_NAME: usize = 63;
/// Deliveries into one database are made one after the other: `segue` as a number.
const LOCK: i64 = 0x73_6567_7565;
/// Bytes of one message of COPY.
const CHUNK: usize = 1 << 18;
/// How long to wait for a connection.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// A database.
pub struct Postgres {
    name: String,
    url: Secret,
    table: String,
}

impl Postgres {
    /// `table` is the pattern of the table's name.
    pub fn new(destination: &str, url: Secret, table: &str) -> Postgres {
        Postgres { name: destination.to_owned(), url, table: table.to_owned() }
    }

    fn cant(&self, why: impl std::fmt::Display) -> Error {
        Error::data(self.url.hide(&format!("destination `{}`: {why}", self.name)))
    }

    /// What the database said, without the values that stand in its details.
    fn said(&self, doing: &str, why: &tokio_postgres::Error) -> Error {
        let (text, help) = match why.as_db_error() {
            Some(db) => {
                (format!("{} ({})", db.message(), db.code().code()), "the transaction is undone; nothing has changed")
            }
            None => {
                let mut at: &dyn std::error::Error = why;
                while let Some(inner) = at.source() {
                    at = inner;
                }
                (at.to_string(), "is the database there, and is its address right?")
            }
        };
        self.cant(format_args!("{doing}: {text}")).with_help(help)
    }

    async fn connect(&self) -> Result<Client, Error> {
        // What is wrong with an address is not told by its parts: they may be the secret.
        let mut config: Config = self.url.reveal().parse().map_err(|_| {
            self.cant("its address can't be read")
                .with_help("an address is `postgres://user:password@host:port/database`")
        })?;
        if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
            return Err(self.cant("its address asks for TLS, which this build of Segue does not speak to databases").with_help(
                "connect through a local socket or a tunnel that encrypts (stunnel, ssh -L, a service's own proxy), \
                 with `sslmode=disable`",
            ));
        }
        config.ssl_mode(SslMode::Disable).application_name("segue");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        let (client, connection) = config.connect(NoTls).await.map_err(|e| self.said("cannot connect", &e))?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told the reason.
            let _ = connection.await;
        });
        Ok(client)
    }

    /// Contacts with the version that decided them.
    fn of_version(&self, parcel: &Parcel<'_>) -> Result<RecordBatch, Error> {
        if parcel.rows.column_by_name(VERSION).is_some() {
            return Err(self
                .cant(format_args!(
                    "audience `{}` has a column `{VERSION}`, which means something else",
                    parcel.audience
                ))
                .with_help("call the value something else: `with … as other_name`"));
        }
        let version = i64::try_from(parcel.which.version).unwrap_or(i64::MAX);
        let mut fields = parcel.rows.schema_ref().fields().to_vec();
        fields.push(Arc::new(Field::new(VERSION, DataType::Int64, false)));
        let mut columns = parcel.rows.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(vec![version; parcel.rows.num_rows()])));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| rows::odd(&e))
    }
}

#[async_trait]
impl Target for Postgres {
    fn size(&self) -> Option<u64> {
        None
    }

    /// The version that is there is remembered even where nothing changes.
    fn wants_nothing(&self, _: Mode) -> bool {
        true
    }

    async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Sent, Error> {
        let place = place(&self.table, parcel.known_as).map_err(|why| self.cant(why))?;
        let mut client = self.connect().await?;
        let transaction = client.transaction().await.map_err(|e| self.said("cannot begin", &e))?;
        let rows = if parcel.contacts { self.of_version(parcel)? } else { parcel.rows.clone() };
        let work = Work { of: self, transaction: &transaction, parcel, rows, place };
        let repeated = work.bring().await?;
        transaction.commit().await.map_err(|e| self.said("cannot commit", &e))?;
        Ok(Sent::Taken { repeated, neutralised: None })
    }
}

/// A table and the schema that it is in.
struct Place {
    schema: Option<String>,
    table: String,
}

/// The table of an audience, by its first name: under a new one it stays where it is.
fn place(pattern: &str, audience: &str) -> Result<Place, String> {
    let part = |text: &str| {
        let name = text.replace("{audience}", audience);
        match name.len() > MAX_NAME || name.contains('\0') {
            true => Err(format!("`{name}` is too long for the name of a table; {MAX_NAME} bytes are the most")),
            false => Ok(name),
        }
    };
    match pattern.split_once('.') {
        Some((schema, table)) => Ok(Place { schema: Some(part(schema)?), table: part(table)? }),
        None => Ok(Place { schema: None, table: part(pattern)? }),
    }
}

impl Place {
    fn sibling(&self, table: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(table)),
            None => quoted(table),
        }
    }

    fn name(&self) -> String {
        self.sibling(&self.table)
    }
}

fn joined<'a>(of: impl IntoIterator<Item = &'a String>, between: &str, text: impl Fn(&str) -> String) -> String {
    of.into_iter().map(|part| text(part)).collect::<Vec<_>>().join(between)
}

/// `"a ""b"""`
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A delivery within its transaction.
struct Work<'w> {
    of: &'w Postgres,
    transaction: &'w Transaction<'w>,
    parcel: &'w Parcel<'w>,
    rows: RecordBatch,
    place: Place,
}

impl Work<'_> {
    /// True where the database has that delivery.
    async fn bring(&self) -> Result<bool, Error> {
        let ledger = self.place.sibling(LEDGER);
        self.run("cannot lock", &format!("select pg_advisory_xact_lock({LOCK})")).await?;
        self.run(
            "cannot make the table of deliveries",
            &format!(
                "create table if not exists {ledger} (number bigint generated always as identity, key text not null, \
                 project text not null, destination text not null, audience text not null, \"table\" text not null, \
                 mode text not null, version bigint not null, base bigint, upserts bigint not null, \
                 deletes bigint not null, at timestamptz not null default now(), primary key (key, \"table\"))"
            ),
        )
        .await?;
        let known = format!("select 1 from {ledger} where key = $1 and \"table\" = $2");
        let which: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&self.parcel.key, &self.place.table];
        let known = self.ask("cannot read the table of deliveries", &known, &which).await?;
        if !known.is_empty() && !self.parcel.again {
            return Ok(true);
        }
        let last = self.ours(&ledger).await?;
        self.onto(last)?;
        let columns = self.target(last.is_some()).await?;
        self.stage(&columns).await?;
        self.apply(&columns).await?;
        self.remember(&ledger).await?;
        Ok(false)
    }

    /// The version that the table has; none where no delivery came here. A table belongs to one audience.
    async fn ours(&self, ledger: &str) -> Result<Option<i64>, Error> {
        let Parcel { project, known_as, .. } = *self.parcel;
        let sql = format!(
            "select project, audience, version from {ledger} where \"table\" = $1 order by number desc limit 1"
        );
        let rows = self.ask("cannot read the table of deliveries", &sql, &[&self.place.table]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (whose, which): (&str, &str) = (row.get(0), row.get(1));
        if (whose, which) != (project, known_as) {
            return Err(Error::Refused {
                message: format!(
                    "destination `{}`: table {} holds audience `{which}` of project `{whose}`",
                    self.of.name,
                    self.place.name()
                ),
                help: Some("a table is of one audience: write `{audience}` in the table's name in the catalog".into()),
            });
        }
        Ok(Some(row.get(2)))
    }

    /// Changes are onto the version that they are changes of.
    fn onto(&self, last: Option<i64>) -> Result<(), Error> {
        let which = self.parcel.which;
        let version = |n: u64| i64::try_from(n).ok();
        let fits = match (which.mode, which.base) {
            (Mode::Full, _) => true,
            (Mode::Delta, base) => {
                last == base.and_then(version) || (self.parcel.again && last == version(which.version))
            }
        };
        if fits {
            return Ok(());
        }
        let says =
            |version: Option<String>| version.map_or_else(|| "no version".to_owned(), |v| format!("version {v}"));
        Err(Error::Refused {
            message: format!(
                "destination `{}`: table {} has {}, and these are the changes since {}",
                self.of.name,
                self.place.name(),
                says(last.map(|v| v.to_string())),
                says(which.base.map(|v| v.to_string())),
            ),
            help: Some("was the database restored? Deliver everything once: `--full`".into()),
        })
    }

    /// The columns of the delivery, once the target has them all. It is made where it is not there.
    async fn target(&self, ours: bool) -> Result<Vec<String>, Error> {
        let schema = self.rows.schema();
        let wanted: Vec<(&str, &DataType)> =
            schema.fields().iter().skip(1).map(|f| (f.name().as_str(), f.data_type())).collect();
        if let Some((name, _)) = wanted.iter().find(|(name, _)| name.len() > MAX_NAME) {
            return Err(self.of.cant(format_args!("`{name}` is too long for the name of a column")));
        }
        let name = self.place.name();
        let sql = "select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped";
        let found = self.ask("cannot look for the table", sql, &[&name]).await?;
        let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        if found.is_empty() {
            let mut parts: Vec<String> =
                wanted.iter().map(|(column, ty)| format!("{} {}", quoted(column), sql_type(ty))).collect();
            let keys: Vec<String> = self.keys().map(quoted).collect();
            parts.push(format!("primary key ({})", keys.join(", ")));
            self.run("cannot make the table", &format!("create table {name} ({})", parts.join(", "))).await?;
        } else {
            if let Some((column, ty)) = wanted.iter().find(|(column, _)| !found.iter().any(|f| f == column)) {
                return Err(self
                    .of
                    .cant(format_args!("table {name} has no column {}", quoted(column)))
                    .with_help(format!("alter table {name} add column {} {}", quoted(column), sql_type(ty))));
            }
            let any = format!("select 1 from {name} limit 1");
            if !ours && !self.ask("cannot read the table", &any, &[]).await?.is_empty() {
                return Err(Error::Refused {
                    message: format!("destination `{}`: table {name} holds rows that no delivery made", self.of.name),
                    help: Some("name another table in the catalog, or empty this one".into()),
                });
            }
        }
        Ok(wanted.iter().map(|(column, _)| quoted(column)).collect())
    }

    /// The rows beside the target, in its own types.
    async fn stage(&self, columns: &[String]) -> Result<(), Error> {
        let (name, list) = (self.place.name(), columns.join(", "));
        self.run("cannot stage", "create temporary table segue_rows (operation text) on commit drop").await?;
        let like =
            format!("create temporary table segue_typed on commit drop as select {list} from {name} where false");
        self.run("cannot stage", &like).await?;
        let add: Vec<String> = self
            .ask(
                "cannot stage",
                "select quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) from pg_attribute \
                 where attrelid = 'segue_typed'::regclass and attnum > 0 order by attnum",
                &[],
            )
            .await?
            .iter()
            .map(|row| format!("add column {}", row.get::<_, String>(0)))
            .collect();
        self.run("cannot stage", &format!("alter table segue_rows {}", add.join(", "))).await?;
        let copy = format!("copy segue_rows (operation, {list}) from stdin");
        let failed = |e: tokio_postgres::Error| self.of.said("cannot copy the rows", &e);
        let sink = self.transaction.copy_in::<_, Bytes>(copy.as_str()).await.map_err(failed)?;
        let mut sink = std::pin::pin!(sink);
        let mut text = String::new();
        for row in 0..self.rows.num_rows() {
            line(&mut text, &self.rows, row).map_err(|why| self.of.cant(why))?;
            if text.len() >= CHUNK {
                sink.send(Bytes::from(std::mem::take(&mut text))).await.map_err(failed)?;
            }
        }
        sink.send(Bytes::from(text)).await.map_err(failed)?;
        sink.finish().await.map_err(failed)?;
        Ok(())
    }

    /// The columns that tell a row of the table from the others.
    fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(rows::CUSTOMER).chain(Some(VERSION).filter(|_| self.parcel.contacts))
    }

    /// Staging into the target. Another writer waits; readers don't.
    async fn apply(&self, columns: &[String]) -> Result<(), Error> {
        let name = self.place.name();
        let (customer, upsert, delete) = (quoted(rows::CUSTOMER), rows::UPSERT, rows::DELETE);
        let list = columns.join(", ");
        let keys: Vec<String> = self.keys().map(quoted).collect();
        let same = joined(&keys, " and ", |c| format!("s.{c} = t.{c}"));
        self.run("cannot lock the table", &format!("lock table {name} in share row exclusive mode")).await?;
        self.run("cannot prepare", &format!("create index on segue_rows ({customer}); analyze segue_rows")).await?;
        // All rows: whoever is not among them goes; contacts of other decisions are none of theirs. Changes: whoever they say.
        let gone = match self.parcel.which.mode {
            Mode::Full => format!("not exists (select from segue_rows s where {same})"),
            Mode::Delta => format!("exists (select from segue_rows s where {same} and s.operation = '{delete}')"),
        };
        let ours = match self.parcel.contacts {
            true => format!("t.{} = {} and ", quoted(VERSION), self.parcel.which.version),
            false => String::new(),
        };
        self.run("cannot delete", &format!("delete from {name} t where {ours}{gone}")).await?;
        let others: Vec<&String> = columns.iter().filter(|column| !keys.contains(column)).collect();
        if !others.is_empty() {
            let sets = joined(others.iter().copied(), ", ", |c| format!("{c} = s.{c}"));
            let changed = joined(others, " or ", |c| format!("t.{c} is distinct from s.{c}"));
            self.run(
                "cannot update",
                &format!(
                    "update {name} t set {sets} from segue_rows s where {same} and s.operation = '{upsert}' and ({changed})"
                ),
            )
            .await?;
        }
        let values = joined(columns, ", ", |c| format!("s.{c}"));
        self.run(
            "cannot insert",
            &format!(
                "insert into {name} ({list}) select {values} from segue_rows s where s.operation = '{upsert}' \
                 and not exists (select from {name} t where {same})"
            ),
        )
        .await
    }

    async fn remember(&self, ledger: &str) -> Result<(), Error> {
        let Parcel { project, known_as, destination, which, rows, .. } = self.parcel;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let operations = rows.column(0);
        let deletes = (0..rows.num_rows()).filter(|row| rows::text(operations, *row).as_deref() == Some(rows::DELETE));
        let deletes = number(deletes.count() as u64);
        let upserts = number(rows.num_rows() as u64).saturating_sub(deletes);
        let (version, base) = (number(which.version), which.base.map(number));
        // Made again, it is the last one once more.
        let sql = format!("delete from {ledger} where key = $1 and \"table\" = $2");
        let failed = |e: tokio_postgres::Error| self.of.said("cannot remember the delivery", &e);
        self.transaction.execute(&sql, &[&self.parcel.key, &self.place.table]).await.map_err(failed)?;
        let sql = format!(
            "insert into {ledger} (key, project, destination, audience, \"table\", mode, version, base, upserts, deletes) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let mode = which.mode.as_str();
        self.transaction
            .execute(
                &sql,
                &[
                    &self.parcel.key,
                    project,
                    destination,
                    known_as,
                    &self.place.table,
                    &mode,
                    &version,
                    &base,
                    &upserts,
                    &deletes,
                ],
            )
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn run(&self, doing: &str, sql: &str) -> Result<(), Error> {
        self.transaction.batch_execute(sql).await.map_err(|e| self.of.said(doing, &e))
    }

    async fn ask(
        &self,
        doing: &str,
        sql: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, Error> {
        self.transaction.query(sql, values).await.map_err(|e| self.of.said(doing, &e))
    }
}

fn sql_type(ty: &DataType) -> String {
    match ty {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision}, {scale})"),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamptz".to_owned(),
        DataType::List(_) => "text[]".to_owned(),
        _ => "text".to_owned(),
    }
}

/// A row in the text form of COPY.
fn line(out: &mut String, batch: &RecordBatch, row: usize) -> Result<(), String> {
    for (at, (field, column)) in batch.schema_ref().fields().iter().zip(batch.columns()).enumerate() {
        if at > 0 {
            out.push('\t');
        }
        let Some(text) = cell(column, row) else {
            out.push_str("\\N");
            continue;
        };
        for c in text.chars() {
            match c {
                '\0' => {
                    return Err(format!(
                        "a text of `{}` has a zero byte, which no text of PostgreSQL has",
                        field.name()
                    ));
                }
                '\\' => out.push_str("\\\\"),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                c => out.push(c),
            }
        }
    }
    out.push('\n');
    Ok(())
}

fn cell(column: &ArrayRef, row: usize) -> Option<String> {
    match column.data_type() {
        DataType::List(_) if !column.is_null(row) => {
            let mut array = String::from("{");
            for (at, text) in rows::texts(column, row).iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(array, "{comma}\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            }
            array.push('}');
            Some(array)
        }
        _ => rows::text(column, row),
    }
}
