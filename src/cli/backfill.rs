//! `segue backfill`: membership history of past days.

use std::path::PathBuf;

use super::output::{Failure, Out};
use super::{Exit, Global};

/// Fill in who was in which segment on past days, before the first run
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue backfill --from 2026-08-01 --to 2026-10-31
  segue backfill --from 2026-01-01 --to 2026-10-31 --every week

The rules as they are now are evaluated at the first moment of each day, and whoever entered or left a
segment from one to the next goes into the history that `entered`, `left` and `member of` read. Nobody is
contacted and no campaign is decided. The days lie before the first run; what that run recorded as entered
is compared with the last of them. The events are read once for all days; beyond 64 days, once for each 64,
since who was in what on all of them is held in memory.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 files, data or store
5 refused: runs have recorded some of these days · 130 interrupted")]
pub struct Args {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    /// The first day.
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last day, included.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// How far apart the days are.
    #[arg(long, value_name = "STEP", default_value = "day")]
    every: Step,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    #[command(flatten)]
    limits: super::asked::Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    Day,
    Week,
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    let _ = (&args.path, &args.from, &args.to, args.every, &args.store, args.limits);
    Err(super::output::no_engine("backfill"))
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    use super::output::plural;
    use super::show::grouped;
    use super::{keeper, progress, workspace};
    use crate::audience::turn::{Base, Job, backfill};
    use crate::engine::Keep;
    use crate::language::calendar::{Clock, Zone};

    super::interrupt::watch();
    let mut project = workspace::load(args.path.as_deref(), global)?;
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(Exit::Project);
    }
    let store = keeper::needed(args.store.as_deref(), &project)?;
    let zone = Zone::new(&project.file.timezone).unwrap_or_else(Zone::utc);
    let (from, to) = (day(&args.from)?, day(&args.to)?);
    let step = if args.every == Step::Day { 1 } else { 7 };
    let instants: Vec<Clock> = (from..=to)
        .step_by(step)
        .map(|day| Clock { as_of: zone.start_of_day(i64::from(day)), zone: zone.clone() })
        .collect();
    let job = Job {
        project: &project,
        program: &checked.program,
        keep: Keep::Off,
        limits: args.limits.of(&project),
        population: false,
        progress: progress::of_run(out),
    };
    let work = async {
        let base = Base::of(&store, &project).await?;
        let filled = backfill(&job, &store, &base, &instants).await?;
        let before = base.chain.latest().map(|version| version.version);
        let version = store.commit(filled.draft.clone(), before).await?.published()?;
        Ok((filled, version))
    };
    let (filled, version) = keeper::locked(args.limits.threads, &store, "backfill", work)?;
    let count = |n: u64| grouped(usize::try_from(n).unwrap_or(usize::MAX));
    out.print(&format!(
        "{}: {} entered and {} left a segment\n",
        plural(filled.days, "day"),
        count(filled.entered),
        count(filled.left)
    ))?;
    out.note(&format!("{} rows of events were read", count(filled.read)));
    out.note(&format!("published in `{}`: version {}", store.address(), version.version));
    Ok(Exit::Ok)
}

/// A written date as days since 1970.
#[cfg(feature = "engine")]
fn day(text: &str) -> Result<i32, crate::error::Error> {
    use crate::language::calendar::{days_of, parse_date};
    parse_date(text).map(days_of).ok_or_else(|| {
        crate::error::Error::usage(format!("`{text}` is no date")).with_help("write a date such as 2026-11-21")
    })
}
