//! Arms and clauses in the form of a dump.

use super::Dump;
use crate::language::syntax::ast::*;

impl Dump {
    pub(super) fn arms(&mut self, arms: &[Arm]) {
        for arm in arms {
            self.0.push_str(" (");
            match &arm.kind {
                ArmKind::All(_) => {}
                ArmKind::When { condition, .. } => {
                    self.0.push_str("when ");
                    self.expr(condition);
                    self.0.push(' ');
                }
                ArmKind::Otherwise(_) => self.0.push_str("otherwise "),
                ArmKind::Share { name, share, .. } => self.put(format_args!("{} %{} ", name.text, share.n)),
                ArmKind::HoldOut(share) => self.put(format_args!("hold-out %{}", share.n)),
            }
            if let Some(action) = arm.action() {
                self.action(action);
            }
            self.0.push(')');
        }
    }

    fn action(&mut self, action: &Action) {
        self.put(format_args!("do {}", action.verb.text));
        for a in &action.arguments {
            self.0.push(' ');
            self.word(a);
        }
        if let Some(by) = &action.by {
            self.put(format_args!(" by:{}", by.text));
        }
    }

    pub(super) fn clauses(&mut self, clauses: &[Clause]) {
        for clause in clauses {
            self.put(format_args!(" ({} ", clause.kind.word()));
            self.clause(&clause.kind);
            self.0.push(')');
        }
    }

    fn clause(&mut self, kind: &ClauseKind) {
        match kind {
            ClauseKind::Priority(n) | ClauseKind::Cost(n) | ClauseKind::Budget(n) => self.put(format_args!("{}", n.n)),
            ClauseKind::AtMost(f) => self.frequency(f),
            ClauseKind::Limit { n, by } => {
                self.put(format_args!("{}", n.n));
                if let Some(by) = by {
                    self.0.push_str(" by:");
                    self.expr(by);
                }
            }
            ClauseKind::With(payloads) => {
                for (i, payload) in payloads.iter().enumerate() {
                    self.0.push_str(if i > 0 { " " } else { "" });
                    self.expr(&payload.value);
                    if let Some(name) = &payload.name {
                        self.put(format_args!(" as:{}", name.text));
                    }
                }
            }
            ClauseKind::Goal(goal) => {
                self.phrase(&goal.event);
                self.put(format_args!(" within:{}{:?}", goal.within.amount, goal.within.unit));
                for value in &goal.values {
                    self.put(format_args!(" value:{}", value.function.word()));
                    if let Some((n, _)) = value.percent {
                        self.put(format_args!(":{n}"));
                    }
                    self.put(format_args!(":{}", value.property.text));
                }
            }
            ClauseKind::Every { days, at } => {
                days.iter().for_each(|day| self.put(format_args!("{} ", day.number)));
                self.put(format_args!("at:{}", at.minutes));
            }
            ClauseKind::Dates { from, until } => {
                for (word, day) in [("from:", from), ("until:", until)] {
                    if let Some(day) = day {
                        self.0.push_str(word);
                        self.date(day.date);
                    }
                }
            }
            ClauseKind::Except(names) => names.iter().for_each(|name| self.put(format_args!("{} ", name.text))),
            ClauseKind::Quiet { from, to } => self.put(format_args!("{} {}", from.minutes, to.minutes)),
        }
    }

    pub(super) fn frequency(&mut self, f: &Frequency) {
        self.put(format_args!("{} in:{}{:?}", f.times.n, f.within.amount, f.within.unit));
    }
}
