//! `segue.yaml` to [`ProjectFile`].

use std::collections::BTreeMap;

use super::{amounts, finish, named};
use crate::language::catalog::project_file::{Audits, ProjectFile};
use crate::language::catalog::{Named, raw};
use crate::language::diagnostic::{Code, Diagnostic, Severity, code, nearest};
use crate::language::source::{SourceFile, Span};
use crate::language::yaml::is_bidi;
use crate::language::yaml::read::{At, Literal, OneOrMany, Read, Reader};

/// The project file in this source. With mistakes, what can be told is given all the same, so that the files that it names can
/// be checked in one go; `None` where the text gives no project at all.
pub fn project(file: &SourceFile) -> (Option<ProjectFile>, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    let raw = crate::language::yaml::parse(file, &mut reader.diagnostics)
        .and_then(|node| raw::Project::read(&node, &mut reader));
    let Some(raw) = raw else { return (None, finish(reader.diagnostics)) };
    let mut diagnostics = reader.diagnostics;
    let nowhere = Span::new(file.id, 0, 0);
    let allow_outside = raw.allow_outside.as_ref().is_some_and(|a| a.value);

    diagnostics.extend(raw.name.0.as_ref().and_then(name_problem));
    diagnostics.extend(raw.timezone.0.as_ref().and_then(zone_problem));
    diagnostics.extend(raw.currency.as_ref().and_then(currency_problem));
    let one = [&raw.catalog, &raw.output, &raw.erased].into_iter().flatten();
    let many = [&raw.rules, &raw.specs].into_iter().flatten().flat_map(|paths| &paths.0);
    diagnostics.extend(one.chain(many).filter_map(|path| path_problem(path, allow_outside, false)));
    diagnostics.extend(raw.store.as_ref().and_then(|store| store_problem(store, raw.output.as_ref(), allow_outside)));
    let severities = severities(&raw, &mut diagnostics);
    let memory_limit = raw.memory_limit.as_ref().and_then(|Literal(text)| match bytes(&text.value) {
        Some(bytes) => Some(bytes),
        None => {
            let message = format!("`{}` is no amount of memory", text.value);
            diagnostics.push(
                Diagnostic::new(code::yaml::SIZE, text.span, message)
                    .help("write a number and a unit, such as `512MB` or `4GB`"),
            );
            None
        }
    });

    let holdout = raw.holdout.as_ref().map(|Literal(text)| amounts::holdout(text));
    let holdout = holdout.and_then(|read| told(read, &mut diagnostics));
    let audits = raw.audits.as_ref().map_or_else(Audits::default, |audits| Audits {
        change: audits
            .change
            .as_ref()
            .map(|Literal(text)| amounts::percent(text, "`50%`"))
            .and_then(|read| told(read, &mut diagnostics)),
        small: audits.small.as_ref().map_or(0, |small| small.value),
    });

    let path = |path: &Option<At<String>>, default: &str| match path {
        Some(path) => Named { name: path.value.clone(), span: path.span },
        None => Named { name: default.to_owned(), span: nowhere },
    };
    let paths = |paths: &Option<OneOrMany<At<String>>>, default: &str| match paths {
        Some(paths) => paths.0.iter().map(|p| Named { name: p.value.clone(), span: p.span }).collect(),
        None => vec![Named { name: default.to_owned(), span: nowhere }],
    };
    let zone = raw.timezone.0.as_ref().filter(|z| zone_problem(z).is_none());
    let project = ProjectFile {
        name: raw.name.0.as_ref().map_or(Named { name: String::new(), span: nowhere }, named),
        edition: raw
            .edition
            .0
            .as_ref()
            .map_or(raw::EDITIONS.last().copied().unwrap_or_default(), |e| &e.0.value)
            .to_owned(),
        timezone: zone.map_or("UTC", |z| &z.value).to_owned(),
        currency: raw.currency.as_ref().filter(|c| currency_problem(c).is_none()).map(|c| c.value.clone()),
        catalog: path(&raw.catalog, "catalog.yaml"),
        rules: paths(&raw.rules, "rules"),
        specs: paths(&raw.specs, "specs"),
        output: path(&raw.output, "out"),
        ascii: raw.format.as_ref().and_then(|f| f.style.as_ref()).is_some_and(|s| s.value == raw::Style::Ascii),
        severities,
        memory_limit,
        as_of: raw.as_of.as_ref().map(|Literal(text)| named(text)),
        allow_outside,
        store: raw.store.as_ref().map(|store| Named { name: store.value.clone(), span: store.span }),
        holdout,
        audits,
        retention: raw.retention.as_ref().map(|days| days.value),
        erased: path(&raw.erased, "erased.txt"),
    };
    (Some(project), finish(diagnostics))
}

/// What was read, or the finding.
fn told<T>(read: Result<T, Box<Diagnostic>>, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    read.map_err(|d| diagnostics.push(*d)).ok()
}

/// Why a store can't be where it is, if so. What runs write over and over is no place for what is kept.
fn store_problem(store: &At<String>, output: Option<&At<String>>, allow_outside: bool) -> Option<Diagnostic> {
    let same = |a: &str, b: &str| a.trim_start_matches("./").trim_end_matches('/') == b.trim_end_matches('/');
    let output_path = output.map_or("out", |output| output.value.trim_start_matches("./"));
    if !same(&store.value, output_path) {
        return path_problem(store, allow_outside, true);
    }
    let message = format!("`{}` is the folder of results already", store.value);
    let d = Diagnostic::new(code::yaml::PATH, store.span, message).label("a store needs a folder of its own");
    Some(match output {
        Some(output) => d.also(output.span, "`output` is here"),
        None => d.help("`output` is `out` where unsaid; call the store something else, such as `published`"),
    })
}

