//! What a run reads, told by its content.
//!
//! Owns: one digest a table of the catalog. Promises: the same rows in the same files give the same digest, whatever the files are
//! called and in which order they are found; a file that the cache knows to be untouched is not read for it. Must not know: rules.

use std::path::{Path, PathBuf};

use super::cache::digest::{Digests, of_texts};
use super::cache::folder::{FOLDER, Folder};
use super::tables::files::{self, Stores};
use crate::error::Error;
use crate::language::catalog::Catalog;

/// The content of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As messages call it: ``source `activity` ``.
    pub name: String,
    pub files: usize,
    pub bytes: u64,
    /// SHA-256, in hexadecimal digits, over the sorted contents of its files and what their folders say of them. Of an object store's
    /// file the content is what the store says: its address, size and tag.
    pub digest: String,
}

/// The content of every table of a project, in the order of the catalog: sources, look-ups, profiles, lists, links, the
/// erased. A list or look-up
/// that is one file is one file here.
pub async fn digests(catalog: &Catalog, root: &Path, threads: usize) -> Result<Vec<Input>, Error> {
    let sources = catalog.sources.iter().map(|t| (format!("source `{}`", t.name.name), &t.path));
    let lookups = catalog.lookups.iter().map(|t| (format!("look-up `{}`", t.name.name), &t.path));
    let profiles = catalog.profile.iter().map(|t| ("the profiles".to_owned(), &t.path));
    let lists = catalog.lists.iter().map(|t| (format!("list `{}`", t.name.name), &t.path));
    let links = catalog.identities.iter().flat_map(|i| &i.links);
    let links = links.map(|t| (format!("link table `{}`", t.name.name), &t.path));
    let mut notes = if Folder::is_there(root) { Digests::as_they_are(&root.join(FOLDER)) } else { Digests::default() };
    let mut stores = Stores::default();
    let mut inputs = Vec::new();
    for (name, path) in sources.chain(lookups).chain(profiles).chain(lists).chain(links) {
        let listing = files::list(&mut stores, root, path, &name).await?;
        let local: Vec<&PathBuf> = listing.files.iter().filter_map(|file| file.disk.as_ref()).collect();
        notes.take_ahead(local.into_iter().map(PathBuf::as_path), threads);
        let mut contents = Vec::with_capacity(listing.files.len());
        for file in &listing.files {
            let content = match &file.disk {
                Some(path) => notes.of(path).map_err(|e| Error::io("cannot read", path, e))?.digest,
                None => format!("{} {} {:?}", file.shown, file.meta.size, file.meta.e_tag),
            };
            let folders = file.hive.iter().map(|(key, value)| format!("{key:?}={value:?}"));
            let parts: Vec<String> = std::iter::once(content).chain(folders).collect();
            contents.push(of_texts(parts.iter().map(String::as_str)));
        }
        contents.sort_unstable();
        let bytes = listing.files.iter().map(|file| file.meta.size).sum();
        let digest = of_texts(contents.iter().map(String::as_str));
        inputs.push(Input { name, files: listing.files.len(), bytes, digest });
    }
    if let Some(path) = &catalog.erased {
        let at = files::local(root, path);
        let (files, text) = match std::fs::read(&at) {
            Ok(text) => (1, text),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => (0, Vec::new()),
            Err(why) => return Err(Error::io("cannot read", at, why)),
        };
        let digest = of_texts([String::from_utf8_lossy(&text).as_ref()]);
        inputs.push(Input { name: "the erased customers".to_owned(), files, bytes: text.len() as u64, digest });
    }
    Ok(inputs)
}
