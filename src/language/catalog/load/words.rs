//! Names, paths, zones and values: the parts that declarations share.

use std::collections::HashMap;

use super::{Found, Loader, unknown};
use crate::language::catalog::raw;
use crate::language::catalog::{KnownValue, KnownValues, Type, names};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::Span;
use crate::language::text::{fold, nfc};
use crate::language::yaml::is_bidi;
use crate::language::yaml::read::{At, Literal};

/// What properties and attributes say about their values.
pub(super) struct ValueSpec<'a> {
    pub name: &'a At<String>,
    /// Something in it has been reported, so that what is not there may have been.
    pub broken: bool,
    pub r#type: Option<&'a At<raw::TypeName>>,
    pub scale: Option<&'a At<u8>>,
    pub known: Option<&'a [raw::Known]>,
    pub taxonomy: Option<&'a At<String>>,
    pub closed: Option<&'a At<bool>>,
    pub case: Option<&'a At<raw::Case>>,
    pub empty: Option<&'a At<raw::Empty>>,
}

pub(super) struct Values {
    pub ty: Type,
    pub known: Option<KnownValues>,
    pub fold: bool,
    pub empty_is_value: bool,
}

impl Loader<'_> {
    /// Whether the name can be written in a rule; reports it if not.
    pub(super) fn shape(&mut self, name: &At<String>, what: &str, more: &[&str]) -> bool {
        let text = nfc(&name.value);
        if name.value.chars().any(is_bidi) {
            return false; // reported by the YAML reader
        }
        let and_data = match what {
            "an event" => ", and give the name in the data as `raw:`",
            "a property" | "an attribute" => ", and give the name in the data as `column:`",
            _ => "",
        };
        if !names::is_shaped(&text) {
            let message = format!("`{}` can't be the name of {what}", name.value.escape_debug());
            let mut d = Diagnostic::new(code::yaml::NAME, name.span, message)
                .label("a name is letters, digits, `_` and inner `-`, and begins with a letter or `_`");
            if let Some(better) = names::shaped(&text) {
                d = d.help(format!("call it `{better}`{and_data}"));
            }
            self.report(d);
            return false;
        }
        if names::CONNECTIVES.contains(&text.as_str()) || more.contains(&text.as_str()) {
            self.report(
                Diagnostic::new(code::yaml::RESERVED, name.span, format!("`{text}` can't be the name of {what}"))
                    .label("the language uses this word for itself")
                    .help(format!("call it something else, such as `{text}_`{and_data}")),
            );
            return false;
        }
        true
    }

    /// Takes a name in the one namespace; false if it can't have it.
    pub(super) fn declare(&mut self, name: &At<String>, what: &'static str, more: &[&[&str]]) -> bool {
        let reserved: Vec<&str> =
            more.iter().flat_map(|set| set.iter().copied()).chain(names::OPENERS.iter().copied()).collect();
        if !self.shape(name, what, &reserved) {
            return false;
        }
        let text = nfc(&name.value);
        if let Some(&(kind, first)) = self.taken.get(&text) {
            self.report(
                Diagnostic::new(code::yaml::TAKEN, name.span, format!("`{text}` is {kind} already"))
                    .label(format!("{what} needs a name of its own"))
                    .also(first, "declared here")
                    .help("events, their aliases, attributes and lists share one namespace, since each can open a condition"),
            );
            return false;
        }
        self.taken.insert(text, (what, name.span));
        true
    }

    /// Reports a path that leaves the project or that can't be read.
    pub(super) fn path(&mut self, path: Option<&At<String>>) {
        if let Some(d) = path.and_then(|p| super::project_file::path_problem(p, self.options.allow_outside, true)) {
            self.report(d);
        }
    }

    pub(super) fn zone(&mut self, zone: Option<&At<String>>) {
        if let Some(d) = zone.and_then(super::project_file::zone_problem) {
            self.report(d);
        }
    }

    /// The type and known values of a property or attribute. `None` where it depends on something broken.
    pub(super) fn values(&mut self, spec: &ValueSpec<'_>) -> Option<Values> {
        let ty = spec.r#type.map(|name| self.ty(name, spec.scale));
        let texts = matches!(ty, None | Some(Type::Text | Type::TextList));
        if let Some(name) = spec.r#type
            && !texts
        {
            let known = spec.known.map(|k| ("known", k.first().map_or(name.span, known_span)));
            let named = [
                known,
                spec.taxonomy.map(|t| ("taxonomy", t.span)),
                spec.case.map(|c| ("case", c.span)),
                spec.empty.map(|e| ("empty", e.span)),
            ];
            for (key, span) in named.into_iter().flatten() {
                let message = format!("`{key}` has no meaning for the type `{}`", name.value.as_str());
                self.report(
                    Diagnostic::new(code::yaml::MISPLACED, span, message)
                        .label("this needs text")
                        .also(name.span, "the type")
                        .help(format!("remove `{key}:`, or make it `type: text`")),
                );
            }
        }
        let mut broken = false;
        let values = match (spec.known, spec.taxonomy) {
            _ if !texts => None,
            (Some(_), Some(taxonomy)) => {
                self.report(
                    Diagnostic::new(
                        code::yaml::MISPLACED,
                        taxonomy.span,
                        "`known` and `taxonomy` both say which values are known",
                    )
                    .help("keep one of the two"),
                );
                None
            }
            (Some([]), None) if spec.broken => None,
            (Some([]), None) => {
                self.report(
                    Diagnostic::new(
                        code::yaml::KNOWN_VALUE,
                        spec.name.span,
                        format!("`known` of `{}` has no values", spec.name.value),
                    )
                    .label("no value at all would be allowed")
                    .help("add the values, or remove `known:`"),
                );
                None
            }
            (Some(known), None) => Some(self.known(known, spec)),
            (None, Some(name)) => match self.taxonomy(name) {
                Found::Good(values) => {
                    self.alike(&values, spec);
                    Some(values)
                }
                Found::Broken => {
                    broken = true;
                    None
                }
                Found::Unknown => None,
            },
            (None, None) => None,
        };
        if let Some(closed) = spec.closed
            && spec.known.is_none()
            && spec.taxonomy.is_none()
        {
            self.report(
                Diagnostic::new(code::yaml::MISPLACED, closed.span, "`closed` without known values")
                    .label("closes nothing")
                    .help("add `known:` or `taxonomy:`, or remove `closed:`"),
            );
        }
        let ty = ty.filter(|_| !broken)?;
        Some(Values {
            ty,
            known: values.map(|values| KnownValues { closed: spec.closed.is_none_or(|c| c.value), values }),
            fold: spec.folds().is_some(),
            empty_is_value: spec.empty.is_some_and(|e| e.value == raw::Empty::Value),
        })
    }

    fn ty(&mut self, name: &At<raw::TypeName>, scale: Option<&At<u8>>) -> Type {
        use raw::TypeName as T;
        if let Some(scale) = scale {
            if name.value != T::Money {
                self.report(
                    Diagnostic::new(
                        code::yaml::MISPLACED,
                        scale.span,
                        format!("`scale` has no meaning for the type `{}`", name.value.as_str()),
                    )
                    .label("only `money` has decimal places")
                    .also(name.span, "the type"),
                );
            } else if scale.value > 9 {
                self.report(
                    Diagnostic::new(
                        code::yaml::CHOICE,
                        scale.span,
                        format!("`{}` decimal places are too many", scale.value),
                    )
                    .help("9 at most are kept exactly"),
                );
            }
        }
        match name.value {
            T::Text => Type::Text,
            T::Integer => Type::Integer,
            T::Money => Type::Money { scale: scale.map_or(2, |s| s.value.min(9)) },
            T::Number => Type::Number,
            T::YesNo => Type::YesNo,
            T::Date => Type::Date,
            T::Instant => Type::Instant,
            T::List => Type::TextList,
        }
    }

    fn taxonomy(&mut self, name: &At<String>) -> Found<Vec<KnownValue>> {
        match self.taxonomies.get(&name.value) {
            Some(Some(values)) => Found::Good(values.clone()),
            Some(None) => Found::Broken,
            None => {
                let mut names: Vec<&str> = self.taxonomies.keys().map(String::as_str).collect();
                names.sort_unstable(); // a map's order is not the file's, and must not show
                let d = unknown("taxonomy", name, &names, &mut self.guesses);
                self.report(d);
                Found::Unknown
            }
        }
    }

    /// Reports values of a taxonomy that are one value where case is folded.
    fn alike(&mut self, values: &[KnownValue], spec: &ValueSpec<'_>) {
        let Some(case) = spec.folds() else { return };
        let mut places: HashMap<String, &KnownValue> = HashMap::new();
        for value in values {
            if let Some(first) = places.insert(fold(&value.text), value) {
                self.report(
                    Diagnostic::new(
                        code::yaml::KNOWN_VALUE,
                        case.span,
                        format!("`{}` and `{}` are one value where case is folded", first.text, value.text),
                    )
                    .also(first.span, "the one")
                    .also(value.span, "the other")
                    .help("remove `case: fold`, or one of the two"),
                );
            }
        }
    }

    fn known(&mut self, known: &[raw::Known], spec: &ValueSpec<'_>) -> Vec<KnownValue> {
        let empty_allowed = spec.empty.is_some_and(|e| e.value == raw::Empty::Value);
        let folds = spec.folds().is_some();
        let mut places: HashMap<String, (String, Span)> = HashMap::new();
        let mut out = Vec::new();
        for entry in known {
            let (value, aliases) = match entry {
                raw::Known::Value(value) => (value, &[] as &[Literal]),
                raw::Known::Record(r) => (&r.value, r.aliases.as_ref().map_or(&[] as &[Literal], |a| &a.0)),
            };
            let Some(text) = self.known_text(&value.0, &mut places, empty_allowed, folds) else { continue };
            let aliases = aliases.iter().filter_map(|a| self.known_text(&a.0, &mut places, false, folds)).collect();
            out.push(KnownValue { text, aliases, parent: None, span: value.0.span });
        }
        out
    }

    fn known_text(
        &mut self,
        value: &At<String>,
        places: &mut HashMap<String, (String, Span)>,
        empty_allowed: bool,
        folds: bool,
    ) -> Option<String> {
        let text = nfc(&value.value);
        if text.is_empty() && !empty_allowed {
            self.report(
                Diagnostic::new(code::yaml::KNOWN_VALUE, value.span, "empty text is no known value")
                    .label("empty text is missing")
                    .help("remove it, or write `empty: value` beside `known:`"),
            );
            return None;
        }
        let key = if folds { fold(&text) } else { text.clone() };
        if let Some((earlier, first)) = places.get(&key) {
            let message = if *earlier == text {
                format!("`{text}` stands here twice")
            } else {
                format!("`{text}` is the same as `{earlier}` where case is folded")
            };
            let d = Diagnostic::new(code::yaml::KNOWN_VALUE, value.span, message)
                .label("again")
                .also(*first, "first here")
                .help("a text stands for one known value; remove one of the two");
            self.report(d);
            return None;
        }
        places.insert(key, (text.clone(), value.span));
        Some(text)
    }

    /// The name of a column is some text.
    pub(super) fn column(&mut self, column: Option<&At<String>>) {
        if let Some(column) = column.filter(|c| c.value.is_empty()) {
            self.report(
                Diagnostic::new(code::yaml::NAME, column.span, "the name of a column is empty")
                    .help("write the column's name as the file has it"),
            );
        }
    }
}

impl ValueSpec<'_> {
    /// `case: fold`, if so.
    fn folds(&self) -> Option<&At<raw::Case>> {
        self.case.filter(|c| c.value == raw::Case::Fold)
    }
}

fn known_span(known: &raw::Known) -> Span {
    match known {
        raw::Known::Value(v) => v.0.span,
        raw::Known::Record(r) => r.value.0.span,
    }
}
