//! What a later run need not read again: the logs of input files that are known by their content.
//!
//! Owns: the project's folder for it, and what is in it. Promises: a run with it answers as a run without it, byte by byte; what
//! is in doubt is read from the files themselves; nothing of it is needed.
//! Must not know: rules, how results are written.
//!
//! `digest` tells contents apart and `key` what a log depends on beside them; `log` makes the log of a file, `logs` joins them and
//! leaves files out, `shelf` keeps them; `sealed`, `folder`, `manifest` and `segment` are how it lies on disk; `prepare` is what a
//! run asks for, and `table` how it reads it. Where all rows are kept, `answers` keeps what they amount to, `affected` says whom the next
//! date may make another answer, and `again` evaluates those; `told` is what is said of it.

mod affected;

mod again;

mod answers;

pub(super) mod digest;

pub(super) mod folder;

mod key;

mod log;

mod logs;

mod manifest;

mod prepare;

mod sealed;

mod segment;

mod shelf;

mod table;

mod told;

pub use folder::FOLDER;
pub use key::{CLUSTERED, STANDARD, Why};
pub use prepare::{Job, Keep, Kept, foresee, prepare};
pub use told::{Again, Amount, OfSource, Told};
