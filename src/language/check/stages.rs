//! Stages: lines of which the first that holds names the stage, and what may be asked of them.

use std::collections::HashMap;

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{self, Cond, Op, Rule, RuleKind, StageLine};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::{Expr, ExprKind, Phrase, TestKind};
use crate::language::text::plain;

use super::Checker;
use super::cover::covered;
use super::facts::{Domain, Fact, Set};
use super::names::DeclaredStages;
use super::rules::Built;
use super::suggest::{alternatives, some_of};
use super::tree::{Node, Tree};
use super::values::alone;
use super::words::word;

/// Of more lines than this it is not asked whether the ones before leave anyone for them.
const LINES: usize = 128;

impl<'a> Checker<'a> {
    /// Understands stages: each line becomes a rule. With a mistake in one line, none of them does.
    pub(super) fn stages(&self, stages: DeclaredStages<'a>, built: &mut Built<'a>) {
        let item = stages.item;
        let name = &item.name.text;
        item.name.text.clone_into(&mut self.declared.borrow_mut());
        let mut sound = self.stage_names(stages);
        let mut lines: Vec<(Option<Tree<Cond>>, bool)> = Vec::with_capacity(item.lines.len());
        for line in &item.lines {
            let Some(expr) = &line.condition else {
                lines.push((None, false));
                continue;
            };
            let asked = self.lint_form(expr);
            let Some(tree) = self.condition(expr) else {
                sound = false;
                continue;
            };
            self.lint_missing(&tree);
            let (_, open) = self.prove(&tree);
            lines.push((Some(tree), open && !asked));
        }
        if !sound {
            return;
        }
        self.empty_stages(stages, &lines);
        let number = built.program.stages.len() as u32;
        let mut placed = Vec::with_capacity(lines.len());
        for (i, (line, (tree, doubtful))) in item.lines.iter().zip(lines).enumerate() {
            let span = line.condition.as_ref().filter(|_| doubtful).map(|c| c.span);
            let mut parts: Vec<Cond> = tree.map(Tree::into_formula).into_iter().collect();
            parts.extend((0..i).map(|before| Cond::Not(Box::new(Cond::Rule(stages.line(before))))));
            let condition = match <[Cond; 1]>::try_from(parts) {
                Ok([only]) => only,
                Err(parts) if parts.is_empty() => Cond::Const(true),
                Err(parts) => Cond::And(parts),
            };
            built.idle(self, stages.line(i), &condition, span);
            let rule = Rule {
                name: format!("{name}.{}", line.stage.text),
                title: None,
                description: None,
                kind: RuleKind::Stage { stages: number },
                condition,
                span: line.span,
            };
            // A line that uses a rule with a mistake is left out, and with it all that follow, which use it.
            let Some(rule) = built.place_rule(stages.line(i), rule) else { return built.take_back(&placed) };
            placed.push(StageLine { stage: line.stage.text.clone(), rule });
        }
        built.program.stages.push(ir::Stages {
            name: name.clone(),
            title: item.title.as_ref().map(|t| t.text.clone()),
            description: item.description.clone(),
            lines: placed,
            span: item.span,
        });
    }

    /// Each stage once, none called like a declaration, `otherwise` last.
    fn stage_names(&self, stages: DeclaredStages<'a>) -> bool {
        let item = stages.item;
        let mut sound = true;
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut otherwise: Option<Span> = None;
        for line in &item.lines {
            let (text, span) = (&line.stage.text, line.stage.span);
            let refused = |message: String| Diagnostic::new(code::check::STAGE_NAME, span, message);
            let d = if let Some(place) = otherwise {
                let twice = line.condition.is_none();
                let message = if twice { "`otherwise` stands twice" } else { "a line behind `otherwise`" };
                Diagnostic::new(code::check::STAGE_NAME, line.span, message)
                    .label("nobody gets as far as this")
                    .also(place, "`otherwise` takes everyone who is left")
                    .help(if twice { "take one of them out" } else { "put `otherwise` last" })
            } else if let Some(place) = seen.get(text.as_str()) {
                refused(format!("the stage `{text}` stands twice"))
                    .label("the same name")
                    .also(*place, "it has a line here")
                    .help("join the conditions of one stage with `or`, or give this one another name")
            } else if crate::language::syntax::begins_declaration(text) {
                refused(format!("a stage can't be called `{text}`"))
                    .label("this word begins a declaration")
                    .help(format!("write for example `{text}_stage`"))
            } else {
                seen.insert(text, span);
                if line.condition.is_none() {
                    otherwise = Some(line.span);
                }
                continue;
            };
            sound = false;
            self.report(d);
        }
        sound
    }

