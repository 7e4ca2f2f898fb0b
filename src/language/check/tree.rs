//! The checked tree on its way to the program: meaning at the leaves, places everywhere.
//!
//! The program itself has no places; proofs and lints need them, so they work on this tree before it becomes a condition.

use super::facts::Fact;
use crate::language::ir::{Arithmetic, Cond, Literal, Operand, Pred, Test, Value};
use crate::language::source::Span;

/// A condition (`F` = [`Cond`]) or a predicate (`F` = [`Pred`]).
#[derive(Debug, Clone)]
pub(super) struct Tree<F> {
    pub node: Node<F>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum Node<F> {
    And(Vec<Tree<F>>),
    Or(Vec<Tree<F>>),
    Not(Box<Tree<F>>),
    Leaf(F, Fact),
}

/// What conditions and predicates have in common.
pub(super) trait Formula: Clone + std::fmt::Debug + Sized {
    type Value: Clone + std::fmt::Debug + PartialEq;
    fn and(parts: Vec<Self>) -> Self;
    fn or(parts: Vec<Self>) -> Self;
    fn negation(part: Self) -> Self;
    fn test(test: Test<Self::Value>) -> Self;
    fn literal(literal: Literal) -> Self::Value;
    /// A calculation, where there is one of such values.
    fn calculation(op: Arithmetic, left: Self::Value, right: Self::Value) -> Option<Self::Value>;
}

impl Formula for Cond {
    type Value = Value;
    fn and(parts: Vec<Self>) -> Self {
        Cond::And(parts)
    }
    fn or(parts: Vec<Self>) -> Self {
        Cond::Or(parts)
    }
    fn negation(part: Self) -> Self {
        Cond::Not(Box::new(part))
    }
    fn test(test: Test<Value>) -> Self {
        Cond::Test(test)
    }
    fn literal(literal: Literal) -> Value {
        Value::Literal(literal)
    }
    fn calculation(op: Arithmetic, left: Value, right: Value) -> Option<Value> {
        Some(Value::Arithmetic { op, left: Box::new(left), right: Box::new(right) })
    }
}

impl Formula for Pred {
    type Value = Operand;
    fn and(parts: Vec<Self>) -> Self {
        Pred::And(parts)
    }
    fn or(parts: Vec<Self>) -> Self {
        Pred::Or(parts)
    }
    fn negation(part: Self) -> Self {
        Pred::Not(Box::new(part))
    }
    fn test(test: Test<Operand>) -> Self {
        Pred::Test(test)
    }
    fn literal(literal: Literal) -> Operand {
        Operand::Literal(literal)
    }
    /// What is known of the customer can be calculated with, the properties of an event can't.
    fn calculation(op: Arithmetic, left: Operand, right: Operand) -> Option<Operand> {
        let of_customer = |operand| match operand {
            Operand::Literal(literal) => Some(Value::Literal(literal)),
            Operand::Customer(value) => Some(*value),
            Operand::Property(_) | Operand::Hour | Operand::Weekday | Operand::Date => None,
        };
        let value = Cond::calculation(op, of_customer(left)?, of_customer(right)?)?;
        Some(Operand::Customer(Box::new(value)))
    }
}

impl<F: Formula> Tree<F> {
    pub fn leaf(formula: F, fact: Fact, span: Span) -> Self {
        Tree { node: Node::Leaf(formula, fact), span }
    }

    /// A leaf that the prover knows nothing about, except that it is equal to itself.
    pub fn opaque(formula: F, span: Span) -> Self {
        let fact = Fact::opaque(format!("{formula:?}"));
        Tree::leaf(formula, fact, span)
    }

    pub fn not(self, span: Span) -> Self {
        Tree { node: Node::Not(Box::new(self)), span }
    }

    /// Without the places.
    pub fn into_formula(self) -> F {
        match self.node {
            Node::And(parts) => F::and(parts.into_iter().map(Tree::into_formula).collect()),
            Node::Or(parts) => F::or(parts.into_iter().map(Tree::into_formula).collect()),
            Node::Not(part) => F::negation(part.into_formula()),
            Node::Leaf(formula, _) => formula,
        }
    }
}
