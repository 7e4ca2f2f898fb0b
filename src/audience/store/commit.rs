//! One more version.
//!
//! Owns: the step that publishes. Promises: of two who publish at once one wins and the other is told; a draft that is published
//! already is not published twice; whoever gets an answer knows whether it is published. Must not know: what is published.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, PutMode, PutOptions};

use super::chain::{AT_ONCE, key};
use super::manifest::{self, Draft, Manifest};
use super::{Store, data};
use crate::error::Error;

/// What came of a commit.
#[derive(Debug, Clone)]
#[must_use]
pub enum Committed {
    /// It is the current version now.
    Published(Arc<Manifest>),
    /// It was that before: this very draft is the current version.
    Already(Arc<Manifest>),
    /// Somebody else published since; this is the current version. Nothing was added.
    Overtaken(Arc<Manifest>),
}

impl Committed {
    /// The version of the draft; refused where somebody else was faster.
    pub fn published(self) -> Result<Arc<Manifest>, Error> {
        match self {
            Committed::Published(manifest) | Committed::Already(manifest) => Ok(manifest),
            Committed::Overtaken(manifest) => Err(Error::Refused {
                message: format!("version {} was published meanwhile, and nothing was added", manifest.version),
                help: Some("call it again: it then builds on that version".to_owned()),
            }),
        }
    }
}

impl Store {
    /// Publishes a draft whose files are staged, as the version after `base`, which is the current one as the draft knows it
    /// (`None`: nothing was published).
    pub async fn commit(&self, draft: Draft, base: Option<u64>) -> Result<Committed, Error> {
        let draft = draft.settled();
        let chain = self.chain().await?;
        if let Some(newest) = chain.latest() {
            if newest.draft == draft {
                return Ok(Committed::Already(Arc::clone(newest)));
            }
            if Some(newest.version) != base {
                return Ok(Committed::Overtaken(Arc::clone(newest)));
            }
        } else if let Some(base) = base {
            return Err(Error::data(format!("version {base} of `{}` is gone", self.address()))
                .with_help("bring the store back from a backup, or name another"));
        }
        self.whole(&draft).await?;
        let version = base.unwrap_or(0) + 1;
        let previous = chain.latest().map(|newest| newest.sha256.as_str());
        let odd = |why: String| Error::Engine { message: why, help: None };
        let bytes = manifest::bytes(version, previous, &draft).map_err(odd)?;
        let key = key(version);
        let put = PutOptions::from(PutMode::Create);
        if let Err(why) = self.objects.put_opts(&key, bytes.clone().into(), put).await {
            // Another's manifest may be there, or ours for all that.
            match self.get(&key).await {
                Ok(Some(there)) if *there == *bytes => {}
                Ok(Some(_)) => {
                    let chain = self.chain().await?;
                    let newest = chain.latest().ok_or_else(|| self.trouble("cannot write", &key, &why))?;
                    return Ok(Committed::Overtaken(Arc::clone(newest)));
                }
                Ok(None) => return Err(self.trouble("cannot write", &key, &why)),
                Err(_) => {
                    let error = self.trouble("it is not known whether it was published: cannot write", &key, &why);
                    return Err(error.with_help("call it again: what is published is not published twice"));
                }
            }
        }
        let manifest = Arc::new(manifest::read(&bytes).map_err(odd)?);
        let mut versions = chain.versions().to_vec();
        versions.push(Arc::clone(&manifest));
        self.learn(&versions);
        Ok(Committed::Published(manifest))
    }

    /// Refuses a draft whose files are not all there.
    async fn whole(&self, draft: &Draft) -> Result<(), Error> {
        let look = |file: &super::FileRef| {
            let (key, bytes, name) = (data::key(&file.sha256), file.bytes, file.name.clone());
            async move {
                match self.size(&key).await? {
                    Some(size) if size == bytes => Ok(()),
                    _ => Err(Error::data(format!(
                        "`{}` of `{name}` went away before it was published",
                        self.shown(&key)
                    ))
                    .with_help("call it again; does something else clear the store away?")),
                }
            }
        };
        let looks: Vec<_> = draft.files.iter().map(look).collect();
        futures::stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }
}
