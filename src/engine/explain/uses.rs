//! Which rule uses which shared parts.
//!
//! Owns: the walk from a rule's answer down to patterns. Promises: a rule that refers to another uses what that one uses; a part
//! is named once a rule, however often the rule asks for it. Must not know: words.

use std::collections::BTreeSet;

use crate::engine::plan::late::{Bits, Step, Val as Late};
use crate::engine::plan::lower::Parts;
use crate::engine::plan::program::{Node, Program, Val};
use crate::engine::plan::story::{Anchor, Chain, Frame, Inside, Rest, Same, Side, Story};
use crate::language::ir;

/// What one rule uses, as numbers of the lowered program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    pub terms: BTreeSet<u32>,
    pub stories: BTreeSet<u32>,
    /// Of terms, deeds, conditions on deeds and visits.
    pub patterns: BTreeSet<u32>,
    /// The rule asks how long the customer is known: all rows matter.
    pub trace: bool,
    /// The rule ranks customers.
    pub ranks: bool,
    /// The rule draws a sample.
    pub samples: bool,
}

/// What a rule uses; a campaign with all that decides on it: exceptions, guards, gates, payloads, the order of its limit.
pub fn of_rule(parts: &Parts, program: &ir::Program, rule: usize) -> Uses {
    let mut walk = Walk { parts, program: &parts.program, seen: Seen::default(), uses: Uses::default() };
    let mut rules = vec![rule];
    if let Some(campaign) = program.rules.get(rule).and_then(|rule| program.campaign(rule)) {
        let mut campaign = campaign.clone();
        campaign.rules(&mut |other| rules.push(other.0 as usize));
        let gates = program.gates.iter().filter(|gate| campaign.channels().any(|channel| channel == gate.channel));
        rules.extend(gates.flat_map(|gate| [gate.consent, gate.suppressed]).map(|rule| rule.0 as usize));
        let late = |at: &mut usize| parts.late.traits.get(*at).into_iter().flatten().for_each(|value| walk.late(value));
        campaign.traits(&mut { late });
    }
    rules.into_iter().filter_map(|rule| parts.late.rules.get(rule)).for_each(|&bits| walk.bits(bits));
    walk.uses
}

/// What one story uses.
pub fn of_story(parts: &Parts, story: u32) -> Uses {
    let mut walk = Walk { parts, program: &parts.program, seen: Seen::default(), uses: Uses::default() };
    walk.story(story);
    walk.uses
}

#[derive(Default)]
struct Seen {
    steps: BTreeSet<u32>,
    nodes: BTreeSet<u32>,
    deeds: BTreeSet<u32>,
}

struct Walk<'a> {
    parts: &'a Parts,
    program: &'a Program,
    seen: Seen,
    uses: Uses,
}

