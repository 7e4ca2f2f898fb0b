//! What a project says about itself.

use std::collections::BTreeMap;

use super::Named;
use crate::language::diagnostic::{Code, Diagnostic, Severity};
use crate::language::num::Num;
use crate::language::source::Span;

pub use super::raw::Level;

/// The project file (`segue.yaml`), with defaults in place of what is unsaid.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    pub name: Named,
    /// One of [`super::raw::EDITIONS`].
    pub edition: String,
    /// A valid IANA name.
    pub timezone: String,
    /// An ISO 4217 code.
    pub currency: Option<String>,
    /// Path of the catalog; a place in the YAML where it is said there.
    pub catalog: Named,
    /// Folders or files of rules.
    pub rules: Vec<Named>,
    /// Folders or files of specs.
    pub specs: Vec<Named>,
    /// Folder of results.
    pub output: Named,
    /// The formatter writes `>=` and `->` in place of `≥` and `→`.
    pub ascii: bool,
    /// The severities that the project sets.
    pub severities: BTreeMap<Code, Level>,
    /// The most memory that a run takes, in bytes.
    pub memory_limit: Option<u64>,
    /// The instant to judge by where the command line says none, as written; `calendar` reads it.
    pub as_of: Option<Named>,
    /// Paths may leave the project.
    pub allow_outside: bool,
    /// Where what runs decide is kept: a folder, or a URL (`s3://…`). Without it nothing is remembered.
    pub store: Option<Named>,
    /// The share (0 to 1) of customers that no campaign ever contacts.
    pub holdout: Option<Num>,
    pub audits: Audits,
    /// How many days published versions are kept at least; all of them where unsaid.
    pub retention: Option<u32>,
    /// File of ids that are left out of every run, one a line, as `segue erase` writes it.
    pub erased: Named,
}

/// What must hold of what a run publishes; where it does not, nothing is published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Audits {
    /// The most by which an audience may grow or shrink from one run to the next, as a share of what it was (0.5 is half).
    pub change: Option<Num>,
    /// Audiences smaller than this before and after are not held to `change`.
    pub small: u64,
}

impl ProjectFile {
    /// What stands for a project file that could not be read.
    pub fn unsaid(place: Span) -> ProjectFile {
        let path = |name: &str| Named { name: name.to_owned(), span: place };
        ProjectFile {
            name: path(""),
            edition: super::raw::EDITIONS.last().copied().unwrap_or_default().to_owned(),
            timezone: "UTC".to_owned(),
            currency: None,
            catalog: path("catalog.yaml"),
            rules: vec![path("rules")],
            specs: vec![path("specs")],
            output: path("out"),
            ascii: false,
            severities: BTreeMap::new(),
            memory_limit: None,
            as_of: None,
            allow_outside: false,
            store: None,
            holdout: None,
            audits: Audits::default(),
            retention: None,
            erased: path("erased.txt"),
        }
    }

    /// The diagnostics with the severities that the project gives them, without those that it allows.
    pub fn apply(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        diagnostics
            .into_iter()
            .filter_map(|mut d| {
                if let Some(level) = self.severities.get(&d.code) {
                    d.severity = match level {
                        Level::Allow => return None,
                        Level::Warn => Severity::Warning,
                        Level::Error => Severity::Error,
                    };
                }
                Some(d)
            })
            .collect()
    }
}
