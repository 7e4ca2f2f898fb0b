//! Every turn since the last run.
//!
//! Owns: the loop over the instants that are due. Promises: each turn sees what the ones before it decided; a turn is published whole or
//! not at all, and what was published stays when a later one fails. Must not know: the machine's clock.

use std::collections::BTreeMap;

use super::{Base, Job, Summary, Turn, digest, evaluate, prepare};
use crate::audience::schedule::{CatchUp, plan_runs};
use crate::audience::store::{Draft, Kind, Manifest, Store};
use crate::engine;
use crate::error::Error;
use crate::language::calendar::{Clock, Zone};
use crate::language::ir::Program;

/// Whether a turn is published as soon as it is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Publish,
    /// Everything is staged and nothing published: see `segue plan`.
    Wait,
}

/// What came of the turns.
pub struct Done {
    /// What they built on.
    pub before: Option<Draft>,
    /// The drafts, in the order of their instants.
    pub drafts: Vec<Draft>,
    /// The same in numbers.
    pub summaries: Vec<Summary>,
    /// The versions that they became, where they were published.
    pub versions: Vec<std::sync::Arc<Manifest>>,
    /// The last turn; `None` where the instant was decided already.
    pub last: Option<Turn>,
    /// The version that the first of them builds on.
    pub base: Option<u64>,
    /// That version's checksum.
    pub follows: Option<String>,
}

/// Decides what is due at `as_of` and was not yet.
pub async fn turns(job: &Job<'_>, store: &Store, as_of: &Clock, catch_up: CatchUp, then: Then) -> Result<Done, Error> {
    let mut base = Base::of(store, job.project).await?;
    let first = base.chain.latest().map(|version| version.version);
    let follows = base.chain.latest().map(|version| version.sha256.clone());
    let before = base.latest().cloned();
    let mut done = Done {
        before,
        drafts: Vec::new(),
        summaries: Vec::new(),
        versions: Vec::new(),
        last: None,
        base: first,
        follows,
    };
    match base.last_run() {
        Some(last) if last == as_of.as_of => {
            unchanged(job, &base, as_of).await?;
            return Ok(done);
        }
        Some(last) if last > as_of.as_of => {
            return Err(Error::Refused {
                message: format!("the last run decided as of {}, which is later", instant(last, &as_of.zone)),
                help: Some(
                    "what was decided stays decided: give a later `--as-of`, or look only, with `--no-write`".into(),
                ),
            });
        }
        _ => {}
    }
    let threads = job.limits.threads.unwrap_or(2);
    let inputs = engine::inputs::digests(&job.project.catalog, &job.project.root, threads).await?;
    let mut program = job.program.clone();
    if let Some(latest) = base.latest() {
        taken(&program, &latest.names)?;
        first_names(&mut program, &latest.names);
    }
    let job = Job { program: &program, ..job.clone() };
    for run in plan_runs(&program, &base.seen(), base.last_run(), as_of.as_of, &as_of.zone, catch_up) {
        let clock = Clock { as_of: run.at, zone: as_of.zone.clone() };
        let due = run.due(&program);
        let turn = evaluate(&job, &clock, due, Some((store, &base))).await?;
        let prepared = prepare(&job, &turn, &inputs, store, &base).await?;
        store
            .accept(&prepared.draft, &prepared.findings)
            .await
            .map_err(|error| placed(error, &clock, &done.versions))?;
        match then {
            Then::Publish => {
                let version = base.chain.latest().map(|version| version.version);
                let manifest = store.commit(prepared.draft.clone(), version).await?.published()?;
                done.versions.push(manifest);
                base.chain = store.chain().await?;
            }
            Then::Wait => base.pending.push(prepared.draft.clone()),
        }
        done.drafts.push(prepared.draft);
        done.summaries.push(turn.summary(job.program));
        done.last = Some(turn);
    }
    Ok(done)
}

