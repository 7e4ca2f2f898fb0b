//! Declarations.

use super::clause::is_clause;
use super::*;

/// The parts of a declaration as they were found.
#[derive(Default)]
pub(super) struct Parts {
    name: Option<Name>,
    was: Option<Name>,
    title: Option<Word>,
    condition: Option<Expr>,
    pub arms: Vec<Arm>,
    pub clauses: Vec<Clause>,
    lines: Vec<StageLine>,
    rules: Vec<PolicyRule>,
    /// Something was said that leaves the declaration without a meaning.
    pub broken: bool,
}

impl<'a> Builder<'a> {
    /// The items of a parsed text that begins at `base`.
    pub fn items(&mut self, pairs: Pairs<'a>, base: usize, items: &mut Vec<Item>) {
        self.base = base;
        for file in pairs {
            for pair in file.into_inner() {
                match pair.as_rule() {
                    Rule::EOI => {}
                    Rule::junk_wrong => {
                        let span = self.span(&pair);
                        let d = self
                            .error(codes::UNEXPECTED, span, format!("`{}` has no meaning here", pair.as_str()))
                            .label("nothing ends a declaration but the next one")
                            .fix("remove it", vec![(span, String::new())]);
                        self.say(d);
                    }
                    _ => {
                        let item = self.item(pair);
                        items.push(item);
                    }
                }
            }
        }
    }

    fn item(&mut self, pair: Pair) -> Item {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        match rule {
            Rule::declaration_later => {
                let mut inner = pair.into_inner();
                let what = inner.next();
                let name = inner.next().map(|p| self.name(&p));
                if let Some(p) = what {
                    let place = self.span(&p);
                    self.not_yet(place, &format!("`{}`", p.as_str()), None);
                }
                return Item::Error { name, span };
            }
            Rule::declaration_wrong => return self.bad_head(pair, span),
            _ => {}
        }
        let description = self.description(span);
        let mut parts = self.parts(pair);
        match rule {
            Rule::segment => {
                if let Some(arm) = parts.arms.first() {
                    let word = self.at(span.start as usize, span.start as usize + "segment".len());
                    let d = self
                        .error(codes::ACTION, arm.span, "a segment has no action")
                        .label("only a campaign acts")
                        .fix("make it a campaign", vec![(word, "campaign".to_string())]);
                    self.say(d);
                }
                match (parts.name, parts.condition, parts.broken) {
                    (Some(name), Some(condition), false) => Item::Segment(Segment {
                        description,
                        name,
                        was: parts.was,
                        title: parts.title,
                        condition,
                        span,
                    }),
                    (name, ..) => Item::Error { name, span },
                }
            }
            Rule::trait_ => {
                if let Some(was) = &parts.was {
                    let d = self
                        .error(codes::DECLARATION, was.span, "a trait has no `was`")
                        .label("only segments and campaigns keep a history");
                    self.say(d);
                }
                if let Some(arm) = parts.arms.first() {
                    let d = self.error(codes::ACTION, arm.span, "a trait has no action").label("only a campaign acts");
                    self.say(d);
                }
                match (parts.name, parts.condition, parts.broken) {
                    (Some(name), Some(value), false) => {
                        Item::Trait(Trait { description, name, title: parts.title, value, span })
                    }
                    (name, ..) => Item::Error { name, span },
                }
            }
            Rule::campaign => {
                if parts.arms.is_empty() && !parts.broken {
                    let d = self
                        .error(codes::ACTION, self.behind(span), "the campaign has no action")
                        .label("expected `→` and an action")
                        .help("such as `→ offer`; a condition alone is a `segment`");
                    self.say(d);
                    parts.broken = true;
                }
                match (parts.name, parts.condition, parts.broken) {
                    (Some(name), Some(condition), false) => {
                        let (was, title, arms, clauses) = (parts.was, parts.title, parts.arms, parts.clauses);
                        Item::Campaign(Campaign { description, name, was, title, condition, arms, clauses, span })
                    }
                    (name, ..) => Item::Error { name, span },
                }
            }
            Rule::stages => {
                if let Some(was) = &parts.was {
                    let d = self
                        .error(codes::DECLARATION, was.span, "stages have no `was`")
                        .label("only segments and campaigns keep a history");
                    self.say(d);
                }
                let sound = !parts.broken && self.stages(&parts.lines, self.behind(span));
                match (parts.name, sound) {
                    (Some(name), true) => {
                        Item::Stages(Stages { description, name, title: parts.title, lines: parts.lines, span })
                    }
                    (name, _) => Item::Error { name, span },
                }
            }
            Rule::policy => {
                for (what, place) in [("`was`", parts.was.map(|w| w.span)), ("title", parts.title.map(|t| t.span))] {
                    if let Some(place) = place {
                        let d = self
                            .error(codes::DECLARATION, place, format!("a policy has no {what}"))
                            .label("it is a name and its bounds");
                        self.say(d);
                    }
                }
                match (parts.name, parts.rules.is_empty() || parts.broken) {
                    (Some(name), false) => Item::Policy(Policy { description, name, rules: parts.rules, span }),
                    (name, _) => Item::Error { name, span },
                }
            }
            _ => match (parts.condition, parts.broken) {
                (Some(condition), false) => {
                    Item::Bare(Bare { description, condition, arms: parts.arms, clauses: parts.clauses, span })
                }
                _ => Item::Error { name: None, span },
            },
        }
    }

