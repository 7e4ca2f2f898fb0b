//! `+ - * /`: numbers only; what is constant is calculated here.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::Literal;
use crate::language::num::{Arithmetic, Num};
use crate::language::source::Span;
use crate::language::syntax::ast::Expr;

use super::Checker;
use super::facts::Domain;
use super::tree::Formula;
use super::values::{About, Part, Scope, Side, Typed, Written, plainest, type_noun};
use super::words::shown;

/// The longest calculation that is repeated in a message.
const SAID: usize = 48;

impl<'a> Checker<'a> {
    /// A calculation, or the constant that it comes to.
    pub(super) fn arithmetic<F: Scope>(
        &self,
        place: F::Place,
        op: Arithmetic,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Option<Side<'a, F::Value>> {
        let (a, b) = (self.calculable::<F>(place, left), self.calculable::<F>(place, right));
        let zero = |n: &Num| n.compare(Num::int(0)).is_eq();
        if let (Arithmetic::Divide, Some(Side::Constant(Written::Num(n) | Written::Percent(n)))) = (op, &b)
            && zero(n)
        {
            self.report(
                Diagnostic::new(code::check::DIVISION_BY_ZERO, right.span, "a division by zero")
                    .label("this is 0")
                    .help("divide by something that is not zero"),
            );
            return None;
        }
        let (a, b) = (a?, b?);
        if let (Side::Constant(x), Side::Constant(y)) = (&a, &b) {
            return self.folded(op, x, y, span).map(Side::Constant);
        }
        let (a, b) = (typed::<F>(a, left.span)?, typed::<F>(b, right.span)?);
        let (ty, domain) = result(op, &a, &b);
        // What is made from rates and shares may pass 100%.
        let part = if a.about.part == Part::No && b.about.part == Part::No { Part::No } else { Part::Ratio };
        let mut says = format!("{} {} {}", a.about.says, symbol(op), b.about.says);
        if says.chars().count() > SAID {
            says = format!("… {} …", symbol(op));
        }
        let Some(value) = F::calculation(op, a.value, b.value) else {
            self.report(
                Diagnostic::new(code::check::NOT_IN_WHERE, span, "a property can't be calculated with in a `where`")
                    .label("made from a property of the event")
                    .help("compare the property itself, or let the data have a column of this"),
            );
            return None;
        };
        Some(Side::Value(Typed { value, ty, about: About { part, ..About::plain(says, domain) }, span }))
    }

    /// Something that is calculated with: a constant or a value, a number.
    fn calculable<F: Scope>(&self, place: F::Place, expr: &Expr) -> Option<Side<'a, F::Value>> {
        let value = match self.side::<F>(place, expr)? {
            Side::Constant(n @ (Written::Num(_) | Written::Percent(_))) => return Some(Side::Constant(n)),
            Side::Constant(written) => {
                let (noun, cure) = match &written {
                    Written::Text(_) => ("a text", "compare texts by `=`, or take the quotation marks off a number"),
                    _ => ("a date", "write `days since …` for an age in days, or a window such as `in 30d`"),
                };
                self.no_number(expr.span, &shown(&written), noun, cure.to_owned());
                return None;
            }
            Side::Value(value) => value,
            Side::Word(name) => self.value_named_here::<F>(place, &name)?,
        };
        if value.is_number() {
            return Some(Side::Value(value));
        }
        let says = &value.about.says;
        let cure = match value.ty {
            Type::Date | Type::Instant if crate::language::syntax::is_name(says) => {
                format!("write `days since {says}` for its age in days, which is a number")
            }
            Type::Date | Type::Instant => {
                "write `days since last EVENT` or `days since ATTRIBUTE` for an age in days, which is a number"
                    .to_owned()
            }
            Type::YesNo => format!("ask it by itself: `{says}` or `not {says}`"),
            Type::TextList => format!("ask what it has: `{says} has …`"),
            _ => format!("compare it: `{says} = …`"),
        };
        self.no_number(expr.span, says, type_noun(value.ty), cure);
        None
    }

    fn no_number(&self, span: Span, says: &str, noun: &str, cure: String) {
        self.report(
            Diagnostic::new(
                code::check::AGGREGATE_TYPE,
                span,
                format!("`{says}` is {noun}, and `+ - * /` take numbers"),
            )
            .label("not a number")
            .help(cure),
        );
    }

    /// Two constants.
    fn folded(&self, op: Arithmetic, a: &Written, b: &Written, span: Span) -> Option<Written> {
        let (Written::Num(x) | Written::Percent(x), Written::Num(y) | Written::Percent(y)) = (a, b) else {
            return None;
        };
        let Some(n) = x.combine(op, *y).map(plainest) else {
            self.report(
                Diagnostic::new(code::check::CONSTANTS, span, "this calculation has no result")
                    .label("larger than any number")
                    .help("write the number that is meant"),
            );
            return None;
        };
        // Ten percent more than 20% is a percentage; twice 20% is a number.
        let percent = matches!((a, b), (Written::Percent(_), Written::Percent(_)));
        Some(if percent && matches!(op, Arithmetic::Add | Arithmetic::Subtract) {
            Written::Percent(n)
        } else {
            Written::Num(n)
        })
    }
}

/// A number with its type, be it written or not.
fn typed<'a, F: Formula>(side: Side<'a, F::Value>, span: Span) -> Option<Typed<'a, F::Value>> {
    match side {
        Side::Value(value) => Some(value),
        Side::Constant(written @ (Written::Num(n) | Written::Percent(n))) => {
            let ty = if matches!(n, Num::Exact { scale: 0, .. }) { Type::Integer } else { Type::Number };
            let about = About::plain(shown(&written), Domain::of(ty, false));
            Some(Typed { value: F::literal(Literal::Num(n)), ty, about, span })
        }
        Side::Constant(_) | Side::Word(_) => None,
    }
}

/// The type of a result and what it can be. Sums of what is never missing are never missing; a product may grow beyond every
/// number, and what is made from that may be none.
fn result<V>(op: Arithmetic, a: &Typed<'_, V>, b: &Typed<'_, V>) -> (Type, Domain) {
    let sum = matches!(op, Arithmetic::Add | Arithmetic::Subtract);
    let ty = match (a.ty, b.ty) {
        (Type::Integer, Type::Integer) if op != Arithmetic::Divide => Type::Integer,
        (Type::Money { scale: m }, Type::Money { scale: n }) if sum => Type::Money { scale: m.max(n) },
        _ => Type::Number,
    };
    let known = sum && ty != Type::Number && !a.about.domain.missing && !b.about.domain.missing;
    (ty, Domain::of(ty, !known))
}

pub(super) fn symbol(op: Arithmetic) -> char {
    match op {
        Arithmetic::Add => '+',
        Arithmetic::Subtract => '-',
        Arithmetic::Multiply => '*',
        Arithmetic::Divide => '/',
    }
}
