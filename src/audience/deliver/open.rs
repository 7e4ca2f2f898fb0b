//! Destinations of the catalog as targets.
//!
//! Owns: when secrets are read: here, just before the first batch goes.

use std::path::PathBuf;
use std::time::Duration;

use super::Target;
use super::files::{Files, Place};
use super::postgres::Postgres;
use super::retry::Patience;
use super::secret;
use super::webhook::{Now, Webhook, no_http};
use crate::engine::tables::{files, remote};
use crate::error::Error;
use crate::language::catalog::{Destination, To};

/// What a target needs of the machine.
#[derive(Clone)]
pub struct Machine {
    /// The project's folder.
    pub root: PathBuf,
    pub now: Now,
    pub patience: Patience,
}

/// The rows of a batch; `None` where all rows go at once.
pub(super) fn size(destination: &Destination) -> Option<u64> {
    match &destination.to {
        To::Webhook { batch, .. } => Some(u64::from(*batch)),
        To::Files { .. } | To::Postgres { .. } => None,
    }
}

/// Opens a destination, which reads its secrets and connects to nothing yet.
pub fn open(destination: &Destination, machine: &Machine) -> Result<Box<dyn Target>, Error> {
    let name = &destination.name.name;
    let whose = format!("destination `{name}`");
    let root = &machine.root;
    match &destination.to {
        To::Files { kind, path } => {
            let place = if files::is_remote(path) {
                let (store, address, below) = remote::open(path, &whose)?;
                Place::Store { store, address: format!("{address}/{below}"), below }
            } else {
                Place::Local(root.join(path))
            };
            Ok(Box::new(Files { kind: *kind, place }))
        }
        To::Postgres { url, table } => {
            let url = secret::address(url, root, &whose)?;
            Ok(Box::new(Postgres::new(name, url, table)))
        }
        To::Webhook { .. } if cfg!(not(feature = "cloud")) => Err(no_http(name)),
        To::Webhook { url, secret, batch, pause, timeout } => Ok(Box::new(Webhook {
            name: name.clone(),
            url: secret::address(url, root, &whose)?,
            secret: secret::resolve(secret, root, &whose)?,
            size: *batch,
            pause: pause.map(Duration::from_micros),
            timeout: Duration::from_micros(*timeout),
            patience: machine.patience,
            now: machine.now.clone(),
            last: None,
        })),
    }
}
