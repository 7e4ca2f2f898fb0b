//! `destinations`: where published audiences are taken. Secrets stand there by reference only.

use super::{Loader, named};
use crate::language::catalog::raw::destinations as raw;
use crate::language::catalog::{Address, Destination, Files, Mode, SecretRef, To};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::yaml::read::{At, Entry, Literal};

const SECOND: u64 = 1_000_000;
const BATCH: u32 = 500;
const MOST_ROWS: u32 = 10_000;
const TIMEOUT: u64 = 30 * SECOND;
const TABLE: &str = "{audience}";
/// What the name of a parameter holds by which receivers are told a secret.
const TELLING: &[&str] = &[
    "secret",
    "token",
    "signature",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "authorization",
    "oauth",
    "apikey",
];
/// The same, as a word by itself.
const TELLING_WORDS: &[&str] = &["auth", "key", "sig", "pass", "pwd", "bearer", "jwt"];

impl Loader<'_> {
    pub(super) fn destination(&mut self, entry: &Entry<raw::Destination>) {
        let before = self.diagnostics.len();
        self.shape(&entry.name, "a destination", &[]);
        let Some(written) = &entry.value else { return };
        let (to, mode, audiences) = match written {
            raw::Destination::Files(files) => (self.files(files), &files.mode, &files.audiences),
            raw::Destination::Postgres(table) => (self.postgres(table), &table.mode, &table.audiences),
            raw::Destination::Webhook(hook) => (self.webhook(hook), &hook.mode, &hook.audiences),
        };
        let Some(to) = to.filter(|_| !entry.broken && self.diagnostics.len() == before) else { return };
        let unsaid = if matches!(to, To::Files { .. }) { Mode::Full } else { Mode::Delta };
        self.catalog.destinations.push(Destination {
            name: named(&entry.name),
            mode: match mode.as_ref().map(|m| m.value) {
                Some(raw::Mode::Full) => Mode::Full,
                Some(raw::Mode::Delta) => Mode::Delta,
                None => unsaid,
            },
            audiences: audiences.as_ref().map(|all| all.iter().map(named).collect()),
            to,
        });
    }

    fn files(&mut self, files: &raw::Files) -> Option<To> {
        let path = files.path.0.as_ref()?;
        self.path(Some(path));
        let lower = path.value.to_ascii_lowercase();
        if [".csv", ".jsonl", ".parquet"].iter().any(|end| lower.ends_with(end)) || path.value.contains(['*', '?']) {
            self.report(
                Diagnostic::new(code::yaml::PATH, path.span, "the path of a destination is a folder")
                    .label("each audience gets a file of its name in it")
                    .help("write the folder alone, such as `out/crm`"),
            );
        }
        let keep = files.formulas.as_ref().is_some_and(|f| f.value == raw::Formulas::Keep);
        let kind = match files.kind.value {
            raw::FilesKind::Csv => Files::Csv { formulas: keep },
            raw::FilesKind::Jsonl => Files::Jsonl,
            raw::FilesKind::Parquet => Files::Parquet,
        };
        if let Some(formulas) = files.formulas.as_ref().filter(|_| !matches!(kind, Files::Csv { .. })) {
            self.report(
                Diagnostic::new(code::yaml::MISPLACED, formulas.span, "`formulas` has a meaning for `csv` only")
                    .label("no spreadsheet calculates what stands in such a file")
                    .help("remove `formulas:`"),
            );
        }
        Some(To::Files { kind, path: path.value.clone() })
    }

    fn postgres(&mut self, written: &raw::Postgres) -> Option<To> {
        let url = self.address(written.url.0.as_ref(), "url");
        let table = written.table.as_ref();
        if let Some(table) = table {
            let parts: Vec<&str> = table.value.split('.').collect();
            if parts.len() > 2 || parts.iter().any(|part| part.is_empty()) {
                self.report(
                    Diagnostic::new(code::yaml::NAME, table.span, format!("`{}` can't name a table", table.value))
                        .help("write a name, or a schema and a name: `marketing.{audience}`"),
                );
            }
        }
        Some(To::Postgres { url: url?, table: table.map_or_else(|| TABLE.to_owned(), |t| t.value.clone()) })
    }

    fn webhook(&mut self, written: &raw::Webhook) -> Option<To> {
        let url = self.address(written.url.0.as_ref(), "url");
        if let Some((Address::Plain(url), raw::Secret::Text(text))) = url.as_ref().zip(written.url.0.as_ref())
            && !["https://", "http://"].iter().any(|start| url.starts_with(start))
        {
            self.report(
                Diagnostic::new(code::yaml::PATH, text.0.span, format!("`{url}` is no address of a webhook"))
                    .help("write `https://…`"),
            );
        }
        let secret = written.secret.0.as_ref().and_then(|s| self.secret(s, "secret"));
        let batch = written.batch.as_ref().map_or(Some(BATCH), |n| self.batch(n));
        let pause = written.rate.as_ref().map(|rate| self.rate(rate));
        let timeout = written.timeout.as_ref().map_or(Some(TIMEOUT), |t| self.timeout(t));
        let pause = match pause {
            Some(pause) => Some(pause?),
            None => None,
        };
        Some(To::Webhook { url: url?, secret: secret?, batch: batch?, pause, timeout: timeout? })
    }

    fn address(&mut self, written: Option<&raw::Secret>, key: &str) -> Option<Address> {
        match written? {
            raw::Secret::Text(Literal(text)) if !text.value.contains("${") => {
                if let Some(what) = holds_secret(&text.value) {
                    let d = literal(text, format!("{what} stands in `{key}`"), key);
                    self.report(d);
                    return None;
                }
                Some(Address::Plain(text.value.clone()))
            }
            written => self.secret(written, key).map(Address::Secret),
        }
    }

    /// A reference; whatever else is written is a secret that everybody can read.
    fn secret(&mut self, written: &raw::Secret, key: &str) -> Option<SecretRef> {
        match written {
            raw::Secret::Reference(reference) => match (&reference.value.env, &reference.value.file) {
                (Some(env), None) => self.variable(env, &env.value),
                (None, Some(file)) => Some(SecretRef::File(file.value.clone())),
                (both, _) => {
                    let (code, message) = match both {
                        Some(_) => (code::yaml::MISPLACED, "`env` and `file` both say where a secret is"),
                        None => (code::yaml::MISSING_KEY, "a reference to a secret names nothing"),
                    };
                    self.report(
                        Diagnostic::new(code, reference.span, message)
                            .help("write `{env: NAME}` with an environment variable, or `{file: PATH}`"),
                    );
                    None
                }
            },
            raw::Secret::Text(Literal(text)) => {
                let inner = text.value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                match inner.filter(|inner| !inner.contains(['{', '}'])).and_then(|inner| inner.split_once(':')) {
                    Some(("env", name)) => self.variable(text, name),
                    Some(("file", path)) if !path.is_empty() => Some(SecretRef::File(path.to_owned())),
                    _ => {
                        let message = match text.value.contains("${") {
                            true => format!("`{key}` refers to a secret in a way that is not read"),
                            false => format!("`{key}` holds a secret"),
                        };
                        let d = literal(text, message, key);
                        self.report(d);
                        None
                    }
                }
            }
        }
    }

    fn variable(&mut self, at: &At<String>, name: &str) -> Option<SecretRef> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) || name.starts_with(|c: char| c.is_ascii_digit()) {
            // What was written may be the secret itself: it is not repeated.
            self.report(
                Diagnostic::new(code::yaml::SECRET, at.span, "this can't be the name of an environment variable")
                    .label("a name is letters, digits and `_`, and the secret itself has no place here")
                    .help("write `{env: NAME}`, and set NAME where Segue runs"),
            );
            return None;
        }
        Some(SecretRef::Env(name.to_owned()))
    }

    fn batch(&mut self, Literal(n): &Literal) -> Option<u32> {
        let read = n.value.replace('_', "").parse::<u32>().ok().filter(|n| (1..=MOST_ROWS).contains(n));
        if read.is_none() {
            self.pace(n, "number of rows", "write a whole number from 1 to 10,000, such as `500`");
        }
        read
    }

    fn rate(&mut self, Literal(rate): &Literal) -> Option<u64> {
        let read = pause(&rate.value);
        if read.is_none() {
            self.pace(rate, "rate", "write requests in a time: `10 per second`, `600 per minute`, `1000 per hour`");
        }
        read
    }

    fn timeout(&mut self, Literal(time): &Literal) -> Option<u64> {
        let digits = time.value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match time.value.get(digits.len()..) {
            Some("s") => Some(SECOND),
            Some("min") => Some(60 * SECOND),
            _ => None,
        };
        let read = digits.trim_end().parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
        let read = read.filter(|t| (SECOND..=600 * SECOND).contains(t));
        if read.is_none() {
            self.pace(time, "time-out", "write seconds or minutes, ten minutes at most: `30s`, `2min`");
        }
        read
    }

    fn pace(&mut self, at: &At<String>, what: &str, help: &str) {
        let message = format!("`{}` is no {what}", at.value.escape_debug());
        self.report(Diagnostic::new(code::yaml::PACE, at.span, message).help(help));
    }
}

