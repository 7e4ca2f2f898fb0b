//! One version: what it was made of and which files it is.
//!
//! Owns: the form of a manifest. Promises: the same draft behind the same version is the same bytes; a manifest that was torn,
//! changed or written by something else is told. Must not know: where it is kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sha256;
use crate::language::calendar;

/// Changes whenever an older Segue would misread a manifest.
const FORMAT: u64 = 1;
const CHECKSUM: &str = "checksum";

/// Why a version came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Run,
    /// Past days were filled in.
    Backfill,
    /// The audiences of an earlier version.
    Restore,
    /// Customers were taken out.
    Erase,
    /// Old versions were cleared away; the audiences are those of the version before.
    Vacuum,
}

impl Kind {
    /// As in the manifest.
    pub fn text(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Backfill => "backfill",
            Kind::Restore => "restore",
            Kind::Erase => "erase",
            Kind::Vacuum => "vacuum",
        }
    }
}

/// What a run wants to publish. Lists are brought into order, so that it does not matter in which they were filled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub kind: Kind,
    /// Microseconds since 1970, exclusive.
    pub as_of: i64,
    /// The project's zone, an IANA name.
    pub zone: String,
    /// The project's name.
    pub project: String,
    pub edition: String,
    pub tool: Tool,
    /// What the project declares.
    pub program: Vec<Entry>,
    /// A checksum over all that the project says: its declarations, its catalog, its project file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rules: String,
    /// What was read.
    pub inputs: Vec<Input>,
    /// By audience.
    pub counts: BTreeMap<String, Count>,
    /// Campaigns that were decided, and for which instants.
    pub decided: Vec<Decided>,
    /// Names of segments and campaigns with those that they had before, the earliest first: this version's and all earlier ones'.
    pub names: BTreeMap<String, Vec<String>>,
    pub files: Vec<FileRef>,
    /// Of a restore: the version whose audiences these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
    /// Versions whose audiences are not kept any longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vacuumed: Vec<u64>,
    /// Files of earlier versions that others stand for now: the checksums of both. A file of the same content that a later version
    /// publishes is not meant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<String, String>,
    /// Of an erasure: what the contacts had cost that it took out of the history, by the first names of campaigns. A budget is for a
    /// campaign's whole life, whoever is forgotten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spent: BTreeMap<String, Micros>,
}

/// An amount in millionths; a text in JSON, whose numbers are not exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Micros(pub i128);

impl From<Micros> for String {
    fn from(micros: Micros) -> String {
        micros.0.to_string()
    }
}

impl TryFrom<String> for Micros {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Micros, Self::Error> {
        text.parse().map(Micros)
    }
}

/// What a version was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Of Segue.
    pub version: String,
    /// Of the zone database.
    pub tzdb: String,
}

impl Tool {
    /// What is at work just now.
    pub fn this() -> Tool {
        Tool { version: env!("CARGO_PKG_VERSION").to_owned(), tzdb: calendar::tzdb_version().to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Segment,
    Campaign,
    Stages,
    Trait,
    Policy,
}

/// A declaration of the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub kind: EntryKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// As written.
    pub rule: String,
    /// Of the canonical form of its meaning: a change of layout does not change it.
    pub sha256: String,
}

/// The files of a source when they were read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    pub source: String,
    pub files: u64,
    pub bytes: u64,
    /// Of names, sizes and contents, as far as they are known without reading all.
    pub digest: String,
}

/// The size of an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub members: u64,
    /// Since the version that it was compared with.
    pub entered: u64,
    pub left: u64,
    /// Of a campaign: customers by outcome.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: BTreeMap<String, u64>,
}

impl Count {
    /// The same members, none of whom came or went.
    pub(super) fn unmoved(&self) -> Count {
        Count { entered: 0, left: 0, ..self.clone() }
    }
}

/// A campaign that was decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Decided {
    /// Its first name, which its ledger is kept under.
    pub key: String,
    /// Microseconds since 1970.
    pub at: i64,
}

/// Which table a file is, or is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The customers of a segment, a campaign or stages, by name.
    Audience,
    /// Who was contacted, and why the others were not.
    Decisions,
    /// Entered, left, contacted, held out. It only grows; it is never cleared away.
    History,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileRef {
    pub table: Table,
    /// Of the audience; empty where a table is one file a version.
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    pub rows: u64,
    /// Columns with their types, `?` where a value may be missing.
    pub schema: String,
    /// Columns that are made of personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<String>,
    /// The version that names it.
    #[serde(skip)]
    pub(in crate::audience) of: Of,
}

