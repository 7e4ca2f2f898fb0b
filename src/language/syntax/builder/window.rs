//! Windows: which stretch of time, in the language's words and in others.

use super::literal::Literal;
use super::tail::Tails;
use super::*;

impl Builder<'_> {
    pub(super) fn window(&mut self, pair: Pair, span: Span) -> Option<WindowKind> {
        let rule = pair.as_rule();
        if rule == Rule::kw_ever {
            self.lower(&pair);
            return Some(WindowKind::Ever);
        }
        match rule {
            Rule::window_period => return self.period(pair, span),
            Rule::window_within => return self.within(pair, span),
            Rule::since_event => return self.since_event(pair, span),
            _ => {}
        }
        let mut the = false;
        let mut last = None;
        let mut ago = false;
        let mut duration = None;
        let mut moment = None;
        let mut wrong_moment = false;
        let mut keyword = "";
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_the => the = true,
                Rule::kw_last => last = Some(p.as_str()),
                Rule::kw_ago => ago = true,
                Rule::duration => duration = Some(self.duration(&p)),
                Rule::date | Rule::instant | Rule::date_wrong | Rule::instant_wrong => {
                    moment = self.moment(&p);
                    wrong_moment = moment.is_none();
                }
                _ => {
                    keyword = p.as_str();
                    self.lower(&p);
                }
            }
        }
        if wrong_moment {
            return None;
        }
        let shown = duration.map_or("", |d: Duration| self.slice(d.span));
        match (rule, duration, moment) {
            (Rule::window_in, Some(d), _) => {
                if last.is_some_and(|l| l == "past" || !the) {
                    self.window_spelt(span, &format!("in {shown}"));
                }
                Some(WindowKind::In(d))
            }
            (Rule::window_over, Some(d), _) => {
                if !ago {
                    let d = self
                        .error(codes::WINDOW, self.behind(span), "`ago` is missing")
                        .label(format!("`over {shown}` looks back"))
                        .fix("write `ago`", vec![(self.behind(span), " ago".to_string())]);
                    self.say(d);
                }
                Some(WindowKind::OverAgo(d))
            }
            (Rule::window_since, _, Some(m)) => Some(WindowKind::Since(m)),
            (Rule::window_before, _, Some(m)) => Some(WindowKind::Before(m)),
            (Rule::window_on, _, Some(Moment { kind: MomentKind::Date(d), .. })) => Some(WindowKind::On(d)),
            (Rule::window_on, _, Some(m)) => {
                let day = self.slice(m.span).get(..10).unwrap_or("");
                let d = self
                    .error(codes::WINDOW, span, format!("`{}` takes a date", keyword.to_lowercase()))
                    .label("an instant has no length")
                    .help(format!("the whole day is `on {day}`; two instants are joined by `between … and …`"));
                self.say(d);
                None
            }
            (Rule::window_since, Some(d), _) => {
                self.window_spelt(span, &format!("in {shown}"));
                Some(WindowKind::In(d))
            }
            (Rule::window_before, Some(d), _) => {
                self.window_spelt(span, &format!("over {shown} ago"));
                Some(WindowKind::OverAgo(d))
            }
            _ => None,
        }
    }

    /// `in this month`, `in previous 3 weeks`, `in each of previous 3 months`, `in next month`
    fn period(&mut self, pair: Pair, span: Span) -> Option<WindowKind> {
        let mut each = false;
        let mut of = false;
        let mut plain = true;
        let mut which = None;
        let mut reach = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_in => self.lower(&p),
                Rule::kw_each => {
                    plain &= p.as_str() == "each";
                    each = true;
                }
                Rule::kw_of => of = true,
                Rule::kw_the => plain = false,
                Rule::kw_period => which = Some(p.as_str()),
                Rule::kw_last => {
                    plain = false;
                    which = Some("previous");
                }
                Rule::reach => reach = Some((p.as_str(), self.span(&p))),
                _ => {}
            }
        }
        let (text, place) = reach?;
        let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        let (number, word) = (text.get(..digits)?, text.get(digits..)?.trim_start());
        let count = if number.is_empty() { None } else { Some(self.small(number, place)?) };
        let Some(unit) = period_unit(word) else {
            self.no_period(span, which.unwrap_or("previous"), number, word);
            return None;
        };
        let one = period_word(unit);
        let several = |n: u32| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
        if count == Some(0) {
            let d = self.error(codes::WINDOW, place, "at least one period is needed").label("no time at all");
            self.say(d);
            return None;
        }
        let reach = match count {
            Some(n) => several(n),
            None => one.to_string(),
        };
        if each {
            let n = count.unwrap_or(1);
            if which != Some("previous") || n < 2 {
                let d = self
                    .error(codes::WINDOW, span, format!("`{}` names no periods", self.slice(span)))
                    .label("expected `in each of previous` and a number")
                    .help(format!(
                        "`in each of previous 3 {one}s` asks for every one of them, `in previous {one}` for the last whole one"
                    ));
                self.say(d);
                return None;
            }
            if !plain || !of || word.len() < 3 || !word.ends_with('s') {
                self.window_spelt(span, &format!("in each of previous {reach}"));
            }
            return Some(WindowKind::EachOfPrevious(n, unit));
        }
        let which = which?;
        let should = match (which, count) {
            ("this", None | Some(1)) => format!("in this {one}"),
            ("this", Some(n)) => {
                let d = self
                    .error(codes::WINDOW, span, format!("`{}` can be read in two ways", self.slice(span)))
                    .label(format!("this {one} is one {one}"))
                    .help(format!(
                        "`in {}` goes back from now; `in previous {reach}` are whole {one}s",
                        rolling(n, unit)
                    ));
                self.say(d);
                return None;
            }
            _ => format!("in {which} {reach}"),
        };
        // `3w` and not `3 weeks`: what rolls is written short.
        let short = count.is_some() && word.len() < 3;
        if short && which == "next" {
            let d = self
                .error(codes::WINDOW, span, format!("`{}` is written `within {text}`", self.slice(span)))
                .label("`within` looks forward from now")
                .help(format!("`{should}` are whole calendar {one}s"))
                .fix(format!("write `within {text}`"), vec![(span, format!("within {text}"))]);
            self.say(d);
            return Some(WindowKind::Within(self.duration_of(text, place)));
        }
        if short {
            let d = self
                .error(codes::WINDOW, span, format!("`{}` can be read in two ways", self.slice(span)))
                .label(format!("the time up to now, or whole {one}s"))
                .help(format!(
                    "`in {text}` goes back from now; `{should}` are the whole calendar {one}s before this one"
                ));
            self.say(d);
            return None;
        }
        let plural = word.ends_with('s');
        if !plain
            || plural != count.is_some_and(|n| n > 1) && !(plural && count == Some(1))
            || which == "this" && count.is_some()
        {
            self.window_spelt(span, &should);
        }
        Some(match which {
            "this" => WindowKind::This(unit),
            "next" => WindowKind::Next(count.unwrap_or(1), unit),
            _ => WindowKind::Previous(count.unwrap_or(1), unit),
        })
    }

    /// `in previous 3 hours`, `in next 7`: no calendar period.
    fn no_period(&mut self, span: Span, which: &str, number: &str, word: &str) {
        let forward = which == "next";
        let keyword = if forward { "within" } else { "in" };
        let unit = match word.trim_end_matches('s') {
            "second" => Some("s"),
            "minute" | "min" => Some("min"),
            "hour" | "hr" | "h" => Some("h"),
            "" if word == "s" => Some("s"),
            _ => None,
        };
        let number = if number.is_empty() { "1" } else { number };
        let d = self
            .error(codes::WINDOW, span, format!("`{}` is no stretch of the calendar", self.slice(span)))
            .label("expected days, weeks, months, quarters or years");
        let d = match unit {
            Some(unit) => {
                let should = format!("{keyword} {number}{unit}");
                d.help(format!("`{should}` goes {} from now", if forward { "forward" } else { "back" }))
                    .fix(format!("write `{should}`"), vec![(span, should)])
            }
            None => d.help(format!("`in {which} {number} days` are whole days; `{keyword} {number}d` goes from now")),
        };
        self.say(d);
    }

    /// `within 30d`
    fn within(&mut self, pair: Pair, span: Span) -> Option<WindowKind> {
        let mut word = None;
        let mut the = false;
        let mut number = None;
        let mut duration = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::duration => duration = Some(self.duration(&p)),
                Rule::number => number = Some((p.as_str(), self.span(&p))),
                Rule::kw_the => the = true,
                Rule::kw_period | Rule::kw_last => word = Some(p.as_str()),
                _ => {}
            }
        }
        let Some(duration) = duration else {
            let (n, place) = number?;
            let d = self
                .error(codes::DURATION, place, "the window has no unit")
                .label("days, weeks, months?")
                .help(format!("`within {n}d`, `within {n}w`, `within {n}mo`"));
            self.say(d);
            return None;
        };
        let shown = self.slice(duration.span);
        match word {
            None if !the => {}
            Some("next") | None => self.window_spelt(span, &format!("within {shown}")),
            Some(_) => {
                self.window_spelt(span, &format!("in {shown}"));
                return Some(WindowKind::In(duration));
            }
        }
        Some(WindowKind::Within(duration))
    }

    /// `since last sent where (channel = email)`, `since last 3 sent`
    fn since_event(&mut self, pair: Pair, span: Span) -> Option<WindowKind> {
        let mut which = Quantifier::Last;
        let mut plain = true;
        let mut back = None;
        let mut of = None;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_since => self.lower(&p),
                Rule::which if p.as_str() == "first" => which = Quantifier::First,
                Rule::which => {}
                Rule::kw_the | Rule::kw_last => plain = false,
                Rule::whole => back = Some((self.small(p.as_str(), self.span(&p))?, self.span(&p))),
                Rule::about => of = self.about(p),
                Rule::duration => {
                    let d = self.duration(&p);
                    let should = format!("in {}", self.slice(d.span));
                    self.window_spelt(span, &should);
                    return Some(WindowKind::In(d));
                }
                _ => {}
            }
        }
        let of = of?;
        let word = if which == Quantifier::First { "first" } else { "last" };
        if let Some(unit) =
            period_unit(&of.name.text).filter(|_| back.is_none() && of.subject.is_none() && of.filter.is_none())
        {
            let one = period_word(unit);
            if of.name.text.len() > 2 {
                self.last_unit(span, one);
                return None;
            }
        }
        if !plain {
            let rest = self.slice(back.map_or(of.name.span, |b| b.1).to(span));
            self.window_spelt(span, &format!("since {word} {rest}"));
        }
        match back {
            Some((0, place)) => {
                let d = self.error(codes::WINDOW, place, "at least 1 is needed").label("the last one is 1");
                self.say(d);
                return None;
            }
            Some((n, place)) if which == Quantifier::First => {
                let name = &of.name.text;
                let d = self
                    .error(codes::WINDOW, place, "`since first` takes no number")
                    .label("there is one first event")
                    .help(format!("`since last {n} {name}` goes back over the last {n}"));
                self.say(d);
                return None;
            }
            _ => {}
        }
        Some(WindowKind::SinceEvent(Box::new(SinceEvent { which, back: back.map(|b| b.0), of })))
    }

    /// `in last month`, `since last month`: up to now, or the one before.
    pub(super) fn last_unit(&mut self, span: Span, unit: &str) {
        let one = unit.trim_end_matches('s');
        let (rolling, short) = match one {
            "second" => ("1s", true),
            "minute" => ("1min", true),
            "hour" => ("1h", true),
            "day" => ("1d", false),
            "week" => ("1w", false),
            "quarter" => ("3mo", false),
            "year" => ("1y", false),
            _ => ("1mo", false),
        };
        if short {
            return self.window_spelt(span, &format!("in {rolling}"));
        }
        let d = self
            .error(codes::WINDOW, span, format!("`{}` can be read in two ways", self.slice(span)))
            .label(format!("the last {one} up to now, or the {one} before this one"))
            .help(format!(
                "`in {rolling}` goes back from now; `in previous {one}` is the whole calendar {one} before this one"
            ));
        self.say(d);
    }

    pub(super) fn window_spelt(&mut self, span: Span, should: &str) {
        let found = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let d = self
            .error(codes::WINDOW, span, format!("`{found}` is written `{should}`"))
            .label(format!("expected `{should}`"))
            .fix(format!("write `{should}`"), vec![(span, should.to_string())]);
        self.say(d);
    }

    /// `between`: a window if its ends are durations or dates, else a test.
    pub(super) fn between(&mut self, pair: Pair, span: Span, out: &mut Tails) {
        match self.ends(pair, span) {
            Some(Ends::Window(kind)) => self.set_window(out, Some(kind), span),
            Some(Ends::Test(kind)) => self.set_test(out, Some(kind), span),
            None => out.broken = true,
        }
    }

    pub(super) fn ends(&mut self, pair: Pair, span: Span) -> Option<Ends> {
        let mut ends = Vec::new();
        let mut ago = false;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::kw_between => self.lower(&p),
                Rule::kw_and if p.as_str() == "and" => {}
                Rule::kw_and => self.spelt(self.span(&p), "and"),
                Rule::kw_ago => ago = true,
                Rule::value => {
                    let end = match only(&p).filter(|p| p.as_rule() == Rule::duration) {
                        Some(duration) => self.literal(&duration),
                        None => Literal::Expr(self.value(p)),
                    };
                    ends.push(end);
                }
                _ => {
                    let end = self.literal(&p);
                    ends.push(end);
                }
            }
        }
        let (b, a) = (ends.pop()?, ends.pop()?);
        let (a, b) = match (a, b) {
            (Literal::Duration(a), Literal::Duration(b)) => (a, b),
            // `between 30 and 60 days ago`
            (Literal::Expr(Expr { kind: ExprKind::Number(_), span: s }), Literal::Duration(b)) => {
                let n = self.small(self.slice(s), s).unwrap_or(1).max(1);
                (Duration { amount: n, unit: b.unit, span: s }, b)
            }
            (Literal::Duration(d), Literal::Expr(_)) | (Literal::Expr(_), Literal::Duration(d)) => {
                self.no_duration(d);
                return None;
            }
            (Literal::Expr(a), Literal::Expr(b)) => {
                if ago {
                    let d = self
                        .error(codes::DURATION, span, "a unit is missing before `ago`")
                        .label("expected durations")
                        .help("such as `between 60d and 30d ago`");
                    self.say(d);
                    return None;
                }
                return Some(match (moment_of(&a), moment_of(&b)) {
                    (Some(a), Some(b)) => Ends::Window(WindowKind::Between(a, b)),
                    _ => Ends::Test(TestKind::Between { low: a, high: b }),
                });
            }
        };
        if !ago {
            let d = self
                .error(codes::WINDOW, self.behind(span), "`ago` is missing")
                .label("the two durations look back")
                .fix("write `ago`", vec![(self.behind(span), " ago".to_string())]);
            self.say(d);
        }
        Some(Ends::Window(WindowKind::BetweenAgo(a, b)))
    }
}