/// `10 per second` as the least time between two.
fn pause(rate: &str) -> Option<u64> {
    let words: Vec<&str> = rate.split_whitespace().collect();
    let [n, "per", unit] = words.as_slice() else { return None };
    let unit = match *unit {
        "second" => SECOND,
        "minute" => 60 * SECOND,
        "hour" => 3_600 * SECOND,
        _ => return None,
    };
    let n = n.parse::<u64>().ok().filter(|n| (1..=1_000_000).contains(n))?;
    Some(unit.div_ceil(n))
}

/// A secret in the text of the catalog; the message does not repeat it.
fn literal(at: &At<String>, message: String, key: &str) -> Diagnostic {
    Diagnostic::new(code::yaml::SECRET, at.span, message)
        .label("whoever reads the catalog would read it")
        .help(format!("set an environment variable and write `{key}: {{env: NAME}}`, or `{key}: {{file: PATH}}`"))
}

/// What makes an address a secret, if anything does.
fn holds_secret(address: &str) -> Option<&'static str> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    // Of an http address a user is as good as a password: tokens stand there. PostgreSQL reads all before the first `@` as a user.
    let http = scheme.to_ascii_lowercase().starts_with("http");
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let user = if http { authority.rsplit_once('@') } else { rest.split_once('@') };
    if user.is_some_and(|(user, _)| http || user.contains(':')) {
        return Some(if http { "a user or token" } else { "a password" });
    }
    keys(address).any(|key| tells(&key)).then_some("a secret")
}

/// What stands before each `=`: in a query, or in PostgreSQL's other form, `host=… password = …`.
fn keys(address: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| c.is_whitespace() || "?&;#/,'\"".contains(c);
    let before = address.match_indices('=').filter_map(|(at, _)| address.get(..at));
    before.map(move |before| decoded(before.trim_end().rsplit(ends).next().unwrap_or_default()))
}

/// Whether a parameter of this name tells a secret.
fn tells(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|c: char| !c.is_ascii_alphanumeric());
    TELLING.iter().any(|word| key.contains(word))
        || words.any(|word| TELLING_WORDS.contains(&word) || word.ends_with("key"))
}

/// Without percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
