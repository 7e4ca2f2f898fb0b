//! What is done with the members of a campaign.

use super::item::Parts;
use super::*;

impl Builder<'_> {
    pub(super) fn arm(&mut self, pair: Pair, parts: &mut Parts) {
        let span = self.span(&pair);
        let before = parts.clauses.last().map(|clause| clause.span);
        for p in pair.into_inner() {
            let kind = match p.as_rule() {
                Rule::arrow if matches!(p.as_str(), "→" | "->") => continue,
                Rule::arrow => {
                    self.spelt(self.span(&p), "->");
                    continue;
                }
                Rule::action => self.action(p).map(ArmKind::All),
                Rule::hold_out => self.hold_out(p, span),
                _ => self.taken(p),
            };
            if let Some(clause) = before {
                let word = self.slice(clause).split_whitespace().next().unwrap_or("").to_owned();
                let d = self
                    .error(codes::ORDER, span, format!("an arm stands behind `{word}`"))
                    .label("arms stand before the clauses")
                    .also(clause, "this clause")
                    .help("the condition comes first, then the arms, then all that bounds them");
                self.say(d);
                parts.broken = true;
            }
            match kind {
                Some(kind) => parts.arms.push(Arm { kind, span }),
                None => parts.broken = true,
            }
        }
    }

    /// An arm for some: guarded, or with a share.
    fn taken(&mut self, pair: Pair) -> Option<ArmKind> {
        let (rule, span) = (pair.as_rule(), self.span(&pair));
        let (mut name, mut share, mut condition, mut action, mut colon) = (None, None, None, None, None);
        for p in pair.into_inner() {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::kw_when if p.as_str() != "when" => self.spelt(place, "when"),
                Rule::kw_else => self.spelt(place, "otherwise"),
                Rule::name => name = Some(self.name(&p)),
                Rule::percent | Rule::number => share = Some(self.share(&p)?),
                Rule::expr => condition = Some(self.expr(p)),
                Rule::action => action = self.action(p),
                Rule::colon => colon = Some((p.as_str().is_empty(), place)),
                _ => {}
            }
        }
        if let (Some((true, place)), Some(_)) = (colon, &action) {
            let before = self.slice(Span { end: place.end, ..span }).trim_end().to_owned();
            let place = self.at(span.start as usize, span.start as usize + before.len());
            let behind = self.behind(place);
            let d = self
                .error(codes::ARM, behind, format!("`:` is missing behind `{}`", later::brief(&before)))
                .label("the action follows a `:`")
                .fix("write `:`", vec![(behind, ":".to_owned())]);
            self.say(d);
        }
        match rule {
            Rule::guarded => Some(ArmKind::When { condition: condition?, action: action? }),
            Rule::otherwise_arm => action.map(ArmKind::Otherwise),
            Rule::shared => {
                let (name, share) = (name?, share?);
                if let Some(action) = action {
                    return Some(ArmKind::Share { name, share, action });
                }
                let (arm, part) = (self.slice(name.span), self.slice(share.span));
                let d = self
                    .error(codes::ARM, span, format!("the arm `{arm}` has no action"))
                    .label("what is done with its share?")
                    .help(format!(
                        "such as `→ {arm} {part}: offer`; an argument with other signs is quoted: `offer \"{part}\"`"
                    ));
                self.say(d);
                None
            }
            Rule::share_first_wrong => {
                let (share, action) = (share?, action?);
                let part = self.slice(share.span);
                let shown = name.as_ref().map_or("a", |n| n.text.as_str());
                let d = self.error(codes::ARM, share.span, "the name of an arm stands before its share");
                let d = match &name {
                    Some(n) => {
                        let place = share.span.to(n.span);
                        d.label("behind it here").fix("swap them", vec![(place, format!("{shown} {part}"))])
                    }
                    None => d.label("it has none").help(format!("such as `→ {shown} {part}: {}`", action.verb.text)),
                };
                self.say(d);
                None
            }
            _ => {
                let name = name?;
                let word = name.text.as_str();
                let d = if matches!(word, "default" | "others" | "rest" | "everyone") {
                    let d = self.error(codes::ARM, name.span, format!("`{word}` is written `otherwise`"));
                    d.label("expected `otherwise`").fix("write `otherwise`", vec![(name.span, "otherwise".to_owned())])
                } else {
                    self.error(codes::ARM, name.span, format!("the arm `{word}` says not whom it takes"))
                        .label("a share stands behind the name")
                        .help(format!("such as `→ {word} 45%: …`; by a condition, `→ when CONDITION: …`"))
                };
                self.say(d);
                None
            }
        }
    }

    /// `hold out 10%`
    fn hold_out(&mut self, pair: Pair, arm: Span) -> Option<ArmKind> {
        let span = self.span(&pair);
        let colon = self.slice(span).contains(':');
        let (mut share, mut spelt) = (None, true);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_hold | Rule::kw_out => {}
                Rule::kw_holdout => spelt = false,
                _ => share = Some(self.share(&p)?),
            }
        }
        let Some(share) = share else {
            let d = self
                .error(codes::ARM, arm, "`hold out` says not how many")
                .label("which share is not contacted?")
                .help("such as `→ hold out 10%`");
            self.say(d);
            return None;
        };
        if colon || !spelt {
            let should = format!("hold out {}", self.slice(share.span));
            self.spelt(span, &should);
        }
        Some(ArmKind::HoldOut(share))
    }

    /// A percentage.
    fn share(&mut self, pair: &Pair) -> Option<Figure> {
        let expr = self.literal_value(pair);
        let span = expr.span;
        match expr.kind {
            ExprKind::Percent(n) => Some(Figure { n, span }),
            ExprKind::Number(_) => {
                let behind = self.behind(span);
                let d = self
                    .error(codes::ARM, span, format!("the share `{}` has no `%`", self.slice(span)))
                    .label("shares are percentages")
                    .fix("write `%`", vec![(behind, "%".to_owned())]);
                self.say(d);
                None
            }
            _ => None,
        }
    }

    fn action(&mut self, pair: Pair) -> Option<Action> {
        let span = self.span(&pair);
        let mut verb = None;
        let mut arguments = Vec::new();
        let mut by = None;
        let mut channel = false;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_by => channel = true,
                Rule::name if channel => by = Some(self.name(&p)),
                Rule::name if verb.is_none() => verb = Some(self.name(&p)),
                Rule::name | Rule::plain | Rule::text | Rule::text_wrong => arguments.push(self.word(&p)),
                _ => {}
            }
        }
        Some(Action { verb: verb?, arguments, by, span })
    }
}
