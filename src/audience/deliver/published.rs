//! The store of results as what was published, and as the place of the states.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use object_store::path::Path;

use super::state::Shelf;
use super::{Published, Reach};
use crate::audience::store::{Chain, Draft, EntryKind, FileRef, Store};
use crate::error::Error;

#[async_trait]
impl Published for Store {
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error> {
        let chain = self.chain().await?;
        if !chain.is_kept(version) {
            return Ok(None);
        }
        match file(&chain, audience, &chain.version(version)?.draft) {
            Some(file) => Ok(Some(self.read(file).await?)),
            None => Ok(None),
        }
    }

    async fn manifest(&self, version: u64) -> Result<String, Error> {
        Ok(self.chain().await?.version(version)?.sha256.clone())
    }

    async fn reach(&self, audience: &str, version: u64) -> Result<Option<Reach>, Error> {
        let chain = self.chain().await?;
        let mut reach: Option<Reach> = None;
        let mut seen: Option<&str> = None;
        // A run takes out of a decision's audience whoever withdrew consent, was suppressed or erased since.
        let standing = standing(&chain, known_as(&chain, audience));
        let later = chain.versions().iter().zip(standing).filter(|(v, of)| v.version > version && *of == Some(version));
        for (later, _) in later.filter(|(later, _)| chain.is_kept(later.version)) {
            let Some(file) = file(&chain, audience, &later.draft) else { continue };
            if seen.replace(chain.resolve(&file.sha256)) == Some(chain.resolve(&file.sha256)) {
                continue;
            }
            let now = Reach::of(&self.read(file).await?);
            reach = Some(match reach {
                Some(before) => before.and(&now),
                None => now,
            });
        }
        Ok(reach)
    }
}

/// The file of an audience in a version, where it may stand under an earlier name.
fn file<'a>(chain: &Chain, audience: &str, draft: &'a Draft) -> Option<&'a FileRef> {
    let former = chain.former(audience).iter().rev().map(String::as_str);
    std::iter::once(audience).chain(former).find_map(|name| draft.audience(name))
}

/// By version, the one that decided what stands there of a campaign. The audiences of a version that was brought back are those of then.
fn standing(chain: &Chain, key: &str) -> Vec<Option<u64>> {
    let mut all: Vec<Option<u64>> = Vec::with_capacity(chain.versions().len());
    for version in chain.versions() {
        let then = match version.draft.restored {
            Some(then) => usize::try_from(then).ok().and_then(|then| then.checked_sub(1)),
            None => all.len().checked_sub(1),
        };
        let before = then.and_then(|then| all.get(then).copied()).flatten();
        all.push(if decides(&version.draft, key) { Some(version.version) } else { before });
    }
    all
}

/// Whether a version decided a campaign, by its first name.
fn decides(draft: &Draft, key: &str) -> bool {
    draft.decided.iter().any(|decided| decided.key == key)
}

/// The states of one audience at one destination, in a store of results. `known_as` is the first name that the audience had.
pub fn shelf(store: &Store, destination: &str, known_as: &str) -> Shelf {
    Shelf::new(store.objects(), &Path::default(), destination, known_as)
}

/// The first name of an audience, by which deliveries know it.
pub fn known_as<'a>(chain: &'a Chain, audience: &'a str) -> &'a str {
    chain.former(audience).first().map_or(audience, String::as_str)
}

/// The versions of an audience that are there to be delivered, ascending: of members the newest, of contacts those in which its
/// campaign was decided. Empty where there is none.
pub fn versions(chain: &Chain, audience: &str) -> Vec<u64> {
    let Some(latest) = chain.latest().filter(|latest| latest.draft.audience(audience).is_some()) else {
        return Vec::new();
    };
    if !is_contacts(chain, audience) {
        return vec![latest.version];
    }
    let key = known_as(chain, audience);
    let kept = chain.versions().iter().filter(|v| decides(&v.draft, key) && chain.is_kept(v.version));
    kept.map(|version| version.version).collect()
}

/// Whether an audience is a campaign's.
pub fn is_contacts(chain: &Chain, audience: &str) -> bool {
    let entry = chain.latest().and_then(|latest| latest.draft.entry(audience));
    entry.is_some_and(|entry| entry.kind == EntryKind::Campaign)
}
