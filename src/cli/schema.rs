//! `segue schema`: the JSON Schema of a YAML file kind.

use clap::ValueEnum;

use super::Exit;
use super::output::{Failure, Out};
use crate::language::catalog::schema;

/// Write the JSON Schema of a kind of YAML file, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  segue schema catalog > catalog.schema.json")]
pub struct Args {
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// segue.yaml
    Project,
    /// catalog.yaml
    Catalog,
    /// specs/*.yaml
    Spec,
}

pub fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let schema = match args.kind {
        Kind::Project => schema::project(),
        Kind::Catalog => schema::catalog(),
        Kind::Spec => crate::language::spec::schema(),
    };
    out.print(&format!("{schema:#}\n"))?;
    Ok(Exit::Ok)
}
