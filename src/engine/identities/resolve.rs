//! Links followed to their ends.
//!
//! Owns: what a raw id is in the end. Promises: a pure function of the links, whatever their order; every chain ends, or the loop is
//! told. Must not know: files, DataFusion.

use super::ids::Ids;
use super::{LinkReport, TableReport};
use crate::language::catalog::Conflicts;

/// A link from one id to another, as numbers of [`Ids`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    pub from: u32,
    pub to: u32,
    /// Index of the link table.
    pub table: u32,
    /// Microseconds.
    pub time: Option<i64>,
}

/// What every linked id is in the end.
#[derive(Debug, Default)]
pub struct Resolution {
    pub ids: Ids,
    pub policy: Conflicts,
    /// Sorted by `from`; of one id those first that may count.
    links: Vec<Link>,
    /// For each id where its links begin; one more at the end.
    starts: Vec<u32>,
    /// For each id the link that is followed, or [`NONE`].
    chosen: Vec<u32>,
    /// For each id its customer; itself if no link leads from it.
    ends: Vec<u32>,
    /// How many links lie between an id and its customer.
    steps: Vec<u32>,
    /// Ids that lead to two customers or more.
    pub conflicts: Vec<u32>,
    pub tables: Vec<TableReport>,
    /// Ids of profiles, where it matters who is known.
    pub profiles: Option<Ids>,
}

const NONE: u32 = u32::MAX;

/// Links that go round: from an id over others back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// In the order of the loop, from the smallest id; each leads to the next and the last to the first.
    pub links: Vec<Link>,
}

/// Which of an id's links count: those that are least by this, all equal where nothing decides.
fn preference(policy: Conflicts, link: &Link) -> (bool, i128) {
    let time = link.time.map(i128::from);
    match policy {
        Conflicts::Earliest => (time.is_none(), time.unwrap_or(0)),
        Conflicts::Latest => (time.is_none(), -time.unwrap_or(0)),
        Conflicts::Error => (false, 0),
    }
}

/// Follows all links. Of an id's links the earliest or latest count, and all where nothing decides; if several count, the one that
/// leads to the smallest customer is followed. Links that do not count are not followed, and can't close a loop.
pub fn resolve(ids: Ids, mut links: Vec<Link>, policy: Conflicts) -> Result<Resolution, Box<(Ids, Stuck)>> {
    // Of the links of one table between the same ids one is enough: the one that counts first, else the earliest.
    links.sort_unstable_by_key(|link| {
        (link.from, link.to, link.table, preference(policy, link), link.time.is_none(), link.time)
    });
    links.dedup_by_key(|link| (link.from, link.to, link.table));
    links.sort_unstable_by_key(|link| (link.from, preference(policy, link), link.to, link.table));
    let starts = starts(ids.len(), &links);
    let (mut chosen, mut ends) = (vec![NONE; ids.len()], Vec::from_iter((0u32..).take(ids.len())));
    let mut steps = vec![0; ids.len()];
    let mut walk =
        Walk { links: &links, starts: &starts, policy, state: vec![State::New; ids.len()], stack: Vec::new() };
    for id in (0u32..).take(ids.len()) {
        if let Err(stuck) = walk.from(id, &mut chosen, &mut ends, &mut steps) {
            return Err(Box::new((ids, stuck)));
        }
    }
    let mut resolution = Resolution { ids, policy, links, starts, chosen, ends, steps, ..Resolution::default() };
    resolution.conflicts = (0u32..)
        .take(resolution.ids.len())
        .filter(|&id| {
            let mut leads = resolution.links_of(id).iter().map(|link| resolution.end(link.to));
            leads.next().is_some_and(|first| leads.any(|other| other != first))
        })
        .collect();
    Ok(resolution)
}

/// Where the links of each id begin.
fn starts(ids: usize, links: &[Link]) -> Vec<u32> {
    let mut starts = vec![0u32; ids + 1];
    for link in links {
        if let Some(count) = starts.get_mut(link.from as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0u32;
    for start in &mut starts {
        sum = sum.saturating_add(*start);
        *start = sum;
    }
    starts
}

fn of<'a>(links: &'a [Link], starts: &[u32], id: u32) -> &'a [Link] {
    let at = |id: usize| starts.get(id).map_or(0, |&start| start as usize);
    links.get(at(id as usize)..at(id as usize + 1)).unwrap_or(&[])
}

/// A walk along all links that count, without recursion: a chain may be as long as there are ids.
struct Walk<'a> {
    links: &'a [Link],
    starts: &'a [u32],
    policy: Conflicts,
    state: Vec<State>,
    stack: Vec<Stop>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the way.
    Open,
    Done,
}

