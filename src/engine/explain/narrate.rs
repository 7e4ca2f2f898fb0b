//! Patterns, terms and stories in the words of the language.
//!
//! Owns: what each shared part of a lowered program says. Promises: pure; every number in the program leads to words.
//! Must not know: who uses a part.

use super::words;
use crate::engine::plan::lower::Parts;
use crate::engine::plan::program::{Agg, Operand, Period, Pred, Rows, Val};
use crate::engine::plan::story::{
    Absence, Anchor, Calculation, Chain, Deed, End, Fold, Frame, Inside, Rest, Same, Side, Story,
};
use crate::language::calendar::Clock;
use crate::language::catalog::{Catalog, ColumnRef, EventId};
use crate::language::ir::PeriodUnit;

/// Speaks of one lowered program.
pub struct Narrator<'a> {
    catalog: &'a Catalog,
    parts: &'a Parts,
    clock: &'a Clock,
    /// Branch, kind and predicate of each pattern.
    places: Vec<Option<(usize, usize, &'a Pred)>>,
}

/// What a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// `purchased`, `profile`, `list suppressed`.
    pub of: String,
    /// What `where` asks; nothing where all rows match.
    pub condition: Option<String>,
}

impl Matched {
    /// `purchased where (category = anti-aging)`
    pub fn words(&self) -> String {
        match &self.condition {
            Some(condition) => format!("{} where ({condition})", self.of),
            None => self.of.clone(),
        }
    }
}

