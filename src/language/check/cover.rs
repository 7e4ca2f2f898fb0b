//! Whether one condition can hold only where another does.

use std::collections::BTreeMap;

use super::facts::Fact;
use super::prove::implies;
use super::tree::{Formula, Node, Tree};
use crate::language::ir::{Cond, RuleId};

/// Of a condition, more leaves than this are not looked into for the segments that they name.
const OPENED: usize = 256;

/// A condition with what its segments mean beside their names. `known`: as something that holds, from which all of it is concluded;
/// else as something to be concluded, for which the name or the meaning is enough. Either is the same condition.
pub(super) fn opened(tree: &Tree<Cond>, known: bool, segments: &BTreeMap<RuleId, Tree<Cond>>) -> Tree<Cond> {
    open(tree, known, segments, &mut { OPENED })
}

fn open(tree: &Tree<Cond>, known: bool, segments: &BTreeMap<RuleId, Tree<Cond>>, left: &mut usize) -> Tree<Cond> {
    let node = match &tree.node {
        Node::And(parts) => Node::And(parts.iter().map(|part| open(part, known, segments, left)).collect()),
        Node::Or(parts) => Node::Or(parts.iter().map(|part| open(part, known, segments, left)).collect()),
        Node::Not(inner) => Node::Not(Box::new(open(inner, !known, segments, left))),
        Node::Leaf(..) => {
            *left = left.saturating_sub(1);
            let meaning = match &tree.node {
                Node::Leaf(Cond::Rule(id), _) if *left > 0 => segments.get(id),
                _ => None,
            };
            let Some(meaning) = meaning else { return tree.clone() };
            let both = vec![tree.clone(), open(meaning, known, segments, left)];
            if known { Node::And(both) } else { Node::Or(both) }
        }
    };
    Tree { node, span: tree.span }
}

/// Whether the second condition certainly holds wherever the first does.
pub(super) fn covered<F: Formula>(condition: &Tree<F>, by: &Tree<F>) -> bool {
    let mut alternatives = Vec::new();
    alternate(condition, true, &mut alternatives);
    alternatives.into_iter().all(|(part, positive)| {
        let mut facts = Vec::new();
        gather(part, positive, &mut facts);
        follows(&facts, by, true)
    })
}

/// The parts of which one holds if the whole does.
fn alternate<'t, F>(tree: &'t Tree<F>, positive: bool, parts: &mut Vec<(&'t Tree<F>, bool)>) {
    match &tree.node {
        Node::Not(inner) => alternate(inner, !positive, parts),
        Node::Or(inner) if positive => inner.iter().for_each(|t| alternate(t, true, parts)),
        Node::And(inner) if !positive => inner.iter().for_each(|t| alternate(t, false, parts)),
        _ => parts.push((tree, positive)),
    }
}

/// What certainly holds if the whole does.
fn gather<F>(tree: &Tree<F>, positive: bool, facts: &mut Vec<Fact>) {
    match &tree.node {
        Node::Not(inner) => gather(inner, !positive, facts),
        Node::And(inner) if positive => inner.iter().for_each(|t| gather(t, true, facts)),
        Node::Or(inner) if !positive => inner.iter().for_each(|t| gather(t, false, facts)),
        Node::Leaf(_, fact) => facts.push(if positive { fact.clone() } else { fact.negated() }),
        Node::And(_) | Node::Or(_) => {}
    }
}

fn follows<F>(facts: &[Fact], goal: &Tree<F>, positive: bool) -> bool {
    match &goal.node {
        Node::Not(inner) => follows(facts, inner, !positive),
        Node::And(parts) | Node::Or(parts) if matches!(goal.node, Node::And(_)) == positive => {
            parts.iter().all(|p| follows(facts, p, positive))
        }
        Node::And(parts) | Node::Or(parts) => parts.iter().any(|p| follows(facts, p, positive)),
        Node::Leaf(_, fact) => {
            let goal = if positive { fact.clone() } else { fact.negated() };
            goal.negated().never() || facts.iter().any(|f| implies(f, &goal))
        }
    }
}
