//! What earlier runs left behind, as a source of a run.
//!
//! Owns: which files that is, and the catalog and program with which a run that asks for it works. Promises: a run of rules that
//! do not ask opens nothing and is what it was. Must not know: where and how the files are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::run::Request;
use crate::language::catalog::Catalog;
use crate::language::ir::Program;

/// The history of published memberships and of contacts.
#[derive(Debug, Clone, Default)]
pub struct HistoryFiles {
    /// Parquet files: absolute paths or addresses (`s3://…`), all in one place, with the columns `customer`, `at`, `event` (`entered`,
    /// `left`, `contacted` or `held out`) and `name`. None are a history in which nothing happened yet.
    pub files: Vec<String>,
    /// For each segment and campaign the names that it had before, beside the one that its declaration says.
    pub former: BTreeMap<String, Vec<String>>,
}

/// What a run works with.
pub(super) struct Resolved<'a> {
    /// With the built-in events, where the program asks for them.
    pub catalog: Cow<'a, Catalog>,
    pub program: Cow<'a, Program>,
    pub files: &'a [String],
}

/// The catalog and the program of a request, with what the program asks of earlier runs.
pub(super) fn resolve<'a>(request: &'a Request<'_>) -> Resolved<'a> {
    let Request { catalog, program, ref history, .. } = *request;
    if !program.asks_history(catalog) {
        return Resolved { catalog: Cow::Borrowed(catalog), program: Cow::Borrowed(program), files: &[] };
    }
    let former = history.as_ref().map(|h| &h.former).filter(|former| !former.is_empty());
    Resolved {
        catalog: Cow::Owned(catalog.with_history()),
        program: former.map_or(Cow::Borrowed(program), |former| Cow::Owned(program.with_former_names(catalog, former))),
        files: history.as_ref().map_or(&[], |h| &h.files),
    }
}
