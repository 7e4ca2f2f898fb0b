//! The reference interpreter: one customer's history, plain loops, no DataFusion.
//!
//! Owns: the first of the two independent implementations of the meaning.
//! Promises: as simple as the language reference reads; speed is no aim.
//! Must not know: how the engine does it.

pub mod history;
