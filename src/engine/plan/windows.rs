//! When each pattern matters.
//!
//! Owns: the widest interval that any term or story asks of a pattern's rows. Promises: a row outside of it changes no answer.
//! Must not know: DataFusion, the catalog, where rows come from.

use super::program::Program;
use super::story::{Chain, Frame, Inside, Rest, Same, Step, Story};

/// An interval `[lo, hi)`.
pub type Window = (i64, i64);

pub const ALWAYS: Window = (i64::MIN, i64::MAX);
pub const NEVER: Window = (i64::MAX, i64::MIN);

/// For each pattern the widest interval in which its rows are asked for; [`NEVER`] where nobody asks for them by themselves.
pub fn windows(program: &Program) -> Vec<Window> {
    let mut of_deeds = Wide(vec![NEVER; program.deeds.len()]);
    for story in &program.stories {
        of_deeds.story(story);
    }
    let mut of_patterns = Wide(vec![NEVER; program.patterns as usize]);
    for term in &program.terms {
        of_patterns.add(term.pattern, (term.lo, term.hi));
    }
    for (deed, window) in program.deeds.iter().zip(&of_deeds.0) {
        of_patterns.add(deed.pattern, *window);
        if let Some(rest) = &deed.rest {
            of_patterns.rest(rest);
        }
    }
    for story in &program.stories {
        if let Story::Visit { frame, .. } = story {
            // An event that lies as near as a visit's gap before the frame tells that a visit began before it.
            let lo = frame.lo.saturating_sub(program.visit_gap).saturating_sub(1);
            program.visit_patterns.iter().for_each(|&p| of_patterns.add(p, (lo, i64::MAX)));
        }
    }
    of_patterns.0
}

/// Intervals that grow.
struct Wide(Vec<Window>);

impl Wide {
    fn add(&mut self, at: u32, (lo, hi): Window) {
        if let Some(window) = self.0.get_mut(at as usize) {
            *window = (window.0.min(lo), window.1.max(hi));
        }
    }

    // --- by pattern

    fn rest(&mut self, rest: &Rest) {
        match rest {
            Rest::And(all) | Rest::Or(all) => all.iter().for_each(|r| self.rest(r)),
            Rest::Not(inner) => self.rest(inner),
            Rest::Row(pattern) => self.add(*pattern, ALWAYS),
            // An event that is there for its own pattern has its other patterns with it. What a test asks of the customer is a term
            // or a story of its own.
            Rest::Pattern(_) | Rest::Const(_) | Rest::Test(_) => {}
        }
    }

    // --- by deed

    fn story(&mut self, story: &Story) {
        match story {
            Story::Fold { deed, frame, fold: _ } => {
                let window = self.frame(frame);
                self.add(*deed, window);
            }
            Story::Same { same, frame } => {
                let window = self.frame(frame);
                self.same(same, window);
            }
            Story::Pick { last: _, deed, frame } => {
                self.frame(frame);
                self.add(*deed, ALWAYS);
            }
            Story::Chain { chain, frame } => {
                let window = self.frame(frame);
                self.chain(chain, window, true);
            }
            Story::Visit { inside, frame } => {
                let (lo, _) = self.frame(frame);
                self.inside(inside, lo);
            }
            Story::Stretch { length: _, inside, starts, frame } => {
                let window = self.frame(frame);
                starts.iter().for_each(|&deed| self.add(deed, window));
                self.inside(inside, window.0);
            }
        }
    }

    /// The frame's own interval; its anchor may lie anywhere before.
    fn frame(&mut self, frame: &Frame) -> Window {
        if let Some(anchor) = &frame.since {
            self.add(anchor.deed, ALWAYS);
        }
        (frame.lo, frame.hi)
    }

    fn same(&mut self, same: &Same, window: Window) {
        let Same { deed, read: _, n: _, without } = same;
        self.add(*deed, window);
        if let Some((deed, _)) = without {
            self.add(*deed, window);
        }
    }

    /// A chain begins in the window and goes on behind it. A first or last event is the first or last of all, unless the chain sees
    /// no others.
    fn chain(&mut self, chain: &Chain, window: Window, sees_all: bool) {
        let behind = (window.0, i64::MAX);
        for (s, step) in chain.steps.iter().enumerate() {
            let Step { deed, pick, after: _, within: _, without, same: _ } = step;
            let own = if sees_all && pick.is_some() {
                ALWAYS
            } else if s == 0 {
                window
            } else {
                behind
            };
            self.add(*deed, own);
            if let Some((deed, _)) = without {
                self.add(*deed, behind);
            }
        }
        if let Some(absence) = &chain.absence {
            self.add(absence.deed, behind);
        }
    }

    /// What lies in a stretch of time that begins at `lo` or later.
    fn inside(&mut self, inside: &Inside, lo: i64) {
        let window = (lo, i64::MAX);
        match inside {
            Inside::Const(_) => {}
            Inside::And(all) | Inside::Or(all) => all.iter().for_each(|i| self.inside(i, lo)),
            Inside::Not(inner) => self.inside(inner, lo),
            Inside::Count { deed, periods: _, op: _, n: _ } => self.add(*deed, window),
            Inside::Same(same) => self.same(same, window),
            Inside::Chain(chain) => self.chain(chain, window, false),
        }
    }
}