/// An id on the way.
#[derive(Clone, Copy)]
struct Stop {
    id: u32,
    /// Its links that count.
    first: usize,
    last: usize,
    /// The one that is to be followed next.
    next: usize,
}

impl Walk<'_> {
    fn is(&self, id: u32) -> State {
        self.state.get(id as usize).copied().unwrap_or(State::Done)
    }

    fn set(&mut self, id: u32, to: State) {
        if let Some(state) = self.state.get_mut(id as usize) {
            *state = to;
        }
    }

    fn enter(&mut self, id: u32) {
        self.set(id, State::Open);
        let all = of(self.links, self.starts, id);
        let best = all.first().map(|link| preference(self.policy, link));
        let count = all.iter().take_while(|link| Some(preference(self.policy, link)) == best).count();
        let first = self.starts.get(id as usize).map_or(0, |&start| start as usize);
        self.stack.push(Stop { id, first, last: first + count, next: first });
    }

    fn from(&mut self, id: u32, chosen: &mut [u32], ends: &mut [u32], steps: &mut [u32]) -> Result<(), Stuck> {
        if self.is(id) != State::New {
            return Ok(());
        }
        self.enter(id);
        while let Some(stop) = self.stack.last_mut() {
            let at = *stop;
            stop.next += 1;
            if at.next < at.last {
                let Some(to) = self.links.get(at.next).map(|link| link.to) else { continue };
                match self.is(to) {
                    State::New => self.enter(to),
                    State::Open => return Err(self.stuck(to)),
                    State::Done => {}
                }
                continue;
            }
            let end_of = |to: u32| ends.get(to as usize).copied().unwrap_or(to);
            let counting = self.links.get(at.first..at.last).unwrap_or(&[]);
            let counting = (u32::try_from(at.first).unwrap_or(NONE)..).zip(counting);
            if let Some((link, best)) = counting.min_by_key(|(link, counts)| (end_of(counts.to), *link)) {
                let (end, far) = (end_of(best.to), steps.get(best.to as usize).copied().unwrap_or(0));
                put(ends, at.id, end);
                put(chosen, at.id, link);
                put(steps, at.id, far.saturating_add(1));
            }
            self.set(at.id, State::Done);
            self.stack.pop();
        }
        Ok(())
    }

    /// The loop that closes at `to`.
    fn stuck(&self, to: u32) -> Stuck {
        let from = self.stack.iter().position(|stop| stop.id == to).unwrap_or(0);
        let round = self.stack.get(from..).unwrap_or(&[]);
        // The link that is being followed is the one before the next.
        let mut links: Vec<Link> =
            round.iter().filter_map(|stop| self.links.get(stop.next.checked_sub(1)?).copied()).collect();
        let least = (0..links.len()).min_by_key(|&at| links.get(at).map(|link| link.from)).unwrap_or(0);
        links.rotate_left(least);
        Stuck { links }
    }
}

fn put(all: &mut [u32], id: u32, value: u32) {
    if let Some(place) = all.get_mut(id as usize) {
        *place = value;
    }
}

impl Resolution {
    /// The customer of an id.
    pub fn end(&self, id: u32) -> u32 {
        self.ends.get(id as usize).copied().unwrap_or(id)
    }

    /// All links of an id, those first that may count.
    pub fn links_of(&self, id: u32) -> &[Link] {
        of(&self.links, &self.starts, id)
    }

    /// The link that is followed from an id.
    pub fn chosen(&self, id: u32) -> Option<&Link> {
        self.chosen.get(id as usize).and_then(|&at| self.links.get(at as usize))
    }

    /// How many links lie between an id and its customer.
    pub fn steps(&self, id: u32) -> u32 {
        self.steps.get(id as usize).copied().unwrap_or(0)
    }

    /// All ids, as numbers.
    pub fn all(&self) -> impl Iterator<Item = u32> + use<> {
        (0u32..).take(self.ids.len())
    }

    /// The name of a link's table.
    pub fn table(&self, link: &Link) -> &str {
        self.tables.get(link.table as usize).map_or("", |table| table.name.as_str())
    }

