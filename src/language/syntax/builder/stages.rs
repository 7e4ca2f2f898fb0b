//! Stages: lines of conditions, the first that holds names the stage.

use super::*;

impl Builder<'_> {
    /// `added_to_cart in 7d → decision`, `otherwise → unaware`
    pub(super) fn stage_line(&mut self, pair: Pair) -> Option<StageLine> {
        let span = self.span(&pair);
        let mut condition = None;
        let mut stage = None;
        let mut otherwise: Option<Span> = None;
        let mut arrow = false;
        for p in pair.into_inner() {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::kw_otherwise => otherwise = Some(place),
                Rule::expr => condition = Some(self.expr(p)),
                Rule::arrow => {
                    arrow = true;
                    if !matches!(p.as_str(), "→" | "->") {
                        self.spelt(place, "->");
                    }
                }
                Rule::colon_wrong => {
                    arrow = true;
                    self.spelt(place, "→");
                }
                Rule::stage => stage = p.into_inner().next().and_then(|p| self.stage_name(&p)),
                Rule::junk_wrong => {
                    let d = self
                        .error(codes::STAGES, place, format!("`{}` has no meaning here", p.as_str()))
                        .label("the lines of stages follow each other without a sign")
                        .fix("remove it", vec![(place, String::new())]);
                    self.say(d);
                }
                Rule::stage_first_wrong => {
                    let mut inner = p.into_inner();
                    let name = inner.next()?;
                    let condition = inner.next()?;
                    let text = self.slice(self.span(&condition));
                    let should = format!("{text} → {}", name.as_str());
                    let d = self
                        .error(codes::STAGES, self.span(&name), "a stage stands behind its condition")
                        .label("it is named before")
                        .fix("move it", vec![(place, should)]);
                    self.say(d);
                    let stage = self.stage_name(&name)?;
                    let condition = Some(self.expr(condition));
                    return Some(StageLine { condition, stage, span });
                }
                _ => {}
            }
        }
        if let (Some(place), false) = (otherwise, arrow) {
            let behind = self.behind(place);
            let d = self
                .error(codes::STAGES, behind, "`→` is missing behind `otherwise`")
                .label("a stage follows an arrow")
                .fix("write `→`", vec![(behind, " →".to_string())]);
            self.say(d);
        }
        if otherwise.is_none() && !arrow {
            let behind = self.behind(span);
            let d = self
                .error(codes::STAGES, behind, "the line names no stage")
                .label("expected `→` and a name")
                .help("such as `visited in 30d → awareness`");
            self.say(d);
        }
        // `else → …`
        if let Some(Expr { kind: ExprKind::Phrase(p), span: place }) = &condition
            && p.name.span == *place
            && matches!(p.name.text.as_str(), "else" | "default")
        {
            self.spelt(*place, "otherwise");
            condition = None;
        }
        Some(StageLine { condition, stage: stage?, span })
    }

    fn stage_name(&mut self, pair: &Pair) -> Option<Name> {
        let place = self.span(pair);
        match pair.as_rule() {
            Rule::text | Rule::text_wrong => {
                let text = match pair.as_rule() {
                    Rule::text => self.unquote(pair),
                    _ => pair.as_str().trim_matches(['“', '”', '„', '«', '»', '\'', '‘', '’', '‚', '`']).to_string(),
                };
                let should: String = text
                    .split(|c: char| !words::is_continue(c) && c != '-')
                    .filter(|w| !w.is_empty())
                    .collect::<Vec<_>>()
                    .join("_");
                let d =
                    self.error(codes::STAGES, place, "a stage is a name without quotation marks").label("a bare word");
                let d = if words::is_plain(&should) {
                    d.fix(format!("write `{should}`"), vec![(place, should)])
                } else {
                    d.help("letters, digits, `_` and inner `-`, a letter first")
                };
                self.say(d);
                None
            }
            _ if !words::is_plain(pair.as_str()) => {
                let word = pair.as_str();
                let d = self
                    .error(codes::STAGES, place, format!("`{word}` can't be the name of a stage"))
                    .label("the language uses this word for itself")
                    .help(format!("such as `{word}_`"));
                self.say(d);
                None
            }
            _ => Some(self.name(pair)),
        }
    }

    /// Stages as a whole: there are some, and `otherwise` is the last.
    pub(super) fn stages(&mut self, lines: &[StageLine], behind: Span) -> bool {
        if lines.is_empty() {
            let d = self
                .error(codes::STAGES, behind, "stages without a line")
                .label("expected a condition, `→` and the name of a stage")
                .help("such as `visited in 30d → awareness`, and `otherwise → unaware` at the end");
            self.say(d);
            return false;
        }
        let Some(i) = lines.iter().position(|l| l.condition.is_none()) else { return true };
        let (Some(otherwise), Some(next)) = (lines.get(i), lines.get(i + 1)) else { return true };
        let d = self
            .error(codes::STAGES, otherwise.span, "`otherwise` is the last line")
            .label("nobody gets past it")
            .also(next.span, "this line would never be reached");
        self.say(d);
        false
    }
}
