//! How a run is done: the one room that decides.
//!
//! Owns: which engine, in how many passes, each over a share of the customers, and why. Promises: no decision shows in the outcome.
//! Must not know: how plans are built or run.

mod facts;

use super::bucket::{BUCKETS, Share};
use super::plan::program::Program;
use super::run::{Limits, threads};
pub use facts::{Facts, Scattered, Source};

/// What evaluates the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `history`: a log of each customer's events, replayed for all rules together.
    Kernel,
    /// SQL with standard aggregates, which can say some rules.
    Standard,
}

/// The engine that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    #[default]
    Auto,
    Only(Engine),
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Engine::Kernel => "kernel",
            Engine::Standard => "standard",
        }
    }
}

/// How a run is done, and why.
#[derive(Debug, Clone)]
pub struct Decision {
    pub engine: Engine,
    pub passes: Passes,
    /// Why this engine, in words.
    pub why_engine: String,
    /// Why so many passes, in words.
    pub why_passes: String,
    /// How the rows of each source come, by its name.
    pub sources: Vec<(String, Way)>,
}

/// How the rows of a source come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Each pass reads files of its own, customer by customer.
    ByBucket,
    /// Every file may hold every customer; why, in words.
    AsItLies(String),
}

/// Decides.
pub fn decide(facts: &Facts, program: &Program, limits: Limits) -> Decision {
    let (engine, why_engine) = engine(facts, program, limits.engine);
    let files: Option<Vec<Vec<Share>>> = facts.sources.iter().map(|s| s.buckets.clone().ok()).collect();
    let passes = match files.filter(|files| !files.is_empty()) {
        _ if engine == Engine::Standard => Passes::some(1),
        Some(files) => Passes::clustered(Clustered {
            files: &files,
            rows: facts.rows,
            others: facts.others,
            threads: threads(limits),
            limited: limits.memory.is_some(),
        }),
        None => Passes::plain(facts, program, limits),
    };
    let why_passes = match engine {
        Engine::Kernel => why(&passes, limits),
        Engine::Standard => "fifty rules stand in a statement".to_owned(),
    };
    let sources = facts.sources.iter().map(|source| (source.name.clone(), way(source, facts, engine))).collect();
    Decision { engine, passes, why_engine, why_passes, sources }
}

/// Which engine, and why. Nothing was found that standard aggregates do sooner: they read all rows of a table, and cost by term and row,
/// in time and in memory, where the log costs by row alone. So they are taken only where they are asked for.
fn engine(facts: &Facts, program: &Program, choice: Choice) -> (Engine, String) {
    let work = program.terms.len() + program.stories.len();
    match choice {
        Choice::Only(engine) => (engine, "it was asked for".to_owned()),
        Choice::Auto if facts.sources.is_empty() => (Engine::Kernel, "profiles and lists are read once".to_owned()),
        Choice::Auto if work <= 1 => {
            (Engine::Kernel, "standard aggregates would be no sooner, even for one term".to_owned())
        }
        Choice::Auto => {
            (Engine::Kernel, "one scan answers all rules; standard aggregates cost by term and row".to_owned())
        }
    }
}

fn why(passes: &Passes, limits: Limits) -> String {
    match (passes.at_once, limits.memory, passes.shares.len()) {
        (Some(_), ..) => "each reads files of its own",
        (None, None, _) => "no memory limit is set",
        (None, Some(_), 1) => "what is kept should fit into the memory limit",
        (None, Some(_), _) => "what is kept of all customers would not fit into the memory limit",
    }
    .to_owned()
}

/// Why or why not a source is read by bucket; all are, or none.
fn way(source: &Source, facts: &Facts, engine: Engine) -> Way {
    if engine == Engine::Standard && source.buckets.is_ok() {
        return Way::AsItLies("it is compacted, but standard aggregates do not know of that".into());
    }
    let other = facts.sources.iter().find(|other| other.buckets.is_err()).map(|other| other.name.as_str());
    Way::AsItLies(match (&source.buckets, other) {
        (Ok(_), None) => return Way::ByBucket,
        (Ok(_), Some(other)) => format!("it is compacted, but `{other}` is not read by bucket"),
        (Err(Scattered::Plain), _) => "it is not compacted".into(),
        (Err(Scattered::Mixed), _) => "its files are not all of one compacted store of this version".into(),
        (Err(Scattered::Column(column)), _) => {
            format!("it is compacted by column `{column}`, which is not the customer")
        }
        (Err(Scattered::Ids), _) => "it is compacted by ids of another form than the project's".into(),
        (Err(Scattered::Linked), _) => "it is compacted, but links lead from one id to another".into(),
    })
}

