//! At which instants campaigns are due.
