//! Values: attributes, traits, properties, aggregates, `days since`, and their types.

use crate::language::catalog::{AttributeId, EventId, PropertyId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Operand, Pred, Value};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind, Name, Phrase};
use crate::language::text::nfc;

use super::Checker;
use super::facts::Domain;
use super::known::KnownIndex;
use super::names::Meaning;
use super::ranks::has_rank;
use super::suggest::some_of;
use super::tree::Formula;

/// A value, its type, and what is known about it.
#[derive(Debug, Clone)]
pub(super) struct Typed<'a, V> {
    pub value: V,
    pub ty: Type,
    pub about: About<'a>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) struct About<'a> {
    /// As it is called in messages.
    pub says: String,
    pub known: Option<&'a KnownIndex<'a>>,
    pub fold: bool,
    pub empty_is_value: bool,
    pub domain: Domain,
    pub hour_or_weekday: bool,
    pub part: Part,
}

/// Whether a number is a part of something, which is written in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    No,
    /// A part that may be more than the whole, as opens per sent mail.
    Ratio,
    /// Never more than the whole.
    Share,
}

impl About<'_> {
    pub(super) fn plain(says: String, domain: Domain) -> Self {
        About { says, known: None, fold: false, empty_is_value: false, domain, hour_or_weekday: false, part: Part::No }
    }
}

/// A written constant, before it is fitted to what it is compared with.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Num(Num),
    Percent(Num),
    Text(String),
    Date(ast::Date),
    Instant(ast::Instant),
}

/// One side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Side<'a, V> {
    Constant(Written),
    Value(Typed<'a, V>),
    /// A bare word: known value, name or text.
    Word(Name),
}

/// What a bare name means as a value where it stands.
pub(super) enum Resolved<T> {
    Value(T),
    /// A name of something that is no value.
    Other(Meaning),
    /// The mistake has been reported elsewhere.
    Broken,
    /// Reported here.
    Reported,
    Unknown,
}

/// Where values come from: a customer, or one event in a `where`.
pub(super) trait Scope: Formula {
    type Place: Copy;
    fn resolve<'a>(cx: &Checker<'a>, place: Self::Place, name: &Name) -> Resolved<Typed<'a, Self::Value>>;
    /// An expression that is neither constant nor bare name.
    fn compound<'a>(cx: &Checker<'a>, place: Self::Place, expr: &Expr) -> Option<Typed<'a, Self::Value>>;
    /// `customer.country`, or `purchased.country` for a property that shares its name with an attribute. Reports what it can't
    /// resolve.
    fn qualified<'a>(
        cx: &Checker<'a>,
        place: Self::Place,
        qualifier: &Name,
        name: &Name,
    ) -> Option<Typed<'a, Self::Value>>;
    fn value_names<'a>(cx: &Checker<'a>, place: Self::Place) -> Vec<&'a str>;
}

impl Scope for Cond {
    type Place = ();

