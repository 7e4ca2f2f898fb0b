//! The program as data: what travels to the operators as a literal.
//!
//! Owns: patterns, terms and nodes, with every window resolved to instants. Promises: plain data that serialises, compares and
//! hashes, so that equal parts are shared. Must not know: DataFusion, the catalog.

use serde::{Deserialize, Serialize};

use super::story::{Calculation, Deed, Read, Story};
use crate::language::ir;
use crate::language::num::Num;

/// What one branch of the plan reads and which patterns its rows match: the literal of `event_slot`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Branch {
    pub rows: Rows,
    /// As in messages: the source's name, or `profiles`, or the list's name.
    pub label: String,
    /// Index for the counters of the run.
    pub counter: u32,
    /// Only one branch of a source counts its rows.
    pub counts: bool,
    /// The reader lets only rows pass whose raw names somebody asks for, and has counted all rows and names.
    pub sifted: bool,
    pub columns: Vec<ColumnSpec>,
    pub kinds: Vec<Kind>,
    /// Rows that match no pattern matter too (for the population or for the first trace).
    pub keep_all: bool,
    /// Rows at or after this instant never happened.
    pub as_of: i64,
    pub zone: String,
}

impl Branch {
    /// Whether most rows match a pattern, as far as that is known: most kinds are asked for whatever their values are, and whenever
    /// anything is asked for. Of sifted rows none are of other kinds than those that are asked for.
    pub fn keeps_most(&self, sifted: bool) -> bool {
        let windows = self.kinds.iter().flat_map(|kind| (0..kind.patterns.len()).map(|p| kind.window(p)));
        let Some((lo, hi)) = windows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { return self.keep_all };
        let always = |kind: &Kind, p: usize| matches!(kind.window(p), (from, to) if from <= lo && hi <= to);
        let whole = |kind: &&Kind| {
            let mut patterns = kind.patterns.iter().enumerate();
            kind.filter.is_none() && patterns.any(|(p, (_, pred))| *pred == Pred::Const(true) && always(kind, p))
        };
        let here = || self.kinds.iter().filter(|kind| kind.is_asked() || !(sifted || kind.foreign));
        self.keep_all || 2 * here().filter(whole).count() >= here().count()
    }
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rows {
    Event = 0,
    Profile = 1,
    List = 2,
    /// A profile created at or after the as-of instant: its customer is left out.
    Late = 3,
    /// What runs left behind: an event in all but that it tells of no customer.
    Recorded = 4,
}

impl Rows {
    /// Whether it happened at its time.
    pub fn happens(self) -> bool {
        matches!(self, Rows::Event | Rows::Recorded)
    }

    /// The same of a slot's kind of row.
    pub fn is_timed(rows: u8) -> bool {
        rows == Rows::Event as u8 || rows == Rows::Recorded as u8
    }
}

/// One event of a source (or the one kind of row of a profile or list).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kind {
    /// Index for the counters.
    pub event: Option<u32>,
    /// `None`: all rows.
    pub exact: Option<Vec<String>>,
    pub prefixes: Vec<String>,
    pub filter: Option<Pred>,
    /// Global pattern number and what it asks.
    pub patterns: Vec<(u32, Pred)>,
    /// For each of the patterns the interval `[lo, hi)` outside of which nobody asks for it; any time where it is not said.
    pub windows: Vec<(i64, i64)>,
    /// Another branch reads these rows; here they are only known.
    pub foreign: bool,
}

impl Kind {
    /// Whether a pattern asks for rows of the kind.
    pub fn is_asked(&self) -> bool {
        !self.foreign && !self.patterns.is_empty()
    }

    /// Whether rows of this raw name may be of the kind.
    pub fn takes(&self, name: Option<&str>) -> bool {
        match (&self.exact, name) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(exact), Some(name)) => {
                exact.iter().any(|e| e == name) || self.prefixes.iter().any(|p| name.starts_with(p.as_str()))
            }
        }
    }

    /// When one of the patterns matters.
    pub fn window(&self, pattern: usize) -> (i64, i64) {
        self.windows.get(pattern).copied().unwrap_or((i64::MIN, i64::MAX))
    }
}

/// How a raw column becomes a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnSpec {
    pub ty: Ty,
    pub fold: bool,
    pub empty_is_value: bool,
    /// Zone of times that carry none.
    pub zone: String,
    /// The project's zone: what date an instant falls on.
    pub project_zone: String,
    /// Microseconds of one unit of an integer time, as numerator and denominator.
    pub unit: Option<(i64, i64)>,
    /// The place, as in messages: "column `x` of source `y`".
    pub label: String,
}

/// A catalog type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ty {
    Text,
    Integer,
    Money(u8),
    Number,
    YesNo,
    Date,
    Instant,
    List,
}

