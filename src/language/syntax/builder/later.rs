//! Constructs that are not available yet, and forms that are no part of the language.

use super::tail::Tails;
use super::*;

impl Builder<'_> {
    /// `what` can't be read by this version.
    pub(super) fn not_yet(&mut self, span: Span, what: &str, help: Option<&str>) {
        let mut d = self
            .error(codes::NOT_YET, span, format!("{what} is not available yet"))
            .label("this version can't evaluate it");
        if let Some(help) = help {
            d = d.help(help);
        }
        self.say(d);
    }

    /// A tail in words that are not the language's.
    pub(super) fn tail_wrong(&mut self, pair: Pair, span: Span, out: &mut Tails, before: Option<Span>) {
        let rule = pair.as_rule();
        let inner: Vec<Pair> = pair.into_inner().collect();
        let has = |rule: Rule| inner.iter().find(|p| p.as_rule() == rule);
        let duration = has(Rule::duration).cloned();
        match rule {
            Rule::in_wrong => {
                self.in_wrong(&inner, span, before);
                out.broken = true;
            }
            Rule::last_wrong => match duration {
                Some(p) => {
                    let d = self.duration(&p);
                    let should = format!("in {}", self.slice(d.span));
                    self.window_spelt(span, &should);
                    out.window.get_or_insert(Window { kind: WindowKind::In(d), span });
                }
                None => {
                    let unit = has(Rule::unit).map_or("month", |p| p.as_str());
                    self.last_unit(span, unit);
                    out.broken = true;
                }
            },
            Rule::period_wrong => {
                let should = format!("in {}", self.slice(span).trim_start_matches("the").trim_start());
                self.window_spelt(span, &should);
                out.broken = true;
            }
            Rule::for_wrong => {
                let d = duration.map(|p| self.duration(&p));
                let shown = d.map_or("30d", |d| self.slice(d.span));
                let name = before.map_or("vip", |b| self.slice(b));
                let d = self
                    .error(codes::WINDOW, span, format!("`{}` is no window", self.slice(span)))
                    .label("how long something lasts is known of segments and customers only")
                    .help(format!("`in {shown}` looks back; `member of {name} for {shown}` if `{name}` is a segment"));
                self.say(d);
                out.broken = true;
            }
            Rule::since_wrong => {
                let rest = self.slice(span).get("since".len()..).unwrap_or("").trim();
                let written = self.slice(span);
                let which = rest.strip_prefix("last").or_else(|| rest.strip_prefix("first"));
                let dated = which.unwrap_or(rest).trim_start().starts_with(|c: char| c.is_ascii_digit());
                let d = self.error(codes::WINDOW, span, format!("`{}` says not since when", brief(written)));
                let d = if dated || matches!(rest, "yesterday" | "today") {
                    d.label("a date follows `since`, or `last` or `first` with an event")
                        .help("such as `since 2026-01-01`, `in previous day`, `since last sent`")
                } else if matches!(rest, "last" | "first") {
                    d.label("the event is missing").help(format!("such as `since {rest} sent`"))
                } else {
                    d.label("the event may have happened more than once")
                        .help(format!("`since last {rest}` or `since first {rest}`"))
                };
                self.say(d);
                out.broken = true;
            }
            Rule::more_wrong | Rule::older_wrong => {
                let more = rule == Rule::older_wrong || has(Rule::kw_more).is_some_and(|p| p.as_str() == "more");
                if let Some(p) = duration {
                    let d = self.duration(&p);
                    let shown = self.slice(d.span);
                    let (should, kind) = if more {
                        (format!("over {shown} ago"), WindowKind::OverAgo(d))
                    } else {
                        (format!("in {shown}"), WindowKind::In(d))
                    };
                    self.window_spelt(span, &should);
                    out.window.get_or_insert(Window { kind, span });
                    return;
                }
                let sign = if more { ">" } else { "<" };
                let value =
                    inner.iter().find(|p| !matches!(p.as_rule(), Rule::kw_more | Rule::kw_than | Rule::kw_times));
                let Some(value) = value.cloned() else { return };
                let place = self.span(&value);
                let should = format!("{sign} {}", self.slice(place));
                self.spelt(span, &should);
                let right = self.value(value);
                let op = if more { Op::Gt } else { Op::Lt };
                out.test.get_or_insert(Test { kind: TestKind::Compare { op, right }, span });
            }
            Rule::after_wrong => {
                let moment = inner.iter().find(|p| p.as_rule() != Rule::kw_after).cloned();
                let moment = moment.and_then(|p| self.moment(&p));
                if let Some(m) = moment {
                    let shown = self.slice(m.span);
                    let d = self
                        .error(codes::WINDOW, span, "a window from a date on is written `since`")
                        .label(format!("expected `since {shown}`"))
                        .help(format!("`since {shown}` takes the day itself in"))
                        .fix(format!("write `since {shown}`"), vec![(span, format!("since {shown}"))]);
                    self.say(d);
                    out.window.get_or_insert(Window { kind: WindowKind::Since(m), span });
                } else {
                    out.broken = true;
                }
            }
            Rule::then_wrong => {
                let group = inner.last().is_some_and(|p| p.as_rule() == Rule::paren);
                let d = self.error(codes::SEQUENCE, span, "each step of a sequence is one event").label(if group {
                    "expected an event, not a group"
                } else {
                    "expected an event, not a value"
                });
                let name = before.map_or("purchased", |b| self.slice(b));
                let d = match inner.last().filter(|_| group) {
                    Some(p) => {
                        let body = p.as_str().trim_start_matches('(').trim_end_matches(')').trim();
                        let both = match body.split_once(" or ") {
                            Some((a, b)) => format!("`({} then {a}) or ({} then {b})`", brief(name), brief(name)),
                            None => format!("`{} then {}`", brief(name), brief(body)),
                        };
                        d.help(format!(
                            "such as {both}; several subjects of one event: `then purchased (serum or cream)`"
                        ))
                    }
                    None => d.help("a value is compared by itself, joined by `and`"),
                };
                self.say(d);
                out.broken = true;
            }
            Rule::not_wrong => {
                let word = inner.iter().find(|p| p.as_rule() != Rule::kw_not).map_or("", |p| p.as_str());
                let name = before.map_or("", |b| self.slice(b));
                let d = self
                    .error(codes::SPELLING, span, "`not` stands before a condition")
                    .label("it can't stand behind the name")
                    .help(format!(
                        "for a value `{name} ≠ {word}`; for the subject of an event `{name} other than {word}`"
                    ));
                self.say(d);
                out.broken = true;
            }
            Rule::count_wrong => {
                let n = match has(Rule::kw_twice).map(|p| p.as_str()) {
                    Some("once") => "1".to_string(),
                    Some(_) => "2".to_string(),
                    None => inner.first().map_or(String::new(), |p| p.as_str().to_string()),
                };
                let d = self
                    .error(codes::COUNT, span, format!("the count `{}` needs a sign", self.slice(span)))
                    .label("at least so often, or exactly so often")
                    .help(format!("`≥ {n}` or `= {n}`"));
                self.say(d);
                out.broken = true;
            }
            Rule::ago_wrong => {
                if let Some(p) = duration {
                    let d = self.duration(&p);
                    let shown = self.slice(d.span);
                    let diagnostic = self
                        .error(codes::WINDOW, span, format!("`{}` is no window", self.slice(span)))
                        .label("a window has two ends")
                        .help(format!("`in {shown}` for the time since then, `over {shown} ago` for the time before"));
                    self.say(diagnostic);
                }
                out.broken = true;
            }
            _ => out.broken = true,
        }
    }

    /// `in last month`, `in 90`, `in FR`, `not in 30d`
    fn in_wrong(&mut self, inner: &[Pair], span: Span, before: Option<Span>) {
        let find = |rule: Rule| inner.iter().find(|p| p.as_rule() == rule);
        let not = find(Rule::kw_not).is_some();
        let name = before.map_or("", |b| self.slice(b));
        if find(Rule::kw_gather).is_some() {
            // `viewed ≥ 3 in one session`
            let any = find(Rule::duration).map(|p| p.as_str().to_string());
            let should = match any {
                Some(d) => format!("in any {d}"),
                None => "in one session".to_string(),
            };
            let d = self
                .error(codes::ORDER, span, format!("`{should}` stands before its conditions"))
                .label("it holds them in parentheses")
                .help(format!("such as `{should} (viewed ≥ 3 and added_to_cart)`"));
            self.say(d);
            return;
        }
        if let Some(p) = find(Rule::duration) {
            // `purchased not in 30d`
            let d = self.duration(p);
            let shown = self.slice(d.span);
            let diagnostic = self
                .error(codes::QUANTIFIER, span, "`not` can't stand between an event and its window")
                .label("a window is not denied, the event is")
                .help(format!("`no {name} in {shown}`; for events before that, `{name} over {shown} ago`"));
            self.say(diagnostic);
            return;
        }
        if let Some(date) = find(Rule::date) {
            let should = format!("on {}", date.as_str());
            let d = self
                .error(codes::WINDOW, span, format!("a day is written `{should}`"))
                .label("`in` looks back from now, over a span of time")
                .help(format!("`since {}` for the time from then on", date.as_str()))
                .fix(format!("write `{should}`"), vec![(span, should)]);
            self.say(d);
            return;
        }
        if let Some(number) = find(Rule::number) {
            let place = self.span(number);
            let n = number.as_str();
            if n.len() == 4 && (n.starts_with("19") || n.starts_with("20")) {
                // `in 2026`
                let should = format!("between {n}-01-01 and {n}-12-31");
                let d = self
                    .error(codes::WINDOW, span, format!("the year {n} is written `{should}`"))
                    .label("`in` looks back from now")
                    .fix(format!("write `{should}`"), vec![(span, should)]);
                self.say(d);
                return;
            }
            let d = self
                .error(codes::DURATION, place, "the window has no unit")
                .label("days, weeks, months?")
                .help(format!("`in {n}d`, `in {n}w`, `in {n}mo`"));
            self.say(d);
            return;
        }
        if let Some(unit) = find(Rule::unit)
            && (find(Rule::kw_last).is_some() || find(Rule::kw_the).is_some())
        {
            let unit = unit.as_str().to_string();
            return self.last_unit(span, &unit);
        }
        let words: Vec<Span> = inner
            .iter()
            .filter(|p| !matches!(p.as_rule(), Rule::kw_not | Rule::kw_in | Rule::kw_the | Rule::kw_last))
            .map(|p| match p.as_rule() {
                Rule::subject_more => p.clone().into_inner().next().map_or_else(|| self.span(p), |p| self.span(&p)),
                _ => self.span(p),
            })
            .collect();
        let shown: Vec<&str> = words.iter().map(|s| self.slice(*s)).collect();
        let should = format!("{}in ({})", if not { "not " } else { "" }, shown.join(", "));
        let d = self
            .error(codes::LIST, span, "the values behind `in` stand in parentheses")
            .label(format!("expected `{should}`, or a window such as `in 90d`"))
            .fix(format!("write `{should}`"), vec![(span, should)]);
        self.say(d);
    }

    /// A word where nothing can be said of it.
    pub(super) fn stray(&mut self, pair: Pair, span: Span, out: &mut Tails, before: Option<Span>) {
        let first = !out.broken;
        out.broken = true;
        let Some(p) = pair.into_inner().last() else { return };
        if p.as_rule() == Rule::glued_wrong {
            return self.glued(p.as_str(), span);
        }
        if !first {
            return; // one stray word is enough for a phrase
        }
        let word = self.slice(span);
        let previous = before.map_or("", |b| self.slice(b));
        if word == "same" || previous == "same" || previous.ends_with(" same") {
            let d = self
                .error(codes::SAME, span, format!("`{word}` stands loose"))
                .label("`of` or `with` is missing before `same`")
                .help("`viewed ≥ 3 of same product`; at the end of a sequence `with same product`");
            self.say(d);
            return;
        }
        let d = self
            .error(codes::LOOSE, span, format!("`{word}` stands loose"))
            .label(if previous.is_empty() { "nothing joins it".to_string() } else { format!("nothing joins it to `{}`", brief(previous)) })
            .help(
                "a second condition is joined by `and` or `or`; a subject stands right behind its event, and several in \
                 parentheses: `(serum or cream)`",
            );
        self.say(d);
    }
}

/// A text short enough for a label.
pub(super) fn brief(text: &str) -> String {
    let one: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one.chars().count() <= 40 {
        return one;
    }
    let head: String = one.chars().take(37).collect();
    format!("{head}…")
}
