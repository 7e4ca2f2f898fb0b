//! The command line: one verb a file. Load, call the façade, render.
//!
//! Owns: arguments, printing, exit codes. The only room that prints.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

mod apply;
mod asked;
mod backfill;
mod check;
mod completions;
mod deliver;
mod demo;
mod erase;
mod explain;
mod fmt;
mod identities;
mod init;
#[cfg(feature = "engine")]
mod interrupt;
#[cfg(feature = "engine")]
mod keeper;
mod log;
mod man;
mod moment;
#[cfg(feature = "engine")]
mod notices;
mod output;
mod person;
mod plan;
#[cfg(feature = "engine")]
mod progress;
mod restore;
mod results;
mod run;
mod schedule;
mod schema;
#[cfg(feature = "engine")]
mod show;
mod show_audience;
mod store;
mod test;
mod vacuum;
mod workspace;

pub use crate::error::Exit;
use output::Failure;

/// What every verb takes, whatever its place on the line.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The project's folder (or its segue.yaml); otherwise the nearest one from here upwards.
    #[arg(long, short = 'p', global = true, value_name = "DIR", env = "SEGUE_PROJECT")]
    project: Option<PathBuf>,
    /// When to colour; NO_COLOR and CLICOLOR_FORCE are heeded too.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Nothing on standard error but what went wrong.
    #[arg(long, short = 'q', global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more on standard error; twice for a developer's log.
    #[arg(long, short = 'v', global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Segments and campaigns as code: checked before any data is read, evaluated in one plan.
#[derive(Debug, Parser)]
#[command(name = "segue", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  segue check                     all mistakes of the project, at once
  segue run --as-of 2026-11-21    the audiences on that day
  segue run --rule 'purchased ≥ 3 in 90d'
  segue plan                      what a run would change, and at what cost
  segue explain E0301             what a code means and what to do

Exit codes: 0 fine · 1 findings · 2 wrong call · 3 project is wrong · 4 files, data or engine · 5 refused · 130 interrupted")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Args),
    Fmt(fmt::Args),
    Run(run::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Backfill(backfill::Args),
    Log(log::Args),
    Show(show_audience::Args),
    Restore(restore::Args),
    Vacuum(vacuum::Args),
    Test(test::Args),
    Identities(identities::Args),
    Init(init::Args),
    Demo(demo::Args),
    Store(store::Args),
    Deliver(deliver::Args),
    Schedule(schedule::Args),
    Erase(erase::Args),
    Person(person::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Arguments to exit code. Everything that is said has been said when this returns.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows whether this is help on stdout or a complaint on stderr.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return code;
        }
    };
    let choice = match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    log(cli.global.verbose);
    let out = output::Out::new(cli.global.quiet);
    match dispatch(&cli, &out) {
        Ok(exit) => exit,
        Err(Failure::Pipe) => Exit::Ok,
        Err(Failure::Error(error)) => {
            out.error(&error);
            error.exit()
        }
    }
}

fn dispatch(cli: &Cli, out: &output::Out) -> Result<Exit, Failure> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Check(args) => check::run(args, global, out),
        Verb::Fmt(args) => fmt::run(args, global, out),
        Verb::Run(args) => run::run(args, global, out),
        Verb::Plan(args) => plan::run(args, global, out),
        Verb::Apply(args) => apply::run(args, global, out),
        Verb::Backfill(args) => backfill::run(args, global, out),
        Verb::Log(args) => log::run(args, global, out),
        Verb::Show(args) => show_audience::run(args, global, out),
        Verb::Restore(args) => restore::run(args, global, out),
        Verb::Vacuum(args) => vacuum::run(args, global, out),
        Verb::Test(args) => test::run(args, global, out),
        Verb::Identities(args) => identities::run(args, global, out),
        Verb::Init(args) => init::run(args, global, out),
        Verb::Demo(args) => demo::run(args, out),
        Verb::Store(args) => store::run(args, global, out),
        Verb::Deliver(args) => deliver::run(args, global, out),
        Verb::Schedule(args) => schedule::run(args, global, out),
        Verb::Erase(args) => erase::run(args, global, out),
        Verb::Person(args) => person::run(args, global, out),
        Verb::Explain(args) => explain::run(args, out),
        Verb::Schema(args) => schema::run(args, out),
        Verb::Completions(args) => completions::run(args, out),
        Verb::Man(args) => man::run(args, out),
    }
}

/// `-v` tells what Segue does, `-vv` what the engine does; `RUST_LOG` overrules both.
fn log(verbose: u8) {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let default = match verbose {
        0 => "off",
        1 => "segue=info",
        _ => "segue=debug,datafusion=debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()))
        .with_target(verbose > 1)
        .try_init();
}