/// The whole evaluation of one customer: the literal of `history`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Program {
    pub as_of: i64,
    pub zone: String,
    /// Number of integer and of text measure columns; the text ones come behind.
    pub int_channels: u32,
    pub text_channels: u32,
    pub patterns: u32,
    pub terms: Vec<Term>,
    /// Measures that stories read.
    pub reads: Vec<Read>,
    pub deeds: Vec<Deed>,
    /// A story refers only to deeds and stories before it: those of a deed's rest stand before whatever asks for the deed.
    pub stories: Vec<Story>,
    /// For each story how many deeds stand before it.
    pub deeds_before: Vec<u32>,
    /// Patterns of the events that make up visits, where a story asks for visits.
    pub visit_patterns: Vec<u32>,
    /// The longest gap in a visit, in microseconds.
    pub visit_gap: i64,
    /// A node refers only to nodes before it.
    pub nodes: Vec<Node>,
    /// The nodes whose bits are the answer.
    pub wanted: Vec<u32>,
    /// The values that stand behind the bits.
    pub exports: Vec<Val>,
    /// The node of each list that is counted.
    pub lists: Vec<u32>,
    pub profiles_count: bool,
    pub events_count: bool,
    /// Customers in no rule are left out of the answer; the population is not asked for.
    #[serde(default)]
    pub members_only: bool,
    /// The node of whoever is not in the population, whatever else his rows say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u32>,
}

/// An aggregate of one pattern over one interval `[lo, hi)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Term {
    pub pattern: u32,
    pub lo: i64,
    pub hi: i64,
    pub agg: Agg,
}

/// The number is a measure column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Agg {
    Count,
    Periods(Period),
    /// How many rows have a value.
    CountKnown(u32),
    Distinct(u32),
    Sum(u32),
    SumFloat(u32),
    Min(u32),
    Max(u32),
    MinFloat(u32),
    MaxFloat(u32),
    First,
    Last,
}

impl Agg {
    /// The measure that it reads.
    pub fn channel(self) -> Option<u32> {
        match self {
            Agg::Count | Agg::Periods(_) | Agg::First | Agg::Last => None,
            Agg::CountKnown(c)
            | Agg::Distinct(c)
            | Agg::Sum(c)
            | Agg::SumFloat(c)
            | Agg::Min(c)
            | Agg::Max(c)
            | Agg::MinFloat(c)
            | Agg::MaxFloat(c) => Some(c),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Node {
    Const(bool),
    And(Vec<u32>),
    Or(Vec<u32>),
    Not(u32),
    /// The count of the term lies in `[lo, hi]`.
    Range {
        term: u32,
        lo: i64,
        hi: i64,
    },
    /// The picked time exists and lies in `[lo, hi)`.
    Time {
        term: u32,
        lo: i64,
        hi: i64,
    },
    /// The first trace is at or before the instant.
    Trace(i64),
    /// The story says yes.
    Story(u32),
    Test(Test<Val>),
}

/// A value of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Val {
    Literal(Lit),
    Term {
        term: u32,
        ty: Ty,
    },
    Average {
        sum: u32,
        known: u32,
        ty: Ty,
    },
    DaysSince(u32),
    DaysSinceDate(u32),
    Story(u32),
    /// Missing where a side is.
    Combine {
        op: Calculation,
        left: Box<Val>,
        right: Box<Val>,
    },
}

/// A constant, with floats as bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lit {
    /// Upper and lower half of the units, scale.
    Exact(i64, u64, u8),
    Float(u64),
    Text(String),
    YesNo(bool),
    Date(i32),
    Instant(i64),
}

impl Lit {
    pub fn num(num: Num) -> Lit {
        match num {
            Num::Exact { units, scale } => Lit::Exact((units >> 64) as i64, units as u64, scale),
            Num::Float(x) => Lit::Float(x.to_bits()),
        }
    }

    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            Lit::Exact(high, low, scale) => {
                Scalar::Num(Num::Exact { units: (i128::from(*high) << 64) | i128::from(*low), scale: *scale })
            }
            Lit::Float(bits) => Scalar::Num(Num::Float(f64::from_bits(*bits))),
            Lit::Text(text) => Scalar::Text(text),
            Lit::YesNo(yes) => Scalar::YesNo(*yes),
            Lit::Date(days) => Scalar::Date(*days),
            Lit::Instant(at) => Scalar::Instant(*at),
        }
    }
}

/// A value at work.
#[derive(Debug, Clone, Copy)]
pub enum Scalar<'a> {
    Num(Num),
    Text(&'a str),
    YesNo(bool),
    Date(i32),
    Instant(i64),
    List(&'a [String]),
}

/// A condition on one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pred {
    Const(bool),
    And(Vec<Pred>),
    Or(Vec<Pred>),
    Not(Box<Pred>),
    Test(Test<Operand>),
}

