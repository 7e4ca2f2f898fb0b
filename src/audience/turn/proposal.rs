//! A plan of what is to be published, as a file.
//!
//! Owns: the form of a plan file and what it is bound to. Promises: what is applied is what was shown, to the byte; where the rules, the
//! data or the store have changed since, nothing is. Must not know: the command line.

use serde::{Deserialize, Serialize};

use super::{Done, digest};
use crate::audience::store::{Draft, Manifest, Store, sha256};
use crate::engine;
use crate::error::Error;
use crate::project::Project;

const FORMAT: u32 = 1;

/// What `segue plan` found and `segue apply` publishes. Its files are staged in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    pub format: u32,
    pub project: String,
    /// Of all rules, the catalog and the project file: see [`digest`].
    pub rules: String,
    /// The version that it builds on; none where nothing was published.
    pub base: Option<u64>,
    /// The checksum of that version.
    pub follows: Option<String>,
    /// One a turn, in the order of their instants.
    pub drafts: Vec<Draft>,
    /// Over all of the above.
    pub sha256: String,
}

impl Proposal {
    pub fn new(project: &Project, done: &Done) -> Result<Proposal, Error> {
        let mut proposal = Proposal {
            format: FORMAT,
            project: project.file.name.name.clone(),
            rules: digest(project),
            base: done.base,
            follows: done.follows.clone(),
            drafts: done.drafts.clone(),
            sha256: String::new(),
        };
        proposal.sha256 = proposal.sum()?;
        Ok(proposal)
    }

    fn sum(&self) -> Result<String, Error> {
        let bare = Proposal { sha256: String::new(), ..self.clone() };
        let text = serde_json::to_vec(&bare).map_err(|e| Error::Engine { message: e.to_string(), help: None })?;
        Ok(sha256(&text))
    }

    /// The bytes of the file.
    pub fn text(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|e| Error::Engine { message: e.to_string(), help: None })
    }

    /// Reads a plan file, called `name` in messages.
    pub fn read(text: &str, name: &str) -> Result<Proposal, Error> {
        let bad = |why: &dyn std::fmt::Display| {
            Error::data(format!("`{name}` is no plan: {why}")).with_help("`segue plan --out FILE` writes one")
        };
        let proposal: Proposal = serde_json::from_str(text).map_err(|e| bad(&e))?;
        if proposal.format != FORMAT {
            return Err(bad(&"another Segue wrote it"));
        }
        if proposal.sum()? != proposal.sha256 {
            return Err(bad(&"it was changed after it was written"));
        }
        Ok(proposal)
    }

    /// Publishes it; refused where anything that it was made of has changed.
    pub async fn apply(
        &self,
        project: &Project,
        store: &Store,
        threads: usize,
    ) -> Result<Vec<std::sync::Arc<Manifest>>, Error> {
        let stale = |what: String| {
            Err(Error::Refused {
                message: format!("the plan is stale: {what}"),
                help: Some("make a new one with `segue plan --out FILE`, look at it, and apply that".to_owned()),
            })
        };
        let chain = store.chain().await?;
        let newest = chain.latest().map(|version| version.version);
        // A plan that was applied up to some point is applied from there on.
        let done = chain.versions().iter().skip(usize::try_from(self.base.unwrap_or(0)).unwrap_or(usize::MAX));
        let done = done.zip(&self.drafts).take_while(|(version, draft)| version.draft == **draft).count();
        if newest.unwrap_or(0) != self.base.unwrap_or(0) + done as u64 {
            let told = |n: Option<u64>| n.map_or("nothing was published".to_owned(), |n| format!("version {n}"));
            return stale(format!("it builds on {}, and by now there is {}", told(self.base), told(newest)));
        }
        let follows = self.base.and_then(|base| chain.version(base).ok()).map(|version| &version.sha256);
        if follows != self.follows.as_ref() {
            return stale("it builds on another store's version of that number".to_owned());
        }
        if self.project != project.file.name.name {
            return stale(format!("it is of the project `{}`", self.project));
        }
        if self.rules != digest(project) {
            return stale("the rules, the catalog or the project file have changed".to_owned());
        }
        let inputs = engine::inputs::digests(&project.catalog, &project.root, threads).await?;
        for (input, was) in inputs.iter().filter_map(|input| Some((input, self.input(&input.name)?))) {
            if input.digest != was {
                return stale(format!("the data of {} has changed", input.name));
            }
        }
        let mut versions = Vec::new();
        let mut base = newest;
        for draft in self.drafts.iter().skip(done) {
            let version = store.commit(draft.clone(), base).await?.published()?;
            base = Some(version.version);
            versions.push(version);
        }
        Ok(versions)
    }

    fn input(&self, name: &str) -> Option<&str> {
        let inputs = &self.drafts.first()?.inputs;
        inputs.iter().find(|input| input.source == name).map(|input| input.digest.as_str())
    }
}
