//! Walking a program: which rules refer to which, and the program of some rules only.

use std::collections::BTreeSet;

use super::{Among, Campaign, Cond, Gate, Program, Rank, Rule, RuleId, RuleKind, Stages, Test, Value};

impl Program {
    /// The traits whose values are wanted to decide: what limits are ordered by, what is delivered, and where customers live.
    pub fn values_of_campaigns(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for campaign in &self.campaigns {
            campaign.clone().traits(&mut |place| _ = found.insert(*place));
        }
        // Where nobody is contacted, nobody asks what time it is there.
        found.extend(self.zone.filter(|_| !self.campaigns.is_empty()));
        found
    }

    /// The name under which a rule was declared: of a line of stages, that of the stages.
    pub fn declared<'a>(&'a self, rule: &'a Rule) -> &'a str {
        match rule.kind {
            RuleKind::Stage { stages } => self.stages.get(stages as usize).map_or(&rule.name, |s| &s.name),
            RuleKind::Segment | RuleKind::Campaign { .. } | RuleKind::Part | RuleKind::Gate => &rule.name,
        }
    }

    /// What is done with the members of a rule, if it is a campaign's.
    pub fn campaign(&self, rule: &Rule) -> Option<&Campaign> {
        match rule.kind {
            RuleKind::Campaign { campaign } => self.campaigns.get(campaign as usize),
            RuleKind::Segment | RuleKind::Stage { .. } | RuleKind::Part | RuleKind::Gate => None,
        }
    }

    /// The program of some rules only, and of what they refer to; of campaigns, with all that decides on them. Declared traits stay,
    /// but for those that rank people among a rule that is gone. Policies stay.
    pub fn keep(&self, wanted: impl Fn(&Rule) -> bool) -> Program {
        let mut rules = Kept::new(self.rules.iter().map(wanted));
        let campaigns = Kept::new(self.campaigns.iter().map(|c| rules.has(c.rule.0 as usize)));
        let kept_campaigns = || self.campaigns.iter().enumerate().filter(|(i, _)| campaigns.has(*i)).map(|(_, c)| c);
        let gates =
            self.gates.iter().filter(|gate| kept_campaigns().any(|c| c.channels().any(|name| name == gate.channel)));
        let gates: Vec<Gate> = gates.cloned().collect();
        let mut traits = Kept::new(self.traits.iter().map(|t| !t.hidden));
        let zone = self.zone.filter(|_| !campaigns.is_empty());
        zone.iter().for_each(|place| traits.need(*place));
        for gate in &gates {
            rules.need(gate.consent.0 as usize);
            rules.need(gate.suppressed.0 as usize);
        }
        for campaign in kept_campaigns() {
            let mut campaign = campaign.clone();
            campaign.rules(&mut |id| rules.need(id.0 as usize));
            campaign.traits(&mut |place| {
                traits.need(*place);
                let value = self.traits.get(*place).map(|t| t.value.clone());
                value.into_iter().for_each(|mut value| value.rules(&mut |id| rules.need(id.0 as usize)));
            });
        }
        // A rule refers only to rules before it, so one walk from the end finds all.
        for (i, rule) in self.rules.iter().enumerate().rev() {
            if rules.has(i) {
                rule.condition.clone().rules(&mut |id| rules.need(id.0 as usize));
            }
        }
        for (i, t) in self.traits.iter().enumerate() {
            t.value.clone().rules(&mut |id| {
                if !rules.has(id.0 as usize) {
                    traits.leave(i);
                }
            });
        }
        let place = rules.places();
        let moved = |id: &mut RuleId| *id = RuleId(place(id.0 as usize) as u32);
        let new_campaign = campaigns.places();
        let new_trait = traits.places();
        // Stages of which a line is gone can't name everyone's stage any more.
        let whole = |s: &&Stages| s.lines.iter().all(|l| rules.has(l.rule.0 as usize));
        Program {
            former: self.former.clone(),
            rules: rules.of(&self.rules, |rule| {
                rule.condition.rules(&mut |id| moved(id));
                if let RuleKind::Campaign { campaign } = &mut rule.kind {
                    *campaign = new_campaign(*campaign as usize) as u32;
                }
            }),
            stages: {
                let stages = self.stages.iter().filter(whole).cloned();
                stages
                    .map(|mut s| {
                        s.lines.iter_mut().for_each(|line| moved(&mut line.rule));
                        s
                    })
                    .collect()
            },
            traits: traits.of(&self.traits, |t| t.value.rules(&mut |id| moved(id))),
            event_filters: self.event_filters.clone(),
            campaigns: campaigns.of(&self.campaigns, |campaign| {
                campaign.rules(&mut |id| moved(id));
                campaign.traits(&mut |place| *place = new_trait(*place));
            }),
            policies: self.policies.clone(),
            gates: {
                let moved = |mut gate: Gate| {
                    moved(&mut gate.consent);
                    moved(&mut gate.suppressed);
                    gate
                };
                gates.into_iter().map(moved).collect()
            },
            zone: zone.map(new_trait),
        }
    }
}

/// Which elements of a list stay.
struct Kept(Vec<bool>);

impl Kept {
    fn new(stay: impl Iterator<Item = bool>) -> Kept {
        Kept(stay.collect())
    }

    fn has(&self, i: usize) -> bool {
        self.0.get(i).copied().unwrap_or(false)
    }

    fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    fn need(&mut self, i: usize) {
        self.0.get_mut(i).into_iter().for_each(|stays| *stays = true);
    }

    fn leave(&mut self, i: usize) {
        self.0.get_mut(i).into_iter().for_each(|stays| *stays = false);
    }

    /// Where the elements are among those that stay.
    fn places(&self) -> impl Fn(usize) -> usize + use<> {
        let places = self.0.iter().scan(0, |next, stays| {
            let here = *next;
            *next += usize::from(*stays);
            Some(here)
        });
        let places: Vec<usize> = places.collect();
        move |i| places.get(i).copied().unwrap_or(i)
    }

    /// Those of `all` that stay, each changed.
    fn of<T: Clone>(&self, all: &[T], change: impl Fn(&mut T)) -> Vec<T> {
        let stay = all.iter().zip(&self.0).filter(|(_, stays)| **stays);
        stay.map(|(element, _)| {
            let mut element = element.clone();
            change(&mut element);
            element
        })
        .collect()
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
