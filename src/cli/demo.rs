//! `segue demo`: a whole sample project.

use std::path::PathBuf;

use clap::ValueEnum;

use super::Exit;
use super::output::{Failure, Out};

/// Write a sample project of a cosmetics shop, with data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue demo shop && segue run shop
  segue demo big --customers 2_000_000 --days 400 --seed 7

Exit code: 0 written · 2 the folder is in use · 4 it can't be written · 130 interrupted")]
pub struct Args {
    /// A folder that is empty or does not exist yet.
    dir: PathBuf,
    #[arg(long, value_name = "N", default_value = "10_000", value_parser = whole)]
    customers: u32,
    /// How many days of events.
    #[arg(long, value_name = "D", default_value = "365", value_parser = whole)]
    days: u32,
    /// The same seed writes the same project.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// One file of events a day, or one a month.
    #[arg(long, value_name = "GRAIN", default_value = "day")]
    files: Grain,
    /// Replace a project that stands there already.
    #[arg(long)]
    replace: bool,
    /// Worker threads; otherwise one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grain {
    Day,
    Month,
}

/// `2_000_000` or `2000000`
fn whole(text: &str) -> Result<u32, String> {
    let wrong = || "write a whole number such as 10_000".to_owned();
    text.replace('_', "").parse().ok().filter(|&n| n > 0).ok_or_else(wrong)
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    use std::sync::atomic::Ordering;

    use super::show::grouped;
    use crate::engine::demo;

    let options = demo::Options {
        customers: args.customers,
        days: args.days,
        seed: args.seed,
        grain: match args.files {
            Grain::Day => demo::Grain::Day,
            Grain::Month => demo::Grain::Month,
        },
        replace: args.replace,
        threads: args.threads.map(usize::from),
        ..demo::Options::default()
    };
    let interrupted = super::interrupt::watch();
    let bar = super::progress::bar(out, u64::from(args.days), "day {pos} of {len}, {msg} events, {eta} left");
    let progress = |step: demo::Step| {
        bar.set_position(u64::from(step.days));
        bar.set_message(grouped(usize::try_from(step.events).unwrap_or(usize::MAX)));
        !interrupted.load(Ordering::SeqCst)
    };
    let written = demo::write(&args.dir, &options, &progress)?;
    bar.finish_and_clear();
    let count = |n: u64| grouped(usize::try_from(n).unwrap_or(usize::MAX));
    out.print(&format!(
        "wrote `{}`: {} events of {} customers on {} days, {} in {} files\n\nnext:\n  segue run {}\n",
        args.dir.display(),
        count(written.events),
        count(u64::from(written.customers)),
        written.days,
        indicatif::HumanBytes(written.bytes),
        count(written.files),
        args.dir.display(),
    ))?;
    Ok(Exit::Ok)
}

#[cfg(not(feature = "engine"))]
pub fn run(args: &Args, _out: &Out) -> Result<Exit, Failure> {
    let _ = (args.seed, args.replace, args.threads, args.files as u8, &args.dir, args.customers, args.days);
    Err(super::output::no_engine("demo"))
}
