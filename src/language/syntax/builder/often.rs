//! How often and when: frequencies, days, times of day, policies.

use super::window::unit_word;
use super::*;
use crate::language::num::Num;

impl Builder<'_> {
    /// `at most 3 contacts in 7d by email, sms`
    pub(super) fn policy_rule(&mut self, pair: Pair) -> Option<PolicyRule> {
        let span = self.span(&pair);
        let mut at_most = None;
        let mut channels = Vec::new();
        for p in pair.into_inner() {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::frequency => at_most = Some(self.frequency(p, place, true)?),
                Rule::name => channels.push(self.name(&p)),
                Rule::kw_and | Rule::kw_or => self.spelt(place, ","),
                _ => {}
            }
        }
        Some(PolicyRule { at_most: at_most?, channels, span })
    }

    /// `at most 1 in 30d`, in a policy `at most 3 contacts in 7d`
    pub(super) fn frequency(&mut self, pair: Pair, span: Span, policy: bool) -> Option<Frequency> {
        let (mut times, mut within, mut contacts) = (None, None, None);
        let (mut often, mut turn): (Option<Span>, _) = (None, None);
        for p in pair.into_inner() {
            let place = self.span(&p);
            match p.as_rule() {
                Rule::kw_least if p.as_str() == "least" => {
                    let d = self
                        .error(codes::CLAUSE, place, "contacts are bounded from above only")
                        .label("expected `most`")
                        .fix("write `most`", vec![(place, "most".to_owned())]);
                    self.say(d);
                }
                Rule::kw_twice => {
                    let n = if p.as_str() == "once" { 1 } else { 2 };
                    self.spelt(place, &n.to_string());
                    times = Some(Figure { n: Num::int(n), span: place });
                }
                Rule::kw_times => {
                    let d = self
                        .error(codes::CLAUSE, place, format!("`{}` is not written", p.as_str()))
                        .label(if policy { "expected `contacts`" } else { "the number says it" })
                        .fix("remove it", vec![(self.blank_before(place), String::new())]);
                    self.say(d);
                }
                Rule::kw_contacts => contacts = Some((place, p.as_str().starts_with("contact"))),
                Rule::kw_often => often = Some(place),
                Rule::duration if often.is_some() => within = Some(self.duration(&p)),
                Rule::unit => turn = Some((p.as_str().trim_end_matches('s').to_owned(), place)),
                Rule::kw_at | Rule::kw_least | Rule::kw_the | Rule::kw_last => {}
                _ => times = Some(self.figure(&p, "at most")?),
            }
        }
        let times = times?;
        let shown = self.slice(times.span);
        match times.n {
            Num::Exact { units, scale: 0 } if units > 0 => {}
            _ => {
                let d = self
                    .error(codes::CLAUSE, times.span, format!("`at most {shown}` counts nothing"))
                    .label("expected a whole number from 1 on");
                self.say(d);
                return None;
            }
        }
        let behind = self.behind(times.span);
        match (policy, contacts) {
            (true, None) => {
                let d = self
                    .error(codes::CLAUSE, behind, format!("`contacts` is missing behind `{shown}`"))
                    .label("a policy counts contacts, of whatever campaign")
                    .fix("write `contacts`", vec![(behind, " contacts".to_owned())]);
                self.say(d);
            }
            (true, Some((place, false))) => self.spelt(place, "contacts"),
            (false, Some((place, _))) => {
                let d = self
                    .error(codes::CLAUSE, place, format!("`{}` is not written in a campaign", self.slice(place)))
                    .label("its own contacts and holdouts are meant")
                    .help("contacts of all campaigns are bounded by a `policy`")
                    .fix("remove it", vec![(self.blank_before(place), String::new())]);
                self.say(d);
            }
            _ => {}
        }
        if let Some((unit, place)) = turn {
            let all = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
            let unit = all.into_iter().find(|u| unit_word(*u) == unit);
            let should = unit.map(|unit| format!("in {}", Duration { amount: 1, unit, span: place }));
            let whole = often.map_or(place, |often| often.to(place));
            let d = self
                .error(codes::CLAUSE, whole, format!("`{}` is no stretch of time", self.slice(whole)))
                .label("how long, back from each contact?");
            self.say(match should {
                Some(should) => d.fix(format!("write `{should}`"), vec![(whole, should)]),
                None => d.help("such as `at most 1 in 30d`"),
            });
            return None;
        }
        let Some(within) = within else {
            let d = self
                .error(codes::CLAUSE, span, format!("`{}` says not in which time", self.slice(span)))
                .label("expected `in` and a duration")
                .help(if policy { "such as `at most 3 contacts in 7d`" } else { "such as `at most 1 in 30d`" });
            self.say(d);
            return None;
        };
        if let Some(place) = often.filter(|place| self.slice(*place) != "in") {
            self.spelt(place, "in");
        }
        Some(Frequency { times, within })
    }

    /// `every monday, thursday at 09:00`
    pub(super) fn every(&mut self, inner: Pairs, span: Span) -> Option<ClauseKind> {
        let (mut days, mut at) = (Vec::new(), None);
        for p in inner {
            match p.as_rule() {
                Rule::weekday => days.push(self.weekday(&p)?),
                Rule::kw_and | Rule::kw_or => self.spelt(self.span(&p), ","),
                Rule::clock => at = Some(self.clock(&p)?),
                _ => {}
            }
        }
        let Some(at) = at else {
            let d = self
                .error(codes::CLAUSE, span, format!("`{}` says not at which time", self.slice(span)))
                .label("expected `at` and a time of day")
                .help("such as `every monday at 09:00`");
            self.say(d);
            return None;
        };
        Some(ClauseKind::Every { days, at })
    }

    fn weekday(&mut self, pair: &Pair) -> Option<Weekday> {
        let (text, span) = (pair.as_str(), self.span(pair));
        let number = |text: &str| match text {
            "day" => Some(0),
            _ => WEEKDAYS.iter().position(|day| *day == text).map(|i| i as u8 + 1),
        };
        if let Some(number) = number(text) {
            return Some(Weekday { number, span });
        }
        let folded = text.to_lowercase();
        let short = WEEKDAYS.iter().find(|day| folded.len() >= 2 && day.starts_with(folded.trim_end_matches('s')));
        let meant = if matches!(folded.as_str(), "day" | "days" | "daily" | "morning") { Some(&"day") } else { short };
        if let Some(day) = meant {
            self.spelt(span, day);
            return Some(Weekday { number: number(day)?, span });
        }
        let d = self
            .error(codes::CLAUSE, span, format!("`{text}` is no day of the week"))
            .label("expected `day`, `monday` … `sunday`");
        self.say(match folded.as_str() {
            "weekday" | "weekdays" | "workday" => {
                d.help("write `every monday, tuesday, wednesday, thursday, friday at 09:00`")
            }
            "weekend" | "weekends" => d.help("write `every saturday, sunday at 09:00`"),
            "week" | "month" | "hour" | "year" => d.help(
                "a campaign runs on days of the week; how often one customer hears of it is said by `at most 1 in 30d`",
            ),
            _ => d.help("such as `every monday, thursday at 09:00`"),
        });
        None
    }

    /// `09:00`
    pub(super) fn clock(&mut self, pair: &Pair) -> Option<ClockTime> {
        let (text, span) = (pair.as_str(), self.span(pair));
        let parts: Vec<Option<u16>> = text.split([':', '.']).map(|t| t.parse().ok()).collect();
        if let ([Some(hour), Some(minute)], Some(":"), 5) = (parts.as_slice(), text.get(2..3), text.len()) {
            if *hour < 24 && *minute < 60 {
                return Some(ClockTime { minutes: hour * 60 + minute, span });
            }
            let d = self.error(codes::CLAUSE, span, format!("there is no `{text}`")).label(if *hour == 24 {
                "the day begins with `00:00`"
            } else {
                "times of day run from 00:00 to 23:59"
            });
            self.say(d);
            return None;
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let behind = text.get(digits.len()..).unwrap_or("").to_lowercase();
        let mut parts = digits.split([':', '.']).map(|t| t.parse::<u16>().ok());
        let (hour, minute) = (parts.next().flatten(), parts.next().unwrap_or(Some(0)));
        let meant = match (hour, minute, behind.as_str()) {
            _ if text.eq_ignore_ascii_case("noon") => Some((12, 0)),
            _ if text.eq_ignore_ascii_case("midnight") => Some((0, 0)),
            (Some(12), Some(m), "am") => Some((0, m)),
            (Some(h), Some(m), "pm") if (1..12).contains(&h) => Some((h + 12, m)),
            (Some(h), Some(m), "" | "am" | "pm" | "h") => Some((h, m)),
            _ => None,
        };
        let d = self
            .error(codes::CLAUSE, span, format!("`{text}` is no time of day"))
            .label("a time of day is written `09:00`");
        self.say(match meant.filter(|(h, m)| *h < 24 && *m < 60) {
            Some((h, m)) => {
                let should = format!("{h:02}:{m:02}");
                d.fix(format!("write `{should}`"), vec![(span, should)])
            }
            None => d,
        });
        None
    }

    /// A whole day.
    pub(super) fn day(&mut self, pair: &Pair) -> Option<Day> {
        let moment = self.moment(pair)?;
        match moment.kind {
            MomentKind::Date(date) => Some(Day { date, span: moment.span }),
            MomentKind::Instant(instant) => {
                let Date { year, month, day } = instant.date;
                let should = format!("{year:04}-{month:02}-{day:02}");
                let d = self
                    .error(codes::CLAUSE, moment.span, "a campaign runs for whole days")
                    .label("expected a date")
                    .help("at which time of day it runs is said by `every`")
                    .fix(format!("write `{should}`"), vec![(moment.span, should)]);
                self.say(d);
                None
            }
        }
    }
}
