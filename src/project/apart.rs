//! Whether what runs keep lies apart from what they read and what they bring elsewhere.
//!
//! Owns: the comparison of the store's place with those of the catalog, by their names alone. Promises: a store whose files would be
//! rows of the next run is told, and a destination that would write among the store's files.

use std::path::{Component, Path};

use crate::language::catalog::{Catalog, ProjectFile, To};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::interpret::scalar;

/// Where a file of the store lies in it, as one of a source might be called.
const KEPT: &[&str] = &["data", "0.parquet"];

/// What makes a path a pattern.
const PATTERN: [char; 2] = ['*', '?'];

/// What lies where the store does. `root` is the project's folder.
pub(super) fn apart(root: &Path, file: &ProjectFile, catalog: &Catalog) -> Vec<Diagnostic> {
    let Some(store) = &file.store else { return Vec::new() };
    let folder = parts(root, &store.name);
    let kept: Vec<String> = folder.iter().cloned().chain(KEPT.iter().map(|part| (*part).to_owned())).collect();
    let sources = catalog.sources.iter().map(|t| (format!("source `{}`", t.name.name), &t.path, t.path_span));
    let lookups = catalog.lookups.iter().map(|t| (format!("look-up `{}`", t.name.name), &t.path, t.path_span));
    let profiles = catalog.profile.iter().map(|t| ("profiles".to_owned(), &t.path, t.path_span));
    let links = catalog.identities.iter().flat_map(|i| &i.links);
    let links = links.map(|t| (format!("links `{}`", t.name.name), &t.path, t.path_span));
    let read = sources.chain(lookups).chain(profiles).chain(links);
    let read = read.filter(|(_, path, _)| takes(&parts(root, path), &kept)).map(|(what, _, span)| {
        let message = format!("what is kept in `{}` would be among the files of the {what}", store.name);
        Diagnostic::new(code::yaml::PATH, store.span, message)
            .label("the next run would read it")
            .also(span, "read here")
            .help("give the store a folder of its own, such as `published`")
    });
    let brought = catalog.destinations.iter().filter_map(|d| match &d.to {
        To::Files { path, .. } if parts(root, path).starts_with(&folder) => Some((d, path)),
        _ => None,
    });
    let brought = brought.map(|(d, path)| {
        let message = format!("`{path}` is in the store, where only runs write");
        Diagnostic::new(code::yaml::PATH, d.name.span, message)
            .label("this destination would write among what runs keep")
            .also(store.span, "the store is here")
            .help("give the destination a folder of its own, such as `out`")
    });
    read.chain(brought).collect()
}

/// Whether a path that is read (a folder, a file or a pattern) means a file.
fn takes(path: &[String], file: &[String]) -> bool {
    let pattern = path.iter().any(|part| part.contains(PATTERN));
    let begins = path.iter().take_while(|part| !part.contains(PATTERN)).count();
    let below = file.iter().skip(begins);
    if below.clone().any(|part| part.starts_with(['.', '_']) && !part.contains('=')) {
        return false;
    }
    if pattern { fits(path, file) } else { file.starts_with(path) }
}

/// `**` is any number of folders, `*` and `?` stay within a name.
fn fits(pattern: &[String], parts: &[String]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((star, rest)), one) if star == "**" => {
            fits(rest, parts) || one.is_some_and(|(_, parts)| fits(pattern, parts))
        }
        (Some((one, rest)), Some((part, parts))) => scalar::fits(part, one) && fits(rest, parts),
        _ => false,
    }
}

/// The names on the way to a path from the root of its disk or object store.
fn parts(root: &Path, path: &str) -> Vec<String> {
    let path = path.strip_prefix("file://").unwrap_or(path);
    if path.contains("://") {
        return path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    }
    let whole = root.join(path);
    let mut parts = Vec::new();
    for part in std::path::absolute(&whole).unwrap_or(whole).components() {
        match part {
            Component::ParentDir => _ = parts.pop(),
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts
}
