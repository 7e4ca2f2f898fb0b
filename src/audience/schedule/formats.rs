//! The files by which schedulers start runs.
//!
//! Owns: their texts. Promises: a run is started at every instant at which some campaign is due; at how many others, the text says.
//! Must not know: who prints them.
//!
//! A scheduler only starts runs: `segue run` itself decides what is due, so one call too many does no harm, and `from` and `until`
//! are not repeated here.

use std::collections::BTreeMap;

use super::{DAY, MINUTE, instants};
use crate::error::Error;
use crate::language::calendar::Zone;
use crate::language::ir::{Every, Program};

/// A scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A crontab.
    Cron,
    /// A service and its timer.
    Systemd,
    /// A workflow of GitHub Actions.
    Github,
    /// A DAG, in Python.
    Airflow,
    /// CronJobs.
    Kubernetes,
}

/// What the texts are made of.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Its folder, from the root of the disk.
    pub folder: &'a str,
    pub program: &'a Program,
    /// The project's.
    pub zone: &'a Zone,
    /// From here on a year of instants is looked at: that takes in both sides of every change of the clock.
    pub around: i64,
}

/// A line of a crontab: at `minute` of each of the hours, on the weekdays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    /// Sunday is bit 0.
    days: u8,
    hours: Vec<u16>,
    minute: u16,
}

const EVERY_DAY: u8 = 0b111_1111;

/// The scheduler's file.
pub fn write(format: Format, asked: &Asked) -> Result<String, Error> {
    let mut everies: Vec<&Every> = asked.program.campaigns.iter().filter_map(|c| c.every.as_ref()).collect();
    everies.sort_by_key(|every| (every.at, &every.weekdays));
    everies.dedup();
    if everies.is_empty() {
        return Err(Error::usage("no campaign of the project says when it is due")
            .with_help("write `every day at 09:00` behind a campaign's arms"));
    }
    let utc = Zone::utc();
    let shown = if format == Format::Github { &utc } else { asked.zone };
    let lines = lines(&everies, asked, shown);
    Ok(match format {
        Format::Cron => cron(asked, &lines),
        Format::Systemd => systemd(asked, &lines),
        Format::Github => github(asked, &lines),
        Format::Airflow => airflow(asked, &lines),
        Format::Kubernetes => kubernetes(asked, &lines),
    })
}

/// All instants of a year, as few lines of a zone's wall clock.
fn lines(everies: &[&Every], asked: &Asked, shown: &Zone) -> Vec<Line> {
    let mut times: BTreeMap<u16, u8> = BTreeMap::new();
    for every in everies {
        for at in instants(every, (None, None), asked.around, asked.around.saturating_add(366 * DAY), asked.zone) {
            let minute = shown.local(at).rem_euclid(DAY) / MINUTE;
            // Monday is 0 there, and Sunday here.
            *times.entry(minute as u16).or_default() |= 1 << ((shown.weekday(at) + 1) % 7);
        }
    }
    let mut lines: BTreeMap<(u16, u8), Vec<u16>> = BTreeMap::new();
    for (minute, days) in times {
        lines.entry((minute % 60, days)).or_default().push(minute / 60);
    }
    let mut lines: Vec<Line> = lines.into_iter().map(|((minute, days), hours)| Line { days, hours, minute }).collect();
    lines.sort_by(|a, b| (&a.hours, a.minute, a.days).cmp(&(&b.hours, b.minute, b.days)));
    lines
}

impl Line {
    /// `30 9,17 * * 1-5`: five fields that every cron reads.
    fn cron(&self) -> String {
        let hours: Vec<String> = self.hours.iter().map(u16::to_string).collect();
        format!("{} {} * * {}", self.minute, hours.join(","), self.weekdays())
    }

    fn weekdays(&self) -> String {
        if self.days == EVERY_DAY {
            return "*".to_owned();
        }
        let days: Vec<u8> = (0..7).filter(|day| self.days & (1 << day) != 0).collect();
        // Three and more in a row are a range.
        let mut parts: Vec<String> = Vec::new();
        for stretch in days.chunk_by(|a, b| a + 1 == *b) {
            match stretch {
                [first, _, .., last] => parts.push(format!("{first}-{last}")),
                few => parts.extend(few.iter().map(u8::to_string)),
            }
        }
        parts.join(",")
    }

    /// `Mon,Thu *-*-* 09,17:30:00 Europe/Paris`
    fn calendar(&self, zone: &Zone) -> String {
        const DAYS: [(u8, &str); 7] =
            [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (0, "Sun")];
        let days: Vec<&str> =
            DAYS.iter().filter(|(day, _)| self.days & (1 << day) != 0).map(|(_, name)| *name).collect();
        let days = if self.days == EVERY_DAY { String::new() } else { format!("{} ", days.join(",")) };
        let hours: Vec<String> = self.hours.iter().map(|hour| format!("{hour:02}")).collect();
        format!("{days}*-*-* {}:{:02}:00 {}", hours.join(","), self.minute, zone.name())
    }
}

/// The project's name where only letters, digits and hyphens may stand.
fn slug(project: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = project.chars().map(plain).collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    // Kubernetes takes 52 characters for what makes jobs.
    let name: String = name.chars().take(40).collect();
    if name.is_empty() { "segue".to_owned() } else { format!("segue-{}", name.trim_end_matches('-')) }
}