/// The version whose manifest says a [`FileRef`]; `None` of one that is staged. What a file is does not depend on it: two that differ in
/// nothing else are the same.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::audience) struct Of(pub Option<u64>);

impl PartialEq for Of {
    fn eq(&self, _: &Of) -> bool {
        true
    }
}

impl Eq for Of {}

impl PartialOrd for Of {
    fn partial_cmp(&self, other: &Of) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Of {
    fn cmp(&self, _: &Of) -> Ordering {
        Ordering::Equal
    }
}

/// One version.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// From 1.
    pub version: u64,
    /// The SHA-256 of the manifest before.
    pub previous: Option<String>,
    pub draft: Draft,
    /// Of this manifest's bytes.
    pub sha256: String,
}

impl Draft {
    /// With all lists in order.
    pub fn settled(mut self) -> Draft {
        self.program.sort();
        self.inputs.sort();
        self.decided.sort();
        self.decided.dedup();
        self.files.sort();
        self.files.dedup();
        self.vacuumed.sort_unstable();
        self
    }

    /// The file of an audience.
    pub fn audience(&self, name: &str) -> Option<&FileRef> {
        self.of(Table::Audience).find(|file| file.name == name)
    }

    /// The files of a table.
    pub fn of(&self, table: Table) -> impl Iterator<Item = &FileRef> {
        self.files.iter().filter(move |file| file.table == table)
    }

    /// A name, then those that it had before, the latest first: under which of them something stands in a version of then.
    pub fn names_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let former = self.names.get(name).into_iter().flatten().rev();
        std::iter::once(name).chain(former.map(String::as_str))
    }

    /// What is declared by that name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.program.iter().find(|entry| entry.name == name)
    }

    /// The files that stand for the audiences, without the history of this version.
    pub(in crate::audience) fn standing(&self) -> Vec<FileRef> {
        self.files.iter().filter(|file| file.table != Table::History).cloned().collect()
    }
}

/// The bytes of a version.
pub(super) fn bytes(version: u64, previous: Option<&str>, draft: &Draft) -> Result<Vec<u8>, String> {
    let mut body = serde_json::Map::new();
    body.insert("format".to_owned(), FORMAT.into());
    body.insert("version".to_owned(), version.into());
    body.insert("previous".to_owned(), previous.into());
    body.insert("draft".to_owned(), serde_json::to_value(draft).map_err(|e| e.to_string())?);
    let sum = sha256(&text(&body)?);
    body.insert(CHECKSUM.to_owned(), sum.into());
    text(&body)
}

fn text(body: &serde_json::Map<String, Value>) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec_pretty(body).map_err(|e| e.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// Reads a version; what is wrong with it, in words that stand behind its name.
pub(super) fn read(bytes: &[u8]) -> Result<Manifest, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("is torn or no manifest ({e})"))?;
    let Value::Object(mut body) = value else { return Err("is no manifest".to_owned()) };
    match body.get("format").and_then(Value::as_u64) {
        Some(format) if format > FORMAT => return Err(format!("was written by a newer Segue (format {format})")),
        Some(FORMAT) => {}
        _ => return Err("is no manifest".to_owned()),
    }
    let Some(Value::String(sum)) = body.shift_remove(CHECKSUM) else { return Err("has no checksum".to_owned()) };
    if sha256(&text(&body)?) != sum {
        return Err("was changed after it was written (its checksum differs)".to_owned());
    }
    let odd = |e: &dyn std::fmt::Display| format!("does not say what a manifest says ({e})");
    let version = body.get("version").and_then(Value::as_u64).ok_or_else(|| odd(&"it has no version"))?;
    let previous = body.get("previous").and_then(Value::as_str).map(str::to_owned);
    let draft = body.shift_remove("draft").unwrap_or_default();
    let mut draft: Draft = serde_json::from_value(draft).map_err(|e| odd(&e))?;
    draft.files.iter_mut().for_each(|file| file.of = Of(Some(version)));
    Ok(Manifest { version, previous, draft, sha256: sha256(bytes) })
}
