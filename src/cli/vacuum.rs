//! `segue vacuum`: what is not kept any longer goes.

use super::output::{Failure, Form, Out};
use super::results::Place;
use super::{Exit, Global};

/// Clear away the audiences of old versions, and files that no version needs
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue vacuum --keep 90d            what would go
  segue vacuum --keep 90d --apply    and take it away

The newest version and the whole history always stay, and so does the record of every version: what
was published when, from which rules and data. A new version records what was cleared away.
Decisions that a destination of the catalog waits for stay, too, until `segue deliver` has taken
them there.

Exit code: 0 done · 2 wrong call · 3 the project has errors · 4 no such store, or it is damaged
5 another run is at work")]
pub struct Args {
    #[command(flatten)]
    pub(super) place: Place,
    /// Keep versions as of this time or later (90d, 8w, 12h); otherwise the project's `retention`, else all versions.
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(super) keep: Option<u64>,
    /// Keep files that no version needs, for a run may be about to publish them.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "1d")]
    pub(super) grace: u64,
    /// Take it away; otherwise it is only told.
    #[arg(long)]
    pub(super) apply: bool,
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(super) format: Form,
}

/// `90d`, `8w`, `12h`, `30min` in seconds. What `m` means, months or minutes, nobody agrees on.
fn length(text: &str) -> Result<u64, String> {
    let bad = || "write a time such as 90d, 8w, 12h or 30min".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_| bad())?;
    let unit = match unit {
        "w" => 7 * 86_400,
        "d" => 86_400,
        "h" => 3_600,
        "min" => 60,
        _ => return Err(bad()),
    };
    // Longer than anything was ever published, and no further than microseconds count.
    number.checked_mul(unit).filter(|&seconds| seconds < 1 << 40).ok_or_else(|| "the time is out of range".to_owned())
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    super::results::vacuum::run(args, global, out)
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("vacuum"))
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths() {
        assert_eq!(length("90d"), Ok(90 * 86_400));
        assert_eq!(length("0h"), Ok(0));
        assert_eq!((length("2w"), length("30min")), (Ok(14 * 86_400), Ok(1_800)));
        for bad in ["", "d", "90", "-1d", "1.5d", "9999999999999d", "3m"] {
            assert!(length(bad).is_err(), "{bad}");
        }
    }
}
