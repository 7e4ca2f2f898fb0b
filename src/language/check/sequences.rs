//! Sequences: one event behind another.

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Absence, Cond, Edge, End, Length, Matching, Sequence, Step};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Duration, Phrase, Quantifier, Then, WindowKind};

use super::Checker;
use super::conditions::quantifier_word;
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
        let sequence = self.chain(s, None, span)?;
        self.lint_clean_start(s, &sequence, span);
        Some(Tree::opaque(Cond::Sequence(Box::new(sequence)), span))
    }

    /// The steps of a sequence. Inside a [`Gathering`] they have no window and pick nothing.
    pub(super) fn chain(&self, s: &ast::Sequence, inside: Option<Gathering>, span: Span) -> Option<Sequence> {
        let window = self.event_window(s.first.window.as_ref());
        let mut fine = self.begins(s, span) & self.bare_step(&s.first, inside);
        if let (Some(by), Some(window)) = (inside, &s.first.window) {
            self.no_window_inside(by, window.span);
            fine = false;
        }
        let (last, steps) = match s.then.split_last() {
            Some((last, before)) if negative(last) => (Some(last), before),
            _ => (None, s.then.as_slice()),
        };
        for then in steps {
            fine &= self.then_fits(then, s, inside);
        }
        if let Some(absence) = last {
            fine &= self.absence_fits(absence, inside);
        }
        fine &= self.times_fit(s, steps);
        let events = self.step_events(s);
        let matching = |p: &Phrase| events.iter().find(|e| std::ptr::eq(e.phrase, p)).map(|e| e.event);
        let read = |p: &Phrase| -> Option<Matching> { self.matching(p, matching(p)?) };
        let same = |p: &Phrase| -> Option<Option<crate::language::catalog::PropertyId>> {
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

    /// A sequence begins with something that happened.
    fn begins(&self, s: &ast::Sequence, span: Span) -> bool {
        let Some((q @ (Quantifier::No | Quantifier::Never), place)) = s.first.quantifier else { return true };
        let open = Span { end: s.first.name.span.start, ..place };
        let close = Span { start: span.end, ..span };
        self.report(
            Diagnostic::new(
                code::check::STEP_FORM,
                place,
                format!("a sequence can't begin with `{}`", quantifier_word(q)),
            )
            .label("what follows has nothing to follow")
            .help("for none of such sequences write `not (A then B)`")
            .fix("write `not (…)`", vec![(open, "not (".to_owned()), (close, ")".to_owned())]),
        );
        false
    }

    /// What no step has: a count, a property that is the same, `without` before its `then`.
    fn bare_step(&self, p: &Phrase, inside: Option<Gathering>) -> bool {
        let name = &p.name.text;
        let mut fine = true;
        if let Some(test) = &p.test {
            self.report(
                Diagnostic::new(code::check::STEP_FORM, test.span, "a step of a sequence is one event")
                    .label("it has no count")
                    .help(format!("repeat the step, as `{name} then {name}`, or ask besides: `and {name} ≥ 2`")),
            );
            fine = false;
        }
        if let Some(same) = &p.same {
            self.report(
                Diagnostic::new(code::check::STEP_FORM, same.span, "`of same` on a step of a sequence")
                    .label("a step is one event")
                    .help(format!("for steps about one thing write `with same {}` behind the last of them", same.text)),
            );
            fine = false;
        }
        if let Some(without) = &p.without {
            self.report(
                Diagnostic::new(
                    code::check::STEP_FORM,
                    without.name.span,
                    "`without` before the step that it leads to",
                )
                .label("nothing lies between yet")
                .help(format!("write it behind the later step: `{name} then B without {}`", without.name.text)),
            );
            fine = false;
        }
        if let (Some(by), Some((q @ (Quantifier::First | Quantifier::Last), place))) = (inside, p.quantifier) {
            self.no_pick_inside(by, q, place);
            fine = false;
        }
        fine
    }

    /// A step behind a `then` that is not the negative end.
    fn then_fits(&self, then: &Then, s: &ast::Sequence, inside: Option<Gathering>) -> bool {
        let p = &then.event;
        let mut fine = self.bare_step(p, inside);
        if let Some((q @ (Quantifier::No | Quantifier::Never), place)) = p.quantifier {
            let name = &p.name.text;
            self.report(
                Diagnostic::new(
                    code::check::STEP_FORM,
                    place,
                    format!("`then {}` stands at the end of a sequence only", quantifier_word(q)),
                )
                .label("a step behind it would have nothing to follow")
                .help(format!("for nothing between two steps write `without`: `A then B without {name}`")),
            );
            fine = false;
        }
        if let Some(window) = &p.window {
            self.late_window(window, &s.first.name.text, &p.name.text);
            fine = false;
        }
        if let Some(without) = &then.without {
            fine &= self.bare_step(without, inside) & self.without_fits(without);
        }
        fine
    }

    fn without_fits(&self, without: &Phrase) -> bool {
        let Some(span) = without.quantifier.map(|q| q.1).or(without.window.as_ref().map(|w| w.span)) else {
            return true;
        };
        self.report(
            Diagnostic::new(code::check::STEP_FORM, span, "`without` names an event and nothing more")
                .label("it is about the time between the two steps")
                .help(format!("write `without {}`", without.name.text)),
        );
        false
    }

    /// `then no D [within 1h]`
    fn absence_fits(&self, then: &Then, inside: Option<Gathering>) -> bool {
        let p = &then.event;
        let mut fine = self.bare_step(p, inside);
        let name = &p.name.text;
        if let Some((Quantifier::Never, place)) = p.quantifier {
            self.report(
                Diagnostic::new(code::check::STEP_FORM, place, "`never` in a sequence")
                    .label("`never` means: at no time at all")
                    .help(format!("write `then no {name}`"))
                    .fix("write `no`", vec![(place, "no".to_owned())]),
            );
            fine = false;
        }
        if let Some(after) = &then.after {
            self.report(
                Diagnostic::new(code::check::STEP_FORM, after.span, "`after` behind `then no`")
                    .label("its time begins with the step before")
                    .help(format!("write `then no {name} within {after}`, or leave out `after`")),
            );
            fine = false;
        }
        if let Some(window) = &p.window {
            let d = Diagnostic::new(code::check::STEP_FORM, window.span, "a window behind `then no`")
                .label("its time begins with the step before");
            self.report(match &window.kind {
                WindowKind::In(long) => d
                    .help(format!("write `then no {name} within {long}`"))
                    .fix(format!("write `within {long}`"), vec![(window.span, format!("within {long}"))]),
                _ => d.help(format!("write `then no {name} within 1h`")),
            });
            fine = false;
        }
        if let Some(without) = &then.without {
            self.report(
                Diagnostic::new(code::check::STEP_FORM, without.name.span, "`without` behind `then no`")
                    .label("there is no later step for anything to lie before")
                    .help(format!(
                        "leave it out, or write `then no {name} then no …` as two sequences joined by `and`"
                    )),
            );
            fine = false;
        }
        fine
    }

    /// A WINDOW behind a later step could mean two things.
    fn late_window(&self, window: &ast::Window, first: &str, later: &str) {
        let d = Diagnostic::new(code::check::STEP_FORM, window.span, "a window behind a later step")
            .label("the window of a sequence is that of its first event");
        self.report(match &window.kind {
            WindowKind::In(long) => d.help(format!(
                "write `{first} in {long} then {later}` for when it begins, or `{first} then {later} within {long}` for how soon this step follows"
            )),
            _ => d.help(format!(
                "put the window behind `{first}` for when it begins, or write `then {later} within 7d` for how soon this step follows"
            )),
        });
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
                Diagnostic::new(code::check::STEP_FORM, all.span, "`all within` over one event")
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

fn length(d: &Duration) -> Length {
    let (amount, unit) = plain(d);
    Length { amount, unit }
}

/// The duration as if from the as-of instant back, where durations have their order.
fn edge(d: &Duration) -> Edge {
    let (amount, unit) = plain(d);
    Edge::Back { amount, unit }
}
