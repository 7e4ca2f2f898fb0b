//! Arms, clauses and policies to text: one a line, unless a campaign is nothing but a condition and an action.

use super::Printer;
use crate::language::syntax::ast::*;

impl Printer<'_> {
    /// The arms of a condition. Only a single action can stand on its line.
    pub(super) fn arms(&mut self, condition: &Expr, arms: &[Arm], indent: usize, one_line: bool) {
        for arm in arms {
            let alone = matches!(arm.kind, ArmKind::All(_)) && arms.len() == 1;
            if one_line {
                if self.measuring {
                    self.wide |= !alone || self.broken_between(condition.span, arm.span);
                }
                self.blank();
            } else {
                self.line(indent);
            }
            let start = arm.span.start as usize;
            self.arrow(start);
            match &arm.kind {
                ArmKind::All(_) => {}
                ArmKind::When { condition, .. } => {
                    self.word(start, "when");
                    self.expr(condition, indent + 4);
                    self.token(self.next_token(condition.span.end as usize), ":");
                }
                ArmKind::Otherwise(_) => {
                    self.word(start, "otherwise");
                    self.token(start, ":");
                }
                ArmKind::Share { name, share, .. } => {
                    self.name(name);
                    self.number(share.span);
                    self.token(share.span.end as usize, ":");
                }
                ArmKind::HoldOut(share) => {
                    self.word(start, "hold out");
                    self.number(share.span);
                }
            }
            if let Some(action) = arm.action() {
                self.action(action);
            }
        }
    }

    fn action(&mut self, action: &Action) {
        self.name(&action.verb);
        for argument in &action.arguments {
            self.value_word(argument);
        }
        if let Some(by) = &action.by {
            let before = action.arguments.last().map_or(action.verb.span, |a| a.span);
            self.word(self.next_token(before.end as usize), "by");
            self.name(by);
        }
    }

    /// Each on a line of its own.
    pub(super) fn clauses(&mut self, clauses: &[Clause], indent: usize) {
        for clause in clauses {
            if self.measuring {
                self.wide = true;
                return;
            }
            self.line(indent);
            self.clause(clause, indent);
        }
    }

    fn clause(&mut self, clause: &Clause, indent: usize) {
        let at = clause.span.start as usize;
        self.word(at, clause.kind.word());
        match &clause.kind {
            ClauseKind::Priority(n) | ClauseKind::Cost(n) | ClauseKind::Budget(n) => self.number(n.span),
            ClauseKind::AtMost(frequency) => {
                self.number(frequency.times.span);
                self.within("in", frequency.times.span.end as usize, frequency.within);
            }
            ClauseKind::Limit { n, by } => {
                self.number(n.span);
                if let Some(by) = by {
                    self.word(self.next_token(n.span.end as usize), "by");
                    self.expr(by, indent + 2);
                }
            }
            ClauseKind::With(payloads) => self.payloads(payloads, indent),
            ClauseKind::Goal(goal) => {
                self.phrase(&goal.event, indent + 2);
                self.within("within", self.phrase_end(&goal.event), goal.within);
                let mut end = goal.within.span.end as usize;
                for (i, value) in goal.values.iter().enumerate() {
                    self.token(self.next_token(end), ",");
                    if i == 0 {
                        self.word(self.next_token(end) + 1, "value");
                    }
                    self.goal_value(value);
                    end = value.span.end as usize;
                }
            }
            ClauseKind::Every { days, at } => {
                for (i, day) in days.iter().enumerate() {
                    // 0 is every day.
                    let at = usize::from(day.number).checked_sub(1);
                    let name = at.and_then(|at| WEEKDAYS.get(at)).copied().unwrap_or("day");
                    self.word(day.span.start as usize, name);
                    if i + 1 < days.len() {
                        self.token(self.next_token(day.span.end as usize), ",");
                    }
                }
                let end = days.last().map_or(clause.span.start, |day| day.span.end) as usize;
                self.word(self.next_token(end), "at");
                self.clock(*at);
            }
            ClauseKind::Dates { from, until } => {
                for (i, (word, day)) in [("from", from), ("until", until)].into_iter().enumerate() {
                    let Some(day) = day else { continue };
                    if i == 1
                        && let Some(from) = from
                    {
                        self.word(self.next_token(from.span.end as usize), word);
                    }
                    self.number(day.span);
                }
            }
            ClauseKind::Except(names) => self.names(names),
            ClauseKind::Quiet { from, to } => {
                self.clock(*from);
                self.word(self.next_token(from.span.end as usize), "to");
                self.clock(*to);
            }
        }
    }

    /// Columns on one line, or one a line.
    fn payloads(&mut self, payloads: &[Payload], indent: usize) {
        let write = |p: &mut Self, broken: bool| {
            for (i, payload) in payloads.iter().enumerate() {
                if i > 0 && broken {
                    p.line(indent + 2);
                }
                p.expr(&payload.value, indent + 2);
                let mut end = payload.value.span.end as usize;
                if let Some(name) = &payload.name {
                    p.word(p.next_token(end), "as");
                    p.name(name);
                    end = name.span.end as usize;
                }
                if i + 1 < payloads.len() {
                    p.token(p.next_token(end), ",");
                }
            }
        };
        let start = payloads.first().map_or(0, |p| p.value.span.start as usize);
        let fits = self.fits(start, |p| write(p, false));
        write(self, !fits);
    }

    fn goal_value(&mut self, value: &GoalValue) {
        self.word(value.function_span.start as usize, value.function.word());
        self.open(self.next_token(value.function_span.end as usize));
        if let Some((_, span)) = value.percent {
            self.number(span);
            self.token(self.next_token(span.end as usize), ",");
        }
        self.name(&value.property);
        self.token(value.span.end.saturating_sub(1) as usize, ")");
    }

    fn within(&mut self, word: &str, end: usize, length: Duration) {
        self.word(self.next_token(end), word);
        self.word(length.span.start as usize, &length.to_string());
    }

    fn names(&mut self, names: &[Name]) {
        for (i, name) in names.iter().enumerate() {
            self.name(name);
            if i + 1 < names.len() {
                self.token(self.next_token(name.span.end as usize), ",");
            }
        }
    }

    fn clock(&mut self, time: ClockTime) {
        self.word(time.span.start as usize, &format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60));
    }

    /// One bound a line, unless there is only one.
    pub(super) fn policy(&mut self, policy: &Policy, one_line: bool) {
        let end = self.head(("policy", policy.span, &policy.name, None, None));
        if self.measuring {
            let first = policy.rules.first().map_or(policy.span, |rule| rule.span);
            self.wide |= policy.rules.len() > 1 || self.broken_between(end, first);
        }
        for (i, rule) in policy.rules.iter().enumerate() {
            if one_line {
                self.blank();
            } else {
                self.line(2);
            }
            let times = rule.at_most.times.span;
            self.word(rule.span.start as usize, "at most");
            self.number(times);
            let one = self.source.slice(times) == "1";
            self.word(self.next_token(times.end as usize), if one { "contact" } else { "contacts" });
            self.within("in", times.end as usize, rule.at_most.within);
            if !rule.channels.is_empty() {
                self.word(self.next_token(rule.at_most.within.span.end as usize), "by");
                self.names(&rule.channels);
            }
            if i + 1 < policy.rules.len() {
                self.token(self.next_token(rule.span.end as usize), ";");
            }
        }
    }
}