    fn parts(&mut self, pair: Pair) -> Parts {
        let mut parts = Parts::default();
        let acts = !matches!(pair.as_rule(), Rule::segment | Rule::trait_);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_segment | Rule::kw_trait | Rule::kw_campaign | Rule::kw_stages | Rule::kw_policy => {
                    self.lower(&p);
                }
                Rule::name => parts.name = Some(self.name(&p)),
                Rule::was => parts.was = p.into_inner().last().map(|p| self.name(&p)),
                Rule::text | Rule::text_wrong => parts.title = Some(self.word(&p)),
                Rule::colon if p.as_str().is_empty() => {
                    let last = parts.title.as_ref().map(|t| t.span).or(parts.was.as_ref().map(|n| n.span));
                    if let Some(last) = last.or(parts.name.as_ref().map(|n| n.span)) {
                        let behind = self.behind(last);
                        let d = self
                            .error(codes::DECLARATION, behind, format!("`:` is missing behind `{}`", self.slice(last)))
                            .label("the condition follows a `:`")
                            .fix("write `:`", vec![(behind, ":".to_string())]);
                        self.say(d);
                    }
                }
                Rule::expr => parts.condition = Some(self.expr(p)),
                Rule::stage_line => match self.stage_line(p) {
                    Some(line) => parts.lines.push(line),
                    None => parts.broken = true,
                },
                Rule::arm => self.arm(p, &mut parts),
                Rule::policy_rule => match self.policy_rule(p) {
                    Some(rule) => parts.rules.push(rule),
                    None => parts.broken = true,
                },
                Rule::policy_joint if p.as_str() != ";" => self.spelt(self.span(&p), ";"),
                rule if is_clause(rule) => self.clause(p, acts, &mut parts),
                _ => {}
            }
        }
        parts
    }

    /// A declaration whose name is none.
    fn bad_head(&mut self, pair: Pair, span: Span) -> Item {
        let mut inner = pair.into_inner();
        let kw = inner.next().map_or("segment", |p| p.as_str()).to_lowercase();
        if let Some(p) = inner.find(|p| p.as_rule() == Rule::name_wrong) {
            let place = self.span(&p);
            self.bad_name(&kw, place);
        }
        Item::Error { name: None, span }
    }

    pub fn bad_name(&mut self, kw: &str, place: Span) {
        let text = self.slice(place).trim();
        let inner = text.trim_matches(['"', '“', '”', '\'', '‘', '’', '`']);
        let should: String = inner
            .split(|c: char| !words::is_continue(c) && c != '-')
            .filter(|w| !w.is_empty())
            .collect::<Vec<_>>()
            .join("_");
        let mut d = self.error(codes::DECLARATION, place, format!("`{}` is no name", super::later::brief(text)));
        d = if words::is_hard(text) {
            d.label("it is a word of the language")
        } else {
            d.label("a name is one word: letters, digits, `_` and inner `-`, a letter first")
        };
        if words::is_name(&should) && !should.is_empty() {
            d = d
                .help(format!("`{kw} {should} {}:` shows the title to people", words::quoted(inner)))
                .fix(format!("write `{should}`"), vec![(place, should)]);
        }
        self.say(d);
    }

    /// The comment block right above a declaration that begins a line.
    fn description(&self, span: Span) -> Option<String> {
        let comments = &self.scan.comments;
        let mut line = self.line_start(span.start as usize)?;
        let mut i = comments.partition_point(|c| c.span.start < span.start);
        let mut block = Vec::new();
        while let Some(comment) = i.checked_sub(1).and_then(|k| comments.get(k)) {
            // Between the comment and the line below it: its own line end and blanks.
            let between = self.text.get(comment.span.end as usize..line).unwrap_or("x");
            if !comment.own_line || between.matches('\n').count() != 1 || !between.trim().is_empty() {
                break;
            }
            block.push(comment.text.strip_prefix(' ').unwrap_or(&comment.text).trim_end().to_string());
            let Some(start) = self.line_start(comment.span.start as usize) else { break };
            line = start;
            i -= 1;
        }
        block.reverse();
        (!block.is_empty()).then(|| block.join("\n"))
    }

    /// The start of the line, if nothing but blanks stands before `at` on it.
    fn line_start(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        before.get(start..)?.trim_matches(['\u{FEFF}', ' ', '\t', '\u{A0}']).is_empty().then_some(start)
    }

    /// A file with a bare condition holds nothing else.
    pub fn loose_items(&mut self, items: &mut [Item]) {
        let bare: Vec<usize> =
            items.iter().enumerate().filter(|(_, i)| matches!(i, Item::Bare(_))).map(|(i, _)| i).collect();
        if bare.is_empty() || items.len() == 1 {
            return;
        }
        // The first bare condition is the file's, if nothing else is declared.
        let skip = usize::from(bare.len() == items.len());
        for i in bare.into_iter().skip(skip) {
            let Some(item) = items.get_mut(i) else { continue };
            let Item::Bare(b) = item else { continue };
            let span = b.condition.span;
            let mut d = self.error(codes::LOOSE, span, "a condition without a name stands beside other declarations");
            d = if skip == 1 {
                d.label("nothing joins it to the condition before it").help("join them with `and` or `or`")
            } else {
                let word = if b.arms.is_empty() { "segment" } else { "campaign" };
                d.label("only a file of its own gives it a name")
                    .help(format!("write `{word} NAME:` before it, or move it to its own file"))
            };
            self.diagnostics.push(d);
            *item = Item::Error { name: None, span };
        }
    }
}
