//! Subjects: what a behaviour was about, matched in the event's subject columns by known values.

use std::collections::BTreeMap;

use crate::language::catalog::{EventId, PropertyId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Operand, Pred, Test};
use crate::language::syntax::ast::{Subject, Word};
use crate::language::text::{fold, nfc};

use super::Checker;
use super::known::Found;
use super::sets::among_texts;
use super::suggest::{alternatives, some_of};
use super::tree::{Node, Tree};
use super::values::Typed;
use super::words::word;

impl<'a> Checker<'a> {
    /// The predicate of a subject. Several words of one property are one test; words of different properties are joined by
    /// `or`. `other than`: the property is known and is none of the words (nothing is not something else).
    pub(super) fn subject(&self, subject: &Subject, event: EventId) -> Option<Tree<Pred>> {
        let mut by_property: BTreeMap<PropertyId, Vec<String>> = BTreeMap::new();
        let mut failed = false;
        for w in &subject.words {
            match self.subject_word(w, event) {
                Some((property, texts)) => {
                    let all = by_property.entry(property).or_default();
                    for t in texts {
                        if !all.contains(&t) {
                            all.push(t);
                        }
                    }
                }
                None => failed = true,
            }
        }
        if failed || by_property.is_empty() {
            return None;
        }
        let span = subject.span;
        let mut parts = Vec::with_capacity(by_property.len());
        for (property, texts) in by_property {
            let name = &self.catalog.event(event)?.properties.get(property.index())?.name.name;
            // By id, not by name: a property may be called like a word of the language.
            let value = self.property(event, name, span)?;
            let value = Typed { value: Operand::Property(property), ..value };
            if value.ty == Type::TextList {
                let has = Tree::opaque(Pred::Test(Test::Has { value: value.value, among: texts }), span);
                parts.push(if subject.other_than { has.not(span) } else { has });
            } else if subject.other_than {
                let known = Tree::opaque(Pred::Test(Test::Known(value.value.clone())), span);
                let none = among_texts::<Pred>(value, texts, true, span);
                parts.push(Tree { node: Node::And(vec![known, none]), span });
            } else {
                parts.push(among_texts(value, texts, false, span));
            }
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        Some(Tree { node: if subject.other_than { Node::And(parts) } else { Node::Or(parts) }, span })
    }

    /// The property and the texts that a word stands for.
    fn subject_word(&self, w: &Word, event: EventId) -> Option<(PropertyId, Vec<String>)> {
        let def = self.catalog.event(event)?;
        let of = &def.name.name;
        if def.subject.is_empty() {
            self.report(
                Diagnostic::new(code::check::UNKNOWN_SUBJECT, w.span, format!("`{of}` takes no subject"))
                    .label("nothing says which column this would be in")
                    .help(format!(
                        "write `{of} where (PROPERTY = {})`, or name the columns under `subject:` in `{}`",
                        shown(w),
                        self.options.catalog
                    )),
            );
            return None;
        }
        let text = nfc(&w.text);
        let look = |exactly: bool| -> Vec<(PropertyId, Found)> {
            def.subject
                .iter()
                .filter_map(|&p| Some((p, self.known.property(event, p)?.find(&text, exactly))))
                .filter(|(_, found)| *found != Found::Nothing)
                .collect()
        };
        let mut found = look(true);
        if found.is_empty() && !w.quoted {
            found = look(false);
        }
        let name = |p: PropertyId| def.properties.get(p.index()).map_or("", |p| p.name.name.as_str());
        match found.as_slice() {
            [(property, Found::One(i))] => {
                let known = self.known.property(event, *property)?;
                let folds = def.properties.get(property.index()).is_some_and(|p| p.fold);
                let texts = known.expand(*i).into_iter().map(|t| if folds { fold(t) } else { t.to_owned() }).collect();
                Some((*property, texts))
            }
            [] => self.unseen_subject(w, &text, event),
            [(property, Found::Several(several))] => {
                let known = self.known.property(event, *property)?;
                let names: Vec<String> = several.iter().map(|i| format!("\"{}\"", known.text(*i))).collect();
                self.report(
                    Diagnostic::new(
                        code::check::AMBIGUOUS_SPELLING,
                        w.span,
                        format!("`{text}` could be any of several known values of `{}`", name(*property)),
                    )
                    .label("differs from each of them in case or accents only")
                    .help(format!("write {}", alternatives(&names))),
                );
                None
            }
            several => {
                let forms: Vec<String> =
                    several.iter().map(|(p, _)| format!("{of} where ({} = {})", name(*p), shown(w))).collect();
                let columns: Vec<&str> = several.iter().map(|(p, _)| name(*p)).collect();
                self.report(
                    Diagnostic::new(
                        code::check::AMBIGUOUS_SUBJECT,
                        w.span,
                        format!(
                            "`{text}` is a known value of {} at once",
                            columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" and ")
                        ),
                    )
                    .label("it could be in either column")
                    .help(format!("write {}", alternatives(&forms))),
                );
                None
            }
        }
    }

    /// A word that is no known value. Where the one subject column is an open set, it is taken as written.
    fn unseen_subject(&self, w: &Word, text: &str, event: EventId) -> Option<(PropertyId, Vec<String>)> {
        let def = self.catalog.event(event)?;
        let of = &def.name.name;
        let words: Vec<&str> =
            def.subject.iter().filter_map(|&p| self.known.property(event, p)).flat_map(|k| k.words()).collect();
        let near = self.nearest(text, words.iter().copied());
        if let [only] = def.subject.as_slice()
            && let Some(property) = def.properties.get(only.index())
            && matches!(property.ty, Type::Text | Type::TextList)
            && !text.is_empty()
        {
            let taken = if property.fold { fold(text) } else { text.to_owned() };
            match self.known.property(event, *only) {
                None => return Some((*only, vec![taken])),
                Some(known) if !known.closed() => {
                    let d = Diagnostic::new(
                        code::check::UNSEEN_VALUE,
                        w.span,
                        format!("`{text}` is not among the known values of `{}`", property.name.name),
                    )
                    .label("taken as it is written");
                    self.report(match near {
                        Some(near) => d
                            .help(format!("did you mean `{near}`?"))
                            .fix(format!("write `{near}`"), vec![(w.span, word(near))]),
                        None => d.help(format!("if it is right, add it in `{}`", self.options.catalog)),
                    });
                    return Some((*only, vec![taken]));
                }
                Some(_) => {}
            }
        }
        let columns: Vec<&str> =
            def.subject.iter().filter_map(|p| def.properties.get(p.index())).map(|p| p.name.name.as_str()).collect();
        let d = Diagnostic::new(code::check::UNKNOWN_SUBJECT, w.span, format!("`{of}` knows no `{text}`"))
            .label(format!("no known value of {}", alternatives(&columns)));
        let open = def
            .subject
            .iter()
            .filter(|&&p| self.known.property(event, p).is_none_or(|k| !k.closed()))
            .find_map(|p| def.properties.get(p.index()));
        self.report(match (near, open) {
            (Some(near), _) => {
                d.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), vec![(w.span, word(near))])
            }
            (None, Some(property)) => d.help(format!(
                "if it is a `{0}`, write `{of} where ({0} = {1})`, or add it in `{2}`",
                property.name.name,
                shown(w),
                self.options.catalog
            )),
            (None, None) => {
                d.help(format!("it knows {}; add others in `{}`", some_of(words.iter().copied()), self.options.catalog))
            }
        });
        None
    }
}

fn shown(w: &Word) -> String {
    if w.quoted { format!("\"{}\"", w.text) } else { w.text.clone() }
}