    /// Lines that the lines before leave no one.
    fn empty_stages(&self, stages: DeclaredStages<'a>, lines: &[(Option<Tree<Cond>>, bool)]) {
        let mut before: Vec<Tree<Cond>> = Vec::new();
        for (line, (tree, open)) in stages.item.lines.iter().zip(lines).take(LINES) {
            let nobody = |label: &str| {
                Diagnostic::new(
                    code::check::EMPTY_STAGE,
                    line.stage.span,
                    format!("no customer can be in the stage `{}`", line.stage.text),
                )
                .label(label)
            };
            let left: Vec<Tree<Cond>> = before.iter().map(|t| t.clone().not(t.span)).collect();
            let rest = |parts: Vec<Tree<Cond>>| Tree { node: Node::And(parts), span: line.span };
            if !left.is_empty() && self.never_holds(&rest(left.clone())) {
                self.report(
                    nobody("the lines before take everyone")
                        .help("take this line and those behind it out, or ask something stricter before it"),
                );
                return;
            }
            let Some(tree) = tree else { continue };
            let by = before.iter().find(|t| covered(tree, t));
            let all = || rest(std::iter::once(tree.clone()).chain(left.iter().cloned()).collect());
            // What can't hold by itself, or always does, has been told.
            if let Some(by) = by {
                self.report(
                    nobody("whoever fulfils this has an earlier stage")
                        .also(by.span, "the line that takes them all")
                        .help("put the stricter condition first, or take this line out"),
                );
            } else if *open && !left.is_empty() && self.never_holds(&all()) {
                self.report(
                    nobody("whoever fulfils this has an earlier stage")
                        .help("put the stricter conditions first, or take this line out"),
                );
            }
            before.push(tree.clone());
        }
    }

    /// `buying_journey = decision`
    pub(super) fn stage_phrase(&self, stages: DeclaredStages<'a>, p: &Phrase, span: Span) -> Option<Tree<Cond>> {
        let refused = |place: Span, message: &str| {
            self.only_stages(stages, place, message);
            None
        };
        let (words, negated): (Vec<&Expr>, bool) = match (&p.test, &p.window) {
            (_, Some(window)) => return refused(window.span, "stages take no window"),
            (None, None) => return refused(p.name.span, "a set of stages is no condition by itself"),
            (Some(test), None) => match &test.kind {
                TestKind::Compare { op: op @ (Op::Eq | Op::Ne), right } => (vec![right], *op == Op::Ne),
                TestKind::Compare { .. } | TestKind::Between { .. } => {
                    return refused(test.span, "stages have no order");
                }
                TestKind::OneOf { words, negated } => (words.iter().collect(), *negated),
                TestKind::OnPeriods { .. } | TestKind::Text { .. } | TestKind::Has(_) | TestKind::Known { .. } => {
                    return refused(test.span, "of stages it can only be asked which one it is");
                }
            },
        };
        let count = stages.item.lines.len();
        let mut domain = Domain::COUNT.between(0, count.saturating_sub(1) as i128);
        domain.missing = !stages.whole();
        let found: Vec<Option<usize>> = words.into_iter().map(|w| self.stage(stages, w)).collect();
        let mut found: Vec<usize> = found.into_iter().collect::<Option<_>>()?;
        found.sort_unstable();
        found.dedup();
        let mut rules: Vec<Cond> = found.iter().map(|i| Cond::Rule(stages.line(*i))).collect();
        let (formula, set) = match (rules.pop(), rules.is_empty()) {
            (None, _) => (Cond::Const(false), Set::EMPTY),
            (Some(only), true) => (only, one(domain, &found)),
            (Some(last), false) => {
                rules.push(last);
                (Cond::Or(rules), one(domain, &found))
            }
        };
        let family = format!("stages {}", stages.item.name.text);
        let (formula, set) =
            if negated { (Cond::Not(Box::new(formula)), domain.complement(&set)) } else { (formula, set) };
        Some(Tree::leaf(formula, Fact { family, domain, set, count: None, during: None }, span))
    }

