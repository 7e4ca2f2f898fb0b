//! Calculations over events, rates, and `days since`.

use crate::language::catalog::{EventId, PropertyId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Aggregate, Behaviour, End, Value};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Function, Name, Phrase, Quantifier};

use super::Checker;
use super::facts::Domain;
use super::names::Meaning;
use super::values::{About, Part, Typed, plainest, type_noun};

impl<'a> Checker<'a> {
    /// The property of an event that an aggregate works on.
    fn aggregated(&self, event: EventId, name: &Name) -> Option<(PropertyId, Type)> {
        if self.catalog.is_recorded(event) {
            self.report(
                Diagnostic::new(
                    code::check::UNKNOWN_PROPERTY,
                    name.span,
                    format!("`{}` has no property `{}`", self.event_name(event), name.text),
                )
                .label("nothing but the name and the time is recorded")
                .help("count them, or ask for the days since: `days since last contacted NAME`"),
            );
            return None;
        }
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
        let (matching, window) = (self.matching(&a.behaviour, event), self.event_window(a.behaviour.window.as_ref()));
        let word = a.function.word();
        let of = self.event_name(event);
        let says = match (&a.property, a.percent) {
            (Some(p), Some((percent, _))) => format!("{word}({percent}, {} of {of} …)", p.text),
            (Some(p), None) => format!("{word}({} of {of} …)", p.text),
            (None, _) => format!("{word}({of} …)"),
        };
        let (function, ty, about) = match (a.function, &a.property) {
            (Function::Count, None) => (Aggregate::Count, Type::Integer, About::plain(says, Domain::COUNT)),
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
                let single = ty != Type::TextList;
                let maybe = |ty| About::plain(says.clone(), Domain::of(ty, true));
                // One of the property's own values: known, folded and empty as they are.
                let own = || self.property_about(event, id, says.clone());
                match function {
                    Function::Sum if number => (Aggregate::Sum(id), ty, About::plain(says, Domain::of(ty, false))),
                    Function::Avg if number => (Aggregate::Avg(id), Type::Number, maybe(Type::Number)),
                    Function::Min if ordered => (Aggregate::Min(id), ty, maybe(ty)),
                    Function::Max if ordered => (Aggregate::Max(id), ty, maybe(ty)),
                    Function::Distinct if single => {
                        (Aggregate::Distinct(id), Type::Integer, About::plain(says, Domain::COUNT))
                    }
                    Function::Median if number => {
                        (Aggregate::Percentile(id, 500_000), Type::Number, maybe(Type::Number))
                    }
                    Function::Percentile if number => {
                        let millionths = self.percentile(a, &p.text, of)?;
                        (Aggregate::Percentile(id, millionths), Type::Number, maybe(Type::Number))
                    }
                    Function::First if single => (Aggregate::First(id), ty, own()?),
                    Function::Last if single => (Aggregate::Last(id), ty, own()?),
                    Function::MostFrequent if single => (Aggregate::MostFrequent(id), ty, own()?),
                    _ => {
                        self.report(
                            Diagnostic::new(
                                code::check::AGGREGATE_TYPE,
                                p.span,
                                format!("`{word}` can't be made from {}", type_noun(ty)),
                            )
                            .label(format!("`{}` of `{of}` is {}", p.text, type_noun(ty)))
                            .help(match ty {
                                Type::TextList => "use a property that is no list".to_owned(),
                                Type::Date | Type::Instant => {
                                    format!("a date has `min`, `max`, `first` and `last`: `max({} of {of})`", p.text)
                                }
                                _ => format!("`distinct({} of {of})` counts its different values", p.text),
                            }),
                        );
                        return None;
                    }
                }
            }
        };
        let (window, since) = window?;
        let mut about = about;
        // Since an event that never happened there is no value, not even 0.
        about.domain.missing |= since.is_some();
        let behaviour = Behaviour { matching: matching?, window, since };
        Some(Typed { value: Value::Aggregate { function, behaviour }, ty, about, span })
    }

    /// The place of a percentile, in millionths.
    fn percentile(&self, a: &ast::Aggregate, property: &str, of: &str) -> Option<u32> {
        let cure = format!("write for example `percentile(90, {property} of {of})`");
        let (span, why) = match a.percent.map(|(n, span)| (plainest(n), span)) {
            None => (a.function_span, "which of them?"),
            Some((Num::Exact { units, scale }, span)) => {
                let wanted = 10i128.checked_pow(4u32.saturating_sub(scale.into())).and_then(|up| units.checked_mul(up));
                match wanted.and_then(|m| u32::try_from(m).ok()) {
                    _ if scale > 4 => (span, "more than four decimals"),
                    Some(millionths) if millionths <= 1_000_000 => return Some(millionths),
                    _ => (span, "less than 0 or more than 100"),
                }
            }
            Some((Num::Float(_), span)) => (span, "more than four decimals"),
        };
        self.report(
            Diagnostic::new(code::check::PERCENTILE, span, "a percentile is a number from 0 to 100")
                .label(why)
                .help(cure),
        );
        None
    }

    /// `rate(open per sent in 90d)`
    pub(super) fn rate(&self, r: &ast::Rate, span: Span) -> Option<Typed<'a, Value>> {
        let side = |p: &Phrase| {
            let event = self.event_of(p)?;
            self.matching(p, event)
        };
        let (of, per) = (side(&r.of), side(&r.per));
        let window = self.event_window(r.window.as_ref());
        let (of, per, (window, since)) = (of?, per?, window?);
        let (first, second) = (&r.of.name.text, &r.per.name.text);
        if of == per {
            self.report(
                Diagnostic::new(
                    code::check::CONSTANTS,
                    span,
                    format!("the rate of `{first}` by itself is always 100%"),
                )
                .label("this never changes")
                .help("put something else on one side of `per`"),
            );
            return None;
        }
        let behaviour = |matching| Behaviour { matching, window, since: since.clone() };
        let about = About {
            part: Part::Ratio,
            ..About::plain(format!("rate({first} per {second} …)"), Domain::of(Type::Number, true).at_least_zero())
        };
        Some(Typed { value: Value::Rate { of: behaviour(of), per: behaviour(per) }, ty: Type::Number, about, span })
    }

    /// `days since last purchased`, `days since signup_date`
    pub(super) fn days_since(&self, d: &ast::DaysSince, span: Span) -> Option<Typed<'a, Value>> {
        let name = &d.of.name;
        let about = |says| About::plain(says, Domain::of(Type::Integer, true));
        let recorded = if d.of.qualifier.is_none() { self.recorded_event(&name.text) } else { None };
        let meaning = self.names.get(&name.text).or(recorded.map(Meaning::Event));
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
}
