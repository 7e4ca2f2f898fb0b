//! A cosmetics shop that never was, to learn and to measure on.
//!
//! Owns: the sample project of `segue demo`: who the customers are, what they do, and the files that tell it.
//! Promises: the same options give the same bytes, whatever the number of threads; memory is a few dozen bytes a customer and one
//! day of events a thread; an existing folder is never touched unless that was asked for, and a half-written one is never seen.
//! Must not know: the language. The rules and the catalog it writes are the ones of `examples/cosmetics`, as text.

mod dice;
mod files;
mod life;
mod people;
mod project;
mod rows;
mod shop;
mod visits;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use jiff::civil;
use jiff::tz::TimeZone;

use crate::error::Error;
use crate::language::ir::Date;
use files::Table;
use life::Scribe;
use people::{Period, Person};
use rows::{Almanac, Row};

/// The shop's zone; the project file says the same.
const ZONE: &str = "Europe/Paris";

/// What to write.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most 99,999,999.
    pub customers: u32,
    /// How many days of events.
    pub days: u32,
    pub seed: u64,
    /// The day after the last one; the project's `as_of`.
    pub end: Date,
    /// One file of events a day, or one a month where few events make small files wasteful.
    pub grain: Grain,
    /// Replace a project that already stands there.
    pub replace: bool,
    /// Default: as many as the machine has.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            customers: 10_000,
            days: 365,
            seed: 1,
            end: Date { year: 2026, month: 11, day: 21 },
            grain: Grain::Day,
            replace: false,
            threads: None,
        }
    }
}

/// How the files of events are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    Day,
    Month,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub events: u64,
    pub customers: u32,
    /// Customers with a profile.
    pub profiles: u64,
    pub days: u32,
    /// Parquet files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub days: u32,
    pub of_days: u32,
    pub events: u64,
}

/// Told after each day; `false` stops the work, and nothing is left behind.
pub type Progress<'a> = &'a (dyn Fn(Step) -> bool + Sync);

/// Writes the sample project into `dir`, which must be empty or not exist, or hold a project and [`Options::replace`] be set.
pub fn write(dir: &Path, options: &Options, progress: Progress) -> Result<Summary, Error> {
    let plan = Plan::new(options)?;
    let old = look(dir, options.replace)?;
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|why| Error::io("could not create", &parent, why))?;
    let aside = tempfile::Builder::new()
        .prefix(".segue-demo-")
        .tempdir_in(&parent)
        .map_err(|why| Error::io("could not create a folder in", &parent, why))?;
    let fresh = aside.path().join("new");
    let summary = plan.write(&fresh, progress)?;
    match old {
        Old::Nothing => {}
        Old::Empty => fs::remove_dir(dir).map_err(|why| Error::io("could not replace", dir, why))?,
        // Into the folder that goes away when all is well.
        Old::Project => {
            fs::rename(dir, aside.path().join("old")).map_err(|why| Error::io("could not replace", dir, why))?;
        }
    }
    if let Err(why) = fs::rename(&fresh, dir) {
        if old == Old::Project {
            let _ = fs::rename(aside.path().join("old"), dir);
        }
        return Err(Error::io("could not write", dir, why));
    }
    Ok(summary)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    Nothing,
    Empty,
    Project,
}

/// What stands at the target, and whether it may go.
fn look(dir: &Path, replace: bool) -> Result<Old, Error> {
    let mut entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Old::Nothing),
        Err(why) => return Err(Error::io("could not read", dir, why)),
    };
    if entries.next().is_none() {
        return Ok(Old::Empty);
    }
    if !replace {
        return Err(Error::usage(format!("`{}` is not empty", dir.display()))
            .with_help("name a new folder, or replace the project in it with --replace"));
    }
    if !dir.join("segue.yaml").is_file() {
        return Err(Error::usage(format!(
            "`{}` is not empty and holds no project that could be replaced",
            dir.display()
        ))
        .with_help("name a new folder, or one with a `segue.yaml`"));
    }
    Ok(Old::Project)
}

/// One file of events: its folder below `data/events`, and its days.
struct Part {
    folder: String,
    days: Vec<i32>,
}

struct Plan<'a> {
    options: &'a Options,
    period: Period,
    almanac: Almanac,
    zone: TimeZone,
    parts: Vec<Part>,
}

