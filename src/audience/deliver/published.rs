//! The store of results as what was published, and as the place of the states.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use object_store::path::Path;

use super::Published;
use super::state::Shelf;
use crate::audience::store::Store;
use crate::error::Error;

#[async_trait]
impl Published for Store {
    async fn rows(&self, audience: &str, version: u64) -> Result<Option<Vec<RecordBatch>>, Error> {
        let chain = self.chain().await?;
        if !chain.is_kept(version) {
            return Ok(None);
        }
        match chain.version(version)?.draft.audience(audience) {
            Some(file) => Ok(Some(self.read(file).await?)),
            None => Ok(None),
        }
    }
}

/// The states of one audience at one destination, in a store of results.
pub fn shelf(store: &Store, destination: &str, audience: &str) -> Shelf {
    Shelf::new(store.objects(), &Path::default(), destination, audience)
}
