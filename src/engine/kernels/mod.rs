//! The functions that the plan is made of: found by name, told what to do by a literal.
//!
//! `segue_value` turns raw columns into values, `segue_customer` ids into customers, `segue_declared` holds a compacted file to its word, `segue_bucket` says
//! where customers are gathered, `event_slot` says which patterns a row
//! matches, `history` keeps a customer's matching rows as a compact log and replays it (`replay` all customers of a chunk at
//! once, `story` one by one, `moments` at several instants), `stream` does so while rows come customer by customer. Must not know: files, the catalog, the command line.

pub mod bank;

pub mod bits;

pub mod block;

pub mod bucket;

pub mod chain;

pub mod convert;

pub mod customer;

pub mod declared;

pub mod edges;

pub mod export;

pub mod fold;

pub mod hash;

pub mod history;

pub mod ids;

pub mod input;

pub mod interned;

pub mod join;

pub mod life;

pub mod log;

pub mod moments;

pub mod replay;

pub mod roster;

pub mod segment;

pub mod slot;

pub mod story;

pub mod stream;

pub mod test;

pub mod touched;
