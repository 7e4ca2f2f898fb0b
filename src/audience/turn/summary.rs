//! A turn in numbers.
//!
//! Owns: how many customers each campaign reached, by arm, and what stopped the others. Must not know: how it is shown.

use super::Turn;
use crate::audience::campaign::{Decided, Reason, Verdict};
use crate::language::ir::Program;

/// What one turn decided about campaigns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Microseconds since 1970.
    pub at: i64,
    /// By name.
    pub campaigns: Vec<Reached>,
}

/// What was decided about one campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub name: String,
    /// Whether this was an instant of it.
    pub due: bool,
    /// How many met the condition.
    pub met: usize,
    /// How many are contacted by each arm, in the order of the text.
    pub arms: Vec<(String, usize)>,
    pub held_out: usize,
    /// What stopped the others, in the order in which it is asked, with how many it stopped.
    pub stopped: Vec<(Reason, usize)>,
    /// What the contacts cost, in millionths of the project's currency.
    pub cost: i128,
}

impl Reached {
    /// How many are contacted.
    pub fn sent(&self) -> usize {
        self.arms.iter().map(|(_, n)| n).sum()
    }

    fn of(decided: &Decided, program: &Program, due: bool) -> Reached {
        let arms = program.campaigns.get(decided.campaign).map_or(&[][..], |campaign| &campaign.arms);
        let mut arms: Vec<(String, usize)> = arms.iter().map(|arm| (arm.name.clone(), 0)).collect();
        let mut held_out = 0;
        let mut stopped = Reason::ALL.map(|reason| (reason, 0));
        for (_, verdict) in decided.pairs() {
            match verdict {
                Verdict::Sent { arm } => {
                    if let Some((_, n)) = arms.get_mut(usize::from(arm)) {
                        *n += 1;
                    }
                }
                Verdict::HeldOut { .. } => held_out += 1,
                Verdict::Stopped(reason, _) => {
                    if let Some((_, n)) = stopped.iter_mut().find(|(r, _)| *r == reason) {
                        *n += 1;
                    }
                }
            }
        }
        Reached {
            name: decided.name.clone(),
            due,
            met: decided.rows.len(),
            arms,
            held_out,
            stopped: stopped.into_iter().filter(|(_, n)| *n > 0).collect(),
            cost: decided.cost(),
        }
    }
}

impl Turn {
    /// The decisions in numbers.
    pub fn summary(&self, program: &Program) -> Summary {
        let due = |decided: &Decided| self.due.get(decided.campaign).copied().unwrap_or(false);
        let mut campaigns: Vec<Reached> =
            self.decisions.campaigns.iter().map(|decided| Reached::of(decided, program, due(decided))).collect();
        campaigns.sort_by(|a, b| a.name.cmp(&b.name));
        Summary { at: self.clock.as_of, campaigns }
    }
}
