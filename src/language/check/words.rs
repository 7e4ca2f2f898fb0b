//! Words right of a comparison: known value, name or text.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::Span;
use crate::language::syntax::ast::{Name, Op, Word};
use crate::language::text::{fold, nfc};

use super::Checker;
use super::compare::example;
use super::known::Found;
use super::names::Meaning;
use super::suggest::{alternatives, some_of};
use super::values::{Resolved, Scope, Side, Typed, Written, type_noun};
use super::window::date_text;

impl<'a> Checker<'a> {
    /// A bare name that must be a value.
    pub(super) fn value_named_here<F: Scope>(&self, place: F::Place, name: &Name) -> Option<Typed<'a, F::Value>> {
        match F::resolve(self, place, name) {
            Resolved::Value(v) => Some(v),
            Resolved::Broken | Resolved::Reported => None,
            Resolved::Other(meaning) => {
                self.other_than_value(name, meaning);
                None
            }
            Resolved::Unknown => {
                self.unknown_name(name, |m| matches!(m, Meaning::Attribute(_) | Meaning::Trait(_)));
                None
            }
        }
    }

    pub(super) fn other_than_value(&self, name: &Name, meaning: Meaning) {
        let text = &name.text;
        if let Meaning::Stages(i) = meaning {
            if let Some(stages) = self.names.stages(i) {
                self.only_stages(stages, name.span, "a stage is no value to calculate or compare with");
            }
            return;
        }
        if let (true, Meaning::Attribute(_) | Meaning::Trait(_)) = (self.filtering.get(), meaning) {
            self.customer_in_filter(name);
            return;
        }
        let d = Diagnostic::new(
            code::check::NOT_A_VALUE,
            name.span,
            format!("`{text}` is {}, not a value", meaning.noun()),
        );
        self.report(match meaning {
            Meaning::Event(_) => d
                .label("a value is compared with this")
                .help(format!("write `count({text})` for their number, `days since last {text}` for their age")),
            _ => d
                .label("a value is compared with this")
                .help("compare with a number, a date, a text, an attribute or a trait"),
        });
    }

    /// A bare word right of a comparison: a known value of the left side, else a value's name, else text.
    pub(super) fn word<F: Scope>(
        &self,
        place: F::Place,
        left: &Typed<'a, F::Value>,
        op: Op,
        name: &Name,
    ) -> Option<Side<'a, F::Value>> {
        let text = &name.text;
        let named = F::resolve(self, place, name);
        if let Resolved::Reported = named {
            return None;
        }
        if left.ty == Type::Text {
            let found = left.about.known.map_or(Found::Nothing, |k| k.find(text, false));
            return match (found, named) {
                (Found::One(_) | Found::Several(_), Resolved::Value(_)) => {
                    self.report(
                        Diagnostic::new(
                            code::check::VALUE_OR_NAME,
                            name.span,
                            format!("`{text}` is a known value of `{}` and a name of this project", left.about.says),
                        )
                        .label("it could be either")
                        .help(format!("write `\"{text}\"` for the value, or `customer.{text}` for the name"))
                        .fix("take the value", vec![(name.span, format!("\"{text}\""))]),
                    );
                    None
                }
                (Found::Nothing, Resolved::Value(v)) => Some(Side::Value(v)),
                (Found::Nothing, Resolved::Broken) => None,
                _ => Some(Side::Constant(Written::Text(text.clone()))),
            };
        }
        match named {
            Resolved::Value(v) => Some(Side::Value(v)),
            Resolved::Broken | Resolved::Reported => None,
            Resolved::Other(meaning) => {
                self.other_than_value(name, meaning);
                None
            }
            Resolved::Unknown if left.ty == Type::YesNo => {
                let says = &left.about.says;
                let yes = matches!(text.to_lowercase().as_str(), "yes" | "true" | "y");
                let cure = if yes == (op == Op::Eq) { says.clone() } else { format!("not {says}") };
                self.report(
                    Diagnostic::new(code::check::YES_NO_TEST, name.span, format!("`{says}` is yes or no by itself"))
                        .label("nothing to compare with")
                        .help(format!("write `{cure}`")),
                );
                None
            }
            Resolved::Unknown if left.ty == Type::TextList => {
                self.list_compared(left, &format!("has {text}"), op == Op::Ne, name.span);
                None
            }
            Resolved::Unknown => {
                let d = Diagnostic::new(
                    code::check::TYPE_MISMATCH,
                    name.span,
                    format!("`{}` is {}, and `{text}` is none", left.about.says, type_noun(left.ty)),
                )
                .label("neither a constant of this type nor a name");
                let near = self.nearest(text, F::value_names(self, place)).map(str::to_owned);
                self.report(match near {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(name.span, near)]),
                    None => d.help(format!("compare it with {}, for example {}", type_noun(left.ty), example(left.ty))),
                });
                None
            }
        }
    }

    /// The texts that a word or quoted text stands for: a known value with what nests inside it, or the text itself.
    pub(super) fn texts<V>(&self, left: &Typed<'a, V>, text: &str, quoted: bool, span: Span) -> Option<Vec<String>> {
        let about = &left.about;
        if text.is_empty() && !about.empty_is_value {
            self.report(
                Diagnostic::new(
                    code::check::EMPTY_TEXT,
                    span,
                    format!("empty text in `{}` counts as missing", about.says),
                )
                .label("nothing is ever equal to this")
                .help(format!("write `{0} is unknown` or `{0} is known`", about.says)),
            );
            return None;
        }
        let fitted = |texts: Vec<&str>| {
            let mut all: Vec<String> = Vec::with_capacity(texts.len());
            for t in texts {
                let t = if about.fold { fold(t) } else { nfc(t) };
                if !all.contains(&t) {
                    all.push(t);
                }
            }
            all
        };
        let Some(known) = about.known else { return Some(fitted(vec![text])) };
        let mut found = known.find(text, quoted);
        if found == Found::Nothing && about.fold {
            found = match known.find(&fold(text), false) {
                Found::One(i) if fold(known.text(i)) == fold(text) => Found::One(i),
                _ => Found::Nothing,
            };
        }
        match found {
            Found::One(i) => Some(fitted(known.expand(i))),
            Found::Several(several) => {
                let names: Vec<String> = several.iter().map(|i| format!("\"{}\"", known.text(*i))).collect();
                self.report(
                    Diagnostic::new(
                        code::check::AMBIGUOUS_SPELLING,
                        span,
                        format!("`{text}` could be any of several known values of `{}`", about.says),
                    )
                    .label("differs from each of them in case or accents only")
                    .help(format!("write {}", alternatives(&names))),
                );
                None
            }
            Found::Nothing if known.closed() => {
                if about.hour_or_weekday {
                    let days = some_of(known.texts());
                    let d = Diagnostic::new(code::check::HOUR_OR_WEEKDAY, span, format!("`{text}` is no weekday"));
                    self.report(d.label("not a day of the week").help(format!("weekdays are {days}")));
                    return None;
                }
                let d = Diagnostic::new(
                    code::check::UNKNOWN_VALUE,
                    span,
                    format!("`{}` has no value `{text}`", about.says),
                )
                .label("not one of its known values");
                self.report(match self.nearest(text, known.words()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(span, word(near))]),
                    None => {
                        d.help(format!("it has {}; add others in `{}`", some_of(known.texts()), self.options.catalog))
                    }
                });
                None
            }
            Found::Nothing => {
                let d = Diagnostic::new(
                    code::check::UNSEEN_VALUE,
                    span,
                    format!("`{text}` is not among the known values of `{}`", about.says),
                )
                .label("taken as it is written");
                self.report(match self.nearest(text, known.words()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(span, word(near))]),
                    None => d.help(format!("if it is right, add it in `{}`", self.options.catalog)),
                });
                Some(fitted(vec![text]))
            }
        }
    }
}

/// A text as it would be written as a value.
pub(super) fn word(text: &str) -> String {
    crate::language::syntax::quote(text)
}

pub(super) fn word_of(w: &Word) -> String {
    if w.quoted { format!("\"{}\"", w.text) } else { w.text.clone() }
}

pub(super) fn shown(written: &Written) -> String {
    match written {
        Written::Num(n) => n.to_string(),
        Written::Percent(n) => format!("{}%", n.to_f64() * 100.0),
        Written::Text(t) => word(t),
        Written::Date(d) => date_text(*d),
        Written::Instant(i) => format!("{}T{:02}:{:02}", date_text(i.date), i.hour, i.minute),
    }
}
