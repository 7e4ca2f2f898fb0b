//! Secrets: where they are read, and why nobody sees them.
//!
//! Owns: the only place that turns a reference into a secret. Promises: a [`Secret`] is never shown, written or compared by accident;
//! what others say about it goes through [`Secret::hide`].

use std::path::Path;

use crate::error::Error;
use crate::language::catalog::{Address, SecretRef};

/// What stands where a secret was.
const HIDDEN: &str = "***";
/// Longer than any secret that is meant.
const MAX_BYTES: u64 = 64 << 10;

/// A secret. It can be shown and says `***`; it can't be serialised.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for whoever signs or connects with it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// The text without the secret, and without the parts of an address that are secret.
    pub fn hide(&self, text: &str) -> String {
        let mut parts = vec![self.0.as_str()];
        if let Some((_, rest)) = self.0.split_once("://") {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let behind = rest.get(authority.len()..).unwrap_or_default();
            if let Some((user, _)) = authority.rsplit_once('@') {
                parts.extend(user.split_once(':').map(|(_, password)| password));
            }
            // The path and the query of a webhook may be the secret: services give such addresses.
            parts.push(behind);
            parts.extend(behind.split(['/', '?', '&', '#', '=']));
        }
        parts.extend(self.0.split_whitespace().filter_map(|pair| pair.strip_prefix("password=")));
        // Short parts are words like any other.
        parts.retain(|part| part.len() >= 4);
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        let mut hidden = text.to_owned();
        for part in parts {
            hidden = hidden.replace(part, HIDDEN);
            let plain = percent(part);
            if plain.len() >= 4 {
                hidden = hidden.replace(&plain, HIDDEN);
            }
        }
        hidden
    }
}

/// `%40` as `@`: a password stands escaped in an address.
fn percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.filter(|_| first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads what the reference names. `whose` is what it is for: ``destination `crm` ``.
pub fn resolve(reference: &SecretRef, root: &Path, whose: &str) -> Result<Secret, Error> {
    let text = match reference {
        SecretRef::Env(name) => std::env::var(name).map_err(|_| {
            Error::data(format!("{whose}: the environment variable `{name}` is not set"))
                .with_help(format!("set {name} where Segue runs"))
        })?,
        SecretRef::File(name) => {
            let path = root.join(name);
            let cant = |why: &dyn std::fmt::Display| {
                Error::io("can't read the secret in", &path, why)
                    .with_help(format!("it is named by the {whose} of the catalog"))
            };
            let size = std::fs::metadata(&path).map_err(|why| cant(&why))?.len();
            if size > MAX_BYTES {
                return Err(cant(&"it is larger than any secret"));
            }
            let bytes = std::fs::read(&path).map_err(|why| cant(&why))?;
            let text = String::from_utf8(bytes).map_err(|_| cant(&"it is not UTF-8 text"))?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
    };
    match text.is_empty() {
        true => Err(Error::data(format!("{whose}: its secret is empty"))),
        false => Ok(Secret(text)),
    }
}

/// An address, plain or not. From here on all are kept as secrets: one rule is easier to hold.
pub fn address(address: &Address, root: &Path, whose: &str) -> Result<Secret, Error> {
    match address {
        Address::Plain(text) => Ok(Secret(text.clone())),
        Address::Secret(reference) => resolve(reference, root, whose),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_it() {
        let secret = Secret::new("postgres://segue:hunt%40er2@db/crm");
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)), "*** *** Some(\n    ***,\n)");
        let said = secret.hide("cannot log in to postgres://segue:hunt%40er2@db/crm with hunt@er2 or hunt%40er2");
        assert_eq!(said, "cannot log in to *** with *** or ***");
        let hook = Secret::new("https://hooks.example.org/services/T0001/abcdefgh");
        assert_eq!(hook.hide("404: no abcdefgh at hooks.example.org"), "404: no *** at hooks.example.org");
        assert_eq!(Secret::new("host=db password=hunter2").hide("wrong: hunter2"), "wrong: ***");
    }
}