/// What a run as of an instant decides at that instant itself, with what was published before, and its numbers. Nothing is left behind.
pub async fn at(job: &Job<'_>, as_of: &Clock, store: Option<(&Store, &Base)>) -> Result<(Turn, Summary), Error> {
    let mut program = job.program.clone();
    let latest = store.and_then(|(_, base)| base.latest());
    if let Some(latest) = latest {
        first_names(&mut program, &latest.names);
    }
    let job = Job { program: &program, ..job.clone() };
    let seen = store.map(|(_, base)| base.seen()).unwrap_or_default();
    let runs = plan_runs(&program, &seen, None, as_of.as_of, &as_of.zone, CatchUp::None);
    let due = runs.last().map(|run| run.due(&program)).unwrap_or_default();
    let turn = evaluate(&job, as_of, due, store).await?;
    let summary = turn.summary(&program);
    Ok((turn, summary))
}

/// The same instant again is the same run, if it is of the same rules and data.
async fn unchanged(job: &Job<'_>, base: &Base, as_of: &Clock) -> Result<(), Error> {
    let is = |v: &&std::sync::Arc<Manifest>| v.draft.as_of == as_of.as_of;
    let Some(version) = base.chain.versions().iter().rfind(is) else { return Ok(()) };
    if version.draft.kind != Kind::Run {
        return Err(Error::Refused {
            message: format!(
                "at {} an earlier version was restored, in version {}",
                instant(as_of.as_of, &as_of.zone),
                version.version
            ),
            help: Some("give a later `--as-of`, or look only, with `--no-write`".to_owned()),
        });
    }
    let threads = job.limits.threads.unwrap_or(2);
    let inputs = engine::inputs::digests(&job.project.catalog, &job.project.root, threads).await?;
    let was = |name: &str| version.draft.inputs.iter().find(|input| input.source == name).map(|input| &input.digest);
    let same = inputs.iter().all(|input| was(&input.name) == Some(&input.digest));
    if same && digest(job.project) == version.draft.rules {
        return Ok(());
    }
    let what = if same { "rules, another catalog or project file" } else { "data" };
    Err(Error::Refused {
        message: format!(
            "{} was decided with other {what}, in version {}",
            instant(as_of.as_of, &as_of.zone),
            version.version
        ),
        help: Some("what was decided stays decided: `segue show` tells it; give a later `--as-of`, or look only, with `--no-write`".into()),
    })
}

/// A name that another declaration had before is that one's in the history: it can't be anybody else's as well.
fn taken(program: &Program, names: &BTreeMap<String, Vec<String>>) -> Result<(), Error> {
    let declared = |name: &str| program.rules.iter().any(|rule| rule.name == name);
    for (owner, former) in names.iter().filter(|(owner, _)| declared(owner)) {
        if let Some(name) = former.iter().find(|name| *name != owner && declared(name)) {
            return Err(Error::Refused {
                message: format!(
                    "`{name}` is what `{owner}` was called before, and the history keeps it under that name"
                ),
                help: Some(format!("give the new `{name}` another name")),
            });
        }
    }
    Ok(())
}

/// Says which of several instants it was, and what was published before it.
fn placed(error: Error, clock: &Clock, versions: &[std::sync::Arc<Manifest>]) -> Error {
    match (error, versions.last()) {
        (Error::Refused { message, help }, Some(last)) => Error::Refused {
            message: format!(
                "as of {}, after version {} was published for an earlier instant: {message}",
                instant(clock.as_of, &clock.zone),
                last.version
            ),
            help,
        },
        (error, _) => error,
    }
}

/// A campaign keeps the ledger and the draws of its first name, also where the text no longer says which that was.
pub fn first_names(program: &mut Program, names: &BTreeMap<String, Vec<String>>) {
    for campaign in &mut program.campaigns {
        let name = program.rules.get(campaign.rule.0 as usize).map_or("", |rule| rule.name.as_str());
        let of = |name: &str| names.get(name).and_then(|former| former.first()).cloned();
        if let Some(first) = of(name).or_else(|| campaign.was.as_deref().and_then(of)) {
            campaign.was = Some(first);
        }
    }
}

fn instant(at: i64, zone: &Zone) -> String {
    let local = zone.local(at).div_euclid(60_000_000);
    let date = crate::language::calendar::date_of(i32::try_from(local.div_euclid(1440)).unwrap_or(0));
    let of_day = local.rem_euclid(1440);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}", date.year, date.month, date.day, of_day / 60, of_day % 60)
}
