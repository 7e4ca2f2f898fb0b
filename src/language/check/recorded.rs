//! What the history of published memberships and the contact ledger record.
//!
//! Owns: the words that lead to the built-in events, as behaviours like any other. Promises: the events can't be named otherwise; a
//! declaration that has been renamed is known by both names.

use crate::language::catalog::EventId;
use crate::language::catalog::history::NAME;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Anchor, Behaviour, Cond, Edge, End, Literal, Matching, Op, Operand, Pred, Test, Window};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Name, Phrase, Quantifier, RecordedWhat};

use super::Checker;
use super::behaviour::{Asked, Count};
use super::names::Meaning;
use super::suggest::some_of;
use super::tree::{Node, Tree};

impl Checker<'_> {
    /// `[no|never|first|last] entered NAME [COUNT] [WINDOW]`
    pub(super) fn recorded(&self, r: &ast::Recorded, span: Span) -> Option<Tree<Cond>> {
        let words = r.what.words();
        let matching = self.recorded_name(r.what, &r.name);
        // A behaviour in everything but its events.
        let phrase = Phrase {
            quantifier: r.quantifier,
            qualifier: None,
            name: Name { text: format!("{words} {}", r.name.text), span: r.what_span.to(r.name.span) },
            subject: None,
            filter: None,
            test: r.test.clone(),
            same: None,
            window: r.window.clone(),
            without: None,
        };
        let windows = self.behaviour_windows(&phrase);
        let asked = self.quantifier_fits(&phrase).and_then(|()| self.recorded_count(&phrase));
        let (asked, windows, matching) = (asked?, windows?, matching?);
        self.no_history(r.what, phrase.name.span);
        let each = windows.into_iter().map(|(window, since)| {
            self.asked(&phrase, Behaviour { matching: matching.clone(), window, since }, &asked, span)
        });
        let mut trees = each.collect::<Option<Vec<_>>>()?;
        if trees.len() == 1 { trees.pop() } else { Some(Tree { node: Node::And(trees), span }) }
    }

    /// The built-in event of a word that nothing is called by: `contacted` in `since last contacted winback`.
    pub(super) fn recorded_event(&self, word: &str) -> Option<EventId> {
        let free = self.names.get(word).is_none();
        RecordedWhat::parse(word).filter(|_| free).map(|what| self.catalog.recorded(what))
    }

    /// As a built-in event is written.
    pub(super) fn recorded_words(&self, event: EventId) -> Option<&'static str> {
        use RecordedWhat::{Contacted, Entered, HeldOut, Left};
        let all = [Entered, Left, Contacted, HeldOut];
        all.into_iter().find(|what| self.catalog.recorded(*what) == event).map(RecordedWhat::words)
    }

    /// `contacted winback`, where an event with its subject may stand.
    pub(super) fn recorded_matching(&self, p: &Phrase) -> Option<Matching> {
        let what = RecordedWhat::parse(&p.name.text)?;
        let (words, noun) = (what.words(), noun(what));
        let d = |span, message: String| Diagnostic::new(code::check::RECORDED_NAME, span, message);
        if let Some(filter) = &p.filter {
            self.report(
                d(filter.span, format!("`{words}` with a `where`"))
                    .label("nothing but the name is recorded")
                    .help(format!("name the {noun}: `{words} NAME`")),
            );
            return None;
        }
        match p.subject.as_ref().map(|s| (s.other_than, s.words.as_slice(), s.span)) {
            Some((false, [one], _)) if !one.quoted => {
                let name = Name { text: one.text.clone(), span: one.span };
                let matching = self.recorded_name(what, &name)?;
                self.no_history(what, p.name.span.to(name.span));
                Some(matching)
            }
            subject => {
                let span = subject.map_or(p.name.span, |(_, _, span)| span);
                self.report(
                    d(span, format!("`{words}` names one {noun}"))
                        .label(if subject.is_some() { "expected one bare name" } else { "of which?" })
                        .help(format!("write `{words} NAME`; several are joined by `or`")),
                );
                None
            }
        }
    }

    /// The events of a segment or campaign, by the name it has and the one it had.
    fn recorded_name(&self, what: RecordedWhat, name: &Name) -> Option<Matching> {
        match what {
            RecordedWhat::Entered | RecordedWhat::Left => self.recorded_segment(name, what.words())?,
            RecordedWhat::Contacted | RecordedWhat::HeldOut => self.recorded_campaign(name, what.words())?,
        }
        Some(self.events_of(what, name))
    }

    fn events_of(&self, what: RecordedWhat, name: &Name) -> Matching {
        let names = std::iter::once(name.text.as_str()).chain(self.names.was(&name.text));
        let among = names.map(|name| Literal::Text(name.to_owned())).collect();
        let pred = Pred::Test(Test::OneOf { value: Operand::Property(NAME), among, negated: false });
        Matching { event: self.catalog.recorded(what), pred: Some(pred) }
    }

    fn recorded_count(&self, phrase: &Phrase) -> Option<Asked> {
        Some(match (phrase.quantifier, &phrase.test) {
            (Some((Quantifier::No | Quantifier::Never, _)), _) => Asked::Count(Count::Is(Op::Eq, Num::int(0))),
            (Some((Quantifier::First, _)), _) => Asked::Pick(End::First),
            (Some((Quantifier::Last, _)), _) => Asked::Pick(End::Last),
            (None, None) => Asked::Count(Count::Is(Op::Ge, Num::int(1))),
            (None, Some(test)) => Asked::Count(self.count(phrase, test)?),
        })
    }

    /// `member of NAME [for 30d]`: who has entered it and not left since, thirty days ago or before.
    pub(super) fn member(&self, m: &ast::Member, span: Span) -> Option<Tree<Cond>> {
        self.recorded_segment(&m.segment, "member of")?;
        self.no_history(RecordedWhat::Entered, span);
        let entered = self.events_of(RecordedWhat::Entered, &m.segment);
        let since = Anchor { end: End::Last, back: 1, matching: entered.clone() };
        let left = Behaviour {
            matching: self.events_of(RecordedWhat::Left, &m.segment),
            window: Window::EVER,
            since: Some(Box::new(since)),
        };
        let stayed = Cond::Count { behaviour: left, op: Op::Eq, n: Num::int(0) };
        let Some((amount, unit)) = m.long.as_ref().map(super::window::plain) else {
            return Some(Tree::opaque(stayed, span));
        };
        let window = Window { start: None, end: Some(Edge::Through { amount, unit }) };
        let early = Cond::Pick { end: End::Last, matching: entered, window, since: None };
        Some(Tree::opaque(Cond::And(vec![early, stayed]), span))
    }

    fn recorded_segment(&self, name: &Name, words: &str) -> Option<()> {
        let noun = match self.names.get(&name.text) {
            Some(Meaning::Segment(_)) => return Some(()),
            Some(Meaning::Broken) => return None,
            Some(other) => other.noun(),
            None if self.names.campaign(&name.text).is_some() => Meaning::Campaign.noun(),
            None => {
                self.unknown_name(name, |m| matches!(m, Meaning::Segment(_)));
                return None;
            }
        };
        let d = Diagnostic::new(
            code::check::RECORDED_NAME,
            name.span,
            format!("`{words}` names a segment, and `{}` is {noun}", name.text),
        )
        .label("people enter and leave segments");
        self.report(if noun == Meaning::Campaign.noun() {
            d.help(format!("whom it reached is `contacted {}`", name.text))
        } else {
            d.help("put it into a segment, and name that")
        });
        None
    }

    fn recorded_campaign(&self, name: &Name, words: &str) -> Option<()> {
        if self.names.campaign(&name.text).is_some() {
            return Some(());
        }
        match self.names.get(&name.text) {
            Some(Meaning::Broken) => {}
            Some(other) => {
                let d = Diagnostic::new(
                    code::check::RECORDED_NAME,
                    name.span,
                    format!("`{words}` names a campaign, and `{}` is {}", name.text, other.noun()),
                )
                .label("campaigns contact people");
                self.report(match other {
                    Meaning::Segment(_) => d.help(format!("who came into it is `entered {}`", name.text)),
                    _ => d.help("name the campaign that did"),
                });
            }
            None => {
                let campaigns = || self.names.campaign_names();
                let d = Diagnostic::new(
                    code::check::UNKNOWN_NAME,
                    name.span,
                    format!("no campaign is called `{}`", name.text),
                )
                .label("not a campaign of this project");
                self.report(match self.nearest(&name.text, campaigns()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(name.span, near.to_owned())]),
                    None if campaigns().is_empty() => d.help("declare it: `campaign NAME: CONDITION → ACTION`"),
                    None => d.help(format!("campaigns are {}", some_of(campaigns()))),
                });
            }
        }
        None
    }

    /// Where nothing is remembered, none of it ever happens.
    fn no_history(&self, what: RecordedWhat, span: Span) {
        if self.options.keeps_history {
            return;
        }
        let what = match what {
            RecordedWhat::Entered | RecordedWhat::Left => "memberships",
            RecordedWhat::Contacted | RecordedWhat::HeldOut => "contacts",
        };
        self.report(
            Diagnostic::new(code::check::NO_HISTORY, span, format!("this project keeps no history of {what}"))
                .label("taken as something that never happened")
                .help(RECORD),
        );
    }

    /// Where nothing is remembered, what bounds contacts sees only those of the run itself.
    pub(super) fn bound_of_one_run(&self, what: &str, span: Span) {
        if !self.options.keeps_history {
            let message = format!("this project keeps no history of contacts, so {what} knows of none before");
            self.report(
                Diagnostic::new(code::check::NO_HISTORY, span, message)
                    .label("holds within each run by itself only")
                    .help(RECORD),
            );
        }
    }
}

const RECORD: &str = "name a place where runs are recorded, `store: published` in the project file, or leave this out";

fn noun(what: RecordedWhat) -> &'static str {
    match what {
        RecordedWhat::Entered | RecordedWhat::Left => "segment",
        RecordedWhat::Contacted | RecordedWhat::HeldOut => "campaign",
    }
}
