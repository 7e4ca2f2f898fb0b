//! From the checked program to one DataFusion plan.
//!
//! `lower` takes the program apart into shared terms, `program` (with `story` for what needs a customer's entries in order) is
//! what comes out for one customer and `late` what is left to do with all of them, `build` makes the plan around it and `reading`
//! says what that reads. `windows` and `needs` say of a program what need not be read: when each pattern matters, and whether
//! everybody must be counted.
//! Promises: pure; no files, no clock. Must not know: how a plan is run.

pub mod build;

pub mod late;

pub mod lower;

pub mod needs;

pub mod program;

pub mod reading;

pub mod story;

pub mod windows;
