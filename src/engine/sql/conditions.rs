//! Conditions on a customer.
//!
//! Owns: a condition's text, and who can fulfil one without any event. Promises: an arm for every construct, or a reason.
//! Must not know: how the statement is put together.

use super::read::{Said, not};
use super::tests::literal_value;
use super::{Bool, Made, Val, Writer, text};
use crate::language::catalog::{ListId, PropertyId};
use crate::language::ir::{Aggregate, Behaviour, Cond, Literal, Matching, Op, Test, Value};
use crate::language::num::Num;

impl Writer<'_> {
    pub fn cond(&mut self, cond: &Cond) -> Said<Bool> {
        Ok(match cond {
            Cond::Const(yes) => Bool::new(if *yes { "TRUE" } else { "FALSE" }, true, 0),
            Cond::And(parts) => Bool::joined(self.conds(parts)?, " AND ", "TRUE"),
            Cond::Or(parts) => Bool::joined(self.conds(parts)?, " OR ", "FALSE"),
            Cond::Not(part) => self.cond(part)?.negated(),
            Cond::Rule(id) => self.rule(*id)?,
            Cond::List(id) => self.list(*id)?,
            Cond::Count { behaviour, op, n } => {
                let rows = self.during(behaviour)?;
                let (text, reads) = self.aggregated(&rows, "COUNT(*)", Some("0"));
                let count = Val { text, kind: super::read::Kind::COUNT, reads, literal: None };
                let holds = self.compare(&count, *op, &literal_value(&Literal::Num(*n)))?;
                where_anchored(holds, rows.anchored)
            }
            Cond::Periods { behaviour, unit, op, n } => {
                let rows = self.during(behaviour)?;
                let period = self.period(rows.stream, *unit)?;
                let (text, reads) = self.aggregated(&rows, &format!("COUNT(DISTINCT {period})"), Some("0"));
                let count = Val { text, kind: super::read::Kind::COUNT, reads, literal: None };
                let holds = self.compare(&count, *op, &literal_value(&Literal::Num(*n)))?;
                where_anchored(holds, rows.anchored)
            }
            Cond::Same { behaviour, property, n, without } => self.same(behaviour, *property, *n, without.as_ref())?,
            Cond::Pick { end, matching, window, since } => {
                let (at, reads) = self.picked(*end, matching)?;
                let interval = self.clock.interval(window);
                let parts = text::between(&at, interval.lo, interval.hi);
                let holds = Bool::new(format!("({})", text::all(&parts)), false, reads);
                match since {
                    None => holds,
                    Some(anchor) => {
                        let (after, more) = self.anchor(anchor)?;
                        Bool::joined(vec![holds, Bool::new(format!("{at} > {after}"), false, more)], " AND ", "TRUE")
                    }
                }
            }
            Cond::Sequence(sequence) => self.sequence(sequence)?,
            Cond::InSession { .. } => return not("visits"),
            Cond::InAny { .. } => return not("stretches of time (`in any 14d`)"),
            Cond::Ranked { rank, end, size } => self.ranked(rank, *end, *size)?,
            Cond::Sample { .. } => return not("a sample"),
            Cond::KnownSince(edge) => {
                self.trace = true;
                let at = text::instant(self.clock.edge(*edge));
                let (first, reads) = self.column(0, Made::Trace, None);
                let mut any = vec![Bool::new(format!("{first} <= {at}"), false, reads)];
                if self.catalog.profile.as_ref().is_some_and(|p| p.created.is_some()) {
                    any.push(Bool::new(format!("c.\"created\" <= {at}"), false, 1));
                }
                Bool::joined(any, " OR ", "FALSE")
            }
            Cond::Test(test) => self.test(test, &mut |me, value| me.value(value))?,
        })
    }

    fn conds(&mut self, parts: &[Cond]) -> Said<Vec<Bool>> {
        parts.iter().map(|c| self.cond(c)).collect()
    }

    pub fn list(&mut self, id: ListId) -> Said<Bool> {
        let (text, reads) = self.column(0, Made::List(id.index()), None);
        Ok(Bool::new(text, true, reads))
    }

    /// Some value has so many events, and none of the others.
    fn same(
        &mut self,
        behaviour: &Behaviour,
        property: PropertyId,
        n: u64,
        without: Option<&(Matching, PropertyId)>,
    ) -> Said<Bool> {
        let rows = self.during(behaviour)?;
        let (value, kind) = self.property(behaviour.matching.event, property)?;
        let mut reads = rows.reads;
        let often = format!(
            "SELECT e.\"customer\", {value} AS \"value\"\n      FROM {}\n      WHERE {} AND {value} IS NOT NULL\n      GROUP BY e.\"customer\", {value}\n      HAVING COUNT(*) >= {n}",
            self.joined(&rows),
            rows.filter
        );
        let mut body = format!("SELECT DISTINCT q.\"customer\", TRUE AS \"value\"\n    FROM ({often}) q");
        if let Some((matching, of)) = without {
            let others = self.open(matching, &behaviour.window, behaviour.since.as_deref())?;
            let (value, other) = self.property(matching.event, *of)?;
            if kind != other {
                return not("values of two types that have to be the same");
            }
            reads = reads.max(others.reads);
            let had = format!(
                "SELECT DISTINCT e.\"customer\", {value} AS \"value\"\n      FROM {}\n      WHERE {} AND {value} IS NOT NULL",
                self.joined(&others),
                others.filter
            );
            body += &format!(
                "\n    LEFT JOIN ({had}) w ON w.\"customer\" = q.\"customer\" AND w.\"value\" = q.\"value\"\n    WHERE w.\"customer\" IS NULL"
            );
        }
        let (text, reads) = self.query(reads, body, Some("FALSE"));
        Ok(Bool::new(text, true, reads))
    }

    /// Whether a condition can hold, and whether it can fail, for somebody of whom no event is known. Both, where in doubt.
    pub fn idle(&self, cond: &Cond) -> (bool, bool) {
        let sure = |holds: bool| (holds, !holds);
        let of_nothing = |anchored: bool, op: Op, n: Num| sure(!anchored && op.holds(Num::int(0).compare(n)));
        match cond {
            Cond::Const(yes) => sure(*yes),
            Cond::And(parts) => parts.iter().map(|c| self.idle(c)).fold((true, false), |a, b| (a.0 && b.0, a.1 || b.1)),
            Cond::Or(parts) => parts.iter().map(|c| self.idle(c)).fold((false, true), |a, b| (a.0 || b.0, a.1 && b.1)),
            Cond::Not(part) => {
                let (holds, fails) = self.idle(part);
                (fails, holds)
            }
            Cond::Rule(id) => match self.program.rules.get(id.0 as usize) {
                Some(rule) => self.idle(&rule.condition),
                None => (true, true),
            },
            Cond::Count { behaviour, op, n } | Cond::Periods { behaviour, op, n, .. } => {
                of_nothing(behaviour.since.is_some(), *op, *n)
            }
            Cond::Same { .. } | Cond::Pick { .. } | Cond::Sequence(_) | Cond::InSession { .. } | Cond::InAny { .. } => {
                sure(false)
            }
            Cond::Test(Test::Compare { left: Value::Aggregate { function, behaviour }, op, right })
                if matches!(right, Value::Literal(Literal::Num(_))) =>
            {
                match (function, right) {
                    (
                        Aggregate::Count | Aggregate::Sum(_) | Aggregate::Distinct(_),
                        Value::Literal(Literal::Num(n)),
                    ) => {
                        match behaviour.since {
                            // Missing is unequal.
                            Some(_) => sure(*op == Op::Ne),
                            None => of_nothing(false, *op, *n),
                        }
                    }
                    _ => sure(*op == Op::Ne),
                }
            }
            Cond::Test(Test::Compare {
                left: Value::DaysSinceEvent { .. } | Value::Rate { .. },
                op,
                right: Value::Literal(_),
            }) => sure(*op == Op::Ne),
            Cond::List(_) | Cond::Ranked { .. } | Cond::Sample { .. } | Cond::KnownSince(_) | Cond::Test(_) => {
                (true, true)
            }
        }
    }
}

/// False where there is no anchor.
fn where_anchored(holds: Bool, anchored: Option<Bool>) -> Bool {
    match anchored {
        None => holds,
        Some(there) => Bool::joined(vec![there, holds], " AND ", "TRUE"),
    }
}
