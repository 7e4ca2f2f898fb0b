//! Which declarations an expression uses: what has to be understood before it.

use crate::language::catalog::{Catalog, EventId};
use crate::language::syntax::ast::{Expr, ExprKind, Name, Phrase, TestKind, Window, WindowKind};

use super::items::Declaration;
use super::names::{Meaning, Names};

/// Where a name stands, which says what it can be.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A condition or a value.
    Free,
    /// A value: right of a comparison, in a calculation. Segments and stages stand there as text at most.
    Value,
    /// A `where` of this event: its properties come first.
    Where(Option<EventId>),
}

/// A part of a declaration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'e> {
    Expr(&'e Expr),
    Phrase(&'e Phrase),
    Name(&'e Name),
}

/// The walk through an expression.
pub(super) struct Uses<'w> {
    catalog: &'w Catalog,
    names: &'w Names<'w>,
    /// In the order of the text, with repeats.
    found: Vec<Declaration>,
}

impl<'w> Uses<'w> {
    /// What these parts of a declaration use.
    pub fn of<'e>(
        catalog: &'w Catalog,
        names: &'w Names<'w>,
        parts: impl IntoIterator<Item = Part<'e>>,
    ) -> Vec<Declaration> {
        let mut uses = Uses { catalog, names, found: Vec::new() };
        for part in parts {
            match part {
                Part::Expr(expr) => uses.expr(expr, Place::Free),
                Part::Phrase(phrase) => uses.phrase(phrase, Place::Free),
                Part::Name(name) => uses.named(None, name, Place::Free),
            }
        }
        uses.found
    }

    fn expr(&mut self, expr: &Expr, place: Place) {
        match &expr.kind {
            ExprKind::Or(parts) => parts.iter().for_each(|p| self.expr(p, place)),
            ExprKind::And(parts) => parts.iter().for_each(|p| self.expr(&p.expr, place)),
            ExprKind::Not(inner) | ExprKind::Paren(inner) => self.expr(inner, place),
            ExprKind::Phrase(p) => self.phrase(p, place),
            ExprKind::Test { left, test } => {
                self.expr(left, place);
                self.test(&test.kind, place);
            }
            ExprKind::Sequence(s) => {
                self.phrase(&s.first, place);
                for then in &s.then {
                    self.phrase(&then.event, place);
                    then.without.iter().for_each(|p| self.phrase(p, place));
                }
            }
            ExprKind::Gathered(g) => {
                self.expr(&g.inside, place.of_value());
                self.window(g.window.as_ref());
            }
            ExprKind::Ranked(r) => self.rank(&r.by, r.among.as_ref(), place),
            ExprKind::Anniversary(a) => self.named(a.qualifier.as_ref(), &a.name, place.of_value()),
            ExprKind::Recorded(r) => self.window(r.window.as_ref()),
            ExprKind::Aggregate(a) => self.phrase(&a.behaviour, place),
            ExprKind::Rate(r) => {
                self.phrase(&r.of, place);
                self.phrase(&r.per, place);
                self.window(r.window.as_ref());
            }
            ExprKind::RankOf(r) => self.rank(&r.by, r.among.as_ref(), place),
            ExprKind::Arithmetic { left, right, .. } => {
                self.expr(left, place.of_value());
                self.expr(right, place.of_value());
            }
            ExprKind::DaysSince(d) => self.phrase(&d.of, place.of_value()),
            // What the history of memberships records of a segment is not what the segment means.
            ExprKind::Member(_) => {}
            ExprKind::Everyone
            | ExprKind::KnownFor(_)
            | ExprKind::Sample(_)
            | ExprKind::Number(_)
            | ExprKind::Percent(_)
            | ExprKind::Text(_)
            | ExprKind::Date(_)
            | ExprKind::Instant(_)
            | ExprKind::Error => {}
        }
    }

    fn phrase(&mut self, p: &Phrase, place: Place) {
        self.named(p.qualifier.as_ref(), &p.name, place);
        if let Some(filter) = &p.filter {
            let event = match self.names.get(&p.name.text) {
                Some(Meaning::Event(id)) => Some(id),
                _ => None,
            };
            self.expr(filter, Place::Where(event));
        }
        p.test.iter().for_each(|t| self.test(&t.kind, place));
        self.window(p.window.as_ref());
        p.without.iter().for_each(|w| self.phrase(w, place));
    }

    fn test(&mut self, test: &TestKind, place: Place) {
        match test {
            TestKind::Compare { right, .. } => self.expr(right, place.of_value()),
            TestKind::Between { low, high } => {
                self.expr(low, place.of_value());
                self.expr(high, place.of_value());
            }
            TestKind::OnPeriods { count, .. } => self.expr(count, place.of_value()),
            // Always text.
            TestKind::OneOf { .. } | TestKind::Text { .. } | TestKind::Has(_) | TestKind::Known { .. } => {}
        }
    }

    /// An anchor has a `where` of its own.
    fn window(&mut self, window: Option<&Window>) {
        if let Some(Window { kind: WindowKind::SinceEvent(anchor), .. }) = window {
            self.phrase(&anchor.of, Place::Value);
        }
    }

    fn rank(&mut self, by: &Expr, among: Option<&Name>, place: Place) {
        self.expr(by, place.of_value());
        among.iter().for_each(|name| self.named(None, name, Place::Free));
    }

    fn named(&mut self, qualifier: Option<&Name>, name: &Name, place: Place) {
        if qualifier.is_some_and(|q| q.text != "customer") {
            return;
        }
        let free = matches!(place, Place::Free) && qualifier.is_none();
        match self.names.get(&name.text) {
            Some(Meaning::Trait(i)) if qualifier.is_some() || !self.property(&name.text, place) => {
                self.found.push(Declaration::Trait(i));
            }
            Some(Meaning::Segment(i)) if free => self.found.push(Declaration::Rule(i)),
            Some(Meaning::Stages(i)) if free => self.found.push(Declaration::Stages(i)),
            _ => {}
        }
    }

    fn property(&self, name: &str, place: Place) -> bool {
        let Place::Where(Some(event)) = place else { return false };
        self.catalog.event(event).is_some_and(|e| e.properties.iter().any(|p| p.name.name == name))
    }
}

impl Place {
    /// Of a value that stands here.
    fn of_value(self) -> Place {
        match self {
            Place::Free | Place::Value => Place::Value,
            Place::Where(event) => Place::Where(event),
        }
    }
}
