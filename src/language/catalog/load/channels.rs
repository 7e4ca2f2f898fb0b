//! Channels: who agreed, who is never reached, what a contact costs and when nobody is disturbed.

use super::{Loader, amounts, named, unknown};
use crate::language::catalog::{AttributeId, Channel, ListId, Type, raw};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::yaml::read::{At, Entry, OneOrMany};

impl Loader<'_> {
    pub(super) fn channel(&mut self, entry: &Entry<Option<raw::Channel>>) {
        self.shape(&entry.name, "a channel", &[]);
        let channel = entry.value.as_ref().and_then(Option::as_ref);
        let consent = channel.and_then(|c| c.consent.as_ref());
        let consent = consent.and_then(|name| self.attribute_of(name, Type::YesNo, "consent is yes or no"));
        let suppression = self.suppression(channel.and_then(|c| c.suppression.as_ref()));
        let cost = channel.and_then(|c| c.cost.as_ref()).and_then(|cost| self.told(amounts::cost(&cost.0)));
        let quiet = channel.and_then(|c| c.quiet.as_ref()).and_then(|quiet| self.told(amounts::quiet(&quiet.0)));
        self.catalog.channels.push(Channel {
            name: named(&entry.name),
            consent,
            suppression,
            cost,
            quiet,
            pii: channel.and_then(|c| c.pii.as_ref()).is_some_and(|p| p.value),
        });
    }

    /// The lists of whom nobody is reached, in the order of the text.
    pub(super) fn suppression(&mut self, lists: Option<&OneOrMany<At<String>>>) -> Vec<ListId> {
        let mut out: Vec<(ListId, &At<String>)> = Vec::new();
        for name in lists.iter().flat_map(|lists| &lists.0) {
            let known = self.catalog.lists.iter().position(|l| l.name.name == name.value);
            let Some(list) = known.and_then(|at| u32::try_from(at).ok()).map(ListId) else {
                if !self.catalog.broken.contains_key(&name.value) {
                    let names: Vec<&str> = self.catalog.lists.iter().map(|l| l.name.name.as_str()).collect();
                    let d = unknown("list", name, &names, &mut self.guesses);
                    self.report(d);
                }
                continue;
            };
            match out.iter().find(|(other, _)| *other == list) {
                Some((_, first)) => {
                    let message = format!("the list `{}` stands here twice", name.value);
                    let d = Diagnostic::new(code::yaml::DUPLICATE_KEY, name.span, message);
                    self.report(d.label("again").also(first.span, "first here").help("remove one of the two"));
                }
                None => out.push((list, name)),
            }
        }
        out.into_iter().map(|(list, _)| list).collect()
    }

    /// The attribute of this name and type; `why` says for what it is wanted.
    pub(super) fn attribute_of(&mut self, name: &At<String>, wanted: Type, why: &str) -> Option<AttributeId> {
        let attributes = self.catalog.attributes();
        let found = attributes.iter().position(|a| a.name.name == name.value);
        let Some((at, attribute)) = found.and_then(|at| Some((at, attributes.get(at)?))) else {
            if !self.catalog.broken.contains_key(&name.value) {
                let names: Vec<&str> = attributes.iter().map(|a| a.name.name.as_str()).collect();
                let d = unknown("attribute", name, &names, &mut self.guesses);
                self.report(d);
            }
            return None;
        };
        if attribute.ty != wanted {
            let kind = if wanted == Type::YesNo { "yes/no" } else { wanted.in_words() };
            let message = format!("`{}` is not a {kind} attribute", name.value);
            let d = Diagnostic::new(code::yaml::KIND, name.span, message)
                .label(why)
                .also(attribute.name.span, format!("it is {} here", attribute.ty.in_words()));
            self.report(d);
            return None;
        }
        u32::try_from(at).ok().map(AttributeId)
    }

    /// What was read, or the finding.
    fn told<T>(&mut self, read: Result<T, Box<Diagnostic>>) -> Option<T> {
        read.map_err(|d| self.report(*d)).ok()
    }
}