impl<'a> Plan<'a> {
    fn new(options: &'a Options) -> Result<Plan<'a>, Error> {
        if !(1..=99_999_999).contains(&options.customers) {
            return Err(Error::usage("the number of customers must be from 1 to 99,999,999"));
        }
        if !(1..=3660).contains(&options.days) {
            return Err(Error::usage("the number of days must be from 1 to 3,660"));
        }
        let Date { year, month, day } = options.end;
        let end = i8::try_from(month).ok().zip(i8::try_from(day).ok());
        let end = end.and_then(|(month, day)| civil::Date::new(year, month, day).ok());
        let end = end.filter(|end| (1990..=2200).contains(&end.year()));
        let Some(end) = end else {
            return Err(Error::usage("the end must be a date from 1990 to 2200"));
        };
        let zone = TimeZone::get(ZONE).map_err(|why| Error::data(format!("the zone `{ZONE}` is unknown: {why}")))?;
        let to = number(end);
        let from = to - options.days as i32;
        // Mail of the two days before is still being opened.
        let almanac = Almanac { from: from - 2, days: (from - 2..to).map(|day| shop::day(date(day))).collect() };
        let mut parts: Vec<Part> = Vec::new();
        for day in from..to {
            let folder = match options.grain {
                Grain::Day => format!("dt={}", date(day)),
                Grain::Month => format!("month={}", date(day).strftime("%Y-%m")),
            };
            match parts.last_mut() {
                Some(part) if part.folder == folder => part.days.push(day),
                _ => parts.push(Part { folder, days: vec![day] }),
            }
        }
        Ok(Plan { options, period: Period { from, to }, almanac, zone, parts })
    }

    fn write(&self, root: &Path, progress: Progress) -> Result<Summary, Error> {
        let data = root.join("data");
        folder(&data)?;
        let people = self.people();
        let mut summary = Summary {
            events: 0,
            customers: self.options.customers,
            profiles: 0,
            days: self.options.days,
            files: 2,
            bytes: 0,
        };

        let mut table = Table::create(&data.join("products.parquet"));
        table.add(&files::products()?)?;
        summary.bytes += table.finish()?;

        let mut table = Table::create(&data.join("profiles.parquet"));
        let mut first = 1;
        for chunk in people.chunks(1 << 16) {
            let batch = files::profiles(chunk, first, self.period, |day| self.midnight(day))?;
            table.add(&batch)?;
            summary.profiles += batch.num_rows() as u64;
            first += chunk.len() as u32;
        }
        summary.bytes += table.finish()?;

        project::write(root, self.options.end, &people)?;

        let events = self.events(&data.join("events"), &people, progress)?;
        summary.events = events.rows;
        summary.bytes += events.bytes;
        summary.files += self.parts.len() as u64;
        Ok(summary)
    }

    fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.options.threads.unwrap_or_else(all).max(1)
    }

    /// Everybody, drawn side by side.
    fn people(&self) -> Vec<Person> {
        let total = self.options.customers;
        let share = total.div_ceil(self.threads() as u32).max(1);
        let draw =
            |from: u32| (from..(from + share).min(total + 1)).map(|n| Person::new(self.options.seed, n, self.period));
        std::thread::scope(|scope| {
            let hands: Vec<_> = (1..=total)
                .step_by(share as usize)
                .map(|from| scope.spawn(move || draw(from).collect::<Vec<_>>()))
                .collect();
            hands.into_iter().flat_map(|hand| hand.join().unwrap_or_default()).collect()
        })
    }

    /// All files of events; each thread takes the next one that nobody has.
    fn events(&self, folder: &Path, people: &[Person], progress: Progress) -> Result<Written, Error> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let rows = AtomicU64::new(0);
        let bytes = AtomicU64::new(0);
        let done = Mutex::new(0u32);
        let work = || {
            let mut buffer = Vec::new();
            while let Some(part) = self.parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                let tell = |added: u64| {
                    let events = rows.fetch_add(added, Ordering::Relaxed) + added;
                    let mut days = done.lock().unwrap_or_else(|e| e.into_inner());
                    *days += 1;
                    let go_on = progress(Step { days: *days, of_days: self.options.days, events });
                    if !go_on {
                        stop.store(true, Ordering::Relaxed);
                    }
                    if stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
                };
                match self.part(part, folder, people, &mut buffer, tell) {
                    Ok(size) => {
                        bytes.fetch_add(size, Ordering::Relaxed);
                    }
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        // The first failure counts; the others only stopped because of it.
                        failure.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(error);
                        return;
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.threads().min(self.parts.len()) {
                scope.spawn(work);
            }
        });
        match failure.into_inner().unwrap_or_else(|e| e.into_inner()) {
            Some(error) => Err(error),
            None => Ok(Written { rows: rows.into_inner(), bytes: bytes.into_inner() }),
        }
    }

    /// One file of events, day by day.
    fn part(
        &self,
        part: &Part,
        folder_of_all: &Path,
        people: &[Person],
        buffer: &mut Vec<Row>,
        tell: impl Fn(u64) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let place = folder_of_all.join(&part.folder);
        folder(&place)?;
        let mut table = Table::create(&place.join("part-0.parquet"));
        for &day in &part.days {
            buffer.clear();
            let mut scribe = Scribe::new(&self.almanac, buffer);
            for (number, person) in (1..).zip(people) {
                scribe.live(person, number, day);
            }
            // A day of the shop is never longer than the zone's day.
            let (midnight, next) = (self.midnight(day), self.midnight(day + 1));
            let length = ((next - midnight) / 1_000_000) as i32;
            buffer.retain(|row| row.second < length);
            buffer.sort_by_key(|row| (row.second, row.customer));
            for rows in buffer.chunks(1 << 16) {
                table.add(&files::events(rows, day, midnight)?)?;
            }
            if buffer.is_empty() {
                table.add(&files::events(&[], day, midnight)?)?;
            }
            tell(buffer.len() as u64)?;
        }
        table.finish()
    }

    /// The first instant of a day in the shop's zone, in microseconds UTC.
    fn midnight(&self, day: i32) -> i64 {
        let at = date(day).at(0, 0, 0, 0);
        self.zone.to_ambiguous_timestamp(at).compatible().map_or(0, |instant| instant.as_microsecond())
    }
}

struct Written {
    rows: u64,
    bytes: u64,
}

/// Days since 1970-01-01.
fn number(date: civil::Date) -> i32 {
    civil::Date::constant(1970, 1, 1).until(date).map_or(0, |span| span.get_days())
}

/// The date of a day; the options keep it in range.
fn date(day: i32) -> civil::Date {
    use jiff::ToSpan;
    civil::Date::constant(1970, 1, 1).checked_add(day.days()).unwrap_or(civil::Date::MAX)
}

fn folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|why| Error::io("could not create", path, why))
}
