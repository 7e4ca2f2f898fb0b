//! What bounds a campaign: numbers, days and values that can be meant.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Aggregate, Every, Frequency, Goal, Limit, Quiet, Value};
use crate::language::num::{Num, PLACES};
use crate::language::syntax::ast::{self, Clause, ClauseKind, Expr, ExprKind, Figure, Phrase};

use super::Checker;
use super::campaigns::Draft;
use super::items::RuleItem;
use super::names::Meaning;
use super::sequences::length;
use super::values::{alone, plainest};

impl<'a> Checker<'a> {
    /// Understands a clause. Whether it can be meant.
    pub(super) fn clause(&self, item: &RuleItem<'a>, clause: &Clause, draft: &mut Draft) -> bool {
        let campaign = &mut draft.campaign;
        match &clause.kind {
            ClauseKind::Priority(n) => match self.whole_figure(*n, "a priority") {
                Some(n) => campaign.priority = n,
                None => return false,
            },
            ClauseKind::AtMost(frequency) => match self.frequency(frequency) {
                Some(frequency) => {
                    campaign.at_most = Some(frequency);
                    self.bound_of_one_run("`at most`", clause.span);
                }
                None => return false,
            },
            ClauseKind::Limit { n, by } => {
                let n = self
                    .whole_figure(*n, "a limit")
                    .filter(|n| *n > 0)
                    .and_then(|n| u64::try_from(n).ok())
                    .or_else(|| {
                        let d =
                            Diagnostic::new(code::check::CLAUSE_VALUE, n.span, "a limit lets at least one customer in");
                        if self.diagnostics.borrow().last().is_none_or(|d| d.primary.span != n.span) {
                            self.report(d.label("nobody").help("write a number such as `1_000`"));
                        }
                        None
                    });
                let by = by.as_ref().map(|by| self.limited_by(item, by, draft));
                let (Some(n), Some(by)) = (n, by.map_or(Some(None), |by| by.map(Some))) else { return false };
                draft.campaign.limit = Some(Limit { n, by });
            }
            ClauseKind::Goal(goal) => match self.goal(goal) {
                Some(goal) => campaign.goal = Some(goal),
                None => return false,
            },
            ClauseKind::Every { days, at } => match self.weekdays(days) {
                Some(weekdays) => campaign.every = Some(Every { weekdays, at: at.minutes }),
                None => return false,
            },
            ClauseKind::Dates { from, until } => {
                if let (Some(from), Some(until)) = (from, until)
                    && from.date > until.date
                {
                    let d = Diagnostic::new(code::check::CLAUSE_VALUE, until.span, "the last day is before the first");
                    let day = |d: &ast::Date| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day);
                    let (first, last) = (day(&until.date), day(&from.date));
                    self.report(
                        d.label("no day at all")
                            .also(from.span, "the first day")
                            .fix("swap them", vec![(from.span, first), (until.span, last)]),
                    );
                    return false;
                }
                campaign.from = from.map(|day| day.date);
                campaign.until = until.map(|day| day.date);
            }
            ClauseKind::Cost(n) | ClauseKind::Budget(n) => {
                let Some(amount) = self.amount(*n, clause.kind.word()) else { return false };
                if matches!(clause.kind, ClauseKind::Cost(_)) {
                    campaign.cost = Some(amount);
                } else {
                    campaign.budget = Some(amount);
                    self.bound_of_one_run("`budget`", clause.span);
                }
            }
            ClauseKind::Quiet { from, to } => {
                if from.minutes == to.minutes {
                    let d =
                        Diagnostic::new(code::check::CLAUSE_VALUE, clause.span, "quiet hours that end as they begin");
                    self.report(d.label("no time, or all of it").help("write for example `quiet 21:00 to 08:00`"));
                    return false;
                }
                campaign.quiet = Some(Quiet { from: from.minutes, to: to.minutes });
            }
            ClauseKind::Except(_) | ClauseKind::With(_) => {}
        }
        true
    }

    pub(super) fn frequency(&self, frequency: &ast::Frequency) -> Option<Frequency> {
        let n = self.whole_figure(frequency.times, "a number of contacts")?;
        Some(Frequency { n: u64::try_from(n).ok()?, within: length(&frequency.within) })
    }

    /// A whole number.
    fn whole_figure(&self, figure: Figure, what: &str) -> Option<i64> {
        if let Num::Exact { units, scale: 0 } = plainest(figure.n)
            && let Ok(n) = i64::try_from(units)
        {
            return Some(n);
        }
        let d = Diagnostic::new(code::check::CLAUSE_VALUE, figure.span, format!("{what} is a whole number"));
        self.report(d.label("not whole, or too large"));
        None
    }

    /// An amount in the project's currency.
    fn amount(&self, figure: Figure, word: &str) -> Option<Num> {
        let (n, d) =
            (plainest(figure.n), |message: String| Diagnostic::new(code::check::CLAUSE_VALUE, figure.span, message));
        let d = match n {
            _ if n.compare(Num::int(0)).is_lt() => d(format!("a {word} is not negative")).label("less than nothing"),
            Num::Exact { scale, .. } if scale <= PLACES => return Some(n),
            _ => d(format!("a {word} has at most {PLACES} decimal places")).label("finer than what is kept"),
        };
        self.report(d);
        None
    }

    /// `limit 1_000 by VALUE`: its place among the values.
    fn limited_by(&self, item: &RuleItem<'a>, by: &Expr, draft: &mut Draft) -> Option<usize> {
        let value = self.ordered(by, "a limit")?;
        Some(match self.declared_trait(by) {
            Some(name) => draft.declared(name),
            None => draft.value(format!("{}.limit", item.name), value.value, value.ty, by.span),
        })
    }

    /// The trait that an expression is nothing but the name of.
    pub(super) fn declared_trait<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        let ExprKind::Phrase(p) = &expr.kind else { return None };
        let named = alone(p) && matches!(self.names.get(&p.name.text), Some(Meaning::Trait(_)));
        named.then_some(p.name.text.as_str())
    }

    fn weekdays(&self, days: &[ast::Weekday]) -> Option<Vec<u8>> {
        for (i, day) in days.iter().enumerate() {
            let before = days.iter().take(i).find(|d| d.number == day.number || d.number == 0 || day.number == 0);
            if let Some(before) = before {
                let twice = before.number == day.number;
                let message = if twice { "a day that stands twice" } else { "`day` is every day of the week" };
                let d = Diagnostic::new(code::check::CLAUSE_VALUE, day.span, message);
                self.report(
                    d.label(if twice { "the second time" } else { "nothing is left to add" })
                        .also(before.span, "the other one")
                        .help("take one of them out"),
                );
                return None;
            }
        }
        let mut numbers: Vec<u8> = days.iter().map(|day| day.number).collect();
        numbers.sort_unstable();
        Some(if numbers.first() == Some(&0) { (1..=7).collect() } else { numbers })
    }

    /// `goal purchased anti-aging within 14d, value sum(amount)`
    fn goal(&self, goal: &ast::Goal) -> Option<Goal> {
        let event = self.event_of(&goal.event)?;
        let matching = self.matching(&goal.event, event);
        // The values are over all that reaches the goal: subject and `where` are said once.
        let values = goal.values.iter().map(|value| self.goal_value(goal, value));
        let values: Option<Vec<Aggregate>> = values.collect();
        Some(Goal { matching: matching?, within: length(&goal.within), values: values? })
    }

    fn goal_value(&self, goal: &ast::Goal, value: &ast::GoalValue) -> Option<Aggregate> {
        let aggregate = ast::Aggregate {
            function: value.function,
            function_span: value.function_span,
            percent: value.percent,
            property: Some(value.property.clone()),
            behaviour: Phrase::bare(None, goal.event.name.clone()),
        };
        match self.aggregate(&aggregate, value.span)?.value {
            Value::Aggregate { function, .. } => Some(function),
            _ => None,
        }
    }
}