    fn resolve<'a>(cx: &Checker<'a>, (): (), name: &Name) -> Resolved<Typed<'a, Value>> {
        match cx.names.get(&name.text) {
            Some(Meaning::Attribute(id)) => match cx.attribute(id, name.span) {
                Some(value) => Resolved::Value(value),
                None => Resolved::Broken,
            },
            Some(Meaning::Trait(i)) => match cx.traits.borrow().get(i).cloned().flatten() {
                Some(value) => Resolved::Value(Typed { span: name.span, ..value }),
                None => Resolved::Broken,
            },
            Some(Meaning::Broken) => Resolved::Broken,
            Some(other) => Resolved::Other(other),
            None if cx.names.campaign(&name.text).is_some() => Resolved::Other(Meaning::Campaign),
            None => Resolved::Unknown,
        }
    }

    fn compound<'a>(cx: &Checker<'a>, (): (), expr: &Expr) -> Option<Typed<'a, Value>> {
        match &expr.kind {
            ExprKind::Aggregate(a) => cx.aggregate(a, expr.span),
            ExprKind::Rate(r) => cx.rate(r, expr.span),
            ExprKind::RankOf(r) => cx.rank_of(r, expr.span),
            ExprKind::DaysSince(d) => cx.days_since(d, expr.span),
            ExprKind::Error => None,
            _ => {
                cx.not_a_value(expr.span);
                None
            }
        }
    }

    fn qualified<'a>(cx: &Checker<'a>, (): (), qualifier: &Name, name: &Name) -> Option<Typed<'a, Value>> {
        if qualifier.text == "customer" {
            return match Self::resolve(cx, (), name) {
                Resolved::Value(v) => Some(v),
                Resolved::Broken | Resolved::Reported => None,
                Resolved::Other(_) | Resolved::Unknown => {
                    cx.unknown_name(name, |m| matches!(m, Meaning::Attribute(_) | Meaning::Trait(_)));
                    None
                }
            };
        }
        if let Some(Meaning::Stages(i)) = cx.names.get(&qualifier.text) {
            if let Some(stages) = cx.names.stages(i) {
                cx.only_stages(stages, qualifier.span.to(name.span), "a stage is asked for with `=`");
            }
        } else if let Some(Meaning::Event(_)) = cx.names.get(&qualifier.text) {
            let d = Diagnostic::new(
                code::check::NOT_IN_WHERE,
                qualifier.span.to(name.span),
                format!("a property of `{}` outside a `where`", qualifier.text),
            );
            cx.report(
                d.label("a property belongs to one event")
                    .help(format!("write `{} where ({} …)`", qualifier.text, name.text)),
            );
        } else {
            cx.unknown_qualifier(qualifier, "customer");
        }
        None
    }

    fn value_names<'a>(cx: &Checker<'a>, (): ()) -> Vec<&'a str> {
        let is_value = |m: &Meaning| matches!(m, Meaning::Attribute(_) | Meaning::Trait(_));
        cx.names.iter().filter(|(_, m)| is_value(m)).map(|(n, _)| n).collect()
    }
}

impl Scope for Pred {
    type Place = EventId;

    fn resolve<'a>(cx: &Checker<'a>, event: EventId, name: &Name) -> Resolved<Typed<'a, Operand>> {
        if let Some(value) = cx.property(event, &name.text, name.span) {
            if let Some(Meaning::Attribute(_) | Meaning::Trait(_)) = cx.names.get(&name.text) {
                let (text, of) = (&name.text, cx.event_name(event));
                cx.report(
                    Diagnostic::new(
                        code::check::PROPERTY_OR_ATTRIBUTE,
                        name.span,
                        format!("`{text}` is a property of `{of}` and an attribute of the customer"),
                    )
                    .label("it could be either")
                    .help(format!("write `{of}.{text}` for the event's, `customer.{text}` for the customer's"))
                    .fix("take the event's", vec![(name.span, format!("{of}.{text}"))]),
                );
                return Resolved::Reported;
            }
            return Resolved::Value(value);
        }
        cx.of_customer(name)
    }

    fn compound<'a>(cx: &Checker<'a>, _: EventId, expr: &Expr) -> Option<Typed<'a, Operand>> {
        match &expr.kind {
            ExprKind::Error => {}
            ExprKind::Aggregate(_) | ExprKind::Rate(_) | ExprKind::DaysSince(_) => {
                cx.not_in_where(expr.span, "a calculation over events")
            }
            ExprKind::RankOf(_) => cx.not_in_where(expr.span, "a rank"),
            _ => cx.not_a_value(expr.span),
        }
        None
    }

    fn qualified<'a>(cx: &Checker<'a>, event: EventId, qualifier: &Name, name: &Name) -> Option<Typed<'a, Operand>> {
        if cx.names.get(&qualifier.text) == Some(Meaning::Event(event)) {
            let value = cx.property(event, &name.text, name.span);
            if value.is_none() {
                cx.unknown_property(event, name, Self::value_names(cx, event));
            }
            return value;
        }
        if qualifier.text == "customer" {
            return match cx.of_customer(name) {
                Resolved::Value(value) => Some(value),
                Resolved::Broken | Resolved::Reported => None,
                Resolved::Other(Meaning::Attribute(_) | Meaning::Trait(_)) => {
                    cx.customer_in_filter(name);
                    None
                }
                Resolved::Other(_) | Resolved::Unknown => {
                    cx.unknown_name(name, |m| matches!(m, Meaning::Attribute(_) | Meaning::Trait(_)));
                    None
                }
            };
        }
        cx.unknown_qualifier(qualifier, cx.event_name(event));
        None
    }

    fn value_names<'a>(cx: &Checker<'a>, event: EventId) -> Vec<&'a str> {
        let own = cx.catalog.event(event).map_or(&[][..], |e| e.properties.as_slice());
        own.iter().map(|p| p.name.name.as_str()).chain(["hour", "weekday", "date"]).collect()
    }
}