/// Bytes that a row costs that becomes an entry: the entry as it grows and as a state, and its part of its customer.
const ENTRY: u64 = 24;

/// Rows that a pass over several files of a compacted store has at least: below that, planning it costs more than it saves.
const PASS_ROWS: u64 = 500_000;

/// Rows with which a file is worth a pass of its own, which reads it customer by customer.
const FILE_ROWS: u64 = 100_000;

/// The passes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passes {
    shares: Vec<Share>,
    /// So many at once over files of a compacted store, one partition each; `None`: one after the other, with all threads.
    at_once: Option<usize>,
}

/// What is known of a run over compacted stores before its passes are chosen.
#[derive(Debug, Clone, Copy)]
struct Clustered<'a> {
    /// For each source that is read, the buckets of its files.
    files: &'a [Vec<Share>],
    /// Rows of these sources.
    rows: u64,
    /// Rows of all other tables, which every pass reads.
    others: u64,
    threads: usize,
    /// Memory is: passes are as small as can be.
    limited: bool,
}

impl Passes {
    /// Those of a run that reads tables as they lie.
    pub fn plain(facts: &Facts, program: &Program, limits: Limits) -> Passes {
        Passes::new(facts.asked, program, limits.memory)
    }

    /// As many as should stay within a memory limit when so many rows are read.
    fn new(rows: u64, program: &Program, limit: Option<usize>) -> Passes {
        let Some(limit) = limit else { return Passes::some(1) };
        let channels = u64::from(program.int_channels) + u64::from(program.text_channels);
        let need = rows.saturating_mul(ENTRY + 8 * channels);
        // A quarter is left to what is on its way.
        let room = (limit as u64 / 4 * 3).max(1);
        Passes::some(u32::try_from(need.div_ceil(room)).unwrap_or(BUCKETS))
    }

    fn some(n: u32) -> Passes {
        Passes { shares: Share::ALL.split(n), at_once: None }
    }

    /// The passes over compacted stores: no file is read by two of them. The tables that are not compacted are read by every pass, so
    /// where they are large there are fewer passes.
    fn clustered(of: Clustered<'_>) -> Passes {
        let mut cuts: Vec<u32> = (0..=BUCKETS).collect();
        for share in of.files.iter().flatten() {
            // A cut is where no file is on both sides.
            cuts.retain(|cut| *cut <= share.lo || *cut >= share.hi);
        }
        let most = cuts.len().saturating_sub(1).max(1) as u64;
        let threads = of.threads.max(1) as u64;
        let alone = of.limited || of.rows / most >= FILE_ROWS;
        let worth = if alone { most } else { of.rows.div_ceil(PASS_ROWS).max(threads) };
        let cheap = of.rows.checked_div(of.others.saturating_mul(4)).map_or(u64::MAX, |n| n.max(threads));
        let n = worth.min(cheap).clamp(1, most);
        // Cut where the files end, as evenly as that allows.
        let cut = |i: u64| cuts.get(usize::try_from(most * i / n).unwrap_or(0)).copied().unwrap_or(BUCKETS);
        let shares = (0..n).map(|i| Share { lo: cut(i), hi: cut(i + 1) }).collect();
        Passes { shares, at_once: Some(of.threads.max(1)) }
    }

    /// How many passes over compacted stores are made at once; `None` where no store is.
    pub fn at_once(&self) -> Option<usize> {
        self.at_once
    }

    /// Twice as many, when memory was refused; `None` where they cannot be more.
    pub fn more(&self) -> Option<Passes> {
        match self.at_once {
            // Half of them at once, then as if nothing were compacted.
            Some(at_once) if at_once > 1 => {
                return Some(Passes { shares: self.shares.clone(), at_once: Some(at_once / 2) });
            }
            Some(_) => return Some(Passes::some(self.shares.len() as u32 * 2)),
            None => {}
        }
        let n = self.shares.len() as u32;
        (n < BUCKETS).then(|| Passes::some(n * 2))
    }

