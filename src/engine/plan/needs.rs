//! Who must be counted: whether a rule can hold for somebody of whom no event matches.
//!
//! Owns: the evaluation of a program for a customer without any matching event, of whose profile and lists nothing is known.
//! Promises: `false` only where every member of every rule has a matching event, so that rows that match nothing need not be
//! read. Must not know: DataFusion, where rows come from.

use super::late::{Bits, Late};
use super::program::{Agg, Node, Program, Scalar, Test, Ty, Val};
use super::story::{Fold, Story};
use crate::engine::kernels::test::test;
use crate::engine::types;
use crate::language::calendar::Zone;
use crate::language::num::Num;

/// Whether the answer depends on customers without matching events. `events` are the patterns of events; those of others may
/// match or not.
pub fn needs_population(program: &Program, late: &Late, events: &[bool]) -> bool {
    // Ranks, samples and traits are of everybody; who is on a list and not in the population is counted.
    let everybody = !late.steps.is_empty() || late.traits.iter().any(Option::is_some);
    let orphans = program.events_count && !program.lists.is_empty();
    if everybody || orphans {
        return true;
    }
    // What runs left behind has no part in the population: a story about it may be told of anybody.
    let recorded = program.deeds.iter().any(|deed| events.get(deed.pattern as usize) == Some(&false));
    let quiet = Quiet { program, events, recorded, zone: types::zone(&program.zone) };
    let mut nodes: Vec<Truth> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let truth = quiet.node(node, &nodes);
        nodes.push(truth);
    }
    let may_hold = |at: u32| nodes.get(at as usize) != Some(&Truth::No);
    late.rules.iter().any(|rule| match rule {
        Bits::Step(_) => true,
        Bits::Answer(at) => program.wanted.get(*at as usize).is_none_or(|&node| may_hold(node)),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    No,
    Yes,
    Maybe,
}

impl Truth {
    fn of(yes: bool) -> Truth {
        if yes { Truth::Yes } else { Truth::No }
    }
}

/// A value that is known, as missing or not, or one that may be anything.
#[derive(Debug, Clone, Copy)]
enum Guess<'a> {
    Known(Option<Scalar<'a>>),
    Any,
}

/// A customer without matching events.
struct Quiet<'a> {
    program: &'a Program,
    events: &'a [bool],
    /// Whether some story is about other rows than those of events.
    recorded: bool,
    zone: Zone,
}

impl<'a> Quiet<'a> {
    /// Whether a term is of events: then no row takes part in it.
    fn is_empty(&self, term: u32) -> bool {
        let pattern = self.program.terms.get(term as usize).map(|t| t.pattern);
        pattern.is_some_and(|p| self.events.get(p as usize).copied().unwrap_or(false))
    }

    fn node(&self, node: &'a Node, nodes: &[Truth]) -> Truth {
        let at = |n: &u32| nodes.get(*n as usize).copied().unwrap_or(Truth::Maybe);
        match node {
            Node::Const(yes) => Truth::of(*yes),
            Node::And(all) => {
                let all: Vec<Truth> = all.iter().map(at).collect();
                if all.contains(&Truth::No) {
                    Truth::No
                } else if all.contains(&Truth::Maybe) {
                    Truth::Maybe
                } else {
                    Truth::Yes
                }
            }
            Node::Or(any) => {
                let any: Vec<Truth> = any.iter().map(at).collect();
                if any.contains(&Truth::Yes) {
                    Truth::Yes
                } else if any.contains(&Truth::Maybe) {
                    Truth::Maybe
                } else {
                    Truth::No
                }
            }
            Node::Not(inner) => match at(inner) {
                Truth::No => Truth::Yes,
                Truth::Yes => Truth::No,
                Truth::Maybe => Truth::Maybe,
            },
            Node::Range { term, lo, hi } if self.is_empty(*term) => Truth::of(*lo <= 0 && 0 <= *hi),
            Node::Time { term, lo: _, hi: _ } if self.is_empty(*term) => Truth::No,
            Node::Story(_) if self.recorded => Truth::Maybe,
            // No story about nothing says yes: each wants at least one event.
            Node::Story(_) => Truth::No,
            Node::Test(asked) => self.test(asked),
            Node::Range { .. } | Node::Time { .. } | Node::Trace(_) => Truth::Maybe,
        }
    }

