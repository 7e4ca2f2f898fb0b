//! Values of a customer and of an event.
//!
//! Owns: attributes, aggregates, arithmetic, and the operands of predicates. Promises: sums are exact or are not said.
//! Must not know: conditions on customers.

use super::read::{self, Kind, Reading, Said, Why, not};
use super::tests::{literal_value, to_float};
use super::text::{self, DAY};
use super::{Bool, Made, Val, Writer};
use crate::language::catalog::{AttributeId, EventId, PropertyId};
use crate::language::ir::{Aggregate, Anchor, Arithmetic, Behaviour, End, Matching, Operand, Pred, Value, Window};

/// The rows of a behaviour.
pub struct Rows {
    pub stream: usize,
    /// The conditions on the row `e`, and on the customer `c` if columns are read.
    pub filter: String,
    pub reads: usize,
    /// Whether there is an anchor, if there has to be one.
    pub anchored: Option<Bool>,
}

impl Rows {
    /// What a condition or value on the rows is where there is no anchor: unknown.
    pub fn guarded(&self, text: String, reads: usize) -> (String, usize) {
        match &self.anchored {
            None => (text, reads),
            Some(there) => (format!("CASE WHEN {} THEN {text} END", there.text), reads.max(there.reads)),
        }
    }
}

impl Writer<'_> {
    /// A condition on a row `e`.
    pub fn pred(&mut self, stream: usize, event: EventId, pred: &Pred) -> Said<Bool> {
        Ok(match pred {
            Pred::Const(yes) => Bool::new(if *yes { "TRUE" } else { "FALSE" }, true, 0),
            Pred::And(parts) => Bool::joined(self.preds(stream, event, parts)?, " AND ", "TRUE"),
            Pred::Or(parts) => Bool::joined(self.preds(stream, event, parts)?, " OR ", "FALSE"),
            Pred::Not(part) => self.pred(stream, event, part)?.negated(),
            Pred::Test(test) => self.test(test, &mut |me, operand| me.operand(stream, event, operand))?,
        })
    }

    fn preds(&mut self, stream: usize, event: EventId, parts: &[Pred]) -> Said<Vec<Bool>> {
        parts.iter().map(|p| self.pred(stream, event, p)).collect()
    }

    fn operand(&mut self, stream: usize, event: EventId, operand: &Operand) -> Said<Val> {
        let of = |text: String, kind: Kind| Val { text, kind, reads: 0, literal: None };
        Ok(match operand {
            Operand::Literal(literal) => literal_value(literal),
            Operand::Property(id) => {
                let (text, kind) = self.property(event, *id)?;
                of(text, kind)
            }
            Operand::Hour => {
                let (local, day) = (self.local_time(stream)?, self.day(stream)?);
                let hours: Vec<(i64, String)> =
                    (0..24).map(|hour| (hour * 3_600 * text::SECOND, hour.to_string())).collect();
                of(text::step(&format!("({local} - {day})"), &hours), Kind::Exact { scale: 0, digits: 2 })
            }
            Operand::Weekday => {
                let day = self.day(stream)?;
                let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                let days: Vec<(i64, String)> =
                    names.iter().zip(0..).map(|(name, day)| (day * DAY, text::text(name))).collect();
                // 1970-01-01 was a Thursday.
                let shifted = format!("({day} + {})", 3 * DAY);
                of(text::step(&format!("({shifted} - {})", text::floor(&shifted, 7 * DAY)), &days), Kind::Text)
            }
            Operand::Date => of(self.day(stream)?, Kind::Date),
            Operand::Customer(value) => self.value(value)?,
        })
    }

    /// Matching rows, whenever they were.
    pub fn matching(&mut self, matching: &Matching) -> Said<Rows> {
        let (stream, flag) = self.event(matching.event)?;
        let (mut parts, mut reads) = (vec![flag], 0);
        if let Some(pred) = &matching.pred {
            let pred = self.pred(stream, matching.event, pred)?;
            parts.push(pred.text);
            reads = pred.reads;
        }
        Ok(Rows { stream, filter: text::all(&parts), reads, anchored: None })
    }

    /// Matching rows in the window and after the anchor.
    pub fn during(&mut self, behaviour: &Behaviour) -> Said<Rows> {
        self.open(&behaviour.matching, &behaviour.window, behaviour.since.as_deref())
    }

    pub fn open(&mut self, matching: &Matching, window: &Window, since: Option<&Anchor>) -> Said<Rows> {
        let mut rows = self.matching(matching)?;
        let interval = self.clock.interval(window);
        let mut parts = vec![rows.filter];
        // The stream ends at the as-of instant by itself.
        let hi = if interval.hi == self.clock.as_of { i64::MAX } else { interval.hi };
        parts.extend(text::between("e.\"time\"", interval.lo, hi));
        self.from(rows.stream, interval.lo);
        if let Some(anchor) = since {
            let (at, reads) = self.anchor(anchor)?;
            parts.push(format!("e.\"time\" > {at}"));
            rows.reads = rows.reads.max(reads);
            rows.anchored = Some(Bool::new(format!("{at} IS NOT NULL"), true, reads));
        }
        rows.filter = text::all(&parts);
        Ok(rows)
    }

    /// The instant of an anchor.
    pub fn anchor(&mut self, anchor: &Anchor) -> Said<(String, usize)> {
        if anchor.back <= 1 {
            return self.picked(anchor.end, &anchor.matching);
        }
        let rows = self.matching(&anchor.matching)?;
        self.from(rows.stream, i64::MIN);
        let order = if anchor.end == End::First { "ASC" } else { "DESC" };
        let places = format!(
            "SELECT e.\"customer\", e.\"time\" AS \"value\", ROW_NUMBER() OVER (PARTITION BY e.\"customer\" ORDER BY e.\"time\" {order}) AS \"place\"\n      FROM {}\n      WHERE {}",
            self.joined(&rows),
            rows.filter
        );
        let body = format!(
            "SELECT q.\"customer\", q.\"value\"\n    FROM ({places}) q\n    WHERE q.\"place\" = {}",
            anchor.back
        );
        Ok(self.query(rows.reads, body, None))
    }

    /// The first or last instant of matching rows.
    pub fn picked(&mut self, end: End, matching: &Matching) -> Said<(String, usize)> {
        let rows = self.matching(matching)?;
        self.from(rows.stream, i64::MIN);
        let call = if end == End::First { "MIN(e.\"time\")" } else { "MAX(e.\"time\")" };
        Ok(self.aggregated(&rows, call, None))
    }

    /// The rows' table, with the customer's columns beside it if they are read.
    pub fn joined(&self, rows: &Rows) -> String {
        let table = self.rows(rows.stream, "e");
        match rows.reads {
            0 => table,
            reads => format!("{table}\n      JOIN c{} c ON c.\"customer\" = e.\"customer\"", reads - 1),
        }
    }

    /// An aggregate over rows, as a column.
    pub fn aggregated(&mut self, rows: &Rows, call: &str, otherwise: Option<&str>) -> (String, usize) {
        let call = format!("{call} FILTER (WHERE {})", rows.filter);
        let made = Made::Aggregate { stream: rows.stream, call, reads: rows.reads > 0 };
        self.column(rows.reads.max(1), made, otherwise)
    }

    /// A query's value, as a column.
    pub fn query(&mut self, reads: usize, body: String, otherwise: Option<&str>) -> (String, usize) {
        self.column(reads.max(1), Made::Query(body), otherwise)
    }

    /// The number of rows; unknown where the anchor is missing.
    pub fn count(&mut self, rows: &Rows) -> Val {
        let (text, reads) = self.aggregated(rows, "COUNT(*)", Some("0"));
        let (text, reads) = rows.guarded(text, reads);
        Val { text, kind: Kind::COUNT, reads, literal: None }
    }

    /// A value of the customer.
    pub fn value(&mut self, value: &Value) -> Said<Val> {
        let of = |text: String, kind: Kind, reads: usize| Val { text, kind, reads, literal: None };
        Ok(match value {
            Value::Literal(literal) => literal_value(literal),
            Value::Attribute(id) => self.attribute(*id)?,
            Value::Aggregate { function, behaviour } => self.aggregate(*function, behaviour)?,
            Value::Rate { of: part, per } => {
                let (part, per) = (self.during(part)?, self.during(per)?);
                let (part, per) = (self.count(&part), self.count(&per));
                let text = format!("{} / NULLIF({}, 0.0e0)", to_float(&part), to_float(&per));
                of(text, Kind::Float, part.reads.max(per.reads))
            }
            Value::Arithmetic { op, left, right } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let (left, right) = (self.number(&left)?, self.number(&right)?);
                self.arithmetic(*op, &left, &right)?
            }
            Value::Rank { rank, scale } => self.scaled(rank, *scale)?,
            Value::DaysSinceEvent { end, matching } => {
                let (text, reads) = self.picked(*end, matching)?;
                of(text, Kind::DaysSince, reads)
            }
            Value::DaysSinceAttribute(id) => {
                let at = self.attribute(*id)?;
                match at.kind {
                    Kind::Instant => of(at.text, Kind::DaysSince, at.reads),
                    Kind::Date => {
                        let today = text::date(self.clock.zone.date(self.clock.as_of));
                        let text = format!("CAST(({today} - {}) / {DAY} AS BIGINT)", at.text);
                        of(text, Kind::Exact { scale: 0, digits: 8 }, at.reads)
                    }
                    _ => return not("days since what is no date"),
                }
            }
        })
    }

    pub fn attribute(&mut self, id: AttributeId) -> Said<Val> {
        let Some(attribute) = self.catalog.attributes().get(id.index()) else { return not("an unknown attribute") };
        let (Some(profile), Some(opened)) = (&self.catalog.profile, &self.tables.profile) else {
            return not("an attribute without profiles");
        };
        let Some(found) = opened.column(&attribute.column) else { return not("a column that is not there") };
        let how = Reading {
            ty: attribute.ty,
            fold: attribute.fold,
            empty_is_value: attribute.empty_is_value,
            zone: profile.timezone.as_deref(),
        };
        let said = read::value(&format!("s.{}", text::name(&attribute.column)), found, how, &self.clock.zone);
        let (text, kind) = said.map_err(|Why(why)| Why(format!("`{}` is {why}", attribute.name.name)))?;
        let (text, reads) = self.column(0, Made::Profile(text), None);
        Ok(Val { text, kind, reads, literal: None })
    }

    fn aggregate(&mut self, function: Aggregate, behaviour: &Behaviour) -> Said<Val> {
        let rows = self.during(behaviour)?;
        let event = behaviour.matching.event;
        let plain = |me: &mut Self, call: String, otherwise: Option<&str>, kind: Kind| {
            let (text, reads) = me.aggregated(&rows, &call, otherwise);
            let (text, reads) = rows.guarded(text, reads);
            Val { text, kind, reads, literal: None }
        };
        Ok(match function {
            Aggregate::Count => self.count(&rows),
            Aggregate::Sum(id) => match self.property(event, id)? {
                (text, Kind::Exact { scale, .. }) => {
                    let call = format!("SUM(CAST({text} AS DECIMAL(38, {scale})))");
                    plain(self, call, Some("0"), Kind::Exact { scale, digits: 28 })
                }
                _ => return not("a sum of floats, which depends on their order"),
            },
            Aggregate::Avg(id) => match self.property(event, id)? {
                (text, Kind::Exact { scale, .. }) => {
                    let sum = format!("SUM(CAST({text} AS DECIMAL(38, {scale})))");
                    let sum = plain(self, sum, Some("0"), Kind::Exact { scale, digits: 28 });
                    let count = plain(self, format!("COUNT({text})"), Some("0"), Kind::COUNT);
                    let text = format!("{} / NULLIF({}, 0.0e0)", to_float(&sum), to_float(&count));
                    Val { text, kind: Kind::Float, reads: sum.reads.max(count.reads), literal: None }
                }
                _ => return not("an average of floats, which depends on their order"),
            },
            Aggregate::Min(id) | Aggregate::Max(id) => {
                let (text, kind) = self.property(event, id)?;
                if kind == Kind::YesNo {
                    return not("the least of yes and no");
                }
                let call = if matches!(function, Aggregate::Min(_)) { "MIN" } else { "MAX" };
                plain(self, format!("{call}({text})"), None, kind)
            }
            Aggregate::Distinct(id) => {
                let (text, _) = self.property(event, id)?;
                plain(self, format!("COUNT(DISTINCT {text})"), Some("0"), Kind::COUNT)
            }
            Aggregate::Percentile(..) => return not("medians and percentiles"),
            Aggregate::First(id) => self.picked_value(&rows, event, id, "ASC")?,
            Aggregate::Last(id) => self.picked_value(&rows, event, id, "DESC")?,
            Aggregate::MostFrequent(id) => {
                let (text, kind) = self.property(event, id)?;
                let joined = self.joined(&rows);
                let times = format!(
                    "SELECT e.\"customer\", {text} AS \"value\", COUNT(*) AS \"times\"\n        FROM {joined}\n        WHERE {} AND {text} IS NOT NULL\n        GROUP BY e.\"customer\", {text}",
                    rows.filter
                );
                let places = format!(
                    "SELECT q.\"customer\", q.\"value\", ROW_NUMBER() OVER (PARTITION BY q.\"customer\" ORDER BY q.\"times\" DESC, q.\"value\") AS \"place\"\n      FROM ({times}) q"
                );
                let body =
                    format!("SELECT p.\"customer\", p.\"value\"\n    FROM ({places}) p\n    WHERE p.\"place\" = 1");
                let (text, reads) = self.query(rows.reads, body, None);
                let (text, reads) = rows.guarded(text, reads);
                Val { text, kind, reads, literal: None }
            }
        })
    }

    /// The greatest known value at the first (last) instant.
    fn picked_value(&mut self, rows: &Rows, event: EventId, id: PropertyId, order: &str) -> Said<Val> {
        let (text, kind) = self.property(event, id)?;
        let joined = self.joined(rows);
        let places = format!(
            "SELECT e.\"customer\", {text} AS \"value\", RANK() OVER (PARTITION BY e.\"customer\" ORDER BY e.\"time\" {order}) AS \"place\"\n      FROM {joined}\n      WHERE {}",
            rows.filter
        );
        let body = format!(
            "SELECT q.\"customer\", MAX(q.\"value\") AS \"value\"\n    FROM ({places}) q\n    WHERE q.\"place\" = 1\n    GROUP BY q.\"customer\""
        );
        let (text, reads) = self.query(rows.reads, body, None);
        let (text, reads) = rows.guarded(text, reads);
        Ok(Val { text, kind, reads, literal: None })
    }

    /// A value as a number: whole days are counted where every day has 24 hours.
    pub fn number(&mut self, value: &Val) -> Said<Val> {
        match value.kind {
            Kind::Exact { .. } | Kind::Float => Ok(value.clone()),
            Kind::DaysSince if self.fixed_zone() => {
                let past = format!("({} - {})", text::instant(self.clock.as_of), value.text);
                let text = format!("CAST({} / {DAY} AS BIGINT)", text::floor(&past, DAY));
                Ok(Val { text, kind: Kind::Exact { scale: 0, digits: 10 }, reads: value.reads, literal: None })
            }
            Kind::DaysSince => not("days since an instant as a number, in a zone whose clock changes"),
            _ => not("arithmetic with what is no number"),
        }
    }

    fn arithmetic(&mut self, op: Arithmetic, left: &Val, right: &Val) -> Said<Val> {
        let reads = left.reads.max(right.reads);
        let exact = match (left.kind, right.kind) {
            (Kind::Exact { scale: a, digits: m }, Kind::Exact { scale: b, digits: n }) => Some((a, b, m, n)),
            _ => None,
        };
        let of = |text: String, kind: Kind| Ok(Val { text, kind, reads, literal: None });
        let sign = match op {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        };
        match (op, exact) {
            (Arithmetic::Add | Arithmetic::Subtract, Some((a, b, m, n))) => {
                let scale = a.max(b);
                let digits = (m + (scale - a)).max(n + (scale - b)) + 1;
                if digits > 37 {
                    return not("arithmetic with so many digits");
                }
                let wide = |v: &Val| format!("CAST({} AS DECIMAL(38, {scale}))", v.text);
                of(format!("({} {sign} {})", wide(left), wide(right)), Kind::Exact { scale, digits })
            }
            (Arithmetic::Multiply, Some((a, b, m, n))) if a + b <= 18 => {
                let (scale, digits) = (a + b, m.saturating_add(n));
                if digits > 38 {
                    return not("a product of so many digits");
                }
                // Whole numbers of so many digits, and the decimal places at the end: no engine's rules of scales take part.
                let wide = |v: &Val, scale: u8, digits: u8| {
                    format!("CAST({} AS DECIMAL({}, {scale}))", v.text, digits.max(scale).max(1))
                };
                let product = format!("({} * {})", wide(left, a, m), wide(right, b, n));
                of(format!("CAST({product} AS DECIMAL(38, {scale}))"), Kind::Exact { scale, digits })
            }
            (Arithmetic::Divide, Some(_)) => {
                of(format!("({} / NULLIF({}, 0.0e0) + 0.0e0)", to_float(left), to_float(right)), Kind::Float)
            }
            _ => {
                let side = |v: &Val| if v.kind == Kind::Float { v.text.clone() } else { to_float(v) };
                let (a, b) = (side(left), side(right));
                let text = match op {
                    Arithmetic::Divide => format!("{a} / NULLIF({b}, 0.0e0)"),
                    _ => format!("{a} {sign} {b}"),
                };
                // Not a number is missing; the result is a column, so that it is calculated once.
                let (column, reads) = self.over_columns(text, reads);
                Ok(Val { text: format!("({})", read::finite(&column)), kind: Kind::Float, reads, literal: None })
            }
        }
    }
}
