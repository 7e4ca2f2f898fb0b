//! Where published audiences are taken.

use super::Named;

/// A destination of the catalog.
#[derive(Debug, Clone)]
pub struct Destination {
    pub name: Named,
    pub to: To,
    /// What a delivery brings where the command line says nothing.
    pub mode: Mode,
    /// The audiences that go there; all of them where unsaid.
    pub audiences: Option<Vec<Named>>,
}

impl Destination {
    /// Whether an audience goes there.
    pub fn takes(&self, audience: &str) -> bool {
        self.audiences.as_ref().is_none_or(|names| names.iter().any(|name| name.name == audience))
    }
}

/// What a delivery brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// All rows.
    Full,
    /// The rows that are new, changed or gone since the last delivery.
    Delta,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Delta => "delta",
        }
    }
}

/// What kind of place it is.
#[derive(Debug, Clone)]
pub enum To {
    Files {
        kind: Files,
        /// A folder, relative to the project's, or `s3://…`.
        path: String,
    },
    Postgres {
        url: Address,
        /// The pattern of the table's name, `{audience}` in it.
        table: String,
    },
    Webhook {
        url: Address,
        secret: SecretRef,
        /// Rows of a request.
        batch: u32,
        /// The least time between the beginnings of two requests, in microseconds.
        pause: Option<u64>,
        /// How long to wait for an answer, in microseconds.
        timeout: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Files {
    Csv {
        /// Texts that a spreadsheet would take for formulas stay as they are.
        formulas: bool,
    },
    Jsonl,
    Parquet,
}

/// An address: plain where it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Plain(String),
    Secret(SecretRef),
}

/// Where a secret is; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file, relative to the project's folder; a line end behind the secret is no part of it.
    File(String),
}