fn name_problem(name: &At<String>) -> Option<Diagnostic> {
    (name.value.trim().is_empty()).then(|| {
        Diagnostic::new(code::yaml::NAME, name.span, "the name of the project is empty").help("give it a name")
    })
}

fn severities(raw: &raw::Project, diagnostics: &mut Vec<Diagnostic>) -> BTreeMap<Code, raw::Level> {
    let mut out = BTreeMap::new();
    let proved = code::all().filter(|c| c.severity() == Severity::Error && c.can_be_set());
    let proved: Vec<String> = proved.map(|c| format!("`{c}`")).collect();
    for entry in raw.lints.iter().flat_map(|l| &l.0) {
        let Some(found) = Code::parse(&entry.name.value) else {
            let message = format!("there is no diagnostic `{}`", entry.name.value);
            let names: Vec<&str> = code::all().map(|c| c.as_str()).collect();
            let mut d = Diagnostic::new(code::yaml::CODE, entry.name.span, message)
                .help("a code stands in brackets before each finding, such as `W0506`");
            if let Some(meant) = nearest(&entry.name.value, names.iter().copied()) {
                d = d.label(format!("did you mean `{meant}`?"));
            }
            diagnostics.push(d);
            continue;
        };
        let Some(level) = &entry.value else { continue };
        if !found.can_be_set() && level.value != raw::Level::Error {
            diagnostics.push(
                Diagnostic::new(code::yaml::MISPLACED, level.span, format!("`{found}` is always an error"))
                    .label("what it finds has no meaning that could be run")
                    .help(format!("what can be set are warnings (`W…`) and {}", proved.join(", "))),
            );
            continue;
        }
        out.insert(found, level.value);
    }
    out
}

/// Why a path can't be used, if so. `urls` says whether an object store may stand here.
pub(super) fn path_problem(path: &At<String>, allow_outside: bool, urls: bool) -> Option<Diagnostic> {
    let text = path.value.as_str();
    let problem = |code, message: String| Some(Diagnostic::new(code, path.span, message));
    if text.chars().any(is_bidi) {
        return None; // reported by the YAML reader
    }
    if text.trim().is_empty() {
        return problem(code::yaml::PATH, "the path is empty".to_owned());
    }
    if text.contains('\0') {
        return problem(code::yaml::PATH, "the path has a zero byte".to_owned());
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        if urls && scheme == "s3" && !rest.is_empty() {
            return None;
        }
        let (message, help) = if urls {
            (format!("`{scheme}://` is no address that is read"), "use a path in the project, or `s3://bucket/path`")
        } else {
            ("an address can't stand here".to_owned(), "use a path in the project")
        };
        return problem(code::yaml::PATH, message).map(|d| d.help(help));
    }
    if allow_outside {
        return None;
    }
    let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let label = if text.starts_with(['/', '\\', '~']) || drive {
        "begins outside the project's folder"
    } else if text.split(['/', '\\']).any(|part| part == "..") {
        "`..` leads out of the project's folder"
    } else {
        return None;
    };
    problem(code::yaml::OUTSIDE, format!("`{text}` leaves the project"))
        .map(|d| d.label(label).help("use a path inside the project, or write `allow_outside: true` in `segue.yaml`"))
}

/// Why a time zone can't be used, if so.
pub(super) fn zone_problem(zone: &At<String>) -> Option<Diagnostic> {
    let text = zone.value.as_str();
    // The database finds `europe/paris` too; a project should write what everyone else writes.
    if jiff::tz::db().get(text).is_ok_and(|zone| zone.iana_name() == Some(text)) {
        return None;
    }
    let all: Vec<String> = jiff::tz::db().available().map(|n| n.as_str().to_owned()).collect();
    let d = Diagnostic::new(code::yaml::TIMEZONE, zone.span, format!("there is no time zone `{text}`"))
        .help("use an IANA name, such as `Europe/Paris` or `UTC`: unlike abbreviations, it says when clocks change");
    let ends = |name: &&String| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text));
    let meant = all.iter().find(ends).map(String::as_str).or_else(|| nearest(text, all.iter().map(String::as_str)));
    Some(match meant {
        Some(meant) => d
            .label(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), vec![(zone.span, meant.to_owned())]),
        None => d,
    })
}

fn currency_problem(currency: &At<String>) -> Option<Diagnostic> {
    let text = currency.value.as_str();
    if CURRENCIES.contains(&text) {
        return None;
    }
    let d = Diagnostic::new(code::yaml::CURRENCY, currency.span, format!("there is no currency `{text}`"))
        .help("use an ISO 4217 code, such as `EUR`, `USD` or `JPY`");
    let upper = text.to_ascii_uppercase();
    let signs =
        [("€", "EUR"), ("$", "USD"), ("£", "GBP"), ("¥", "JPY"), ("EURO", "EUR"), ("EUROS", "EUR"), ("DOLLAR", "USD")];
    let meant = signs.iter().find(|(sign, _)| *sign == upper).map(|(_, code)| *code);
    Some(match meant.or_else(|| nearest(&upper, CURRENCIES.iter().copied())) {
        Some(meant) => d
            .label(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), vec![(currency.span, meant.to_owned())]),
        None => d,
    })
}

/// `512MB`, `4GB`, `2 GiB` or plain bytes. Units are powers of 1024: the limit is about memory.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.replace('_', "").parse().ok()?;
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.checked_mul(1 << power).filter(|n| *n > 0)
}

/// The codes of ISO 4217 for currencies in use.
const CURRENCIES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUP",
    "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD",
    "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN",
    "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL",
    "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VES",
    "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];
