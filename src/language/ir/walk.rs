//! Walking a program: which rules refer to which, and the program of some rules only.

use std::collections::BTreeSet;

use super::{Among, Campaign, Cond, PayloadOf, Program, Rank, Rule, RuleId, RuleKind, Stages, Test, Value};

impl Program {
    /// The traits whose values are wanted to decide: what limits are ordered by, what is delivered, and where customers live.
    pub fn values_of_campaigns(&self) -> BTreeSet<usize> {
        let of_campaign = |campaign: &Campaign| {
            let with = campaign.with.iter().filter_map(|payload| match payload.of {
                PayloadOf::Trait(at) => Some(at),
                PayloadOf::Rule(_) => None,
            });
            with.chain(campaign.limit.and_then(|limit| limit.by)).collect::<Vec<_>>()
        };
        // Where nobody is contacted, nobody asks what time it is there.
        let zone = self.zone.filter(|_| !self.campaigns.is_empty());
        self.campaigns.iter().flat_map(of_campaign).chain(zone).collect()
    }

    /// The name under which a rule was declared: of a line of stages, that of the stages.
    pub fn declared<'a>(&'a self, rule: &'a Rule) -> &'a str {
        match rule.kind {
            RuleKind::Stage { stages } => self.stages.get(stages as usize).map_or(&rule.name, |s| &s.name),
            RuleKind::Segment | RuleKind::Campaign { .. } => &rule.name,
        }
    }

    /// The program of some rules only, and of what they refer to. Traits stay, but for those that rank people among a rule that
    /// is gone.
    pub fn keep(&self, wanted: impl Fn(&Rule) -> bool) -> Program {
        let mut needed: Vec<bool> = self.rules.iter().map(wanted).collect();
        // A rule refers only to rules before it, so one walk from the end finds all.
        for (i, rule) in self.rules.iter().enumerate().rev() {
            if needed.get(i).copied().unwrap_or(false) {
                rule.condition.clone().rules(&mut |id| {
                    if let Some(n) = needed.get_mut(id.0 as usize) {
                        *n = true;
                    }
                });
            }
        }
        let mut places = Vec::with_capacity(needed.len());
        let mut next = 0;
        for &n in &needed {
            places.push(RuleId(next));
            next += u32::from(n);
        }
        let kept = self.rules.iter().zip(&needed).filter(|(_, n)| **n).map(|(rule, _)| {
            let mut rule = rule.clone();
            rule.condition.rules(&mut |id| *id = places.get(id.0 as usize).copied().unwrap_or(*id));
            rule
        });
        let kept = kept.collect();
        // Stages of which a line is gone can't name everyone's stage any more.
        let whole = |s: &&Stages| s.lines.iter().all(|l| needed.get(l.rule.0 as usize).copied().unwrap_or(false));
        let stages = self.stages.iter().filter(whole).cloned().map(|mut s| {
            for line in &mut s.lines {
                line.rule = places.get(line.rule.0 as usize).copied().unwrap_or(line.rule);
            }
            s
        });
        let traits = self.traits.iter().cloned().filter_map(|mut t| {
            let mut whole = true;
            t.value.rules(&mut |id| {
                whole &= needed.get(id.0 as usize).copied().unwrap_or(false);
                *id = places.get(id.0 as usize).copied().unwrap_or(*id);
            });
            whole.then_some(t)
        });
        Program {
            rules: kept,
            stages: stages.collect(),
            traits: traits.collect(),
            event_filters: self.event_filters.clone(),
            ..Program::default()
        }
    }
}

impl Cond {
    /// Calls back for every rule that is referred to, however deep it stands.
    pub fn rules(&mut self, found: &mut dyn FnMut(&mut RuleId)) {
        match self {
            Cond::And(parts) | Cond::Or(parts) => parts.iter_mut().for_each(|c| c.rules(found)),
            Cond::Not(part) => part.rules(found),
            Cond::InSession { inside, .. } | Cond::InAny { inside, .. } => inside.rules(found),
            Cond::Rule(id) => found(id),
            Cond::Ranked { rank, .. } => rank.rules(found),
            Cond::Test(test) => test.values(&mut |value| value.rules(found)),
            // What stands in a `where` has no rank and no rule: the checker sees to it.
            Cond::Const(_)
            | Cond::List(_)
            | Cond::Count { .. }
            | Cond::Periods { .. }
            | Cond::Same { .. }
            | Cond::Pick { .. }
            | Cond::Sequence(_)
            | Cond::KnownSince(_)
            | Cond::Sample { .. } => {}
        }
    }
}

impl Value {
    /// Calls back for every rule that is referred to.
    pub fn rules(&mut self, found: &mut dyn FnMut(&mut RuleId)) {
        match self {
            Value::Rank { rank, .. } => rank.rules(found),
            Value::Arithmetic { left, right, .. } => {
                left.rules(found);
                right.rules(found);
            }
            Value::Literal(_)
            | Value::Attribute(_)
            | Value::Aggregate { .. }
            | Value::Rate { .. }
            | Value::DaysSinceEvent { .. }
            | Value::DaysSinceAttribute(_) => {}
        }
    }
}

impl Rank {
    fn rules(&mut self, found: &mut dyn FnMut(&mut RuleId)) {
        self.by.rules(found);
        if let Some(Among::Rule(id)) = &mut self.among {
            found(id);
        }
    }
}

impl<V> Test<V> {
    /// Calls back for every value that is tested.
    pub fn values(&mut self, found: &mut dyn FnMut(&mut V)) {
        match self {
            Test::Compare { left, right, .. } => {
                found(left);
                found(right);
            }
            Test::OneOf { value, .. }
            | Test::Text { value, .. }
            | Test::Has { value, .. }
            | Test::Known(value)
            | Test::During { value, .. }
            | Test::Anniversary { value, .. }
            | Test::Yes(value) => found(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ir::RuleKind;
    use crate::language::source::{SourceId, Span};

    #[test]
    fn keeping_some_rules_keeps_what_they_need() {
        let rule = |name: &str, condition| Rule {
            name: name.into(),
            title: None,
            description: None,
            kind: RuleKind::Segment,
            condition,
            span: Span::new(SourceId(0), 0, 0),
        };
        let uses = |n| Cond::And(vec![Cond::Not(Box::new(Cond::Rule(RuleId(n)))), Cond::Const(true)]);
        let rules = vec![
            rule("a", Cond::Const(true)),
            rule("b", Cond::Const(false)),
            rule("c", uses(1)),
            rule("d", uses(0)),
            rule("e", uses(2)),
        ];
        let program = Program { rules, ..Program::default() };
        let kept = program.keep(|r| r.name == "e");
        let names: Vec<&str> = kept.rules.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "e"]);
        let mut seen = Vec::new();
        kept.rules.iter().for_each(|r| r.condition.clone().rules(&mut |id| seen.push(id.0)));
        assert_eq!(seen, [0, 1]);
    }
}
