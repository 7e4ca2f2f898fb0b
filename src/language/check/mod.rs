//! Syntax to meaning: names, types, proofs, lints.
//!
//! Owns: everything that can be said about a program before any data is read.
//! Promises: what it lets through can be evaluated; every mistake is reported once, in one go; one mistake never causes a second message.
//! Must not know: files, DataFusion.
//!
//! The way through: `items` collects the declarations, `names` gives every name its one meaning, `rules` and `stages` understand
//! traits and conditions in an order in which each stands behind what it `uses`. A condition is first a [`tree`] with places,
//! made by `conditions`, `behaviour`, `values`, `arithmetic`, `compare` and `window`; `prove` and `lint` read the tree; then it becomes the program.

mod actions;
mod aggregates;
mod apart;
mod arithmetic;
mod arms;
mod behaviour;
mod campaigns;
mod clauses;
mod compare;
mod conditions;
mod cover;
mod destinations;
mod edges;
mod facts;
mod gates;
mod gathered;
mod idle;
mod items;
mod known;
mod lint;
mod names;
mod payload;
mod people;
mod policies;
mod prove;
mod ranks;
mod recorded;
mod rules;
mod same;
mod sequences;
mod sets;
mod stages;
mod subject;
mod suggest;
mod tree;
mod uses;
mod values;
mod window;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::calendar::Zone;
use super::catalog::{Catalog, EventId, Level, ProjectFile};
use super::diagnostic::{Code, Diagnostic, Severity, sort};
use super::ir;
use super::source::Sources;
use super::syntax::ast;
use items::Items;
use known::KnownTable;
use names::Names;
use values::Typed;

/// One parsed file and the name that a bare rule in it takes.
#[derive(Debug, Clone, Copy)]
pub struct CheckFile<'a> {
    /// The file's name without folder and `.seg`.
    pub stem: &'a str,
    pub parsed: &'a ast::File,
}

/// What the checker found out.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The declarations without mistakes. It is the whole program only if no diagnostic is an error.
    pub program: ir::Program,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the project says about checking.
#[derive(Debug, Clone)]
pub struct Options {
    /// The project's zone, for written instants without offset.
    pub zone: Zone,
    /// The catalog's file name, for "add it to …".
    pub catalog: String,
    /// Severities that the project sets; `None` silences a warning.
    pub severities: BTreeMap<Code, Option<Severity>>,
    /// What runs decide is remembered.
    pub keeps_history: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            zone: Zone::utc(),
            catalog: "catalog.yaml".to_owned(),
            severities: BTreeMap::new(),
            keeps_history: false,
        }
    }
}

impl Options {
    /// As the project file says.
    pub fn of(project: &ProjectFile) -> Options {
        let severity = |level: Level| match level {
            Level::Allow => None,
            Level::Warn => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        };
        Options {
            zone: Zone::new(&project.timezone).unwrap_or_else(Zone::utc),
            catalog: project.catalog.name.clone(),
            severities: project.severities.iter().map(|(code, level)| (*code, severity(*level))).collect(),
            keeps_history: project.store.is_some(),
        }
    }
}

/// Checks all files of a project together.
pub fn check(_: &Sources, catalog: &Catalog, project: &ProjectFile, files: &[CheckFile<'_>]) -> Checked {
    check_files(catalog, &Options::of(project), files)
}

/// Checks files against a catalog.
pub fn check_files(catalog: &Catalog, options: &Options, files: &[CheckFile<'_>]) -> Checked {
    let known = KnownTable::new(catalog);
    let items = Items::collect(files);
    let mut diagnostics = Vec::new();
    let names = Names::declare(catalog, &items, &mut diagnostics);
    let checker = Checker {
        catalog,
        options,
        zone: &options.zone,
        known: &known,
        names,
        traits: RefCell::new(vec![None; items.traits.len()]),
        diagnostics: RefCell::new(diagnostics),
        declared: RefCell::default(),
        filtering: Cell::new(false),
        meanings: RefCell::default(),
        guesses: Cell::new(200),
    };
    let program = checker.program(&items);
    let mut diagnostics = checker.diagnostics.into_inner();
    diagnostics.retain_mut(|d| match options.severities.get(&d.code) {
        Some(Some(Severity::Error)) => {
            d.severity = Severity::Error;
            true
        }
        // What has no meaning stays an error, whatever the project says: there would be nothing to run.
        Some(_) if !d.code.can_be_set() => true,
        Some(Some(Severity::Warning)) => {
            d.severity = Severity::Warning;
            true
        }
        Some(None) => false,
        None => true,
    });
    sort(&mut diagnostics);
    Checked { program, diagnostics }
}

/// Everything that the rooms of the checker share.
struct Checker<'a> {
    catalog: &'a Catalog,
    options: &'a Options,
    zone: &'a Zone,
    known: &'a KnownTable<'a>,
    names: Names<'a>,
    /// The traits understood so far, by their place in [`Items::traits`].
    traits: RefCell<Vec<Option<Typed<'a, ir::Value>>>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// The declaration that is being read: the salt of its samples.
    declared: RefCell<String>,
    /// Whether the filter of one of the catalog's events is read, which knows no customer.
    filtering: Cell<bool>,
    meanings: RefCell<prove::Meanings>,
    /// How many more "did you mean" are worth their time.
    guesses: Cell<u32>,
}

impl Checker<'_> {
    fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn event_name(&self, id: EventId) -> &str {
        let declared = self.catalog.event(id).map(|e| e.name.name.as_str());
        declared.or_else(|| self.recorded_words(id)).unwrap_or("")
    }
}