    pub fn report(&self) -> LinkReport {
        let mut is_customer = vec![false; self.ids.len()];
        let mut linked = 0;
        for id in self.all().filter(|&id| self.chosen(id).is_some()) {
            linked += 1;
            if let Some(mark) = is_customer.get_mut(self.end(id) as usize) {
                *mark = true;
            }
        }
        LinkReport {
            tables: self.tables.clone(),
            linked,
            customers: is_customer.iter().filter(|&&is| is).count() as u64,
            conflicts: self.conflicts.len() as u64,
        }
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.ids.bytes()
            + self.links.len() * std::mem::size_of::<Link>()
            + (self.starts.len() + self.chosen.len() + self.ends.len() + self.steps.len() + self.conflicts.len()) * 4
            + self.profiles.as_ref().map_or(0, Ids::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::{Gathered, Id};
    use super::*;

    fn made(links: &[(&str, &str, Option<i64>)], policy: Conflicts) -> Result<Resolution, String> {
        let mut gathered = Gathered::default();
        let mut raw: Vec<Link> = links
            .iter()
            .map(|(from, to, time)| {
                let mut add = |id: &str| gathered.add(Id::Text(id)).expect("few");
                Link { from: add(from), to: add(to), table: 0, time: *time }
            })
            .collect();
        let (ids, places) = gathered.finish();
        for link in &mut raw {
            (link.from, link.to) = (places[link.from as usize], places[link.to as usize]);
        }
        resolve(ids, raw, policy)
            .map_err(|told| told.1.links.iter().map(|link| told.0.shown(link.from)).collect::<Vec<_>>().join(" "))
    }

    fn end(resolution: &Resolution, id: &str) -> String {
        resolution.ids.shown(resolution.end(resolution.ids.find(Id::Text(id)).expect("known")))
    }

    #[test]
    fn chains_are_followed_to_their_ends() {
        let made = made(&[("a", "b", None), ("b", "c", None), ("x", "c", None)], Conflicts::Error).expect("no loop");
        assert_eq!(["a", "b", "c", "x"].map(|id| end(&made, id)), ["c"; 4]);
        assert_eq!((made.steps(0), made.steps(2), made.conflicts.len()), (2, 0, 0));
        let report = made.report();
        assert_eq!((report.linked, report.customers), (3, 1));
    }

    #[test]
    fn loops_are_told_from_their_smallest_id() {
        let links = [("z", "c", None), ("c", "a", None), ("a", "b", None), ("b", "c", None)];
        assert_eq!(made(&links, Conflicts::Error).map(|_| ()), Err("a b c".into()));
        assert_eq!(made(&[("a", "a", Some(1))], Conflicts::Latest).map(|_| ()), Err("a".into()));
        // A link that does not count closes no loop.
        let links = [("a", "b", Some(1)), ("b", "a", Some(1)), ("b", "c", Some(2))];
        assert_eq!(end(&made(&links, Conflicts::Latest).expect("no loop"), "a"), "c");
        assert_eq!(made(&links, Conflicts::Earliest).map(|_| ()), Err("a b".into()));
        assert_eq!(made(&links, Conflicts::Error).map(|_| ()), Err("a b".into()));
    }

    #[test]
    fn conflicts_go_by_time_then_by_the_smaller_customer() {
        let links = [
            ("k", "2", Some(1)),
            ("k", "1", Some(5)),
            ("k", "3", None),
            ("t", "y", Some(4)),
            ("t", "z", Some(4)),
            ("y", "9", Some(0)),
            ("z", "8", Some(0)),
        ];
        let earliest = made(&links, Conflicts::Earliest).expect("no loop");
        let latest = made(&links, Conflicts::Latest).expect("no loop");
        assert_eq!((end(&earliest, "k"), end(&latest, "k")), ("2".into(), "1".into()));
        // `y` is smaller than `z`, but `z` leads to the smaller customer.
        assert_eq!((end(&earliest, "t"), earliest.conflicts.len()), ("8".into(), 2));
    }

    #[test]
    fn two_ways_to_one_customer_are_no_conflict() {
        let made = made(&[("e", "5", None), ("e", "9", None), ("5", "9", None)], Conflicts::Error).expect("no loop");
        assert_eq!((end(&made, "e"), made.conflicts.len()), ("9".into(), 0));
    }

    #[test]
    fn an_id_of_everybody_takes_no_time() {
        let names: Vec<String> = (0..200_000).map(|n| format!("{n:06}")).collect();
        let links: Vec<(&str, &str, Option<i64>)> =
            names.iter().map(|name| ("unknown", name.as_str(), Some(1))).collect();
        let start = std::time::Instant::now();
        let made = made(&links, Conflicts::Latest).expect("no loop");
        assert_eq!((end(&made, "unknown").as_str(), made.conflicts.len()), ("000000", 1));
        assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let names: Vec<String> = (0..100_000).map(|n| format!("{n:06}")).collect();
        let links: Vec<(&str, &str, Option<i64>)> =
            names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str(), None)).collect();
        let made = made(&links, Conflicts::Error).expect("no loop");
        assert_eq!((end(&made, "000000").as_str(), made.steps(0)), ("099999", 99_999));
    }
}