/// On one line, whatever it is.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text as JSON, YAML and Python write it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as one word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn cron(asked: &Asked, lines: &[Line]) -> String {
    let zone = asked.zone.name();
    // In a crontab a `%` ends the command.
    let folder = shell(&plain(asked.folder)).replace('%', r"\%");
    let mut out = format!(
        "# Runs of {} for cron: crontab -e, or a file in /etc/cron.d with a user's name before the command.\n\
         # `segue run` decides itself what is due. Times are those of {zone}, by CRON_TZ (cronie and others). A cron that\n\
         # doesn't know it takes the machine's zone: then set that. cron's PATH is short: write the whole path of segue\n\
         # where it is not in it.\n\
         CRON_TZ={zone}\n",
        plain(asked.project)
    );
    for line in lines {
        out.push_str(&format!("{} segue run --project {folder}\n", line.cron()));
    }
    out
}

fn systemd(asked: &Asked, lines: &[Line]) -> String {
    let (name, project) = (slug(asked.project), plain(asked.project));
    // A `%` begins a specifier.
    let (folder, project) = (plain(asked.folder).replace('%', "%%"), project.replace('%', "%%"));
    let mut out = format!(
        "# Two units; start them with: systemctl enable --now {name}.timer\n\n\
         # /etc/systemd/system/{name}.service\n\
         [Unit]\nDescription=Segue run of {project}\nWants=network-online.target\nAfter=network-online.target\n\n\
         [Service]\nType=oneshot\nWorkingDirectory={folder}\nExecStart=segue run\n\n\
         # /etc/systemd/system/{name}.timer\n\
         [Unit]\nDescription=When Segue runs {project}\n\n\
         [Timer]\n"
    );
    for line in lines {
        out.push_str(&format!("OnCalendar={}\n", line.calendar(asked.zone)));
    }
    out.push_str(
        "# A run that was missed while the machine was off is started when it is on again.\nPersistent=true\n\
         AccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n",
    );
    out
}

fn github(asked: &Asked, lines: &[Line]) -> String {
    let zone = asked.zone.name();
    let mut out = format!(
        "# .github/workflows/{name}.yml\n\
         # GitHub's schedules are in UTC and know no daylight saving time. These are the times of {zone} on both sides of\n\
         # every change of the clock, so some runs start when nothing is due yet: `segue run` decides itself what is due.\n\
         # GitHub may start late; a campaign's contacts carry the instant at which it was due.\n\
         name: {title}\n\
         on:\n  schedule:\n",
        name = slug(asked.project),
        title = quoted(&format!("Segue run of {}", asked.project)),
    );
    for line in lines {
        out.push_str(&format!("    - cron: \"{}\"\n", line.cron()));
    }
    out.push_str(&format!(
        "  workflow_dispatch:\n\
         concurrency:\n  group: {}\n  cancel-in-progress: false\n\
         jobs:\n  run:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n\
         \x20     # Install segue here, and put the secrets of sources, store and destinations into the environment.\n\
         \x20     - run: segue run\n",
        slug(asked.project)
    ));
    out
}

fn airflow(asked: &Asked, lines: &[Line]) -> String {
    let crons: Vec<String> = lines.iter().map(|line| format!("    {},\n", quoted(&line.cron()))).collect();
    let command = format!("segue run --project {} --as-of '{{{{ data_interval_end | ts }}}}'", shell(asked.folder));
    format!(
        "\"\"\"Runs of Segue, one DAG for each line of CRONS.\n\n\
         Airflow hands every run its instant, so that a run that is started late, or again, is the same run. `segue run`\n\
         decides itself what is due; with catchup=False it also decides what was missed (see its --catch-up).\n\
         \"\"\"\n\n\
         import pendulum\n\
         from airflow import DAG\n\
         from airflow.timetables.trigger import CronTriggerTimetable\n\n\
         try:\n    from airflow.providers.standard.operators.bash import BashOperator\n\
         except ImportError:  # before Airflow 3\n    from airflow.operators.bash import BashOperator\n\n\
         ZONE = {zone}\n\
         CRONS = [\n{crons}]\n\
         COMMAND = {command}\n\n\
         for number, cron in enumerate(CRONS, start=1):\n\
         \x20   with DAG(\n\
         \x20       dag_id=f\"{name}-{{number}}\",\n\
         \x20       schedule=CronTriggerTimetable(cron, timezone=ZONE),\n\
         \x20       start_date=pendulum.datetime(2020, 1, 1, tz=ZONE),\n\
         \x20       catchup=False,\n\
         \x20       max_active_runs=1,\n\
         \x20   ) as dag:\n\
         \x20       BashOperator(task_id=\"run\", bash_command=COMMAND)\n\
         \x20   globals()[f\"dag_{{number}}\"] = dag\n",
        zone = quoted(asked.zone.name()),
        crons = crons.concat(),
        command = quoted(&command),
        name = slug(asked.project),
    )
}

fn kubernetes(asked: &Asked, lines: &[Line]) -> String {
    let name = slug(asked.project);
    let mut out = format!(
        "# kubectl apply -f {name}.yaml\n\
         # Name the image that holds segue and the project in /project, and put secrets into its environment. `segue run`\n\
         # decides itself what is due, also after runs that were missed.\n"
    );
    for (number, line) in (1..).zip(lines) {
        let name = if lines.len() == 1 { name.clone() } else { format!("{name}-{number}") };
        out.push_str(&format!(
            "---\n\
             apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\nspec:\n\
             \x20 schedule: \"{cron}\"\n  timeZone: {zone}\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 3600\n\
             \x20 jobTemplate:\n    spec:\n      backoffLimit: 2\n      template:\n        spec:\n\
             \x20         restartPolicy: Never\n          containers:\n            - name: segue\n\
             \x20             image: segue:latest\n              workingDir: /project\n\
             \x20             command: [\"segue\", \"run\"]\n",
            cron = line.cron(),
            zone = quoted(asked.zone.name()),
        ));
    }
    out
}