/// What `between` turned out to be.
pub(super) enum Ends {
    Window(WindowKind),
    Test(TestKind),
}

/// The one pair inside, if it is the only one.
pub(super) fn only<'p>(pair: &Pair<'p>) -> Option<Pair<'p>> {
    let mut inner = pair.clone().into_inner();
    inner.next().filter(|_| inner.next().is_none())
}

pub(super) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Year => "year",
    }
}

/// The calendar period that a word or short unit names.
fn period_unit(word: &str) -> Option<PeriodUnit> {
    Some(match word {
        "day" | "days" | "d" => PeriodUnit::Day,
        "week" | "weeks" | "w" | "wk" | "wks" => PeriodUnit::Week,
        "month" | "months" | "mo" => PeriodUnit::Month,
        "quarter" | "quarters" | "q" => PeriodUnit::Quarter,
        "year" | "years" | "y" | "yr" | "yrs" => PeriodUnit::Year,
        _ => return None,
    })
}

fn period_word(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Day => "day",
        PeriodUnit::Week => "week",
        PeriodUnit::Month => "month",
        PeriodUnit::Quarter => "quarter",
        PeriodUnit::Year => "year",
    }
}

/// The rolling duration of as many periods.
fn rolling(n: u32, unit: PeriodUnit) -> String {
    match unit {
        PeriodUnit::Day => format!("{n}d"),
        PeriodUnit::Week => format!("{n}w"),
        PeriodUnit::Month => format!("{n}mo"),
        PeriodUnit::Quarter => format!("{}mo", n.saturating_mul(3)),
        PeriodUnit::Year => format!("{n}y"),
    }
}

fn moment_of(expr: &Expr) -> Option<Moment> {
    let kind = match expr.kind {
        ExprKind::Date(d) => MomentKind::Date(d),
        ExprKind::Instant(i) => MomentKind::Instant(i),
        _ => return None,
    };
    Some(Moment { kind, span: expr.span })
}
