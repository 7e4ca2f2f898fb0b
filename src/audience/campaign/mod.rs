//! Who is contacted, who is held out, and why everybody else is not.
//!
//! Owns: the decision, the order of its gates ([`ORDER`]), the reasons and the tables that tell them. Promises: total, deterministic
//! and pure: what stands in [`Input`] decides and nothing else, the order of campaigns in the text included; every pair of a campaign
//! and a customer who met its condition has exactly one verdict, the first gate that stopped it. Must not know: files, the machine's
//! clock, how conditions are evaluated.
//!
//! Campaigns are decided by priority (higher first), then name; each takes its customers through all gates before the next one, so
//! that a policy sees the contacts of the ones before. `assignment` draws arms and holdouts, `ledger` holds what the history tells,
//! `quiet` asks the clock on the customer's wall, `gate` is the gates, `tables` what a run writes.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;

use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::interpret::scalar::Scalar;
use crate::language::ir::Program;
use crate::language::num::Num;

mod assignment;

mod gate;

mod ids;

mod ledger;

mod quiet;

mod tables;

mod verdict;

mod words;

pub use assignment::{Assignment, Draw, held_out_everywhere, key, place};
pub use gate::{Gate, ORDER};
pub use ledger::{Ledger, LedgerBuilder};
pub use tables::decisions_schema;
pub use verdict::{CONTACTED, HELD_OUT, Note, Reason, SENT, Verdict};

use gate::Case;
use ids::Ids;
use ledger::{Pressure, Touch, Touches};

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The project's name: part of every salt.
    pub project: &'a str,
    /// The project's own holdout, a share from 0 to 1.
    pub holdout: Option<Num>,
    pub program: &'a Program,
    /// Channels with their costs and quiet hours.
    pub catalog: &'a Catalog,
    /// The as-of instant, which is the time of the contacts, and the project's zone.
    pub clock: &'a Clock,
    /// `Utf8` or `Int64`, sorted, each once.
    pub customers: &'a ArrayRef,
    /// By rule of the program, in the order of `customers`.
    pub members: &'a [BooleanBuffer],
    /// By trait of the program; empty where nobody asks for it.
    pub traits: &'a [Vec<Option<Scalar>>],
    /// By campaign of the program, whether it is decided at this instant; see [`crate::audience::schedule`].
    pub due: &'a [bool],
    /// Built for the same program, instant and customers.
    pub ledger: &'a Ledger,
}

/// What was decided about one campaign.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The place in [`Program::campaigns`].
    pub campaign: usize,
    pub name: String,
    /// The name in the ledger.
    pub key: String,
    /// Who met the condition: places among the customers, ascending.
    pub rows: Vec<u32>,
    /// One for each of `rows`.
    pub verdicts: Vec<Verdict>,
    /// What a contact costs by arm, in millionths.
    costs: Vec<i128>,
    notes: Vec<String>,
}

impl Decided {
    /// Each customer who met the condition, as a place among the customers, with the verdict.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, Verdict)> {
        self.rows.iter().copied().zip(self.verdicts.iter().copied())
    }

    /// What there is to say beside the outcome: `until 2026-11-22T08:00+01:00`, `policy pressure: welcome, winback`.
    pub fn detail(&self, verdict: Verdict) -> Option<&str> {
        match verdict {
            Verdict::Stopped(_, Note(note)) => {
                (note as usize).checked_sub(1).and_then(|place| self.notes.get(place)).map(String::as_str)
            }
            Verdict::HeldOut { global: true, .. } => Some("the project's holdout"),
            _ => None,
        }
    }

    /// How many are contacted.
    pub fn sent(&self) -> usize {
        self.verdicts.iter().filter(|v| matches!(v, Verdict::Sent { .. })).count()
    }

    /// What all contacts cost together, in millionths of the currency.
    pub fn cost(&self) -> i128 {
        self.verdicts.iter().map(|v| self.cost_of(*v).unwrap_or(0)).sum()
    }

    /// What a contact costs, in millionths; `None` for who is not contacted.
    pub fn cost_of(&self, verdict: Verdict) -> Option<i128> {
        match verdict {
            Verdict::Sent { arm } => Some(self.costs.get(usize::from(arm)).copied().unwrap_or(0)),
            _ => None,
        }
    }
}

/// What was decided about all campaigns.
#[derive(Debug, Clone)]
pub struct Decisions {
    /// In the order of [`Program::campaigns`].
    pub campaigns: Vec<Decided>,
}

/// Decides about all campaigns of the program.
pub fn decide(input: &Input) -> Result<Decisions, Error> {
    decide_with(input, ORDER)
}

/// The same with these gates, one after the other.
fn decide_with(input: &Input, gates: &[Gate]) -> Result<Decisions, Error> {
    let ids = Ids::new(input.customers)?;
    check(input, ids)?;
    let program = input.program;
    let name_of = |place: usize| {
        let rule = program.campaigns.get(place).and_then(|c| program.rules.get(c.rule.0 as usize));
        rule.map_or("", |rule| rule.name.as_str())
    };
    let mut order: Vec<usize> = (0..program.campaigns.len()).collect();
    let priority = |place: usize| program.campaigns.get(place).map_or(0, |c| c.priority);
    order.sort_by(|&a, &b| priority(b).cmp(&priority(a)).then_with(|| name_of(a).cmp(name_of(b))));
    let pressures = Pressure::all(program, input.catalog, input.clock);
    let mut given = Touches::default();
    let mut campaigns = Vec::with_capacity(order.len());
    for place in order {
        let mut case = Case::new(input, ids, place, &pressures, &given)?;
        for &gate in gates {
            gate.apply(&mut case);
        }
        let (decided, channels) = case.finish();
        if !pressures.is_empty() {
            let number = input.ledger.number(&decided.key);
            for (row, verdict) in decided.pairs() {
                if let Verdict::Sent { arm } = verdict {
                    let channel = channels.get(usize::from(arm)).copied().unwrap_or(ledger::ELSEWHERE);
                    let touch = Touch { at: input.clock.as_of, name: number, channel, held: false };
                    given.push(ids.len(), row, touch)?;
                }
            }
        }
        campaigns.push(decided);
    }
    campaigns.sort_by_key(|decided| decided.campaign);
    Ok(Decisions { campaigns })
}

/// What is handed in belongs together.
fn check(input: &Input, ids: Ids<'_>) -> Result<(), Error> {
    let wrong = |what: &str| Err(Error::Engine { message: format!("campaigns can't be decided: {what}"), help: None });
    let customers = ids.len();
    if u32::try_from(customers).is_err() {
        return wrong("there are more customers than can be numbered");
    }
    if input.members.len() != input.program.rules.len() || input.members.iter().any(|bits| bits.len() != customers) {
        return wrong("the answer does not have every rule of every customer");
    }
    if input.due.len() != input.program.campaigns.len() {
        return wrong("it is not said of every campaign whether it is due");
    }
    if !input.ledger.is_for(input.clock.as_of, customers) {
        return wrong("the ledger is another instant's or other customers'");
    }
    let asked = input.program.campaigns.iter().filter_map(|c| c.limit.and_then(|limit| limit.by));
    if asked.chain(input.program.zone).any(|t| input.traits.get(t).is_none_or(|values| values.len() != customers)) {
        return wrong("the answer lacks values that a limit or the customers' zone asks for");
    }
    Ok(())
}

#[cfg(test)]
mod mutants;
