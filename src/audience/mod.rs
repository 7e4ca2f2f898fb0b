//! The audience wing: what a run leaves behind.
//!
//! Owns: the store of results, the decisions of campaigns, the calendar of runs, deliveries, erasure. Promises: whatever is published
//! is whole, has a number, and stays as it is. Must not know: syntax, the command line, the machine's clock.
//!
//! `history` is the form of what all of them know of the past. `campaign` decides who is contacted and why the others are not, `schedule`
//! says at which instants campaigns are due, `store` keeps what was decided, `turn` makes the two of a project and its data, `deliver` takes
//! it elsewhere, `erase` takes a person out of all of it, `person` tells all that is known of one.

pub mod campaign;

pub mod deliver;

pub mod erase;

pub mod history;

pub mod person;

pub mod schedule;

pub mod store;

pub mod turn;