impl Walk<'_> {
    fn bits(&mut self, bits: Bits) {
        match bits {
            Bits::Answer(at) => {
                if let Some(&node) = self.program.wanted.get(at as usize) {
                    self.node(node);
                }
            }
            Bits::Step(at) => self.step(at),
        }
    }

    fn step(&mut self, at: u32) {
        let parts = self.parts;
        let Some(step) = parts.late.steps.get(at as usize) else { return };
        if !self.seen.steps.insert(at) {
            return;
        }
        match step {
            Step::And(all) | Step::Or(all) => all.iter().for_each(|&bits| self.bits(bits)),
            Step::Not(bits) => self.bits(*bits),
            Step::Ranking { by, among, .. } => {
                self.uses.ranks = true;
                self.late(by);
                among.iter().for_each(|&bits| self.bits(bits));
            }
            Step::Part { ranking, .. } => self.step(*ranking),
            Step::Sample { .. } => self.uses.samples = true,
            Step::Test(test) => test.values().into_iter().for_each(|value| self.late(value)),
        }
    }

    fn late(&mut self, value: &Late) {
        match value {
            Late::Missing | Late::Literal(_) => {}
            Late::Export(at) => {
                let program = self.program;
                program.exports.get(*at as usize).into_iter().for_each(|value| self.value(value));
            }
            Late::Rank { ranking, .. } => self.step(*ranking),
            Late::Arithmetic { left, right, .. } => {
                self.late(left);
                self.late(right);
            }
        }
    }

    fn node(&mut self, at: u32) {
        let program = self.program;
        let Some(node) = program.nodes.get(at as usize) else { return };
        if !self.seen.nodes.insert(at) {
            return;
        }
        match node {
            Node::Const(_) => {}
            Node::And(all) | Node::Or(all) => all.iter().for_each(|&node| self.node(node)),
            Node::Not(node) => self.node(*node),
            Node::Range { term, .. } | Node::Time { term, .. } => self.term(*term),
            Node::Trace(_) => self.uses.trace = true,
            Node::Story(story) => self.story(*story),
            Node::Test(test) => test.values().into_iter().for_each(|value| self.value(value)),
        }
    }

    fn value(&mut self, value: &Val) {
        match value {
            Val::Literal(_) => {}
            Val::Term { term, .. } | Val::DaysSince(term) | Val::DaysSinceDate(term) => self.term(*term),
            Val::Average { sum, known, .. } => {
                self.term(*sum);
                self.term(*known);
            }
            Val::Story(story) => self.story(*story),
            Val::Combine { left, right, .. } => {
                self.value(left);
                self.value(right);
            }
        }
    }

    fn term(&mut self, at: u32) {
        if let Some(term) = self.program.terms.get(at as usize) {
            self.uses.terms.insert(at);
            self.uses.patterns.insert(term.pattern);
        }
    }

    fn story(&mut self, at: u32) {
        let program = self.program;
        let Some(story) = program.stories.get(at as usize) else { return };
        if !self.uses.stories.insert(at) {
            return;
        }
        match story {
            Story::Fold { deed, frame, .. } | Story::Pick { deed, frame, .. } => {
                self.deed(*deed);
                self.frame(frame);
            }
            Story::Same { same, frame } => {
                self.same(same);
                self.frame(frame);
            }
            Story::Chain { chain, frame } => {
                self.chain(chain);
                self.frame(frame);
            }
            Story::Visit { inside, frame } => {
                self.uses.patterns.extend(&program.visit_patterns);
                self.inside(inside);
                self.frame(frame);
            }
            Story::Stretch { inside, starts, frame, .. } => {
                self.inside(inside);
                starts.iter().for_each(|&deed| self.deed(deed));
                self.frame(frame);
            }
        }
    }

    fn deed(&mut self, at: u32) {
        let program = self.program;
        let Some(deed) = program.deeds.get(at as usize) else { return };
        if self.seen.deeds.insert(at) {
            self.uses.patterns.insert(deed.pattern);
            deed.rest.iter().for_each(|rest| self.rest(rest));
        }
    }

    fn rest(&mut self, rest: &Rest) {
        match rest {
            Rest::Const(_) => {}
            Rest::And(all) | Rest::Or(all) => all.iter().for_each(|rest| self.rest(rest)),
            Rest::Not(rest) => self.rest(rest),
            Rest::Pattern(pattern) | Rest::Row(pattern) => {
                self.uses.patterns.insert(*pattern);
            }
            Rest::Test(test) => test.values().into_iter().for_each(|side| {
                if let Side::Customer(value) = side {
                    self.value(value);
                }
            }),
        }
    }

    fn frame(&mut self, frame: &Frame) {
        if let Some(Anchor { deed, .. }) = frame.since {
            self.deed(deed);
        }
    }

    fn same(&mut self, same: &Same) {
        self.deed(same.deed);
        same.without.iter().for_each(|(deed, _)| self.deed(*deed));
    }

    fn chain(&mut self, chain: &Chain) {
        for step in &chain.steps {
            self.deed(step.deed);
            step.without.iter().for_each(|(deed, _)| self.deed(*deed));
        }
        chain.absence.iter().for_each(|absence| self.deed(absence.deed));
    }

    fn inside(&mut self, inside: &Inside) {
        match inside {
            Inside::Const(_) => {}
            Inside::And(all) | Inside::Or(all) => all.iter().for_each(|inside| self.inside(inside)),
            Inside::Not(inside) => self.inside(inside),
            Inside::Count { deed, .. } => self.deed(*deed),
            Inside::Same(same) => self.same(same),
            Inside::Chain(chain) => self.chain(chain),
        }
    }
}
