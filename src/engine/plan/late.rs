//! What is evaluated behind the aggregation, over all customers: ranks, samples and whatever depends on them.
//!
//! Owns: the late program as data. Promises: a step refers only to steps before it; everything that one customer's rows can
//! answer is asked of the kernel and not here. Must not know: DataFusion, the catalog.

use super::program::{Lit, Test};
use crate::language::ir::{Arithmetic, RankEnd, RankScale, RankSize};
use crate::language::num::Num;

/// The steps, and where the answers are.
#[derive(Debug, Clone, Default)]
pub struct Late {
    pub steps: Vec<Step>,
    /// Who is in each rule.
    pub rules: Vec<Bits>,
    /// The values of traits, of those that were asked for; empty where none was.
    pub traits: Vec<Option<Val>>,
}

/// One bit a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bits {
    /// A bit of the kernel's answer: index into [`super::program::Program::wanted`].
    Answer(u32),
    /// What a step has found.
    Step(u32),
}

/// All but rankings find bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    And(Vec<Bits>),
    Or(Vec<Bits>),
    Not(Bits),
    /// The customers in order: highest value first, then the smaller id.
    Ranking {
        by: Val,
        among: Option<Bits>,
        /// Whether anybody asks for percentile ranks.
        percentiles: bool,
    },
    /// One part of a ranking.
    Part {
        ranking: u32,
        end: RankEnd,
        size: RankSize,
    },
    Sample {
        salt: String,
        share: Num,
    },
    Test(Test<Val>),
}

/// A value of a customer.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    Missing,
    Literal(Lit),
    /// A value of the kernel's answer: index into [`super::program::Program::exports`].
    Export(u32),
    /// Where the customer stands in a ranking.
    Rank {
        ranking: u32,
        scale: RankScale,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Val>,
        right: Box<Val>,
    },
}
