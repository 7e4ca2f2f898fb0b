//! Whether one condition can hold only where another does.

use super::facts::Fact;
use super::prove::implies;
use super::tree::{Formula, Node, Tree};

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
