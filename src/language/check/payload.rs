//! What travels with a delivery: its columns, and whether their channel may have them.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Asked, Campaign, Cond, Payload, PayloadOf, RuleId, Value};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, ExprKind};

use super::Checker;
use super::campaigns::Draft;
use super::items::RuleItem;
use super::names::Meaning;
use super::rules::Built;
use super::values::{Side, alone};

/// What deliveries and their tables have, whatever a campaign adds.
const COLUMNS: [&str; 7] = ["action", "arm", "channel", "customer", "operation", "outcome", "version"];

impl<'a> Checker<'a> {
    /// `with last(product of purchased) as favourite, spend_12mo`
    pub(super) fn payloads(
        &self,
        item: &RuleItem<'a>,
        payloads: &[ast::Payload],
        draft: &mut Draft,
        built: &Built<'a>,
    ) -> bool {
        let mut sound = true;
        let mut names: Vec<(&str, Span)> = Vec::new();
        for payload in payloads {
            let Some((name, place)) = self.payload_name(payload) else {
                sound = false;
                continue;
            };
            let refused = |message: String| Diagnostic::new(code::check::PAYLOAD, place, message);
            if let Some((_, before)) = names.iter().find(|(other, _)| *other == name) {
                let d = refused(format!("two columns are called `{name}`")).label("the second one");
                self.report(d.also(*before, "the first one").help("name one of them otherwise: `… as NAME`"));
                sound = false;
            } else if COLUMNS.contains(&name) {
                let d =
                    refused(format!("a column can't be called `{name}`")).label("every delivery has one of this name");
                self.report(d.help("name it otherwise: `… as NAME`"));
                sound = false;
            }
            names.push((name, place));
            match self.payload(item, payload, name, draft, built) {
                Some((of, pii)) => {
                    sound &= !pii || self.may_have(name, payload.value.span, &draft.campaign);
                    draft.campaign.with.push(Payload { name: name.to_owned(), of, pii });
                }
                None => sound = false,
            }
        }
        sound
    }

    /// The name of a column: its own, or the bare name that it is.
    fn payload_name<'p>(&self, payload: &'p ast::Payload) -> Option<(&'p str, Span)> {
        if let Some(name) = &payload.name {
            return Some((&name.text, name.span));
        }
        if let ExprKind::Phrase(p) = &payload.value.kind
            && alone(p)
        {
            return Some((&p.name.text, p.name.span));
        }
        if !matches!(payload.value.kind, ExprKind::Error) {
            let d = Diagnostic::new(code::check::PAYLOAD, payload.value.span, "a column without a name");
            self.report(d.label("what is it called where it arrives?").help("write `… as NAME` behind it"));
        }
        None
    }

    /// What a column is made of, and whether that is personal.
    fn payload(
        &self,
        item: &RuleItem<'a>,
        payload: &ast::Payload,
        name: &str,
        draft: &mut Draft,
        built: &Built<'a>,
    ) -> Option<(PayloadOf, bool)> {
        let mut expr = &payload.value;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        let own = format!("{}.with.{name}", item.name);
        if self.is_condition(expr) {
            return self.yes_or_no(expr, &payload.value, own, draft, built);
        }
        let value = match self.side::<Cond>((), expr)? {
            Side::Value(value) => value,
            Side::Word(word) => self.value_named_here::<Cond>((), &word)?,
            Side::Constant(_) => {
                let d =
                    Diagnostic::new(code::check::CONSTANTS, expr.span, format!("the column `{name}` is a constant"));
                self.report(d.label("the same for everyone").help("leave it to whoever receives the delivery"));
                return None;
            }
        };
        if value.ty == Type::TextList {
            let d = Diagnostic::new(code::check::PAYLOAD, expr.span, format!("the column `{name}` is a list"));
            self.report(d.label("a column holds one value").help("ask what is in it: `(tags has vip) as vip`"));
            return None;
        }
        let pii = self.personal_value(&value.value, built);
        let place = match self.declared_trait(expr) {
            Some(name) => draft.declared(name),
            None => draft.value(own, value.value, value.ty, payload.value.span),
        };
        Some((PayloadOf::Trait(place), pii))
    }

    /// `(purchased in 7d) as recent`
    fn yes_or_no(
        &self,
        expr: &Expr,
        written: &Expr,
        own: String,
        draft: &mut Draft,
        built: &Built<'a>,
    ) -> Option<(PayloadOf, bool)> {
        if !matches!(written.kind, ExprKind::Paren(_)) {
            let text = match &expr.kind {
                ExprKind::Phrase(p) => p.name.text.as_str(),
                _ => "CONDITION",
            };
            let noun = self.names.get(text).map_or("a condition", Meaning::noun);
            let d = Diagnostic::new(
                code::check::PAYLOAD,
                expr.span,
                format!("`{text}` is {noun}, and a column is a value"),
            );
            self.report(
                d.label("yes or no, or several of them").help(format!(
                    "in parentheses it is a yes or no: `({text}) as {text}`; a number is `count({text})`"
                )),
            );
            return None;
        }
        self.lint_form(expr);
        let tree = self.condition(expr)?;
        self.lint_missing(&tree);
        self.prove(&tree);
        let condition = tree.into_formula();
        let pii = self.personal(&condition, built);
        Some((PayloadOf::Rule(draft.part(own, condition, written.span)), pii))
    }

    /// Whether every channel of a campaign may have personal data; if not, it is said.
    fn may_have(&self, name: &str, span: Span, campaign: &Campaign) -> bool {
        let refuses = |used: &&str| self.catalog.channels.iter().any(|c| c.name.name == **used && !c.pii);
        let Some(channel) = campaign.channels().find(refuses) else { return true };
        self.report(
            Diagnostic::new(
                code::check::PERSONAL,
                span,
                format!("`{name}` is personal, and `{channel}` may not have it"),
            )
            .label("made of something that the catalog marks as personal")
            .help(format!(
                "take it out, or allow the channel: `{channel}: {{pii: true}}` under `channels:` in `{}`",
                self.options.catalog
            )),
        );
        false
    }

    /// Whether something that the catalog marks as personal can be told from a condition and the rules that it refers to.
    fn personal(&self, condition: &Cond, built: &Built<'a>) -> bool {
        let (mut found, mut rules) = (false, Vec::new());
        let mut condition = condition.clone();
        condition.asked(&mut |asked| found |= self.marked(&asked));
        condition.rules(&mut |id| rules.push(*id));
        found || self.personal_rules(rules, built)
    }

    fn personal_value(&self, value: &Value, built: &Built<'a>) -> bool {
        let (mut found, mut rules) = (false, Vec::new());
        let mut value = value.clone();
        value.asked(&mut |asked| found |= self.marked(&asked));
        value.rules(&mut |id| rules.push(*id));
        found || self.personal_rules(rules, built)
    }

    fn personal_rules(&self, declared: Vec<RuleId>, built: &Built<'a>) -> bool {
        let mut found = false;
        for mut condition in built.all_of(declared) {
            condition.asked(&mut |asked| found |= self.marked(&asked));
        }
        found
    }

    fn marked(&self, asked: &Asked<'_>) -> bool {
        match asked {
            Asked::Events(_) => false,
            Asked::Attribute(id) => self.catalog.attributes().get(id.index()).is_some_and(|a| a.pii),
            Asked::Property(event, property) => {
                let property = self.catalog.event(*event).and_then(|e| e.properties.get(property.index()));
                property.is_some_and(|p| p.pii)
            }
        }
    }
}
