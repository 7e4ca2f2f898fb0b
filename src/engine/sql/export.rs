//! The statements as a script for people.
//!
//! Owns: views over the files, comments, the order. Promises: what can't be said stands there with its reason.
//! Must not know: how a statement came about.

use std::path::{Path, absolute};

use super::{Portable, Table, Which, portable, text};
use crate::engine::tables;
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::ir::{Program, Rule};

/// A program as a script, and how many of its rules it says.
#[derive(Debug, Clone)]
pub struct Script {
    pub text: String,
    pub said: usize,
    pub portable: Portable,
}

/// The portable plan of a project as a script: the tables' columns are looked up, nothing is read.
pub async fn script(catalog: &Catalog, program: &Program, clock: &Clock, root: &Path) -> Result<Script, Error> {
    let tables = tables::open(catalog, root).await?;
    let portable = portable(catalog, program, clock, &tables);
    let said = portable.statements.iter().map(|s| s.rules.len()).sum();
    let called = |rule: &usize| program.rules.get(*rule).map_or("", |r: &Rule| r.name.as_str());
    let mut out = format!(
        "-- Rules as SQL with standard aggregates: {said} of {}, as of {}.\n\
         -- One row a customer, one boolean a rule. Instants are microseconds since 1970-01-01T00:00Z.\n\
         -- DuckDB runs this as it stands; other engines need `epoch_us` (microseconds of a timestamp) and `nfc_normalize`.\n",
        program.rules.len(),
        text::instant(clock.as_of).split(" /* ").last().unwrap_or_default().trim_end_matches(" */"),
    );
    for reason in &portable.reasons {
        out += &format!("-- not said: {}: {}\n", called(&reason.rule), one_line(&reason.why));
    }
    if said > 0 {
        out.push('\n');
        for table in &portable.tables {
            if let Some(view) = view(table, catalog, root) {
                out += &view;
                out.push('\n');
            }
        }
    }
    for statement in &portable.statements {
        out.push('\n');
        for rule in statement.rules.iter().filter_map(|r| program.rules.get(*r)) {
            match &rule.title {
                Some(title) => out += &format!("-- {}: {}\n", rule.name, one_line(title)),
                None => out += &format!("-- {}\n", rule.name),
            }
        }
        out += &statement.text;
        out += ";\n";
    }
    Ok(Script { text: out, said, portable })
}

/// Nobody's line break ends a comment.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A view over the files of a table, in DuckDB's words.
fn view(table: &Table, catalog: &Catalog, root: &Path) -> Option<String> {
    let named = |query: String| Some(format!("CREATE OR REPLACE VIEW {} AS {query};", text::name(&table.name)));
    let path = match table.which {
        Which::Source(at) => &catalog.sources.get(at)?.path,
        Which::Lookup(at) => &catalog.lookups.get(at)?.path,
        Which::Profiles => &catalog.profile.as_ref()?.path,
        Which::List(at) => {
            let list = catalog.lists.get(at)?;
            let file = text::text(&found(root, &list.path));
            let lower = list.path.to_ascii_lowercase();
            if !lower.ends_with(".csv") && !lower.ends_with(".txt") {
                let column = text::name(list.column.as_deref()?);
                return named(format!("SELECT {column} FROM read_parquet({file})"));
            }
            let column = list.column.as_deref().filter(|_| lower.ends_with(".csv"));
            let (head, column) = match column {
                Some(column) => ("true", text::name(column)),
                None => ("false", "column0".to_owned()),
            };
            let apart = if lower.ends_with(".txt") { ", delim = '\\t', quote = ''" } else { "" };
            let read = format!("read_csv({file}, header = {head}, all_varchar = true{apart})");
            return named(format!(
                "SELECT NULLIF(trim({column}), '') AS \"id\" FROM {read} WHERE trim({column}) <> ''"
            ));
        }
    };
    let file = text::text(&found(root, path));
    named(format!(
        "SELECT * FROM read_parquet({file}, union_by_name = true, hive_partitioning = true, hive_types_autocast = false)"
    ))
}

/// The file or files of a path, from anywhere.
fn found(root: &Path, path: &str) -> String {
    if path.contains("://") && !path.starts_with("file://") {
        let whole = path.contains(['*', '?', '[']) || path.ends_with(".parquet");
        return if whole { path.to_owned() } else { format!("{}/**/*.parquet", path.trim_end_matches('/')) };
    }
    let at = root.join(path.strip_prefix("file://").unwrap_or(path));
    let at = absolute(&at).unwrap_or(at);
    let at = if at.is_dir() { at.join("**").join("*.parquet") } else { at };
    at.to_string_lossy().into_owned()
}
