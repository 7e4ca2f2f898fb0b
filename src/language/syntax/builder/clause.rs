//! What bounds a campaign, and when it runs.

use super::item::Parts;
use super::*;

/// Whether a rule of the grammar is a clause, or began like one.
pub(super) fn is_clause(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::priority
            | Rule::at_most
            | Rule::limit
            | Rule::with
            | Rule::goal
            | Rule::every
            | Rule::dates
            | Rule::money
            | Rule::except
            | Rule::quiet
            | Rule::clause_wrong
    )
}

impl Builder<'_> {
    /// A clause of a declaration, which has none unless it `acts`.
    pub(super) fn clause(&mut self, pair: Pair, acts: bool, parts: &mut Parts) {
        let span = self.span(&pair);
        let mut words = self.slice(span).split_whitespace();
        let word = match words.next().map(|word| word.trim_end_matches(':')) {
            Some("at") => format!("at {}", words.next().map_or("most", |word| word.trim_end_matches(':'))),
            first => first.unwrap_or("").to_owned(),
        };
        if !acts || parts.arms.is_empty() {
            parts.broken = true;
            return self.no_clause(span, &word, acts);
        }
        let said = self.diagnostics.len();
        match self.clause_kind(pair, span) {
            Some(kind) => {
                let same = |c: &&Clause| std::mem::discriminant(&c.kind) == std::mem::discriminant(&kind);
                if let Some(before) = parts.clauses.iter().find(same) {
                    let cure = match kind {
                        ClauseKind::Except(_) => "write all names behind one `except`: `except vip, staff`",
                        ClauseKind::With(_) => "write all columns behind one `with`: `with a, b`",
                        ClauseKind::Dates { .. } => "write both days in one: `from 2026-10-01 until 2026-12-31`",
                        ClauseKind::Every { .. } => {
                            "write all days behind one `every`: `every monday, thursday at 09:00`"
                        }
                        _ => "take one of them out",
                    };
                    let d = self
                        .error(codes::TWICE, span, format!("`{word}` is given twice"))
                        .label("the second one")
                        .also(before.span, "given here")
                        .help(cure);
                    self.say(d);
                    parts.broken = true;
                }
                parts.clauses.push(Clause { kind, span });
            }
            None => {
                parts.broken = true;
                if self.diagnostics.len() == said {
                    let d = self
                        .error(codes::CLAUSE, span, format!("the clause `{word}` can't be read"))
                        .label("not in its form")
                        .help(format!("such as `{}`", form(&word)));
                    self.say(d);
                }
            }
        }
    }

    /// A clause where none can stand.
    fn no_clause(&mut self, span: Span, word: &str, acts: bool) {
        let d = self
            .error(codes::UNEXPECTED, span, format!("`{word}` does not fit here"))
            .label(if acts { "it stands behind the arms" } else { "only a campaign has such a clause" })
            .help(match word {
                "from" | "until" => "two dates are joined by `between`: `between 2026-01-01 and 2026-03-31`",
                "every" => "`on ≥ 3 weeks in 8w` counts weeks, `in each of previous 3 months` asks for each",
                _ if acts => "the condition comes first, then `→` and the action, then all that bounds it",
                _ => "conditions are joined by `and` or `or`",
            });
        self.say(d);
    }

    fn clause_kind(&mut self, pair: Pair, span: Span) -> Option<ClauseKind> {
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        match rule {
            Rule::priority => Some(ClauseKind::Priority(self.figure(&inner.last()?, "priority")?)),
            Rule::money => {
                let word = inner.next()?.as_str();
                let figure = self.figure(&inner.next()?, word)?;
                Some(if word == "cost" { ClauseKind::Cost(figure) } else { ClauseKind::Budget(figure) })
            }
            Rule::at_most => self.frequency(inner.next()?, span, false).map(ClauseKind::AtMost),
            Rule::limit => self.limit(inner, span),
            Rule::with => {
                let payload = |p: Pair| {
                    let mut parts = p.into_inner();
                    let value = self.value(parts.next()?);
                    let name = parts.find(|p| p.as_rule() == Rule::name).map(|p| self.name(&p));
                    Some(Payload { value, name })
                };
                let payloads = inner.filter(|p| p.as_rule() == Rule::payload).filter_map(payload).collect();
                Some(ClauseKind::With(payloads))
            }
            Rule::goal => self.goal(inner, span),
            Rule::every => self.every(inner, span),
            Rule::dates => {
                let (mut from, mut until, mut ends) = (None, None, false);
                for p in inner {
                    match p.as_rule() {
                        Rule::kw_from => {}
                        Rule::kw_until => ends = true,
                        Rule::kw_to => {
                            ends = true;
                            self.spelt(self.span(&p), "until");
                        }
                        _ => {
                            let day = self.day(&p)?;
                            _ = if ends { until.replace(day) } else { from.replace(day) };
                        }
                    }
                }
                Some(ClauseKind::Dates { from, until })
            }
            Rule::except => {
                let mut names = Vec::new();
                for p in inner {
                    match p.as_rule() {
                        Rule::name => names.push(self.name(&p)),
                        Rule::kw_and | Rule::kw_or => self.spelt(self.span(&p), ","),
                        _ => {}
                    }
                }
                Some(ClauseKind::Except(names))
            }
            Rule::quiet => {
                let mut clocks = Vec::new();
                for p in inner {
                    let place = self.span(&p);
                    match p.as_rule() {
                        Rule::clock => clocks.push(self.clock(&p)?),
                        Rule::kw_and | Rule::kw_until => self.spelt(place, "to"),
                        Rule::dash_wrong => {
                            let shown = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
                            let should = shown.replacen(p.as_str(), " to ", 1);
                            self.spelt(span, &should.replace("  ", " "));
                        }
                        Rule::kw_from | Rule::kw_between => {
                            let d = self
                                .error(codes::CLAUSE, place, format!("`{}` is not written", p.as_str()))
                                .label("expected a time of day")
                                .fix("remove it", vec![(self.blank_before(place), String::new())]);
                            self.say(d);
                        }
                        _ => {}
                    }
                }
                match clocks.as_slice() {
                    [from, to] => Some(ClauseKind::Quiet { from: *from, to: *to }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A plain number behind a word.
    pub(super) fn figure(&mut self, pair: &Pair, word: &str) -> Option<Figure> {
        let expr = self.literal_value(pair);
        match expr.kind {
            ExprKind::Number(n) => Some(Figure { n, span: expr.span }),
            ExprKind::Percent(_) => {
                let d = self
                    .error(codes::CLAUSE, expr.span, format!("`{word}` takes a plain number"))
                    .label("a percentage of what?")
                    .help(format!("such as `{}`", form(word)));
                self.say(d);
                None
            }
            _ => None,
        }
    }

    fn limit(&mut self, inner: Pairs, span: Span) -> Option<ClauseKind> {
        let (mut n, mut by) = (None, None);
        for p in inner {
            match p.as_rule() {
                Rule::kw_limit | Rule::kw_by => {}
                Rule::value => by = Some(self.value(p)),
                _ => n = Some(self.figure(&p, "limit")?),
            }
        }
        let Some(n) = n else {
            let d = self
                .error(codes::CLAUSE, span, "`limit` says not how many")
                .label("expected a number")
                .help("such as `limit 1_000 by spend_12mo`");
            self.say(d);
            return None;
        };
        Some(ClauseKind::Limit { n, by })
    }

    fn goal(&mut self, inner: Pairs, span: Span) -> Option<ClauseKind> {
        let (mut event, mut within, mut values, mut sound) = (None, None, Vec::new(), true);
        for p in inner {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::about => event = self.about(p),
                Rule::goal_within => within = p.into_inner().last().map(|p| self.duration(&p)),
                Rule::goal_value => match self.goal_value(p) {
                    Some(value) => values.push(value),
                    None => sound = false,
                },
                Rule::value_wrong => {
                    sound = false;
                    let at = Span::new(place.source, place.start as usize, place.start as usize);
                    let d = self
                        .error(codes::CLAUSE, at, "what a goal sums up is said by `value`")
                        .label("expected `value`")
                        .fix("write `value`", vec![(at, "value ".to_owned())]);
                    self.say(d);
                }
                Rule::quantifier => {
                    sound = false;
                    let d = self
                        .error(codes::CLAUSE, place, format!("a goal has no `{}`", p.as_str().trim()))
                        .label("each such event behind a contact counts")
                        .help("name the event that is hoped for: `goal purchased within 14d`");
                    self.say(d);
                }
                Rule::goal_wrong => {
                    sound = false;
                    let windowed =
                        p.into_inner().next().is_some_and(|p| !matches!(p.as_rule(), Rule::compare | Rule::on_periods));
                    let d = self.error(
                        codes::CLAUSE,
                        place,
                        format!("a goal has no {} of its own", if windowed { "window" } else { "count" }),
                    );
                    self.say(
                        d.label("one such event reaches it, from the contact on")
                            .help("how long after the contact is said by `within`: `goal purchased within 14d`"),
                    );
                }
                _ => {}
            }
        }
        let event = event.unwrap_or_else(|| Phrase::bare(None, Name { text: String::new(), span }));
        if within.is_none() && sound {
            let d = self
                .error(codes::CLAUSE, span, "the goal says not how long it counts")
                .label("expected `within` and a duration")
                .help(format!("such as `goal {} within 14d`", event.name.text));
            self.say(d);
        }
        within.filter(|_| sound).map(|within| ClauseKind::Goal(Goal { event, within, values }))
    }

    /// `sum(amount)`
    fn goal_value(&mut self, pair: Pair) -> Option<GoalValue> {
        let span = self.span(&pair);
        let (mut function, mut property, mut percent, mut of) = (None, None, None, None);
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::function => function = Some((self.function(&p), self.span(&p))),
                Rule::number | Rule::percent => percent = self.share_of_100(&p),
                Rule::head => property = Some(self.head(&p).1),
                Rule::goal_of_wrong => of = Some(self.span(&p)),
                _ => {}
            }
        }
        let shown = property.as_ref().map_or("amount", |p: &Name| p.text.as_str());
        let d = match (function, &property, percent) {
            (None, ..) => self
                .error(codes::CLAUSE, span, format!("`{shown}` is one value of each event"))
                .label("all of a goal's events make one value")
                .help(format!("such as `value sum({shown})`")),
            _ if of.is_some() => {
                let of = of.map_or(span, |of| self.blank_before(of));
                self.error(codes::CLAUSE, of, "the events are the goal's")
                    .label("nothing else can be meant")
                    .fix("remove it", vec![(of, String::new())])
            }
            (Some((Function::Count, at)), ..) => self
                .error(codes::CLAUSE, at, "the events of a goal are counted by themselves")
                .label("`value` is made of a property")
                .help("such as `value sum(amount)`"),
            (Some((function, at)), None, _) => self
                .error(codes::CLAUSE, at, format!("`{}` needs a property", function.word()))
                .label("of what?")
                .help(format!("such as `value {}(amount)`", function.word())),
            (Some((Function::Percentile, at)), _, None) => self
                .error(codes::FUNCTION, at, "`percentile` needs a percentage")
                .label("which one of 0 to 100?")
                .help(format!("such as `percentile(90, {shown})`")),
            (Some((function, at)), _, Some(_)) if function != Function::Percentile => self
                .error(codes::FUNCTION, at, format!("`{}` takes no number", function.word()))
                .label("only `percentile` does"),
            (Some((function, function_span)), Some(_), _) => {
                return Some(GoalValue { function, function_span, percent, property: property?, span });
            }
        };
        self.say(d);
        None
    }
}

/// How a clause is written.
fn form(word: &str) -> &'static str {
    match word {
        "priority" => "priority 80",
        "at most" | "at least" => "at most 1 in 30d",
        "limit" => "limit 1_000 by spend_12mo",
        "with" => "with last(product of purchased) as favourite, spend_12mo",
        "goal" => "goal purchased within 14d, value sum(amount)",
        "every" => "every monday at 09:00",
        "cost" => "cost 0.05",
        "budget" => "budget 5_000",
        "except" => "except vip, staff",
        "quiet" => "quiet 21:00 to 08:00",
        _ => "from 2026-10-01 until 2026-12-31",
    }
}
