//! The exit codes, as a table.

use segue::error::{Error, Exit};

#[test]
fn exit_codes() {
    let codes = [
        (Exit::Ok, 0),
        (Exit::Findings, 1),
        (Exit::Usage, 2),
        (Exit::Project, 3),
        (Exit::Environment, 4),
        (Exit::Refused, 5),
        (Exit::Interrupted, 130),
    ];
    for (exit, code) in codes {
        assert_eq!(exit as i32, code, "{exit:?}");
    }
}

#[test]
fn every_error_has_its_exit_code() {
    let table = [
        (Error::io("could not read", "x", "gone"), Exit::Environment),
        (Error::data("no column"), Exit::Environment),
        (Error::Engine { message: "no".into(), help: None }, Exit::Environment),
        (Error::usage("no"), Exit::Usage),
        (Error::Interrupted, Exit::Interrupted),
    ];
    for (error, exit) in table {
        assert_eq!(error.exit(), exit, "{error}");
    }
}
