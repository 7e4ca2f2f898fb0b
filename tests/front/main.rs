//! Tests of the front end: no engine feature is needed.
mod calendar;