    /// The line of a stage by its written name.
    fn stage(&self, stages: DeclaredStages<'a>, expr: &Expr) -> Option<usize> {
        let names = || stages.item.lines.iter().map(|l| l.stage.text.as_str());
        let (text, quoted) = match &expr.kind {
            ExprKind::Paren(inner) => return self.stage(stages, inner),
            ExprKind::Error => return None,
            ExprKind::Text(text) => (text, true),
            ExprKind::Phrase(p) if alone(p) && p.qualifier.is_none() => (&p.name.text, false),
            _ => {
                self.only_stages(stages, expr.span, "this is no stage");
                return None;
            }
        };
        if let Some(i) = names().position(|n| n == text) {
            return Some(i);
        }
        // As other known values: a bare word stands for the one that differs in case or accents only.
        let wanted = plain(text);
        let alike: Vec<usize> =
            names().enumerate().filter(|(_, n)| !quoted && plain(n) == wanted).map(|(i, _)| i).collect();
        if let [only] = alike.as_slice() {
            return Some(*only);
        }
        let of = &stages.item.name.text;
        if !alike.is_empty() {
            let written: Vec<&str> = names().filter(|n| plain(n) == wanted).collect();
            self.report(
                Diagnostic::new(
                    code::check::AMBIGUOUS_SPELLING,
                    expr.span,
                    format!("`{text}` could be any of several stages of `{of}`"),
                )
                .label("differs from each of them in case or accents only")
                .help(format!("write {}", alternatives(&written))),
            );
            return None;
        }
        let d = Diagnostic::new(code::check::UNKNOWN_VALUE, expr.span, format!("`{of}` has no stage `{text}`"))
            .label("not one of its stages");
        self.report(match self.nearest(text, names()) {
            Some(near) => {
                d.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), vec![(expr.span, word(near))])
            }
            None => d.help(format!("its stages are {}", some_of(names()))),
        });
        None
    }

    /// What can be asked of stages, and nothing else.
    pub(super) fn only_stages(&self, stages: DeclaredStages<'a>, span: Span, message: &str) {
        let name = &stages.item.name.text;
        let first = stages.item.lines.first().map_or("STAGE", |l| l.stage.text.as_str());
        self.report(
            Diagnostic::new(code::check::STAGE_TEST, span, message)
                .label(format!("`{name}` is a set of stages"))
                .help(format!("ask which one it is, with `=`, `≠`, `in` or `not in`: `{name} = {}`", word(first))),
        );
    }

    /// `buying_journey ≠ decision` holds for those who have no stage at all.
    pub(super) fn missing_stage(&self, fact: &Fact, span: Span) {
        if !fact.set.missing {
            return;
        }
        self.report(
            Diagnostic::new(code::check::MISSING_COUNTS, span, "this also holds for those who have no stage at all")
                .label("true for everyone whom no line takes, too")
                .help("end the stages with `otherwise → …`, or name the stages that are meant with `in (…)`"),
        );
    }
}

/// One of these lines.
fn one(domain: Domain, lines: &[usize]) -> Set {
    let is = |i: &usize| domain.compare(Op::Eq, Num::int(*i as i64)).unwrap_or(Set::EMPTY);
    let none = lines.iter().fold(domain.all(), |rest, i| rest.intersect(&domain.complement(&is(i))));
    domain.complement(&none)
}
