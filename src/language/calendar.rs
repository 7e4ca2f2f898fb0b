//! Windows and zones into instants: the only room that does so.
//!
//! Owns: every window edge, period and civil date. Promises: the interpreter and the planner take the same answer from here.
//! Must not know: events, files, the clock of the machine (`as_of` is an argument).
