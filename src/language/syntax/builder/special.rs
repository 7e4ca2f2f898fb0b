//! Conditions with words of their own: sessions, ranks, samples, anniversaries, and what was recorded.

use super::tail::{Follow, Tails};
use super::*;
use crate::language::num::Num;

impl Builder<'_> {
    pub(super) fn special(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::gathered => self.gathered(pair),
            Rule::ranked => self.ranked(pair, span),
            Rule::sample => self.sample(pair),
            Rule::anniversary => self.anniversary(pair),
            Rule::member => self.member(pair),
            Rule::recorded => self.recorded(pair),
            _ => {
                self.not_yet(span, "`predicted`", None);
                None
            }
        };
        Expr { kind: kind.unwrap_or(ExprKind::Error), span }
    }

    /// `in one session (…) in 30d`, `in any 14d (…)`
    fn gathered(&mut self, pair: Pair) -> Option<ExprKind> {
        let mut words: Vec<&str> = Vec::new();
        let mut by = None;
        let mut inside = None;
        let mut head: Option<Span> = None;
        let mut inner = pair.into_inner().peekable();
        while let Some(p) = inner.next_if(|p| {
            matches!(p.as_rule(), Rule::kw_in | Rule::kw_gather | Rule::kw_session | Rule::duration | Rule::paren)
        }) {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::paren => {
                    let expr = self.paren(p);
                    inside = Some(match expr.kind {
                        ExprKind::Paren(inner) => *inner,
                        _ => expr,
                    });
                    continue;
                }
                Rule::kw_in => self.lower(&p),
                Rule::kw_gather => words.push(p.as_str()),
                Rule::kw_session => {
                    by = Some(GatheredBy::Session);
                    if p.as_str() != "session" {
                        words.push(p.as_str());
                    }
                }
                _ => by = Some(GatheredBy::Any(self.duration(&p))),
            }
            head = Some(head.map_or(place, |h| h.to(place)));
        }
        let (by, inside, head) = (by?, inside?, head?);
        let what = match &by {
            GatheredBy::Session => {
                if words != ["one"] {
                    self.spelt(head, "in one session");
                }
                "`in one session`"
            }
            GatheredBy::Any(d) => {
                if words != ["any"] {
                    let should = format!("in any {}", self.slice(d.span));
                    self.spelt(head, &should);
                }
                "`in any`"
            }
        };
        let tails = self.tails_of(inner, Some(head), Follow::Value);
        let window = self.only_window(tails, &format!("{what} (…)"))?;
        Some(ExprKind::Gathered(Box::new(Gathered { by, inside, window })))
    }

    /// The window of something that takes nothing else.
    fn only_window(&mut self, tails: Tails, what: &str) -> Option<Option<Window>> {
        if tails.broken {
            return None;
        }
        let extra = tails.test.as_ref().map(|t| t.span);
        let extra = extra.or(tails.filter.as_ref().map(|f| f.span)).or(tails.same.as_ref().map(|s| s.1));
        let extra = extra.or(tails.without.as_ref().map(|w| w.1)).or(tails.with_same.as_ref().map(|s| s.1));
        let extra = extra.or(tails.after.map(|a| a.1)).or(tails.all_within.map(|a| a.1));
        let extra = extra.or(tails.calculation.first().map(|c| c.1.span)).or(tails.then.first().map(|t| t.span));
        if let Some(place) = extra {
            let what = what.trim_matches('`').replace("` ", " ");
            let d = self
                .error(codes::ORDER, place, format!("this can't follow `{}`", what.trim_end_matches('`')))
                .label("it is yes or no by itself")
                .help("join another condition with `and` or `or`");
            self.say(d);
            return None;
        }
        Some(tails.window)
    }

    /// Nothing may follow.
    fn nothing(&mut self, tails: Tails, what: &str, help: &str) -> Option<()> {
        if let Some(window) = self.only_window(tails, what)? {
            let d = self
                .error(codes::ORDER, window.span, format!("`{what}` takes no window"))
                .label("nothing here that it could bound")
                .help(help.to_string());
            self.say(d);
        }
        Some(())
    }

    /// `top 10% by spend_12mo among vip`
    fn ranked(&mut self, pair: Pair, span: Span) -> Option<ExprKind> {
        let mut end = RankEnd::Top;
        let mut word = "top";
        let mut size = None;
        let mut by = None;
        let mut among: Option<Name> = None;
        let mut of: Option<Span> = None;
        let mut early: Option<Span> = None;
        let mut extra: Option<Span> = None;
        let mut inner = pair.into_inner().peekable();
        while let Some(p) = inner.next_if(|p| {
            matches!(
                p.as_rule(),
                Rule::kw_top
                    | Rule::percent
                    | Rule::number
                    | Rule::number_wrong
                    | Rule::ranked_wrong
                    | Rule::kw_of
                    | Rule::kw_among
                    | Rule::name
                    | Rule::kw_by
                    | Rule::value
            )
        }) {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::kw_top => {
                    word = p.as_str();
                    end = if word == "top" { RankEnd::Top } else { RankEnd::Bottom };
                }
                Rule::percent | Rule::number | Rule::number_wrong => match self.literal_value(&p).kind {
                    ExprKind::Percent(n) => size = Some((RankSize::Share(n), place)),
                    ExprKind::Number(n) => size = Some((RankSize::Number(n), place)),
                    _ => return None,
                },
                Rule::ranked_wrong => extra = Some(place),
                Rule::kw_of => of = Some(place),
                Rule::kw_among => early = by.is_none().then_some(place),
                Rule::name if among.is_some() => {
                    let d = self.error(codes::TWICE, place, "`among` is given twice").label("the second one");
                    self.say(d);
                }
                Rule::name => among = Some(self.name(&p)),
                Rule::value => by = Some(self.value(p)),
                _ => {}
            }
        }
        let tails = self.tails_of(inner, by.as_ref().map(|b: &Expr| b.span), Follow::Value);
        let (size, size_span) = size?;
        let shown = self.slice(size_span);
        let Some(by) = by else {
            if tails.broken {
                return None;
            }
            let d = self
                .error(codes::RANK, span, format!("`{word} {shown}` does not say by what"))
                .label("highest or lowest in what?");
            let behind = among.as_ref().map_or(String::new(), |a| format!(" among {}", a.text));
            let d = match extra {
                Some(place) => d
                    .help(format!("such as `{word} {shown} by {}`", self.slice(place)))
                    .fix("write `by`", vec![(self.before(place), "by ".to_string())]),
                None => d.help(format!("such as `{word} {shown} by sum(amount of purchased in 12mo){behind}`")),
            };
            self.say(d);
            return None;
        };
        // `top 100 customers by …`, `top 10% of customers by …`
        let everybody = among.as_ref().filter(|n| of.is_some() && is_everybody(&n.text)).map(|n| n.span);
        if let Some(place) = extra.or(everybody) {
            let whole = match of {
                Some(of) if everybody.is_some() => of.to(place),
                _ => place,
            };
            let d = self
                .error(codes::RANK, whole, format!("`{}` is not written", self.slice(whole)))
                .label("customers are ranked, and nothing else")
                .fix("remove it", vec![(self.blank_before(whole), String::new())]);
            self.say(d);
        }
        if everybody.is_some() {
            among = None;
        }
        if let (Some(place), Some(name)) = (of.or(early), &among)
            && (of.is_some() || name.span.start < by.span.start)
        {
            let should = format!("by {} among {}", self.slice(by.span), name.text);
            let d = self
                .error(codes::RANK, place.to(name.span), "those who are ranked stand last, behind `among`")
                .label(format!("expected `{word} {shown} {should}`"))
                .fix("move it", vec![(place.to(by.span), should)]);
            self.say(d);
        }
        self.nothing(tails, word, "what is ranked has its own window: `by sum(amount of purchased in 12mo)`")?;
        Some(ExprKind::Ranked(Box::new(Ranked { end, size, size_span, by, among })))
    }

    /// `sample 10% of "salt"`
    fn sample(&mut self, pair: Pair) -> Option<ExprKind> {
        let mut share = None;
        let mut salt = None;
        let mut inner = pair.into_inner().peekable();
        while let Some(p) = inner.next_if(|p| {
            matches!(
                p.as_rule(),
                Rule::kw_sample
                    | Rule::percent
                    | Rule::number
                    | Rule::kw_of
                    | Rule::name
                    | Rule::text
                    | Rule::text_wrong
            )
        }) {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::percent => match self.literal_value(&p).kind {
                    ExprKind::Percent(n) => share = Some((n, place)),
                    _ => return None,
                },
                Rule::number => {
                    // `0.1` is a tenth, `10` was ten per cent.
                    let hundredth = Num::Exact { units: 100, scale: 0 };
                    let should = match self.number(p.as_str(), place) {
                        Some(n) if n.compare(Num::int(1)).is_lt() => {
                            let percent = n.combine(Arithmetic::Multiply, hundredth).unwrap_or(n).to_string();
                            let percent = match percent.contains('.') {
                                true => percent.trim_end_matches('0').trim_end_matches('.'),
                                false => percent.as_str(),
                            };
                            format!("{percent}%")
                        }
                        _ => format!("{}%", p.as_str()),
                    };
                    let d = self
                        .error(codes::RANK, place, "a sample is a share of everyone")
                        .label("expected a percentage")
                        .fix(format!("write `{should}`"), vec![(place, should)]);
                    self.say(d);
                    return None;
                }
                Rule::name => {
                    let name = p.as_str();
                    let should = words::quoted(name);
                    let d = self
                        .error(codes::RANK, place, "the salt of a sample is quoted text")
                        .label("a sample is drawn from everyone, whatever the salt")
                        .help(format!("`{name} and sample 10%` draws from the members of `{name}`"))
                        .fix(format!("write {should}"), vec![(place, should)]);
                    self.say(d);
                    salt = Some(Word { text: nfc(name), quoted: true, span: place });
                }
                Rule::text | Rule::text_wrong => salt = Some(self.word(&p)),
                _ => {}
            }
        }
        let (share, share_span) = share?;
        let tails = self.tails_of(inner, Some(share_span), Follow::Value);
        self.nothing(tails, "sample", "a sample is the same at all times")?;
        Some(ExprKind::Sample(Box::new(Sample { share, share_span, salt })))
    }

    /// `anniversary of birth_date within 7d`
    fn anniversary(&mut self, pair: Pair) -> Option<ExprKind> {
        let mut inner = pair.into_inner().peekable();
        let head = loop {
            let p = inner.next()?;
            if p.as_rule() == Rule::head {
                break p;
            }
        };
        let place = self.span(&head);
        let (qualifier, name) = self.head(&head);
        let tails = self.tails_of(inner, Some(place), Follow::Value);
        let window = self.only_window(tails, "anniversary of …")?;
        Some(ExprKind::Anniversary(Box::new(Anniversary { qualifier, name, window })))
    }

    /// `member of vip for 30d`
    fn member(&mut self, pair: Pair) -> Option<ExprKind> {
        let mut segment = None;
        let mut long = None;
        let mut inner = pair.into_inner().peekable();
        while let Some(p) = inner.next_if(|p| {
            matches!(
                p.as_rule(),
                Rule::kw_member | Rule::kw_of | Rule::name | Rule::kw_for | Rule::kw_since | Rule::duration
            )
        }) {
            match p.as_rule() {
                Rule::name => segment = Some(self.name(&p)),
                Rule::kw_since => self.spelt(self.span(&p), "for"),
                Rule::duration => long = Some(self.duration(&p)),
                _ => {}
            }
        }
        let segment = segment?;
        let tails = self.tails_of(inner, Some(segment.span), Follow::Value);
        let name = &segment.text;
        let help =
            format!("`member of {name} for 30d` is about the whole time, `entered {name} in 30d` about its beginning");
        self.nothing(tails, "member of", &help)?;
        Some(ExprKind::Member(Box::new(Member { segment, long })))
    }

    /// `entered vip in 7d`, `no contacted winback in 30d`
    fn recorded(&mut self, pair: Pair) -> Option<ExprKind> {
        let span = self.span(&pair);
        let mut quantifiers = Vec::new();
        let mut what = None;
        let mut name = None;
        let mut inner = pair.into_inner().peekable();
        while let Some(p) = inner.next_if(|p| {
            matches!(
                p.as_rule(),
                Rule::quantifier
                    | Rule::recorded_what
                    | Rule::plain
                    | Rule::text
                    | Rule::text_wrong
                    | Rule::subject_list
            )
        }) {
            match p.as_rule() {
                Rule::quantifier => quantifiers.extend(self.quantifier(p)),
                Rule::recorded_what => {
                    // Whatever lies between its two words.
                    let which = RecordedWhat::parse(p.as_str()).unwrap_or(RecordedWhat::HeldOut);
                    what = Some((which, self.span(&p)));
                }
                Rule::plain => name = Some(self.name(&p)),
                _ => {
                    let place = self.span(&p);
                    let d = self
                        .error(codes::RANK, place, "one segment or campaign stands here by its name")
                        .label("expected a bare name")
                        .help("several are joined by `or`: `entered gold in 7d or entered vip in 7d`");
                    self.say(d);
                    return None;
                }
            }
        }
        let ((what, what_span), name) = (what?, name?);
        let mut tails = self.tails_of(inner, Some(name.span), Follow::Name);
        if tails.broken {
            return None;
        }
        if !tails.then.is_empty() {
            // An event with its subject, as in the later steps.
            let word = Word { text: name.text, quoted: false, span: name.span };
            let subject = Subject { other_than: false, words: vec![word], parenthesised: false, span: name.span };
            let event = Name { text: what.words().to_owned(), span: what_span };
            let phrase = Phrase { subject: Some(subject), ..Phrase::bare(None, event) };
            return Some(self.sequence(phrase, &quantifiers, tails, span).kind);
        }
        let word = self.slice(what_span.to(name.span)).to_string();
        let mut phrase = Phrase::bare(None, name);
        phrase.test = tails.test.take();
        phrase.window = tails.window.take();
        self.only_window(tails, &word)?;
        phrase.quantifier = self.one_quantifier(&quantifiers, None);
        if let Some((q, place)) = phrase.quantifier {
            self.check_quantifier(q, place, &mut phrase);
        }
        let Phrase { quantifier, name, test, window, .. } = phrase;
        Some(ExprKind::Recorded(Box::new(Recorded { quantifier, what, what_span, name, test, window })))
    }
}

fn is_everybody(word: &str) -> bool {
    matches!(word, "customers" | "customer" | "people" | "users" | "buyers" | "everyone" | "everybody" | "all")
}
