//! What we could not do.
//!
//! Owns: the one [`Error`] of everything that is not about the user's `.seg` or YAML text, and the exit codes.
//! Promises: each error says what was tried, on which file, and what to do about it.
//! Must not know: how it is shown.

use std::path::PathBuf;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{what} `{}`: {why}", path.display())]
    Io { what: &'static str, path: PathBuf, why: String, help: Option<String> },
    /// The data is not what the catalog says it is.
    #[error("{message}")]
    Data { message: String, help: Option<String> },
    /// The query engine failed.
    #[error("the engine could not evaluate the rules: {message}")]
    Engine { message: String, help: Option<String> },
    /// The call makes no sense: unknown name, contradictory options.
    #[error("{message}")]
    Usage { message: String, help: Option<String> },
    /// It could be done, but would harm what is there.
    #[error("{message}")]
    Refused { message: String, help: Option<String> },
    /// The user stopped it.
    #[error("interrupted; nothing is left half done")]
    Interrupted,
}

impl Error {
    pub fn io(what: &'static str, path: impl Into<PathBuf>, why: impl std::fmt::Display) -> Error {
        Error::Io { what, path: path.into(), why: why.to_string(), help: None }
    }

    pub fn data(message: impl Into<String>) -> Error {
        Error::Data { message: message.into(), help: None }
    }

    pub fn usage(message: impl Into<String>) -> Error {
        Error::Usage { message: message.into(), help: None }
    }

    /// The same error with a cure.
    pub fn with_help(mut self, text: impl Into<String>) -> Error {
        match &mut self {
            Error::Io { help, .. }
            | Error::Data { help, .. }
            | Error::Engine { help, .. }
            | Error::Refused { help, .. }
            | Error::Usage { help, .. } => {
                *help = Some(text.into());
            }
            Error::Interrupted => {}
        }
        self
    }

    pub fn help(&self) -> Option<&str> {
        match self {
            Error::Io { help, .. }
            | Error::Data { help, .. }
            | Error::Engine { help, .. }
            | Error::Refused { help, .. }
            | Error::Usage { help, .. } => help.as_deref(),
            Error::Interrupted => None,
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Io { .. } | Error::Data { .. } | Error::Engine { .. } => Exit::Environment,
            Error::Usage { .. } => Exit::Usage,
            Error::Refused { .. } => Exit::Refused,
            Error::Interrupted => Exit::Interrupted,
        }
    }
}

/// The process exit codes, for CI and schedulers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Ok = 0,
    /// `check`, `fmt --check`, `test`: there is something to see.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The project or a spec is wrong, so the verb could not go ahead.
    Project = 3,
    /// Files, data, store or engine; a retry may make sense.
    Environment = 4,
    /// Refused: locked, stale plan, guard.
    Refused = 5,
    Interrupted = 130,
}
