//! Sequences: one event behind another.

use crate::language::catalog::{EventId, PropertyId};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Absence, Cond, Edge, End, Length, Matching, Sequence, Step};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Duration, Phrase, Quantifier, Then, WindowKind};

use super::Checker;
use super::edges::at_or_before;
use super::gathered::Gathering;
use super::tree::Tree;
use super::window::plain;

/// The event, and the property of `with same`, of one step.
struct Place<'p> {
    phrase: &'p Phrase,
    event: EventId,
}

impl Checker<'_> {
    /// `A [WINDOW] then B … [then no D] [all within 14d] [with same product]`
    pub(super) fn sequence(&self, s: &ast::Sequence, span: Span) -> Option<Tree<Cond>> {
        let sequence = self.chain(s, None)?;
        self.lint_clean_start(s, &sequence, span);
        Some(Tree::opaque(Cond::Sequence(Box::new(sequence)), span))
    }

    /// The steps of a sequence. Inside a [`Gathering`] they have no window and pick nothing.
    pub(super) fn chain(&self, s: &ast::Sequence, inside: Option<Gathering>) -> Option<Sequence> {
        let window = match &s.first.window {
            // The parser has said that it stands behind the step that it bounds.
            Some(ast::Window { kind: WindowKind::Within(_), .. }) => None,
            window => self.event_window(window.as_ref()),
        };
        let (last, steps) = match s.then.split_last() {
            Some((last, before)) if negative(last) => (Some(last), before),
            _ => (None, s.then.as_slice()),
        };
        let fine = self.fits_inside(s, inside) & self.times_fit(s, steps);
        let events = self.step_events(s);
        let matching = |p: &Phrase| events.iter().find(|e| std::ptr::eq(e.phrase, p)).map(|e| e.event);
        let read = |p: &Phrase| -> Option<Matching> { self.matching(p, matching(p)?) };
        let same = |p: &Phrase| -> Option<Option<PropertyId>> {
            let Some(name) = &s.same else { return Some(None) };
            let event = matching(p)?;
            // The type of the first event's property decides; of the first itself nothing is asked.
            let first = if std::ptr::eq(p, &s.first) { None } else { self.kind_at(matching(&s.first)?, &name.text) };
            let like = first.map(|(ty, fold)| (ty, fold, s.first.name.text.as_str()));
            Some(Some(self.same_property(event, name, like)?))
        };
        let mut seen: Vec<Option<Step>> = Vec::with_capacity(steps.len() + 1);
        let step = |p: &Phrase, then: Option<&Then>| -> Option<Step> {
            let (found, property) = (read(p), same(p));
            let without = match then.and_then(|t| t.without.as_ref()) {
                None => Some(None),
                Some(c) => {
                    let (found, property) = (read(c), same(c));
                    found.zip(property).map(Some)
                }
            };
            Some(Step {
                pick: pick(p),
                matching: found?,
                after: then.and_then(|t| t.after.as_ref()).map(length),
                within: then.and_then(|t| t.within.as_ref()).map(length),
                without: without?,
                same: property?,
            })
        };
        seen.push(step(&s.first, None));
        seen.extend(steps.iter().map(|t| step(&t.event, Some(t))));
        let absence = match last {
            None => Some(None),
            Some(t) => {
                let (found, property) = (read(&t.event), same(&t.event));
                found
                    .zip(property)
                    .map(|(matching, same)| Some(Absence { matching, within: t.within.as_ref().map(length), same }))
            }
        };
        let steps: Vec<Step> = seen.into_iter().collect::<Option<_>>()?;
        let (absence, (window, since)) = (absence?, window?);
        if !fine {
            return None;
        }
        Some(Sequence { steps, window, since, all_within: s.all_within.as_ref().map(length), absence })
    }

    /// The events of all steps; those with a mistake are left out.
    fn step_events<'p>(&self, s: &'p ast::Sequence) -> Vec<Place<'p>> {
        let then = s.then.iter().flat_map(|t| std::iter::once(&t.event).chain(&t.without));
        std::iter::once(&s.first)
            .chain(then)
            .filter_map(|phrase| Some(Place { phrase, event: self.plain_event(phrase)? }))
            .collect()
    }

    /// What only a sequence of its own may have: `first` and `last`, and a window.
    fn fits_inside(&self, s: &ast::Sequence, inside: Option<Gathering>) -> bool {
        let Some(by) = inside else { return true };
        let mut fine = true;
        if let Some(window) = &s.first.window {
            self.no_window_inside(by, window.span);
            fine = false;
        }
        for p in std::iter::once(&s.first).chain(s.then.iter().map(|t| &t.event)) {
            if let Some((q @ (Quantifier::First | Quantifier::Last), place)) = p.quantifier {
                self.no_pick_inside(by, q, place);
                fine = false;
            }
        }
        fine
    }

    /// Durations between steps that leave no time for any event.
    fn times_fit(&self, s: &ast::Sequence, steps: &[Then]) -> bool {
        let mut fine = true;
        let mut never = |after: &Duration, most: &Duration, what: &str, other: &str| {
            if !at_or_before(edge(after), edge(most)) {
                return;
            }
            self.report(
                Diagnostic::new(
                    code::check::STEP_TIME,
                    after.span,
                    format!("more than {after} later and at most {most} later at once"),
                )
                .label("no event lies there")
                .also(most.span, format!("`{what}`"))
                .help(format!("make `after` shorter than `{other}`, or leave one of them out")),
            );
            fine = false;
        };
        for then in steps {
            if let (Some(after), Some(within)) = (&then.after, &then.within) {
                never(after, within, "within", "within");
            } else if let (Some(after), Some(all)) = (&then.after, &s.all_within) {
                never(after, all, "all within", "all within");
            }
        }
        if let (true, Some(all)) = (steps.is_empty(), &s.all_within) {
            self.report(
                Diagnostic::new(code::check::ONE_EVENT, all.span, "`all within` over one event")
                    .label("it runs from the first event to the last, which are one here")
                    .help(format!("leave it out; how long nothing must follow is `then no … within {all}`")),
            );
            fine = false;
        }
        fine
    }

    /// `added_to_cart in 3d then no purchased within 1h` judges every start; who means the last one must say so.
    fn lint_clean_start(&self, s: &ast::Sequence, sequence: &Sequence, span: Span) {
        let any_start = sequence.steps.len() == 1
            && sequence.steps.iter().all(|step| step.pick.is_none() && step.same.is_none())
            && sequence.absence.as_ref().is_some_and(|a| a.within.is_some());
        if !any_start {
            return;
        }
        let name = &s.first.name;
        let point = Span { end: name.span.start, ..name.span };
        self.report(
            Diagnostic::new(code::check::CLEAN_START, span, format!("one clean `{}` is enough", name.text))
                .label("holds even where others of them were followed")
                .help(format!("to judge the last one only, write `last {} … then no …`", name.text))
                .fix("judge the last one only", vec![(point, "last ".to_owned())]),
        );
    }
}

fn negative(then: &Then) -> bool {
    matches!(then.event.quantifier, Some((Quantifier::No | Quantifier::Never, _)))
}

fn pick(p: &Phrase) -> Option<End> {
    match p.quantifier {
        Some((Quantifier::First, _)) => Some(End::First),
        Some((Quantifier::Last, _)) => Some(End::Last),
        _ => None,
    }
}

pub(super) fn length(d: &Duration) -> Length {
    let (amount, unit) = plain(d);
    Length { amount, unit }
}

/// The duration as if from the as-of instant back, where durations have their order.
fn edge(d: &Duration) -> Edge {
    let (amount, unit) = plain(d);
    Edge::Back { amount, unit }
}
