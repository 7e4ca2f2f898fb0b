//! Taking what was published elsewhere.
