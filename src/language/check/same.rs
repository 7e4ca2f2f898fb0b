//! Equal values of several events: `≥ 3 of same product`, `without E`, `with same product`.

use crate::language::catalog::{EventId, PropertyId, Type};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Matching, Op};
use crate::language::num::Num;
use crate::language::syntax::ast::{Name, Phrase};

use super::Checker;
use super::behaviour::{Asked, Count, sign};
use super::names::Meaning;
use super::values::{plainest, type_noun};

/// What stands behind a COUNT: the property of `of same`, and the events of `without`.
pub(super) type Same = (PropertyId, Option<(Matching, PropertyId)>);

impl Checker<'_> {
    /// Reads `of same PROPERTY` and `without E` behind a COUNT.
    pub(super) fn same_fits(&self, p: &Phrase, event: EventId) -> Option<Option<Same>> {
        // `without` stands behind `of same` only: the parser sees to it.
        let Some(name) = &p.same else { return Some(None) };
        let without = p.without.as_deref().map(|w| (w, self.plain_event(w)));
        let property = self.same_property(event, name, None);
        let without = match without {
            None => None,
            Some((_, None)) => return None,
            Some((other, Some(of))) => {
                let matching = self.matching(other, of);
                let (ty, fold) = self.kind_at(event, &name.text)?;
                let other = self.same_property(of, name, Some((ty, fold, &p.name.text)));
                Some((matching?, other?))
            }
        };
        Some(Some((property?, without)))
    }

    /// The type of a property, and whether its case is folded.
    pub(super) fn kind_at(&self, event: EventId, property: &str) -> Option<(Type, bool)> {
        let found = self.catalog.event(event)?.properties.iter().find(|p| p.name.name == property)?;
        Some((found.ty, found.fold))
    }

    /// `≥ n`, one at least: whether *some* value has so many is all that can be asked.
    pub(super) fn same_count(&self, p: &Phrase, (property, without): Same, count: &Count) -> Option<Asked> {
        let (Some(test), Some(name)) = (&p.test, &p.same) else { return None };
        if let Count::Is(Op::Ge, n) = count
            && let Num::Exact { units, scale: 0 } = plainest(*n)
            && let Ok(n @ 1..) = u64::try_from(units)
        {
            return Some(Asked::Same { property, n, without });
        }
        let (event, property) = (&p.name.text, &name.text);
        let d = Diagnostic::new(
            code::check::SAME_FORM,
            test.span,
            format!("`of same {property}` asks for so many or more, `≥ n`, of one value"),
        );
        let cure = |n: Num| format!("{event} ≥ {n} of same {property}");
        self.report(match count {
            Count::Is(Op::Gt, n) => {
                let more = match plainest(*n) {
                    Num::Exact { units, scale: 0 } => Num::Exact { units: units.saturating_add(1), scale: 0 },
                    other => other,
                };
                d.label("`>` of one value")
                    .help(format!("write `{}`", cure(more)))
                    .fix(format!("write `≥ {more}`"), vec![(test.span, format!("≥ {more}"))])
            }
            Count::Is(Op::Eq, n) if *n != Num::int(0) => {
                d.label("one value may have so many and another more").help(format!("write `{}`", cure(*n)))
            }
            Count::Is(op @ (Op::Lt | Op::Le), n) => d
                .label(format!("`{}` of one value, while another may have more", sign(*op)))
                .help(format!("for no value with more write `not ({event} ≥ … of same {property})`, with the first number that is too many instead of {n}")),
            Count::Between(low, _) => {
                d.label("one value may have so many and another more").help(format!("write `{}`", cure(*low)))
            }
            Count::Periods(unit, ..) => d
                .label("days, weeks and months are counted over all values")
                .help(format!(
                    "leave out `of same {property}`, or the {}s: `{}`",
                    super::window::unit_word(*unit, 1),
                    cure(Num::int(3))
                )),
            Count::Is(..) | Count::Window => d.label("no `≥ n`").help(format!("write `{}`", cure(Num::int(2)))),
        });
        None
    }

    /// A property that is to be equal in several events. `like` is its type in the event before.
    pub(super) fn same_property(
        &self,
        event: EventId,
        name: &Name,
        like: Option<(Type, bool, &str)>,
    ) -> Option<PropertyId> {
        let def = self.catalog.event(event)?;
        let of = &def.name.name;
        let Some((i, property)) = def.properties.iter().enumerate().find(|(_, p)| p.name.name == name.text) else {
            let own = def.properties.iter().filter(|p| p.ty != Type::TextList).map(|p| p.name.name.as_str()).collect();
            self.unknown_property(event, name, own);
            return None;
        };
        let d = |message: String| Diagnostic::new(code::check::SAME_FORM, name.span, message);
        if property.ty == Type::TextList {
            self.report(
                d(format!("`{}` of `{of}` is a list, which has no one value", name.text))
                    .label("nothing to be the same")
                    .help("take a property that is no list"),
            );
            return None;
        }
        if let Some((ty, fold, other)) = like
            && (ty != property.ty || fold != property.fold)
        {
            let message = format!("`{0}` of `{of}` and `{0}` of `{other}` can't be the same", name.text);
            self.report(if ty == property.ty {
                d(message)
                    .label("one of them is read with `case: fold` and the other is not")
                    .help(format!("give both the same `case` in `{}`", self.options.catalog))
            } else if type_noun(ty) == type_noun(property.ty) {
                d(message)
                    .label("they have different numbers of decimal places")
                    .help(format!("give both the same `scale` in `{}`", self.options.catalog))
            } else {
                d(message)
                    .label(format!("one is {}, the other {}", type_noun(property.ty), type_noun(ty)))
                    .help(format!("give both one type in `{}`, or take another property", self.options.catalog))
            });
            return None;
        }
        Some(PropertyId(i as u32))
    }

    /// The event of a step or of `without`.
    pub(super) fn plain_event(&self, p: &Phrase) -> Option<EventId> {
        match self.names.get(&p.name.text) {
            Some(Meaning::Event(event)) if p.qualifier.is_none() => Some(event),
            Some(Meaning::Broken) => None,
            Some(other) => {
                self.report(
                    Diagnostic::new(
                        code::check::EVENTS_ONLY,
                        p.name.span,
                        format!("`{}` is {}, not an event", p.name.text, other.noun()),
                    )
                    .label("only events follow one another")
                    .help("put an event here, and join the rest with `and`"),
                );
                None
            }
            None if p.qualifier.is_none() && self.recorded_event(&p.name.text).is_some() => {
                self.recorded_event(&p.name.text)
            }
            None => {
                self.unknown_name(&p.name, |m| matches!(m, Meaning::Event(_)));
                None
            }
        }
    }
}
