//! The part of a program that needs all customers or the customer's id.
//!
//! Owns: where the program is cut in two. Promises: as `lower`; what needs neither stays in the kernel's program, whole.
//! Must not know: DataFusion, files.

use super::*;
use crate::engine::plan::late::{self, Bits, Step};

impl Lowerer<'_> {
    /// Where the members of a condition are found.
    pub(super) fn bits(&mut self, cond: &Cond) -> Bits {
        if !self.is_late(cond) {
            let node = self.cond(cond);
            return self.answer(node);
        }
        match cond {
            Cond::And(all) => {
                let parts = self.parts(all, Node::And);
                self.step(Step::And(parts))
            }
            Cond::Or(any) => {
                let parts = self.parts(any, Node::Or);
                self.step(Step::Or(parts))
            }
            Cond::Not(inner) => {
                let inner = self.bits(inner);
                self.step(Step::Not(inner))
            }
            Cond::Ranked { rank, end, size } => {
                let ranking = self.ranking(rank, false);
                self.step(Step::Part { ranking, end: *end, size: *size })
            }
            Cond::Sample { salt, share } => self.step(Step::Sample { salt: salt.clone(), share: *share }),
            Cond::Test(test) => {
                let test = self.map_test(test, |me, value| me.late_value(value));
                self.step(Step::Test(test))
            }
            Cond::Rule(rule) => match self.rules.get(rule.0 as usize) {
                Some(&at) => at,
                None => self.nobody(),
            },
            // Nothing else is late: see `is_late`.
            _ => self.nobody(),
        }
    }

    /// What the kernel can join, it joins.
    fn parts(&mut self, all: &[Cond], join: fn(Vec<u32>) -> Node) -> Vec<Bits> {
        let (late, early): (Vec<&Cond>, Vec<&Cond>) = all.iter().partition(|c| self.is_late(c));
        let early: Vec<u32> = early.into_iter().map(|c| self.cond(c)).collect();
        let node = match early.as_slice() {
            [] => None,
            [one] => Some(*one),
            _ => Some(self.node(join(early))),
        };
        let mut parts: Vec<Bits> = node.map(|node| self.answer(node)).into_iter().collect();
        parts.extend(late.into_iter().map(|c| self.bits(c)));
        parts
    }

    fn nobody(&mut self) -> Bits {
        let node = self.node(Node::Const(false));
        self.answer(node)
    }

    /// A value that may hold a rank; what holds none is asked of the kernel.
    pub(super) fn late_value(&mut self, value: &Value) -> late::Val {
        match value {
            Value::Literal(literal) => late::Val::Literal(lit(literal)),
            Value::Rank { rank, scale } => {
                let ranking = self.ranking(rank, *scale == ir::RankScale::PercentileRank);
                late::Val::Rank { ranking, scale: *scale }
            }
            Value::Arithmetic { op, left, right } if self.is_late_value(value) => late::Val::Arithmetic {
                op: *op,
                left: Box::new(self.late_value(left)),
                right: Box::new(self.late_value(right)),
            },
            _ => {
                let value = self.value(value);
                let next = self.exports.len() as u32;
                let at = *self.exported.entry(value.clone()).or_insert(next);
                if at == next {
                    self.exports.push(value);
                }
                late::Val::Export(at)
            }
        }
    }

    fn ranking(&mut self, rank: &ir::Rank, wants_percentiles: bool) -> u32 {
        let by = self.late_value(&rank.by);
        let among = rank.among.map(|among| match among {
            ir::Among::Rule(rule) => self.bits(&Cond::Rule(rule)),
            ir::Among::List(list) => self.bits(&Cond::List(list)),
        });
        for (i, step) in self.steps.iter_mut().enumerate() {
            match step {
                Step::Ranking { by: b, among: a, percentiles } if *b == by && *a == among => {
                    *percentiles |= wants_percentiles;
                    return i as u32;
                }
                _ => {}
            }
        }
        self.steps.push(Step::Ranking { by, among, percentiles: wants_percentiles });
        (self.steps.len() - 1) as u32
    }

    fn step(&mut self, step: Step) -> Bits {
        let known = self.steps.iter().position(|s| *s == step);
        let at = known.unwrap_or_else(|| {
            self.steps.push(step);
            self.steps.len() - 1
        });
        Bits::Step(at as u32)
    }

    /// A node that the kernel answers.
    fn answer(&mut self, node: u32) -> Bits {
        let known = self.wanted.iter().position(|n| *n == node);
        let at = known.unwrap_or_else(|| {
            self.wanted.push(node);
            self.wanted.len() - 1
        });
        Bits::Answer(at as u32)
    }

    fn is_late(&self, cond: &Cond) -> bool {
        match cond {
            Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|c| self.is_late(c)),
            Cond::Not(inner) => self.is_late(inner),
            Cond::Rule(rule) => matches!(self.rules.get(rule.0 as usize), Some(Bits::Step(_))),
            Cond::Ranked { .. } | Cond::Sample { .. } => true,
            Cond::Test(test) => sides(test).any(|value| self.is_late_value(value)),
            // A visit and a stretch of days know only their own events.
            Cond::Const(_)
            | Cond::List(_)
            | Cond::Count { .. }
            | Cond::Periods { .. }
            | Cond::Same { .. }
            | Cond::Pick { .. }
            | Cond::Sequence(_)
            | Cond::InSession { .. }
            | Cond::InAny { .. }
            | Cond::KnownSince(_) => false,
        }
    }

    fn is_late_value(&self, value: &Value) -> bool {
        match value {
            Value::Rank { .. } => true,
            Value::Arithmetic { left, right, .. } => self.is_late_value(left) || self.is_late_value(right),
            Value::Literal(_)
            | Value::Attribute(_)
            | Value::Aggregate { .. }
            | Value::Rate { .. }
            | Value::DaysSinceEvent { .. }
            | Value::DaysSinceAttribute(_) => false,
        }
    }
}