    fn test(&self, asked: &'a Test<Val>) -> Truth {
        if asked.values().into_iter().any(|val| matches!(self.value(val), Guess::Any)) {
            return Truth::Maybe;
        }
        Truth::of(test(asked, &self.zone, &|val| match self.value(val) {
            Guess::Known(value) => value,
            Guess::Any => None,
        }))
    }

    fn value(&self, val: &'a Val) -> Guess<'a> {
        match val {
            Val::Literal(literal) => Guess::Known(Some(literal.scalar())),
            Val::Term { term, ty } if self.is_empty(*term) => {
                let agg = self.program.terms.get(*term as usize).map(|t| t.agg);
                Guess::Known(agg.and_then(|agg| nothing(agg, *ty)))
            }
            Val::Average { sum, known, ty: _ } if self.is_empty(*sum) && self.is_empty(*known) => Guess::Known(None),
            Val::DaysSince(term) | Val::DaysSinceDate(term) if self.is_empty(*term) => Guess::Known(None),
            Val::Story(_) if self.recorded => Guess::Any,
            Val::Story(story) => match self.program.stories.get(*story as usize) {
                Some(Story::Fold { deed: _, frame, fold }) => {
                    Guess::Known(if frame.since.is_some() { None } else { self.folded(*fold) })
                }
                _ => Guess::Any,
            },
            Val::Combine { op, left, right } => match (self.value(left), self.value(right)) {
                (Guess::Known(Some(Scalar::Num(left))), Guess::Known(Some(Scalar::Num(right)))) => {
                    Guess::Known(left.combine((*op).into(), right).map(Scalar::Num))
                }
                (Guess::Known(_), Guess::Known(_)) => Guess::Known(None),
                _ => Guess::Any,
            },
            Val::Term { .. } | Val::Average { .. } | Val::DaysSince(_) | Val::DaysSinceDate(_) => Guess::Any,
        }
    }

    /// What a fold makes of no deeds.
    fn folded(&self, fold: Fold) -> Option<Scalar<'a>> {
        match fold {
            Fold::Count | Fold::Periods(_) | Fold::Distinct(_) => Some(Scalar::Num(Num::int(0))),
            Fold::Sum(read) => {
                let ty = self.program.reads.get(read as usize).map_or(Ty::Number, |r| r.ty);
                Some(Scalar::Num(nought(ty)))
            }
            Fold::Average(_)
            | Fold::Min(_)
            | Fold::Max(_)
            | Fold::Percentile(..)
            | Fold::First(_)
            | Fold::Last(_)
            | Fold::MostFrequent(_)
            | Fold::DaysSinceFirst
            | Fold::DaysSinceLast => None,
        }
    }
}

/// What an aggregate makes of no rows.
fn nothing(agg: Agg, ty: Ty) -> Option<Scalar<'static>> {
    match agg {
        Agg::Count | Agg::Periods(_) | Agg::CountKnown(_) | Agg::Distinct(_) => Some(Scalar::Num(Num::int(0))),
        Agg::Sum(_) => Some(Scalar::Num(nought(ty))),
        Agg::SumFloat(_) => Some(Scalar::Num(Num::Float(0.0))),
        Agg::Min(_) | Agg::Max(_) | Agg::MinFloat(_) | Agg::MaxFloat(_) | Agg::First | Agg::Last => None,
    }
}

fn nought(ty: Ty) -> Num {
    match ty {
        Ty::Money(scale) => Num::Exact { units: 0, scale },
        Ty::Integer => Num::int(0),
        _ => Num::Float(0.0),
    }
}