    /// What each is over.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_passes_as_memory_asks_for() {
        let program = Program::default();
        let count = |rows, limit| Passes::new(rows, &program, limit).shares().len();
        assert_eq!(count(u64::MAX, None), 1);
        assert_eq!(count(1_000, Some(1 << 30)), 1);
        assert_eq!(count(50_000_000, Some(512 << 20)), 3);
        assert_eq!(count(u64::MAX, Some(0)), BUCKETS as usize);
        assert_eq!(Passes::some(3).more(), Some(Passes::some(6)));
        assert_eq!(Passes::some(BUCKETS).more(), None);
    }

    #[test]
    fn by_bucket_is_said_with_its_reason() {
        let source = |place, name: &str, buckets| Source { place, name: name.into(), buckets };
        let said = |sources: Vec<Source>| {
            let facts = Facts { sources, asked: 10, rows: 10, others: 0 };
            let decision = decide(&facts, &Program::default(), Limits::default());
            let words = |(_, way): (_, Way)| match way {
                Way::ByBucket => String::new(),
                Way::AsItLies(why) => why,
            };
            (decision.passes.at_once().is_some(), decision.sources.into_iter().map(words).collect::<Vec<_>>())
        };
        let files = || Ok(Share::ALL.split(4));
        assert_eq!(said(vec![source(0, "shop", files())]), (true, vec![String::new()]));
        assert_eq!(said(vec![source(0, "shop", files()), source(1, "app", files())]), (true, vec![String::new(); 2]));
        let (by_bucket, why) = said(vec![source(0, "shop", files()), source(1, "app", Err(Scattered::Plain))]);
        assert!(!by_bucket);
        assert_eq!(why, ["it is compacted, but `app` is not read by bucket", "it is not compacted"]);
        let all = [Scattered::Mixed, Scattered::Column("id".into()), Scattered::Ids, Scattered::Linked];
        let mut whys: Vec<String> = all.map(|why| said(vec![source(0, "shop", Err(why))]).1.concat()).into();
        assert!(whys.iter().all(|why| why.contains("compacted")), "{whys:?}");
        whys.dedup();
        assert_eq!(whys.len(), 4);
        // Nothing but profiles and lists.
        assert_eq!(said(Vec::new()), (false, Vec::new()));
    }

    #[test]
    fn passes_over_compacted_files() {
        let of = |files: &[Vec<Share>], rows, others, threads| {
            Passes::clustered(Clustered { files, rows, others, threads, limited: false })
        };
        let files = |n| Share::ALL.split(n);
        let shares = |p: &Passes| p.shares().to_vec();
        // A pass a file, if the files are worth it.
        assert_eq!(shares(&of(&[files(64)], 50_000_000, 0, 2)), files(64));
        assert_eq!(shares(&of(&[files(64)], 10_000_000, 0, 2)), files(64));
        assert_eq!(shares(&of(&[files(64)], 1_000_000, 0, 2)).len(), 2);
        assert_eq!(shares(&of(&[files(64)], 0, 0, 4)).len(), 4);
        // The files of two sources, or of two parts, end where the coarser ones do.
        assert_eq!(shares(&of(&[files(64), files(4)], 50_000_000, 0, 2)), files(4));
        assert_eq!(shares(&of(&[[files(2), files(64)].concat()], 50_000_000, 0, 2)), files(2));
        assert_eq!(shares(&of(&[files(1)], 50_000_000, 0, 2)), [Share::ALL]);
        // A large profile is not read 64 times.
        assert_eq!(shares(&of(&[files(64)], 50_000_000, 2_000_000, 2)).len(), 6);
        for n in [1, 2, 64, 4_096] {
            let all = shares(&of(&[files(n)], u64::MAX / 8, 3, 3));
            assert!(all.windows(2).all(|two| two[0].hi == two[1].lo) && all.iter().all(|s| s.lo < s.hi));
            assert_eq!((all.first().map(|s| s.lo), all.last().map(|s| s.hi)), (Some(0), Some(BUCKETS)));
        }
        // Refused memory: fewer at once, then other passes.
        let first = of(&[files(64)], 50_000_000, 0, 2);
        let second = first.more().unwrap();
        assert_eq!((first.at_once(), second.at_once(), shares(&second).len()), (Some(2), Some(1), 64));
        let third = second.more().unwrap();
        assert_eq!((third.at_once(), shares(&third).len()), (None, 128));
    }
}