impl<'a> Narrator<'a> {
    pub fn new(catalog: &'a Catalog, parts: &'a Parts, clock: &'a Clock) -> Narrator<'a> {
        let mut places = vec![None; parts.program.patterns as usize];
        for (b, lowered) in parts.branches.iter().enumerate() {
            for (k, kind) in lowered.branch.kinds.iter().enumerate() {
                for (pattern, pred) in &kind.patterns {
                    if let Some(place) = places.get_mut(*pattern as usize) {
                        *place = Some((b, k, pred));
                    }
                }
            }
        }
        Narrator { catalog, parts, clock, places }
    }

    /// Branch and kind of a pattern.
    pub fn place(&self, pattern: u32) -> Option<(usize, usize)> {
        self.places.get(pattern as usize).copied().flatten().map(|(b, k, _)| (b, k))
    }

    pub fn pattern(&self, pattern: u32) -> Matched {
        let Some(&Some((b, k, pred))) = self.places.get(pattern as usize) else {
            return Matched { of: "nothing".into(), condition: None };
        };
        let condition = match pred {
            Pred::Const(true) => None,
            pred => Some(self.pred(b, k, pred, false, false)),
        };
        Matched { of: self.kind(b, k), condition }
    }

    /// The event's name, or what else the rows are.
    pub fn kind(&self, b: usize, k: usize) -> String {
        let Some(lowered) = self.parts.branches.get(b) else { return "nothing".into() };
        match lowered.branch.rows {
            Rows::Profile | Rows::Late => "profile".into(),
            Rows::List => format!("list {}", lowered.branch.label),
            Rows::Event | Rows::Recorded => {
                let event = lowered.branch.kinds.get(k).and_then(|kind| kind.event);
                event.map_or_else(|| "nothing".into(), |e| self.event(e))
            }
        }
    }

    fn event(&self, e: u32) -> String {
        self.catalog.event(EventId(e)).map_or_else(|| "nothing".into(), |e| e.name.name.clone())
    }

    /// What the catalog asks of the rows of an event before they are one.
    pub fn filter(&self, b: usize, k: usize) -> Option<String> {
        let kind = self.parts.branches.get(b)?.branch.kinds.get(k)?;
        Some(self.pred(b, k, kind.filter.as_ref()?, false, false))
    }

    /// The property or attribute that a column of a branch is.
    fn column(&self, b: usize, k: usize, c: u32) -> String {
        let missing = || "nothing".to_owned();
        let Some(lowered) = self.parts.branches.get(b) else { return missing() };
        let Some(at) = lowered.refs.get(c as usize) else { return missing() };
        let (ColumnRef::Own(plain) | ColumnRef::Lookup { column: plain, .. }) = at;
        let event = lowered.branch.kinds.get(k).and_then(|kind| self.catalog.event(EventId(kind.event?)));
        let name = match event {
            Some(event) => event.properties.iter().find(|p| p.column == *at).map(|p| &p.name.name),
            None => self.catalog.attributes().iter().find(|a| a.column == *plain).map(|a| &a.name.name),
        };
        name.unwrap_or(plain).clone()
    }

    /// The property that a measure of a pattern is.
    fn measure(&self, pattern: u32, channel: u32) -> String {
        let Some((b, k)) = self.place(pattern) else { return "nothing".into() };
        let lowered = self.parts.branches.get(b);
        let column = lowered.and_then(|l| l.ints.iter().chain(&l.texts).find(|(c, _)| *c == channel));
        column.map_or_else(|| "nothing".into(), |(_, c)| self.column(b, k, *c))
    }

    fn pred(&self, b: usize, k: usize, pred: &Pred, not: bool, inner: bool) -> String {
        let (all, word) = match pred {
            Pred::Const(yes) => return if *yes != not { "anything" } else { "nothing" }.into(),
            Pred::Not(part) => return self.pred(b, k, part, !not, inner),
            Pred::Test(test) => {
                let value = |operand: &Operand| match operand {
                    Operand::Literal(lit) => words::literal(lit, &self.clock.zone),
                    Operand::Column(c) => self.column(b, k, *c),
                    Operand::Hour => "hour".into(),
                    Operand::Weekday => "weekday".into(),
                    Operand::Date => "date".into(),
                };
                return words::test(test, not, &self.clock.zone, &value);
            }
            Pred::And(all) => (all, "and"),
            Pred::Or(all) => (all, "or"),
        };
        let parts = all.iter().map(|p| self.pred(b, k, p, false, true));
        joined(parts, word, not, inner)
    }

    // --- terms

    /// `sum(amount of purchased where (…) in 90d)`
    pub fn term(&self, term: u32) -> String {
        let Some(term) = self.parts.program.terms.get(term as usize) else { return "nothing".into() };
        let of = self.pattern(term.pattern);
        let profile = self.place(term.pattern).and_then(|(b, _)| self.parts.branches.get(b));
        match profile.map(|lowered| lowered.branch.rows) {
            // A list, and a test on the profile, have no time and no number.
            Some(Rows::List) => return of.words(),
            Some(Rows::Profile | Rows::Late) => {
                return match term.agg.channel() {
                    Some(channel) => format!("{} of profile", self.measure(term.pattern, channel)),
                    None => of.words(),
                };
            }
            _ => {}
        }
        let window = self.window(term.lo, term.hi);
        let of = if window.is_empty() { of.words() } else { format!("{} {window}", of.words()) };
        let measure = |channel| self.measure(term.pattern, channel);
        match term.agg {
            Agg::Count => format!("count({of})"),
            Agg::Periods(unit) => format!("{}s with {of}", words::period(period(unit))),
            Agg::CountKnown(c) => format!("count({} of {of})", measure(c)),
            Agg::Distinct(c) => format!("distinct({} of {of})", measure(c)),
            Agg::Sum(c) | Agg::SumFloat(c) => format!("sum({} of {of})", measure(c)),
            Agg::Min(c) | Agg::MinFloat(c) => format!("min({} of {of})", measure(c)),
            Agg::Max(c) | Agg::MaxFloat(c) => format!("max({} of {of})", measure(c)),
            Agg::First => format!("first {of}"),
            Agg::Last => format!("last {of}"),
        }
    }

    /// The window of an interval in words; nothing where it is ever.
    pub fn window(&self, lo: i64, hi: i64) -> String {
        words::window(self.parts.windows.get(&(lo, hi)), (lo, hi), self.clock.as_of, &self.clock.zone)
    }

    // --- stories

    pub fn story(&self, story: u32) -> String {
        let Some(story) = self.parts.program.stories.get(story as usize) else { return "nothing".into() };
        match story {
            Story::Fold { deed, frame, fold } => self.fold(*deed, frame, *fold),
            Story::Same { same, frame } => self.same(same, &self.frame(frame)),
            Story::Pick { last, deed, frame } => {
                format!("{} {}{}", if *last { "last" } else { "first" }, self.deed(*deed), self.frame(frame))
            }
            Story::Chain { chain, frame } => self.chain(chain, &self.frame(frame)),
            Story::Visit { inside, frame } => {
                format!("({}) in one session{}", self.inside(inside, false, false), self.frame(frame))
            }
            Story::Stretch { length, inside, frame, .. } => {
                let inside = self.inside(inside, false, false);
                format!("({inside}) in any {}{}", words::length(*length), self.frame(frame))
            }
        }
    }

    fn deed(&self, deed: u32) -> String {
        let Some(Deed { pattern, rest, .. }) = self.parts.program.deeds.get(deed as usize) else {
            return "nothing".into();
        };
        let mut of = self.pattern(*pattern);
        if let Some(rest) = rest {
            let rest = self.rest(rest, false, of.condition.is_some());
            of.condition = Some(match of.condition {
                Some(condition) => format!("{condition} and {rest}"),
                None => rest,
            });
        }
        of.words()
    }

    fn rest(&self, rest: &Rest, not: bool, inner: bool) -> String {
        let (all, word) = match rest {
            Rest::Const(yes) => return if *yes != not { "anything" } else { "nothing" }.into(),
            Rest::Not(part) => return self.rest(part, !not, inner),
            Rest::Pattern(p) | Rest::Row(p) => {
                let condition = self.pattern(*p).condition.unwrap_or_else(|| "anything".into());
                return if not { format!("not ({condition})") } else { condition };
            }
            Rest::Test(test) => {
                let value = |side: &Side| match side {
                    Side::Customer(val) => self.value(val),
                    Side::Event(read) => self.read(*read),
                    Side::Hour => "hour".into(),
                    Side::Weekday => "weekday".into(),
                    Side::Date => "date".into(),
                };
                return words::test(test, not, &self.clock.zone, &value);
            }
            Rest::And(all) => (all, "and"),
            Rest::Or(all) => (all, "or"),
        };
        let parts = all.iter().map(|p| self.rest(p, false, true));
        joined(parts, word, not, inner)
    }

    fn read(&self, read: u32) -> String {
        let read = self.parts.program.reads.get(read as usize);
        read.map_or_else(|| "nothing".into(), |read| self.measure(read.pattern, read.channel))
    }

    /// A value of a customer.
    fn value(&self, value: &Val) -> String {
        match value {
            Val::Literal(lit) => words::literal(lit, &self.clock.zone),
            Val::Term { term, .. } => self.term(*term),
            Val::Average { sum, .. } => self.term(*sum).replacen("sum(", "avg(", 1),
            Val::DaysSince(term) | Val::DaysSinceDate(term) => format!("days since {}", self.term(*term)),
            Val::Story(story) => self.story(*story),
            Val::Combine { op, left, right } => {
                let sign = match op {
                    Calculation::Add => "+",
                    Calculation::Subtract => "-",
                    Calculation::Multiply => "*",
                    Calculation::Divide => "/",
                };
                format!("({} {sign} {})", self.value(left), self.value(right))
            }
        }
    }

    /// The window behind a phrase, with a blank before it.
    fn frame(&self, frame: &Frame) -> String {
        let mut out = String::new();
        let window = self.window(frame.lo, frame.hi);
        if !window.is_empty() {
            out.push_str(&format!(" {window}"));
        }
        if let Some(Anchor { last, back, deed }) = frame.since {
            let which = if last { "last" } else { "first" };
            let back = if back > 1 { format!(" {back}") } else { String::new() };
            out.push_str(&format!(" since {which}{back} {}", self.deed(deed)));
        }
        out
    }

    fn fold(&self, deed: u32, frame: &Frame, fold: Fold) -> String {
        let of = format!("{}{}", self.deed(deed), self.frame(frame));
        let call = |name: &str, read| format!("{name}({} of {of})", self.read(read));
        match fold {
            Fold::Count => format!("count({of})"),
            Fold::Periods(unit) => format!("{}s with {of}", words::period(period(unit))),
            Fold::Distinct(r) => call("distinct", r),
            Fold::Sum(r) => call("sum", r),
            Fold::Average(r) => call("avg", r),
            Fold::Min(r) => call("min", r),
            Fold::Max(r) => call("max", r),
            Fold::Percentile(r, 500_000) => call("median", r),
            Fold::Percentile(r, millionths) => {
                let percent = format!("{}", f64::from(millionths) / 10_000.0);
                format!("percentile({} of {of}, {percent})", self.read(r))
            }
            Fold::First(r) => call("first", r),
            Fold::Last(r) => call("last", r),
            Fold::MostFrequent(r) => call("most_frequent", r),
            Fold::DaysSinceFirst => format!("days since first {of}"),
            Fold::DaysSinceLast => format!("days since last {of}"),
        }
    }

    fn same(&self, same: &Same, behind: &str) -> String {
        let without = match same.without {
            Some((deed, _)) => format!(" without {}", self.deed(deed)),
            None => String::new(),
        };
        format!("{} ≥ {} of same {}{behind}{without}", self.deed(same.deed), same.n, self.read(same.read))
    }

    fn chain(&self, chain: &Chain, behind: &str) -> String {
        let mut out = String::new();
        let mut same = None;
        for (i, step) in chain.steps.iter().enumerate() {
            let pick = match step.pick {
                Some(End::First) => "first ",
                Some(End::Last) => "last ",
                None => "",
            };
            if i > 0 {
                out.push_str(" then ");
            }
            out.push_str(&format!("{pick}{}", self.deed(step.deed)));
            if i == 0 {
                out.push_str(behind);
            }
            for (word, length) in [("after", step.after), ("within", step.within)] {
                if let Some(length) = length {
                    out.push_str(&format!(" {word} {}", words::length(length)));
                }
            }
            if let Some((deed, _)) = step.without {
                out.push_str(&format!(" without {}", self.deed(deed)));
            }
            same = same.or(step.same);
        }
        if let Some(Absence { deed, within, .. }) = chain.absence {
            out.push_str(&format!(" then no {}", self.deed(deed)));
            if let Some(within) = within {
                out.push_str(&format!(" within {}", words::length(within)));
            }
        }
        if let Some(length) = chain.all_within {
            out.push_str(&format!(" all within {}", words::length(length)));
        }
        if let Some(read) = same {
            out.push_str(&format!(" with same {}", self.read(read)));
        }
        out
    }

    fn inside(&self, inside: &Inside, not: bool, inner: bool) -> String {
        let (all, word) = match inside {
            Inside::Const(yes) => return if *yes != not { "anything" } else { "nothing" }.into(),
            Inside::Not(part) => return self.inside(part, !not, inner),
            Inside::Count { deed, periods, op, n } => {
                let n = words::compared(*op, &words::literal(n, &self.clock.zone));
                let words = match periods {
                    None => format!("{} {n}", self.deed(*deed)),
                    Some(unit) => format!("{} on {n} {}s", self.deed(*deed), words::period(period(*unit))),
                };
                return if not { format!("not ({words})") } else { words };
            }
            Inside::Same(same) => return negated(self.same(same, ""), not),
            Inside::Chain(chain) => return negated(self.chain(chain, ""), not),
            Inside::And(all) => (all, "and"),
            Inside::Or(all) => (all, "or"),
        };
        let parts = all.iter().map(|p| self.inside(p, false, true));
        joined(parts, word, not, inner)
    }
}

fn period(unit: Period) -> PeriodUnit {
    unit.into()
}

fn negated(words: String, not: bool) -> String {
    if not { format!("not ({words})") } else { words }
}

/// Parts with a word between them, in parentheses where they stand inside of others.
fn joined(parts: impl Iterator<Item = String>, word: &str, not: bool, inner: bool) -> String {
    let parts: Vec<String> = parts.collect();
    let text = parts.join(&format!(" {word} "));
    match (not, parts.len()) {
        (true, _) => format!("not ({text})"),
        (false, 2..) if inner => format!("({text})"),
        _ => text,
    }
}

/// What a term is, in one word.
pub fn aggregate(agg: Agg) -> &'static str {
    match agg {
        Agg::Count => "count",
        Agg::Periods(_) => "periods",
        Agg::CountKnown(_) => "known",
        Agg::Distinct(_) => "distinct",
        Agg::Sum(_) | Agg::SumFloat(_) => "sum",
        Agg::Min(_) | Agg::MinFloat(_) => "min",
        Agg::Max(_) | Agg::MaxFloat(_) => "max",
        Agg::First => "first",
        Agg::Last => "last",
    }
}

/// What a story is, in one word.
pub fn kind(story: &Story) -> &'static str {
    match story {
        Story::Fold { .. } => "value",
        Story::Same { .. } => "same",
        Story::Pick { .. } => "pick",
        Story::Chain { .. } => "sequence",
        Story::Visit { .. } => "session",
        Story::Stretch { .. } => "stretch",
    }
}
