//! `destinations:` as it is written: one record a kind, so that each key is known where it has a meaning.

use schemars::JsonSchema;

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::yaml::read::{At, Literal, Needed, Read, Reader, Text, choice, record, word};
use crate::language::yaml::{Kind, Node};

record! {
    /// Files in a folder or an object store.
    pub struct Files("a destination of files") {
        pub kind: At<FilesKind>,
        /// The folder of the files, one an audience: `out/crm` or `s3://bucket/folder`.
        pub path: Needed<Text>,
        /// Texts that a spreadsheet would take for formulas: `neutralise` (where unsaid) puts a `'` before them; only for `csv`.
        pub formulas: Option<At<Formulas>>,
        /// What a delivery brings: all rows (`full`, where unsaid) or the changes since the last one (`delta`).
        pub mode: Option<At<Mode>>,
        /// The audiences that go there; all of them where unsaid.
        pub audiences: Option<Vec<Text>>,
    }

    /// A table in PostgreSQL.
    pub struct Postgres("a destination in PostgreSQL") {
        pub kind: At<PostgresKind>,
        /// The address: `${env:NAME}`, `{env: NAME}` or `{file: PATH}`; in plain text only without a password.
        pub url: Needed<Secret>,
        /// The table, with `{audience}` for the audience's name, a schema before a dot; `{audience}` where unsaid.
        pub table: Option<Text>,
        /// What a delivery brings: the changes since the last one (`delta`, where unsaid) or all rows (`full`).
        pub mode: Option<At<Mode>>,
        /// The audiences that go there; all of them where unsaid.
        pub audiences: Option<Vec<Text>>,
    }

    /// A receiver of signed requests.
    pub struct Webhook("a webhook") {
        pub kind: At<WebhookKind>,
        /// The address: `https://…` without a secret in it, or `${env:NAME}`, `{env: NAME}`, `{file: PATH}`.
        pub url: Needed<Secret>,
        /// What requests are signed with: `${env:NAME}`, `{env: NAME}` or `{file: PATH}`.
        pub secret: Needed<Secret>,
        /// The most rows of a request; 500 where unsaid.
        pub batch: Option<Literal>,
        /// The most requests in a time: `10 per second`; as fast as it answers where unsaid.
        pub rate: Option<Literal>,
        /// How long to wait for an answer: `10s`; 30 seconds where unsaid.
        pub timeout: Option<Literal>,
        /// What a delivery brings: the changes since the last one (`delta`, where unsaid) or all rows (`full`).
        pub mode: Option<At<Mode>>,
        /// The audiences that go there; all of them where unsaid.
        pub audiences: Option<Vec<Text>>,
    }

    /// Where a secret is.
    pub struct Reference("a reference to a secret") {
        /// The environment variable that holds it.
        pub env: Option<Text>,
        /// The file that holds it, such as `/run/secrets/crm`.
        pub file: Option<Text>,
    }
}

choice! {
    /// Kinds of files.
    pub enum FilesKind("a kind of destination") {
        Csv = "csv",
        Jsonl = "jsonl",
        Parquet = "parquet",
    }

    pub enum PostgresKind("a kind of destination") {
        Postgres = "postgres",
    }

    pub enum WebhookKind("a kind of destination") {
        Webhook = "webhook",
    }

    /// What happens to texts that a spreadsheet would take for formulas.
    pub enum Formulas("a way with formulas") {
        /// A `'` is put before them.
        Neutralise = "neutralise",
        /// They stay as they are.
        Keep = "keep",
    }

    /// What a delivery brings.
    pub enum Mode("a mode of delivery") {
        /// All rows.
        Full = "full",
        /// The rows that are new, changed or gone since the last delivery.
        Delta = "delta",
    }
}

/// Where audiences are taken.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Destination {
    Files(Files),
    Postgres(Postgres),
    Webhook(Webhook),
}

impl Read for Destination {
    const WHAT: &'static str = "a destination";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        const KINDS: &[&str] = &["csv", "jsonl", "parquet", "postgres", "webhook"];
        let Kind::Map(entries) = &node.kind else {
            reader.expected(node, Self::WHAT);
            return None;
        };
        let kind = entries.iter().find(|(key, _)| matches!(&key.kind, Kind::Scalar { text, .. } if text == "kind"));
        let Some((_, kind)) = kind else {
            let at = entries.first().map_or(node.span, |(key, _)| key.span);
            reader.report(
                Diagnostic::new(code::yaml::MISSING_KEY, at, "a destination lacks `kind`")
                    .help("add `kind:` with one of `csv`, `jsonl`, `parquet`, `postgres`, `webhook`"),
            );
            return None;
        };
        let kind = word(kind, "a kind of destination", KINDS, reader)?;
        match kind {
            "postgres" => Postgres::read(node, reader).map(Destination::Postgres),
            "webhook" => Webhook::read(node, reader).map(Destination::Webhook),
            _ => Files::read(node, reader).map(Destination::Files),
        }
    }
}

/// A secret: a reference, or a text that refers (`${env:NAME}`) or holds none.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Secret {
    Text(Literal),
    Reference(At<Reference>),
}

impl Read for At<Reference> {
    const WHAT: &'static str = Reference::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        Reference::read(node, reader).map(|value| At { value, span: node.span })
    }
}

impl Read for Secret {
    const WHAT: &'static str = "a reference to a secret";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => At::<Reference>::read(node, reader).map(Secret::Reference),
            // A number, too, is a secret that stands there.
            _ => Literal::read(node, reader).map(Secret::Text),
        }
    }
}
