//! What a destination takes: audiences that there are.

use crate::language::catalog::Named;
use crate::language::diagnostic::{Diagnostic, code};

use super::Checker;
use super::items::Items;
use super::names::Meaning;

impl Checker<'_> {
    /// The `audiences:` of the catalog's destinations.
    pub(super) fn destinations(&self, items: &Items<'_>) {
        // Of a declaration that could not be read not even the name is known.
        if items.nameless {
            return;
        }
        let taken = self.catalog.destinations.iter().flat_map(|d| d.audiences.iter().flatten());
        for name in taken.filter(|name| self.names.campaign(&name.name).is_none()) {
            match self.names.get(&name.name) {
                Some(Meaning::Segment(_) | Meaning::Stages(_) | Meaning::Broken) => {}
                other => self.no_audience(name, other, items),
            }
        }
    }

    fn no_audience(&self, name: &Named, other: Option<Meaning>, items: &Items<'_>) {
        let Named { name, span } = name;
        let d = Diagnostic::new(code::check::UNKNOWN_NAME, *span, format!("no audience is called `{name}`"));
        let d = d.label(match other {
            Some(other) => format!("{}; segments, stages and campaigns are delivered", other.noun()),
            None => "no segment, stages or campaign of this project".to_owned(),
        });
        let audience = |m: &Meaning| matches!(m, Meaning::Segment(_) | Meaning::Stages(_));
        let names = self.names.iter().filter(|(_, m)| audience(m)).map(|(n, _)| n).chain(self.names.campaign_names());
        let renamed = items.rules.iter().find(|rule| rule.was.is_some_and(|was| was.text == *name));
        let near = renamed.map(|rule| rule.name).or_else(|| self.nearest(name, names));
        self.report(match near {
            Some(near) => {
                d.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), vec![(*span, near.to_owned())])
            }
            None => d.help("take it out, or declare it: `segment NAME: …`"),
        });
    }
}
