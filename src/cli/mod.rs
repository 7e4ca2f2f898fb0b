//! The command line: one verb a file. Load, call the façade, render.
//!
//! Owns: arguments, printing, exit codes. The only room that prints.