impl<'a> Checker<'a> {
    /// Reads one side of a comparison.
    pub(super) fn side<F: Scope>(&self, place: F::Place, expr: &Expr) -> Option<Side<'a, F::Value>> {
        Some(match &expr.kind {
            ExprKind::Paren(inner) => return self.side::<F>(place, inner),
            ExprKind::Number(n) => Side::Constant(Written::Num(plainest(*n))),
            ExprKind::Percent(n) => Side::Constant(Written::Percent(plainest(*n))),
            ExprKind::Text(t) => Side::Constant(Written::Text(nfc(t))),
            ExprKind::Date(d) => Side::Constant(Written::Date(*d)),
            ExprKind::Instant(i) => Side::Constant(Written::Instant(*i)),
            ExprKind::Phrase(p) => return self.phrase_side::<F>(place, p, expr.span),
            ExprKind::Arithmetic { op, left, right } => {
                return self.arithmetic::<F>(place, *op, left, right, expr.span);
            }
            _ => Side::Value(F::compound(self, place, expr)?),
        })
    }

    fn phrase_side<F: Scope>(&self, place: F::Place, p: &Phrase, span: Span) -> Option<Side<'a, F::Value>> {
        let bare = alone(p);
        if bare && p.qualifier.is_none() {
            return Some(Side::Word(p.name.clone()));
        }
        if let (true, Some(qualifier)) = (bare, &p.qualifier) {
            return F::qualified(self, place, qualifier, &p.name).map(Side::Value);
        }
        if let Some(Meaning::Event(id)) = self.names.get(&p.name.text) {
            let event = self.event_name(id);
            self.report(
                Diagnostic::new(code::check::NOT_A_VALUE, span, "a behaviour where a value is expected")
                    .label(format!("what a customer did; a number of `{event}` would be a value"))
                    .help(format!("write `count({event} …)`")),
            );
        } else if self.names.get(&p.name.text) != Some(Meaning::Broken) {
            self.not_a_value(span);
        }
        None
    }

    pub(super) fn not_a_value(&self, span: Span) {
        self.report(
            Diagnostic::new(code::check::NOT_A_VALUE, span, "a condition where a value is expected")
                .label("this is yes or no")
                .help("a value is an attribute, a trait, `count(…)`, `sum(… of …)`, `days since …`, a number, a date or a text"),
        );
    }

    pub(super) fn not_in_where(&self, span: Span, what: &str) {
        self.report(
            Diagnostic::new(code::check::NOT_IN_WHERE, span, format!("{what} can't stand in a `where`"))
                .label("a `where` asks about one event")
                .help("join it outside the parentheses with `and`"),
        );
    }

    fn unknown_qualifier(&self, qualifier: &Name, wanted: &str) {
        self.report(
            Diagnostic::new(
                code::check::UNKNOWN_NAME,
                qualifier.span,
                format!("`{}` has nothing that could be meant here", qualifier.text),
            )
            .label("before the point")
            .help(format!("write `{wanted}`, or leave it and the point out")),
        );
    }

    /// A value of the customer in the filter of one of the catalog's events.
    pub(super) fn customer_in_filter(&self, name: &Name) {
        self.report(
            Diagnostic::new(
                code::check::NOT_IN_WHERE,
                name.span,
                format!("`{}` belongs to the customer, and a filter says which rows are the event", name.text),
            )
            .label("the same for all rows of a customer")
            .help("use the properties of the event here, and ask for the customer's in a rule"),
        );
    }

    /// A value of the customer in a `where`.
    fn of_customer(&self, name: &Name) -> Resolved<Typed<'a, Operand>> {
        // Filters are read before any trait is understood.
        if let (true, Some(meaning @ Meaning::Trait(_))) = (self.filtering.get(), self.names.get(&name.text)) {
            return Resolved::Other(meaning);
        }
        let value = match Cond::resolve(self, (), name) {
            Resolved::Value(value) => value,
            Resolved::Other(meaning) => return Resolved::Other(meaning),
            Resolved::Broken => return Resolved::Broken,
            Resolved::Reported => return Resolved::Reported,
            Resolved::Unknown => return Resolved::Unknown,
        };
        if let (true, Some(meaning)) = (self.filtering.get(), self.names.get(&name.text)) {
            return Resolved::Other(meaning);
        }
        if has_rank(&value.value) {
            self.not_in_where(name.span, &format!("a rank (`{}`)", name.text));
            return Resolved::Reported;
        }
        Resolved::Value(Typed {
            value: Operand::Customer(Box::new(value.value)),
            ty: value.ty,
            about: value.about,
            span: value.span,
        })
    }

    pub(super) fn attribute(&self, id: AttributeId, span: Span) -> Option<Typed<'a, Value>> {
        let a = self.catalog.attributes().get(id.index())?;
        Some(Typed {
            value: Value::Attribute(id),
            ty: a.ty,
            about: About {
                known: self.known.attribute(id),
                fold: a.fold,
                empty_is_value: a.empty_is_value,
                ..About::plain(a.name.name.clone(), Domain::of(a.ty, true))
            },
            span,
        })
    }

    /// A property of the event by its name, or `hour`, `weekday`, `date`.
    pub(super) fn property(&self, event: EventId, name: &str, span: Span) -> Option<Typed<'a, Operand>> {
        let own = &self.catalog.event(event)?.properties;
        if let Some(i) = own.iter().position(|p| p.name.name == name) {
            let (p, id) = (own.get(i)?, PropertyId(i as u32));
            let about = self.property_about(event, id, p.name.name.clone())?;
            return Some(Typed { value: Operand::Property(id), ty: p.ty, about, span });
        }
        let of_time = |value, ty, domain| {
            let about = About { hour_or_weekday: ty != Type::Date, ..About::plain(name.to_owned(), domain) };
            Some(Typed { value, ty, about, span })
        };
        match name {
            "hour" => of_time(Operand::Hour, Type::Integer, Domain::of(Type::Integer, false).between(0, 23)),
            "weekday" => of_time(Operand::Weekday, Type::Text, Domain::of(Type::Text, false)).map(|mut t| {
                t.about.known = Some(self.known.weekdays());
                t
            }),
            "date" => of_time(Operand::Date, Type::Date, Domain::of(Type::Date, false)),
            _ => None,
        }
    }

    /// What is known about the values of a property, under a name of their own.
    pub(super) fn property_about(&self, event: EventId, id: PropertyId, says: String) -> Option<About<'a>> {
        let p = self.catalog.event(event)?.properties.get(id.index())?;
        Some(About {
            known: self.known.property(event, id),
            fold: p.fold,
            empty_is_value: p.empty_is_value,
            ..About::plain(says, Domain::of(p.ty, true))
        })
    }

    pub(super) fn unknown_property(&self, event: EventId, name: &Name, candidates: Vec<&str>) {
        let of = self.event_name(event);
        let d = Diagnostic::new(
            code::check::UNKNOWN_PROPERTY,
            name.span,
            format!("`{of}` has no property `{}`", name.text),
        )
        .label("no property of this event");
        self.report(match self.nearest(&name.text, candidates.iter().copied()) {
            Some(near) => d
                .help(format!("did you mean `{near}`?"))
                .fix(format!("write `{near}`"), vec![(name.span, near.to_owned())]),
            None if candidates.is_empty() => d.help(format!("add it to `{of}` in `{}`", self.options.catalog)),
            None => d.help(format!(
                "it has {}; add others in `{}`",
                some_of(candidates.iter().copied()),
                self.options.catalog
            )),
        });
    }
}

/// A name (with its qualifier) and nothing else.
pub(super) fn alone(p: &Phrase) -> bool {
    p.quantifier.is_none()
        && p.subject.is_none()
        && p.filter.is_none()
        && p.test.is_none()
        && p.same.is_none()
        && p.window.is_none()
        && p.without.is_none()
}

/// With its article.
pub(super) fn type_noun(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Integer => "a whole number",
        Type::Money { .. } => "an amount of money",
        Type::Number => "a number",
        Type::YesNo => "yes or no",
        Type::Date => "a date",
        Type::Instant => "an instant",
        Type::TextList => "a list",
    }
}

/// Without trailing zeros behind the point, so that equal numbers are written equally.
pub(super) fn plainest(n: Num) -> Num {
    match n {
        Num::Exact { mut units, mut scale } => {
            while scale > 0 && units % 10 == 0 {
                units /= 10;
                scale -= 1;
            }
            Num::Exact { units, scale }
        }
        float => float,
    }
}

impl<V> Typed<'_, V> {
    pub(super) fn is_number(&self) -> bool {
        matches!(self.ty, Type::Integer | Type::Money { .. } | Type::Number)
    }
}
