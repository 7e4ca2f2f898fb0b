//! Names that stand for people: behind `among` and `except`.

use crate::language::diagnostic::{Code, Diagnostic};
use crate::language::ir::{Among, RuleId};
use crate::language::syntax::ast::Name;

use super::Checker;
use super::names::Meaning;

/// Where a name stands that must be a segment's or a list's.
pub(super) struct Where {
    pub code: Code,
    /// `a rank is among the people of a segment or list`
    pub needs: &'static str,
    /// What to do with the segment once it is declared: `rank among that`.
    pub then: &'static str,
}

impl Checker<'_> {
    /// The segment or list of a name; another is told, with its cure.
    pub(super) fn people(&self, name: &Name, place: &Where) -> Option<Among> {
        let text = &name.text;
        let meaning = match self.names.get(text) {
            Some(Meaning::Segment(i)) => return Some(Among::Rule(RuleId(i as u32))),
            Some(Meaning::List(id)) => return Some(Among::List(id)),
            Some(Meaning::Broken) => return None,
            Some(other) => other,
            None if self.names.campaign(text).is_some() => Meaning::Campaign,
            None => {
                self.unknown_name(name, |m| matches!(m, Meaning::Segment(_) | Meaning::List(_)));
                return None;
            }
        };
        let then = place.then;
        let cure = match meaning {
            Meaning::Campaign => {
                format!("declare a segment of whom it reached, `segment NAME: contacted {text} in 30d`, and {then}")
            }
            Meaning::Event(_) => {
                format!("declare a segment of those who did it, `segment SEGMENT: {text}`, and {then}")
            }
            Meaning::Stages(i) => {
                let first = self.names.stages(i).and_then(|s| s.item.lines.first());
                let stage = first.map_or("STAGE", |l| l.stage.text.as_str());
                format!("declare a segment of one stage, `segment SEGMENT: {text} = {stage}`, and {then}")
            }
            _ => format!("declare a segment that asks about `{text}`, and {then}"),
        };
        let is = format!("`{text}` is {}, and {}", meaning.noun(), place.needs);
        self.report(Diagnostic::new(place.code, name.span, is).label("neither a segment nor a list").help(cure));
        None
    }
}
