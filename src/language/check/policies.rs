//! Policies: contact pressure across campaigns.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Policy, PolicyRule};
use crate::language::syntax::ast;

use super::Checker;
use super::items::Items;

impl Checker<'_> {
    /// The policies without mistakes, in the order of names.
    pub(super) fn policies(&self, items: &Items<'_>) -> Vec<Policy> {
        let mut policies: Vec<Policy> = Vec::new();
        for (i, item) in items.policies.iter().enumerate() {
            if let Some(before) = items.policies.iter().take(i).find(|p| p.name.text == item.name.text) {
                let name = &item.name.text;
                let d = Diagnostic::new(
                    code::check::DUPLICATE_NAME,
                    item.name.span,
                    format!("the policy `{name}` is declared twice"),
                );
                self.report(
                    d.label("declared here")
                        .also(before.name.span, "and here")
                        .help("rename one of them, or write all bounds in one, with `;` between"),
                );
                continue;
            }
            let rules: Vec<Option<PolicyRule>> = item.rules.iter().map(|rule| self.policy_rule(rule)).collect();
            if let Some(rules) = rules.into_iter().collect() {
                self.bound_of_one_run("a policy", item.name.span);
                policies.push(Policy { name: item.name.text.clone(), description: item.description.clone(), rules });
            }
        }
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        policies
    }

    fn policy_rule(&self, rule: &ast::PolicyRule) -> Option<PolicyRule> {
        let at_most = self.frequency(&rule.at_most);
        let mut channels = Some(Vec::with_capacity(rule.channels.len()));
        for name in &rule.channels {
            let channel = self.channel(name);
            let Some(channels) = channels.as_mut().filter(|_| channel.is_some()) else {
                channels = None;
                continue;
            };
            channels.extend(channel.filter(|c| !channels.contains(c)));
        }
        Some(PolicyRule { at_most: at_most?, channels: channels? })
    }
}
