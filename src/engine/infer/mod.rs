//! A first catalog from the Parquet files themselves: what `segue init` guesses.
//!
//! Owns: finding tables, sampling them, guessing what is what, and the texts of a first project.
//! Promises: bounded memory and time however large the store; the same files and answers give the same texts; every guess
//! carries its evidence. Must not know: the terminal.

pub mod columns;
mod discover;
pub mod draft;
pub mod measure;
pub mod names;
mod property;
pub mod roles;
pub mod scan;
mod starter;
pub mod table;
pub mod write;

use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;

use crate::error::Error;
use crate::language::calendar::Zone;
pub use columns::{Guess, Hints};
pub use scan::thousands;
pub use table::Table;
pub use write::ProjectDraft;

/// The tables of some files, sampled.
#[derive(Debug)]
pub struct Survey {
    pub tables: Vec<Table>,
}

/// Finds and samples the tables in `places`. `root` is the folder of the project to be.
pub fn survey(root: &Path, places: &[PathBuf]) -> Result<Survey, Error> {
    let mut tables = discover::tables(root, places)?;
    for table in &mut tables {
        scan::sample(table)?;
    }
    Ok(Survey { tables })
}

/// Guesses about a survey, with the evidence.
#[derive(Debug)]
pub struct Findings {
    pub guesses: Vec<Guess>,
    pub measured: Vec<measure::Measured>,
    pub roles: Vec<roles::Role>,
    pub draft: draft::Draft,
}

impl Survey {
    /// The columns that hints and names point at, before the closer look.
    pub fn guess(&self, hints: &Hints) -> Result<Vec<Guess>, Error> {
        columns::guess(&self.tables, hints)
    }

    /// The closer look, and the catalog that follows.
    pub fn findings(&self, hints: &Hints) -> Result<Findings, Error> {
        let guesses = self.guess(hints)?;
        let mut measured = Vec::new();
        for (table, guess) in self.tables.iter().zip(&guesses) {
            measured.push(measure::measure(table, &roles::ask(&self.tables, &guesses, table, guess))?);
        }
        let roles = roles::roles(&self.tables, &guesses, &measured);
        let found = draft::Found { tables: &self.tables, guesses: &guesses, measured: &measured, roles: &roles };
        let draft = draft::draft(&found);
        if draft.events.is_empty() && draft.profile.is_none() {
            let why: Vec<String> = draft.left_out.iter().map(|(table, why)| format!("`{table}`: {why}")).collect();
            return Err(Error::data(format!(
                "no table has a customer and a time, or one row a customer ({})",
                why.join("; ")
            ))
            .with_help("name the columns: --customer COLUMN --time COLUMN"));
        }
        Ok(Findings { guesses, measured, roles, draft })
    }

    /// The zone that the files' own times name (UTC says nothing about where the business is), and where.
    pub fn timezone(&self) -> Option<(String, String)> {
        self.tables.iter().find_map(|table| {
            table.files.first()?.schema.fields().iter().find_map(|field| match field.data_type() {
                DataType::Timestamp(_, Some(zone)) if zone.contains('/') && Zone::new(zone).is_some() => {
                    Some((zone.to_string(), format!("the times in `{}` of `{}` have it", field.name(), table.name)))
                }
                _ => None,
            })
        })
    }

    /// The currency that the data names, and where.
    pub fn currency(&self) -> Option<(String, String)> {
        for table in &self.tables {
            for (at, column) in table.columns.iter().enumerate() {
                let words: Vec<&str> = column.plain.split('_').collect();
                if column.plain == "currency" || column.plain == "currency_code" {
                    let value = draft::only_value(table, at).map(|v| v.to_uppercase());
                    if let Some(code) = value.filter(|v| v.len() == 3 && v.chars().all(|c| c.is_ascii_uppercase())) {
                        return Some((code, format!("the most frequent `{}` of `{}`", column.name, table.name)));
                    }
                }
                let named = words.iter().find_map(|w| match *w {
                    "eur" | "euro" | "euros" => Some("EUR"),
                    "usd" | "dollar" | "dollars" => Some("USD"),
                    "gbp" | "pound" | "pounds" => Some("GBP"),
                    "chf" => Some("CHF"),
                    "jpy" | "yen" => Some("JPY"),
                    _ => None,
                });
                if let Some(code) = named {
                    return Some((
                        code.to_owned(),
                        format!("the name of column `{}` of `{}`", column.name, table.name),
                    ));
                }
            }
        }
        None
    }
}

/// The texts of a first project, by path.
pub fn texts(project: &ProjectDraft, draft: &draft::Draft, now: i64) -> Vec<(&'static str, String)> {
    vec![
        ("segue.yaml", write::project(project)),
        ("catalog.yaml", write::catalog(draft)),
        ("rules/first.seg", starter::rules(draft, now)),
    ]
}
