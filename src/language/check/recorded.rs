//! What the history of published memberships and the contact ledger record.
//!
//! Neither is kept yet: whatever is asked of them never happened. Names and forms are checked all the same.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Anchor, Behaviour, Cond, End, Op, Window};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Name, Phrase, Quantifier, RecordedWhat};

use super::Checker;
use super::behaviour::{Asked, Count};
use super::facts::Fact;
use super::names::Meaning;
use super::suggest::some_of;
use super::tree::{Node, Tree};

impl Checker<'_> {
    /// `[no|never|first|last] entered NAME [COUNT] [WINDOW]`
    pub(super) fn recorded(&self, r: &ast::Recorded, span: Span) -> Option<Tree<Cond>> {
        let words = what_words(r.what);
        let named = match r.what {
            RecordedWhat::Entered | RecordedWhat::Left => self.recorded_segment(&r.name, words),
            RecordedWhat::Contacted | RecordedWhat::HeldOut => self.recorded_campaign(&r.name, words),
        };
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
        let (asked, windows) = (asked?, windows?);
        named?;
        let what = match r.what {
            RecordedWhat::Entered | RecordedWhat::Left => "memberships",
            RecordedWhat::Contacted | RecordedWhat::HeldOut => "contacts",
        };
        self.no_history(r.what_span.to(r.name.span), what);
        let mut trees: Vec<Tree<Cond>> = Vec::with_capacity(windows.len());
        for (window, since) in windows {
            let family = format!("{words} {} {asked:?} {window:?} {since:?}", r.name.text);
            let formula = never_happened(&asked, since);
            trees.push(Tree::leaf(formula, Fact::opaque(family), span));
        }
        if trees.len() == 1 { trees.pop() } else { Some(Tree { node: Node::And(trees), span }) }
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

    /// `member of NAME [for 30d]`
    pub(super) fn member(&self, m: &ast::Member, span: Span) -> Option<Tree<Cond>> {
        self.recorded_segment(&m.segment, "member of")?;
        self.no_history(span, "memberships");
        let long = m.long.as_ref().map(super::window::plain);
        let family = format!("member of {} {long:?}", m.segment.text);
        Some(Tree::leaf(Cond::Const(false), Fact::opaque(family), span))
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

    fn no_history(&self, span: Span, what: &str) {
        self.report(
            Diagnostic::new(code::check::NO_HISTORY, span, format!("no history of {what} is kept yet"))
                .label("taken as something that never happened")
                .help(
                    "leave it out until runs are recorded; what is asked of it holds only where nothing had to happen",
                ),
        );
    }
}

/// What holds of something that never happened.
fn never_happened(asked: &Asked, since: Option<Box<Anchor>>) -> Cond {
    let zero = Num::int(0);
    let holds = match asked {
        Asked::Count(Count::Is(op, n) | Count::Periods(_, op, n)) => op.holds(zero.compare(*n)),
        Asked::Count(Count::Between(low, high)) => low.compare(zero).is_le() && zero.compare(*high).is_le(),
        Asked::Count(Count::Window) | Asked::Pick(_) | Asked::Same { .. } => false,
    };
    match since {
        // It holds where there is an event to begin from.
        Some(anchor) if holds => Cond::Count {
            behaviour: Behaviour { matching: anchor.matching, window: Window::EVER, since: None },
            op: Op::Ge,
            n: Num::int(i64::from(anchor.back)),
        },
        Some(_) => Cond::Const(false),
        None => Cond::Const(holds),
    }
}

fn what_words(what: RecordedWhat) -> &'static str {
    match what {
        RecordedWhat::Entered => "entered",
        RecordedWhat::Left => "left",
        RecordedWhat::Contacted => "contacted",
        RecordedWhat::HeldOut => "held out",
    }
}