/// A value of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operand {
    Literal(Lit),
    Column(u32),
    Hour,
    Weekday,
    Date,
}

/// See [`ir::Test`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Test<V> {
    Compare {
        left: V,
        op: Cmp,
        right: V,
    },
    OneOf {
        value: V,
        among: Vec<Lit>,
        negated: bool,
    },
    Text {
        value: V,
        how: How,
        pattern: String,
        fold: bool,
    },
    Has {
        value: V,
        among: Vec<String>,
    },
    Known(V),
    During {
        value: V,
        instants: (i64, i64),
        dates: (i32, i32),
    },
    /// See [`crate::language::calendar::returns`].
    Anniversary {
        value: V,
        dates: (i32, i32),
    },
    Yes(V),
}

impl<V> Test<V> {
    /// The values that are asked for.
    pub fn values(&self) -> Vec<&V> {
        match self {
            Test::Compare { left, op: _, right } => vec![left, right],
            Test::OneOf { value, .. }
            | Test::Text { value, .. }
            | Test::Has { value, .. }
            | Test::Known(value)
            | Test::During { value, .. }
            | Test::Anniversary { value, .. }
            | Test::Yes(value) => vec![value],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl From<ir::Op> for Cmp {
    fn from(op: ir::Op) -> Cmp {
        match op {
            ir::Op::Eq => Cmp::Eq,
            ir::Op::Ne => Cmp::Ne,
            ir::Op::Lt => Cmp::Lt,
            ir::Op::Le => Cmp::Le,
            ir::Op::Gt => Cmp::Gt,
            ir::Op::Ge => Cmp::Ge,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum How {
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}

impl From<ir::TextTest> for How {
    fn from(how: ir::TextTest) -> How {
        match how {
            ir::TextTest::Contains => How::Contains,
            ir::TextTest::StartsWith => How::StartsWith,
            ir::TextTest::EndsWith => How::EndsWith,
            ir::TextTest::Matches => How::Matches,
        }
    }
}

impl From<ir::PeriodUnit> for Period {
    fn from(unit: ir::PeriodUnit) -> Period {
        match unit {
            ir::PeriodUnit::Day => Period::Day,
            ir::PeriodUnit::Week => Period::Week,
            ir::PeriodUnit::Month => Period::Month,
            ir::PeriodUnit::Quarter => Period::Quarter,
            ir::PeriodUnit::Year => Period::Year,
        }
    }
}

impl From<Period> for ir::PeriodUnit {
    fn from(unit: Period) -> ir::PeriodUnit {
        match unit {
            Period::Day => ir::PeriodUnit::Day,
            Period::Week => ir::PeriodUnit::Week,
            Period::Month => ir::PeriodUnit::Month,
            Period::Quarter => ir::PeriodUnit::Quarter,
            Period::Year => ir::PeriodUnit::Year,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(patterns: &[(Pred, (i64, i64))]) -> Kind {
        Kind {
            patterns: patterns.iter().map(|(pred, _)| (0, pred.clone())).collect(),
            windows: patterns.iter().map(|(_, window)| *window).collect(),
            ..Kind::default()
        }
    }

    #[test]
    fn most_rows_are_kept_where_kinds_are_asked_for_whatever_they_hold() {
        let branch = |kinds: Vec<Kind>| Branch {
            rows: Rows::Event,
            label: "shop".into(),
            counter: 0,
            counts: true,
            sifted: false,
            columns: Vec::new(),
            kinds,
            keep_all: false,
            as_of: 100,
            zone: "UTC".into(),
        };
        let (any, some) = (Pred::Const(true), Pred::Or(Vec::new()));
        let (wide, narrow) = ((0, 100), (90, 100));
        let whole = || kind(&[(any.clone(), wide), (some.clone(), narrow)]);
        let short = || kind(&[(any.clone(), narrow)]);
        let few = || kind(&[(some.clone(), wide)]);
        let unasked = Kind::default;
        for (kinds, all, sifted) in [
            (vec![whole()], true, true),
            (vec![few()], false, false),
            (vec![whole(), short()], true, true),
            (vec![whole(), short(), few()], false, false),
            // The reader lets nothing pass that nobody asks for.
            (vec![whole(), unasked(), unasked()], false, true),
            (vec![whole(), Kind { foreign: true, ..unasked() }], true, true),
            (vec![Kind { filter: Some(some.clone()), ..whole() }], false, false),
        ] {
            let branch = branch(kinds);
            assert_eq!((branch.keeps_most(false), branch.keeps_most(true)), (all, sifted), "{branch:?}");
        }
        assert!(Branch { keep_all: true, ..branch(vec![few()]) }.keeps_most(false));
        assert!(!branch(vec![unasked()]).keeps_most(false));
    }
}
