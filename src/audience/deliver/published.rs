//! The store of results as what was published, and as the place of the states.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use object_store::path::Path;

use super::Published;
use super::state::Shelf;
use crate::audience::store::{Chain, Draft, EntryKind, Store};
use crate::error::Error;

#[async_trait]
impl Published for Store {
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error> {
        let chain = self.chain().await?;
        if !chain.is_kept(version) {
            return Ok(None);
        }
        let draft = &chain.version(version)?.draft;
        // In an earlier version it may stand under an earlier name.
        let names = std::iter::once(audience).chain(chain.former(audience).iter().rev().map(String::as_str));
        match names.into_iter().find_map(|name| draft.audience(name)) {
            Some(file) => Ok(Some(self.read(file).await?)),
            None => Ok(None),
        }
    }
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
    let decided = |draft: &Draft| draft.decided.iter().any(|decided| decided.key == key);
    let kept = chain.versions().iter().filter(|v| decided(&v.draft) && chain.is_kept(v.version));
    kept.map(|version| version.version).collect()
}

/// Whether an audience is a campaign's.
pub fn is_contacts(chain: &Chain, audience: &str) -> bool {
    let entry = chain.latest().and_then(|latest| latest.draft.entry(audience));
    entry.is_some_and(|entry| entry.kind == EntryKind::Campaign)
}
