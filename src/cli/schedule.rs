//! `segue schedule`: the file by which a scheduler starts runs.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{Failure, Out};
use super::{Exit, Global};

/// Write a scheduler's file that starts `segue run` whenever a campaign is due
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue schedule --format cron | crontab -
  segue schedule --format github > .github/workflows/segue.yml
  segue schedule --format airflow > dags/segue.py

The times are those of the campaigns' `every …`, in few lines. `segue run` decides itself what is
due and what was missed; a scheduler that starts it once too often does no harm, except that
campaigns without `every` are decided at every run.

Exit code: 0 written · 2 wrong call, or no campaign has `every` · 3 the project has errors")]
pub struct Args {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    #[arg(long, value_name = "SCHEDULER")]
    format: Format,
    /// From here on a year of changes of the clock is looked at; otherwise from now on.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A crontab, in the project's zone by CRON_TZ.
    Cron,
    /// A service and its timer.
    Systemd,
    /// A workflow of GitHub Actions; in UTC, for both sides of daylight saving time.
    Github,
    /// A DAG that hands each run its instant.
    Airflow,
    /// CronJobs with their time zone.
    Kubernetes,
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    use super::{moment, workspace};
    use crate::audience::schedule::formats::{self, Asked};
    use crate::error::Error;

    let mut project = workspace::load(args.path.as_deref(), global)?;
    let clock = moment::clock(args.as_of.as_deref(), &project.file)?;
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(Exit::Project);
    }
    let folder = std::path::absolute(&project.root).map_err(|why| Error::io("can't find", &project.root, why))?;
    let folder = folder.components().collect::<PathBuf>();
    let asked = Asked {
        project: &project.file.name.name,
        folder: &folder.to_string_lossy(),
        program: &checked.program,
        zone: &clock.zone,
        around: clock.as_of,
    };
    let format = match args.format {
        Format::Cron => formats::Format::Cron,
        Format::Systemd => formats::Format::Systemd,
        Format::Github => formats::Format::Github,
        Format::Airflow => formats::Format::Airflow,
        Format::Kubernetes => formats::Format::Kubernetes,
    };
    if let Some(pinned) = &project.file.as_of {
        out.note(&format!(
            "note: `as_of: {}` in the project file makes every run one of that instant; take it out before a scheduler calls",
            pinned.name
        ));
    }
    out.print(&formats::write(format, &asked)?)?;
    Ok(Exit::Ok)
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    // A broken project is the same answer in every build.
    let mut project = super::workspace::load(args.path.as_deref(), global)?;
    let found = project.check(None).diagnostics;
    if super::workspace::complain(&project.sources, &found, out) {
        return Ok(Exit::Project);
    }
    Err(super::output::no_engine("schedule"))
}
