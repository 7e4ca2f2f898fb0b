//! Calculations over events, and `days since`.

use crate::language::catalog::{EventId, PropertyId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Aggregate, Behaviour, End, Value, Window};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Function, Name, Phrase, Quantifier};

use super::Checker;
use super::facts::Domain;
use super::names::Meaning;
use super::values::{About, Typed, type_noun};
use super::window::On;

impl<'a> Checker<'a> {
    /// The property of an event that an aggregate works on.
    fn aggregated(&self, event: EventId, name: &Name) -> Option<(PropertyId, Type)> {
        let own = &self.catalog.event(event)?.properties;
        if let Some(i) = own.iter().position(|p| p.name.name == name.text) {
            return Some((PropertyId(i as u32), own.get(i)?.ty));
        }
        self.unknown_property(event, name, own.iter().map(|p| p.name.name.as_str()).collect());
        None
    }

    /// `sum(amount of purchased anti-aging in 12mo)`
    pub(super) fn aggregate(&self, a: &ast::Aggregate, span: Span) -> Option<Typed<'a, Value>> {
        let event = self.event_of(&a.behaviour)?;
        let (matching, window) = (self.matching(&a.behaviour, event), self.event_window(&a.behaviour));
        let word = function_word(a.function);
        let of = self.event_name(event);
        let (function, ty, domain) = match (a.function, &a.property) {
            (Function::Count, None) => (Aggregate::Count, Type::Integer, Domain::COUNT),
            (Function::Count, Some(p)) => {
                self.report(
                    Diagnostic::new(code::check::AGGREGATE_TYPE, p.span, "`count` counts events and takes no property")
                        .label("a property")
                        .help(format!(
                            "write `distinct({} of {of})` for the number of different values, `count({of})` for the events",
                            p.text
                        )),
                );
                return None;
            }
            (_, None) => {
                self.report(
                    Diagnostic::new(code::check::AGGREGATE_TYPE, a.function_span, format!("`{word}` needs a property"))
                        .label("of what?")
                        .help(format!("write `{word}(PROPERTY of {of})`")),
                );
                return None;
            }
            (function, Some(p)) => {
                let (id, ty) = self.aggregated(event, p)?;
                let number = matches!(ty, Type::Integer | Type::Money { .. } | Type::Number);
                let ordered = number || matches!(ty, Type::Date | Type::Instant);
                match function {
                    Function::Sum if number => (Aggregate::Sum(id), ty, Domain::of(ty, false)),
                    Function::Avg if number => (Aggregate::Avg(id), Type::Number, Domain::of(Type::Number, true)),
                    Function::Min if ordered => (Aggregate::Min(id), ty, Domain::of(ty, true)),
                    Function::Max if ordered => (Aggregate::Max(id), ty, Domain::of(ty, true)),
                    Function::Distinct if ty != Type::TextList => {
                        (Aggregate::Distinct(id), Type::Integer, Domain::COUNT)
                    }
                    _ => {
                        self.report(
                            Diagnostic::new(
                                code::check::AGGREGATE_TYPE,
                                p.span,
                                format!("`{word}` can't be made from {}", type_noun(ty)),
                            )
                            .label(format!("`{}` of `{of}` is {}", p.text, type_noun(ty)))
                            .help(if ty == Type::TextList {
                                "use a property that is no list".to_owned()
                            } else {
                                format!("`distinct({} of {of})` counts its different values", p.text)
                            }),
                        );
                        return None;
                    }
                }
            }
        };
        let behaviour = Behaviour { matching: matching?, window: window?, since: None };
        let says = match &a.property {
            Some(p) => format!("{word}({} of {of} …)", p.text),
            None => format!("{word}({of} …)"),
        };
        Some(Typed { value: Value::Aggregate { function, behaviour }, ty, about: About::plain(says, domain), span })
    }

    /// `days since last purchased`, `days since signup_date`
    pub(super) fn days_since(&self, d: &ast::DaysSince, span: Span) -> Option<Typed<'a, Value>> {
        let name = &d.of.name;
        let about = |says| About::plain(says, Domain::of(Type::Integer, true));
        let meaning = self.names.get(&name.text);
        if let (Some(which), Some(Meaning::Event(event))) = (d.which, meaning) {
            let end = if which == Quantifier::First { End::First } else { End::Last };
            let matching = self.matching(&d.of, event)?;
            let says = format!("days since {} {}", if end == End::First { "first" } else { "last" }, name.text);
            return Some(Typed {
                value: Value::DaysSinceEvent { end, matching },
                ty: Type::Integer,
                about: about(says),
                span,
            });
        }
        match meaning {
            Some(Meaning::Broken) => None,
            Some(Meaning::Event(_)) => {
                self.report(
                    Diagnostic::new(
                        code::check::QUANTIFIER_FORM,
                        name.span,
                        format!("`days since {}` does not say which", name.text),
                    )
                    .label("there may be many of them")
                    .help(format!("write `days since last {0}` or `days since first {0}`", name.text))
                    .fix("take the last one", vec![(name.span, format!("last {}", name.text))]),
                );
                None
            }
            Some(Meaning::Attribute(id)) if d.which.is_none() => {
                let a = self.catalog.attributes().get(id.index())?;
                if !matches!(a.ty, Type::Date | Type::Instant) {
                    self.report(
                        Diagnostic::new(
                            code::check::AGGREGATE_TYPE,
                            name.span,
                            format!("`days since` needs a date, and `{}` is {}", name.text, type_noun(a.ty)),
                        )
                        .label("not a date")
                        .help("use an attribute of type date or instant, or `days since last EVENT`"),
                    );
                    return None;
                }
                Some(Typed {
                    value: Value::DaysSinceAttribute(id),
                    ty: Type::Integer,
                    about: about(format!("days since {}", name.text)),
                    span,
                })
            }
            Some(Meaning::Attribute(_)) => {
                self.report(
                    Diagnostic::new(
                        code::check::QUANTIFIER_FORM,
                        name.span,
                        format!("`{}` is an attribute, which has no first or last", name.text),
                    )
                    .label("one value a customer")
                    .help(format!("write `days since {}`", name.text)),
                );
                None
            }
            Some(other) => {
                self.report(
                    Diagnostic::new(
                        code::check::AGGREGATE_TYPE,
                        name.span,
                        format!("`days since` needs an event or a date, and `{}` is {}", name.text, other.noun()),
                    )
                    .label("neither an event nor a date")
                    .help("write `days since last EVENT`, or the name of a date attribute"),
                );
                None
            }
            None => {
                self.unknown_name(name, |m| matches!(m, Meaning::Event(_) | Meaning::Attribute(_)));
                None
            }
        }
    }

    /// The window of a behaviour inside an aggregate.
    fn event_window(&self, phrase: &Phrase) -> Option<Window> {
        match &phrase.window {
            Some(w) => self.window(w, On::Instants),
            None => Some(Window::EVER),
        }
    }
}

fn function_word(function: Function) -> &'static str {
    match function {
        Function::Count => "count",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
        Function::Distinct => "distinct",
        Function::Median => "median",
        Function::Percentile => "percentile",
        Function::First => "first",
        Function::Last => "last",
        Function::MostFrequent => "most frequent",
    }
}
