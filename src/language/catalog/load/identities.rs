//! Identities: which ids are one customer.

use super::{Loader, named, unit, value};
use crate::language::catalog::raw;
use crate::language::catalog::{Conflicts, Identities, LinkTable, Unknown};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::yaml::read::{At, Entry, Needed};

impl Loader<'_> {
    pub(super) fn identities(&mut self, raw: &At<raw::Identities>) {
        let written = &raw.value;
        let entries: &[Entry<raw::LinkTable>] = written.links.0.as_ref().map_or(&[], |links| &links.0);
        if entries.is_empty() && written.links.0.is_some() {
            self.report(
                Diagnostic::new(code::yaml::MISSING_KEY, raw.span, "`links` names nothing")
                    .label("nothing says which ids are one customer")
                    .help("add a link table, or remove `identities:`"),
            );
        }
        let by_time = written.conflicts.as_ref().filter(|c| c.value != raw::Conflicts::Error);
        let links: Vec<LinkTable> = entries.iter().filter_map(|entry| self.link_table(entry, by_time)).collect();
        if links.is_empty() {
            return;
        }
        self.catalog.identities = Some(Identities {
            span: raw.span,
            links,
            conflicts: match written.conflicts.as_ref().map(|c| c.value) {
                Some(raw::Conflicts::Earliest) => Conflicts::Earliest,
                Some(raw::Conflicts::Latest) => Conflicts::Latest,
                Some(raw::Conflicts::Error) | None => Conflicts::Error,
            },
            unknown: match written.unknown.as_ref().map(|u| u.value) {
                Some(raw::Unknown::Drop) => Unknown::Drop,
                Some(raw::Unknown::Customer) | None => Unknown::Customer,
            },
        });
    }

    /// `by_time` is what lets the time decide, if so.
    fn link_table(&mut self, entry: &Entry<raw::LinkTable>, by_time: Option<&At<raw::Conflicts>>) -> Option<LinkTable> {
        let table = entry.value.as_ref()?;
        self.path(table.path.0.as_ref());
        self.zone(table.timezone.as_ref());
        for column in [table.from.0.as_ref(), table.to.0.as_ref(), table.time.as_ref()] {
            self.column(column);
        }
        if table.time.is_none() {
            let spare = [
                table.time_unit.as_ref().map(|u| ("time_unit", u.span)),
                table.timezone.as_ref().map(|z| ("timezone", z.span)),
            ];
            for (key, span) in spare.into_iter().flatten() {
                self.report(
                    Diagnostic::new(code::yaml::MISPLACED, span, format!("`{key}` without `time`"))
                        .label("the links have no time that it could be about")
                        .help(format!("add `time:` with the column of the link's time, or remove `{key}:`")),
                );
            }
            // What is broken may have had one.
            if let Some(decides) = by_time.filter(|_| !entry.broken) {
                let word = decides.value.as_str();
                self.report(
                    Diagnostic::new(
                        code::yaml::LINK_TIME,
                        entry.name.span,
                        format!("the links of `{}` have no time", entry.name.value),
                    )
                    .label(format!("which of two links is the {word} can't be told"))
                    .also(decides.span, "the time decides here")
                    .help("add `time:` with the column of the link's time, or write `conflicts: error`"),
                );
            }
        }
        let raw::LinkTable { path: Needed(Some(path)), from: Needed(Some(from)), to: Needed(Some(to)), .. } = table
        else {
            return None;
        };
        if from.value == to.value && !from.value.is_empty() {
            self.report(
                Diagnostic::new(
                    code::yaml::LINK_TO_ITSELF,
                    to.span,
                    format!("the links of `{}` lead from `{}` to itself", entry.name.value, to.value),
                )
                .label("nothing is linked")
                .also(from.span, "from here")
                .help("name the column of the raw id in `from:`, and that of the id which it leads to in `to:`"),
            );
        }
        Some(LinkTable {
            name: named(&entry.name),
            path: path.value.clone(),
            path_span: path.span,
            from: from.value.clone(),
            to: to.value.clone(),
            time: value(table.time.as_ref()),
            time_unit: table.time_unit.as_ref().map(unit),
            timezone: value(table.timezone.as_ref()),
        })
    }
}
