//! Stories as data: what is worked out of one customer's entries in the order of time.
//!
//! Owns: the parts of a program that are more than an aggregate of one pattern over one interval. Promises: plain data that
//! serialises, compares and hashes, so that equal parts are shared; a story asks only for deeds and stories before it.
//! Must not know: DataFusion, the catalog.

use serde::{Deserialize, Serialize};

use super::program::{Cmp, Lit, Period, Test, Ty, Val};
use crate::language::ir;

/// Events of one kind that match.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deed {
    /// One row may be two events; those are two, whatever they share.
    pub event: u32,
    pub pattern: u32,
    /// What depends on the customer too.
    pub rest: Option<Rest>,
}

/// A condition on an event and its customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rest {
    Const(bool),
    And(Vec<Rest>),
    Or(Vec<Rest>),
    Not(Box<Rest>),
    /// The event has the pattern.
    Pattern(u32),
    /// The customer has a row with the pattern.
    Row(u32),
    Test(Test<Side>),
}

/// A value of an event or of its customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    Customer(Val),
    /// Number of a read.
    Event(u32),
    Hour,
    Weekday,
    Date,
}

/// A measure of the entries with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Read {
    pub pattern: u32,
    pub channel: u32,
    pub ty: Ty,
}

/// The last deed but `back − 1`, or the first; see [`ir::Anchor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    pub last: bool,
    pub back: u32,
    pub deed: u32,
}

/// The interval `[lo, hi)`, as far as it lies behind the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    pub lo: i64,
    pub hi: i64,
    pub since: Option<Anchor>,
}

/// What is made of deeds; numbers are reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fold {
    Count,
    Periods(Period),
    Distinct(u32),
    Sum(u32),
    Average(u32),
    Min(u32),
    Max(u32),
    /// In millionths.
    Percentile(u32, u32),
    First(u32),
    Last(u32),
    MostFrequent(u32),
    DaysSinceFirst,
    DaysSinceLast,
}

/// Worked out for each customer: a value, or yes and no.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Story {
    /// Missing where there is no anchor.
    Fold {
        deed: u32,
        frame: Frame,
        fold: Fold,
    },
    Same {
        same: Same,
        frame: Frame,
    },
    /// The first (last) deed of all lies in the frame.
    Pick {
        last: bool,
        deed: u32,
        frame: Frame,
    },
    Chain {
        chain: Chain,
        frame: Frame,
    },
    /// See [`ir::Cond::InSession`].
    Visit {
        inside: Inside,
        frame: Frame,
    },
    /// See [`ir::Cond::InAny`].
    Stretch {
        length: Length,
        inside: Inside,
        starts: Vec<u32>,
        frame: Frame,
    },
}

/// See [`ir::Cond::Same`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Same {
    pub deed: u32,
    pub read: u32,
    pub n: u64,
    /// Deed and read.
    pub without: Option<(u32, u32)>,
}

/// A condition on what lies in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Inside {
    Const(bool),
    And(Vec<Inside>),
    Or(Vec<Inside>),
    Not(Box<Inside>),
    /// The number of deeds, or of the periods that they fall in.
    Count {
        deed: u32,
        periods: Option<Period>,
        op: Cmp,
        n: Lit,
    },
    Same(Same),
    Chain(Chain),
}

/// See [`ir::Sequence`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chain {
    pub steps: Vec<Step>,
    pub all_within: Option<Length>,
    pub absence: Option<Absence>,
}

/// See [`ir::Step`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    pub deed: u32,
    /// Only those at the first, or the last, instant.
    pub pick: Option<End>,
    pub after: Option<Length>,
    pub within: Option<Length>,
    /// Deed and, where the chain has one value throughout, its read.
    pub without: Option<(u32, Option<u32>)>,
    pub same: Option<u32>,
}

/// See [`ir::Absence`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Absence {
    pub deed: u32,
    pub within: Option<Length>,
    pub same: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum End {
    First,
    Last,
}

impl From<ir::End> for End {
    fn from(end: ir::End) -> End {
        match end {
            ir::End::First => End::First,
            ir::End::Last => End::Last,
        }
    }
}

/// See [`ir::Length`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Length {
    pub amount: u32,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl From<ir::Length> for Length {
    fn from(length: ir::Length) -> Length {
        let unit = match length.unit {
            ir::Unit::Second => Unit::Second,
            ir::Unit::Minute => Unit::Minute,
            ir::Unit::Hour => Unit::Hour,
            ir::Unit::Day => Unit::Day,
            ir::Unit::Week => Unit::Week,
            ir::Unit::Month => Unit::Month,
            ir::Unit::Year => Unit::Year,
        };
        Length { amount: length.amount, unit }
    }
}

impl From<Length> for ir::Length {
    fn from(length: Length) -> ir::Length {
        let unit = match length.unit {
            Unit::Second => ir::Unit::Second,
            Unit::Minute => ir::Unit::Minute,
            Unit::Hour => ir::Unit::Hour,
            Unit::Day => ir::Unit::Day,
            Unit::Week => ir::Unit::Week,
            Unit::Month => ir::Unit::Month,
            Unit::Year => ir::Unit::Year,
        };
        ir::Length { amount: length.amount, unit }
    }
}

/// What combines two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Calculation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl From<ir::Arithmetic> for Calculation {
    fn from(op: ir::Arithmetic) -> Calculation {
        match op {
            ir::Arithmetic::Add => Calculation::Add,
            ir::Arithmetic::Subtract => Calculation::Subtract,
            ir::Arithmetic::Multiply => Calculation::Multiply,
            ir::Arithmetic::Divide => Calculation::Divide,
        }
    }
}

impl From<Calculation> for ir::Arithmetic {
    fn from(op: Calculation) -> ir::Arithmetic {
        match op {
            Calculation::Add => ir::Arithmetic::Add,
            Calculation::Subtract => ir::Arithmetic::Subtract,
            Calculation::Multiply => ir::Arithmetic::Multiply,
            Calculation::Divide => ir::Arithmetic::Divide,
        }
    }
}
