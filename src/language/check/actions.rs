//! Actions and the channels by which they go.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::Action;
use crate::language::syntax::ast;
use crate::language::text::nfc;

use super::Checker;
use super::suggest::some_of;

impl Checker<'_> {
    /// `offer serum-15 by email`
    pub(super) fn action(&self, action: &ast::Action) -> Option<Action> {
        let verb = &action.verb.text;
        let def = self.catalog.actions.iter().find(|a| a.name.name == *verb);
        let mut failed = false;
        if def.is_none() && verb != "offer" {
            failed = true;
            let known: Vec<&str> = self
                .catalog
                .actions
                .iter()
                .map(|a| a.name.name.as_str())
                .filter(|n| *n != "offer")
                .chain(["offer"])
                .collect();
            let d =
                Diagnostic::new(code::check::UNKNOWN_ACTION, action.verb.span, format!("there is no action `{verb}`"))
                    .label("not an action of this project");
            self.report(match self.nearest(verb, known.iter().copied()) {
                Some(near) => d
                    .help(format!("did you mean `{near}`?"))
                    .fix(format!("write `{near}`"), vec![(action.verb.span, near.to_owned())]),
                None => d.help(format!(
                    "actions are {}; add others under `actions:` in `{}`",
                    some_of(known.iter().copied()),
                    self.options.catalog
                )),
            });
        }
        if verb == "offer" && !self.catalog.offers.is_empty() {
            for w in &action.arguments {
                let offers = self.catalog.offers.iter().map(|o| o.name.as_str());
                if offers.clone().any(|o| o == w.text) {
                    continue;
                }
                failed = true;
                let d = Diagnostic::new(code::check::UNKNOWN_OFFER, w.span, format!("there is no offer `{}`", w.text))
                    .label("not an offer of this project");
                self.report(match self.nearest(&w.text, offers.clone()) {
                    Some(near) => d
                        .help(format!("did you mean `{near}`?"))
                        .fix(format!("write `{near}`"), vec![(w.span, near.to_owned())]),
                    None => d.help(format!(
                        "offers are {}; add others under `offers:` in `{}`",
                        some_of(offers),
                        self.options.catalog
                    )),
                });
            }
        }
        let channel = match &action.by {
            Some(by) => {
                let channel = self.channel(by);
                failed |= channel.is_none();
                channel
            }
            None => def.and_then(|d| d.channel).and_then(|i| self.catalog.channels.get(i)).map(|c| c.name.name.clone()),
        };
        (!failed).then(|| Action {
            verb: verb.clone(),
            arguments: action.arguments.iter().map(|w| nfc(&w.text)).collect(),
            channel,
        })
    }

    /// A channel of the catalog.
    pub(super) fn channel(&self, name: &ast::Name) -> Option<String> {
        let channels = || self.catalog.channels.iter().map(|c| c.name.name.as_str());
        if channels().any(|c| c == name.text) {
            return Some(name.text.clone());
        }
        let d =
            Diagnostic::new(code::check::UNKNOWN_CHANNEL, name.span, format!("there is no channel `{}`", name.text))
                .label("not a channel of this project");
        self.report(match self.nearest(&name.text, channels()) {
            Some(near) => d
                .help(format!("did you mean `{near}`?"))
                .fix(format!("write `{near}`"), vec![(name.span, near.to_owned())]),
            None if self.catalog.channels.is_empty() => {
                d.help(format!("add it under `channels:` in `{}`", self.options.catalog))
            }
            None => d.help(format!(
                "channels are {}; add others under `channels:` in `{}`",
                some_of(channels()),
                self.options.catalog
            )),
        });
        None
    }
}
