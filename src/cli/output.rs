//! Standard output and standard error.
//!
//! Owns: writing to both. Promises: a reader who goes away (`segue run | head`) is no error and no noise; colour only where wanted.

use std::io::{IsTerminal, Write};

use crate::error::Error;
use crate::language::diagnostic::render::{Paint, visible};

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    #[value(aliases = ["table", "pretty"])]
    Text,
    /// For programs.
    Json,
}

/// Why a verb ends early.
#[derive(Debug)]
pub enum Failure {
    Error(Error),
    /// Nobody reads our output any more.
    Pipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

/// The two streams.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    quiet: bool,
}

impl Out {
    pub fn new(quiet: bool) -> Out {
        Out { quiet }
    }

    /// Writes to standard output; text may hold ANSI colours.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stream = anstream::stdout().lock();
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(|why| match why.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::Pipe,
            _ => Error::io("could not write to", "standard output", why).into(),
        })
    }

    /// A line on standard error, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        }
    }

    /// Text on standard error, `--quiet` or not.
    pub fn complain(&self, text: &str) {
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
    }

    pub fn error(&self, error: &Error) {
        use owo_colors::OwoColorize as _;
        let mut text = format!("{} {}\n", "error:".red().bold(), visible(&error.to_string()));
        if let Some(help) = error.help() {
            text.push_str(&format!("  {} {}\n", "help:".cyan(), visible(help)));
        }
        self.complain(&text);
    }

    /// How diagnostics are painted; a stream that takes no colour strips it.
    pub fn paint(&self) -> Paint {
        Paint { color: true, ascii: false, width: width() }
    }

    /// Columns that a table may take; without a terminal it takes what it needs.
    #[cfg(feature = "engine")]
    pub fn table_width(&self) -> Option<u16> {
        // A terminal that does not know its size says 0.
        std::io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten().filter(|&width| width > 0)
    }

    /// Whether a progress bar makes sense: somebody looks, and no log is kept of what is drawn.
    #[cfg(feature = "engine")]
    pub fn progress(&self) -> bool {
        let said = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "false" && v != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        !self.quiet && !dumb && !said("CI") && std::io::stderr().is_terminal()
    }
}

/// Columns of the terminal; 100 where there is none, so that pipes and files do not depend on anything.
fn width() -> usize {
    let terminal = std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    let table = comfy_table::Table::new();
    if terminal { table.width().filter(|&w| w > 0).map_or(100, |w| usize::from(w).clamp(40, 140)) } else { 100 }
}

/// `1 error`, `2 errors`
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

/// The answer of a verb that needs the engine, in a build that has none.
#[cfg(not(feature = "engine"))]
pub fn no_engine(verb: &str) -> Failure {
    Error::usage(format!("`segue {verb}` needs the engine, and this build has none"))
        .with_help("build it with its default features: `cargo install --path .`")
        .into()
}
