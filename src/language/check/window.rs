//! Written windows into edges.

use crate::language::catalog::EventId;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Anchor, Edge, End, Window};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Duration, Moment, MomentKind, PeriodUnit, Quantifier, Unit, WindowKind};

use super::Checker;
use super::edges::at_or_before;
use super::names::Meaning;

/// What a window is laid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The time of events.
    Events,
    /// A property or attribute that is an instant.
    Instants,
    /// A property or attribute that is a plain date.
    Dates,
}

/// A window of events, and the event from which it begins.
pub(super) type Since = (Window, Option<Box<Anchor>>);

/// How many periods `in each of previous n` may name.
const MOST_PERIODS: u32 = 366;

impl Checker<'_> {
    /// The edges of a written window, or nothing where a mistake has been reported. What is no window with edges
    /// (`since last E`, `in each of …`) is a mistake here.
    pub(super) fn window(&self, written: &ast::Window, on: On) -> Option<Window> {
        let (start, end) = match &written.kind {
            WindowKind::In(d) => (Some(self.back(d, on)?), Some(Edge::AsOf)),
            WindowKind::BetweenAgo(a, b) => return self.between_ago(written, a, b, on),
            WindowKind::OverAgo(d) => (None, Some(self.back(d, on)?)),
            WindowKind::Since(m) => (Some(self.opening(m, on)?), None),
            WindowKind::Before(m) => (None, Some(self.opening(m, on)?)),
            WindowKind::On(d) => (Some(Edge::StartOfDay(*d)), Some(Edge::EndOfDay(*d))),
            WindowKind::Between(a, b) => return self.between_moments(a, b, on),
            WindowKind::Ever => (None, None),
            WindowKind::Within(d) => {
                let ahead = self.unit_fits(d, on).map(|()| edge_ahead(d));
                self.not_forward(written, on, || format!("in {d}"))?;
                (Some(Edge::AsOf), Some(ahead?))
            }
            WindowKind::This(unit) if on == On::Events => (Some(period(*unit, 0)), Some(Edge::AsOf)),
            WindowKind::This(unit) => (Some(period(*unit, 0)), Some(period(*unit, 1))),
            WindowKind::Previous(n, unit) => {
                let n = self.periods(*n, written.span)?;
                (Some(period(*unit, -n)), Some(period(*unit, 0)))
            }
            WindowKind::Next(n, unit) => {
                let last = self.periods(*n, written.span)?.saturating_add(1);
                self.not_forward(written, on, || match n {
                    1 => format!("in previous {}", unit_word(*unit, 1)),
                    n => format!("in previous {n} {}", unit_word(*unit, *n)),
                })?;
                (Some(period(*unit, 1)), Some(period(*unit, last)))
            }
            WindowKind::EachOfPrevious(..) => {
                let d = Diagnostic::new(
                    code::check::WINDOW_PLACE,
                    written.span,
                    "`in each of previous …` asks for a count in every period",
                );
                self.report(if on == On::Events {
                    d.label("nothing is counted here").help(
                        "put it behind an event and its count: `purchased ≥ 2 in each of previous 3 months`; here write `in previous 3 months`",
                    )
                } else {
                    d.label("a date is in one period only").help("write `in previous 3 months`")
                });
                return None;
            }
            WindowKind::SinceEvent(_) => {
                self.report(
                    Diagnostic::new(code::check::WINDOW_PLACE, written.span, "a date is compared with no event")
                        .label("only events can be asked for since another event")
                        .help("write `since 2026-01-01`, `in 30d`, or put the window behind an event"),
                );
                return None;
            }
        };
        Some(Window { start, end })
    }

    /// The window of events, `since last E` included, ever where none is written.
    pub(super) fn event_window(&self, written: Option<&ast::Window>) -> Option<Since> {
        match written {
            None => Some((Window::EVER, None)),
            Some(ast::Window { kind: WindowKind::SinceEvent(since), .. }) => {
                Some((Window::EVER, Some(Box::new(self.anchor(since)?))))
            }
            Some(window) => Some((self.window(window, On::Events)?, None)),
        }
    }

    /// The windows in each of which a count must hold: several for `in each of previous n`, else one.
    pub(super) fn count_windows(&self, written: Option<&ast::Window>) -> Option<Vec<Since>> {
        let Some(ast::Window { kind: WindowKind::EachOfPrevious(n, unit), span }) = written else {
            return Some(vec![self.event_window(written)?]);
        };
        let first = self.periods(*n, *span)?;
        if *n > MOST_PERIODS {
            self.report(
                Diagnostic::new(
                    code::check::WINDOW_PLACE,
                    *span,
                    format!("at most {MOST_PERIODS} periods, one by one"),
                )
                .label(format!("{n} are asked for"))
                .help("take fewer, or longer periods"),
            );
            return None;
        }
        let one = |back: i32| Window { start: Some(period(*unit, -back)), end: Some(period(*unit, 1 - back)) };
        Some((1..=first).rev().map(|back| (one(back), None)).collect())
    }

    /// `last 3 sent where (channel = email)` in `since …`.
    fn anchor(&self, since: &ast::SinceEvent) -> Option<Anchor> {
        let phrase = &since.of;
        let end = if since.which == Quantifier::First { End::First } else { End::Last };
        let event = self.anchor_event(phrase);
        let matching = event.and_then(|e| self.matching(phrase, e));
        let back = since.back.unwrap_or(1);
        Some(Anchor { end, back, matching: matching? })
    }

    fn anchor_event(&self, phrase: &ast::Phrase) -> Option<EventId> {
        match self.names.get(&phrase.name.text) {
            Some(Meaning::Event(event)) if phrase.qualifier.is_none() => Some(event),
            Some(Meaning::Broken) => None,
            Some(other) => {
                self.report(
                    Diagnostic::new(
                        code::check::EVENTS_ONLY,
                        phrase.name.span,
                        format!("`{}` is {}, not an event", phrase.name.text, other.noun()),
                    )
                    .label("`since first` and `since last` name an event")
                    .help("put an event here, or a date: `since 2026-01-01`"),
                );
                None
            }
            None if phrase.qualifier.is_none() && self.recorded_event(&phrase.name.text).is_some() => {
                self.recorded_event(&phrase.name.text)
            }
            None => {
                self.unknown_name(&phrase.name, |m| matches!(m, Meaning::Event(_)));
                None
            }
        }
    }

    /// Refuses a window that looks forward on events, which are all in the past.
    fn not_forward(&self, written: &ast::Window, on: On, cure: impl Fn() -> String) -> Option<()> {
        if on != On::Events {
            return Some(());
        }
        let cure = cure();
        let d = Diagnostic::new(code::check::FORWARD_WINDOW, written.span, "events lie before the as-of instant")
            .label("this window looks forward, which only dates can")
            .fix(format!("write `{cure}`"), vec![(written.span, cure.clone())]);
        self.report(match &written.kind {
            WindowKind::Within(d_) => d.help(format!(
                "to look back write `{cure}`; how soon one event follows another is said behind `then`: `A then B within {d_}`"
            )),
            _ => d.help(format!("to look back write `{cure}`")),
        });
        None
    }

    /// A number of periods, one at least.
    fn periods(&self, n: u32, span: Span) -> Option<i32> {
        if n == 0 {
            self.report(
                Diagnostic::new(code::check::EMPTY_WINDOW, span, "nothing lies in this window")
                    .label("no period at all")
                    .help("write `in this month` for the current period, `in previous month` for the one before"),
            );
            return None;
        }
        Some(i32::try_from(n).unwrap_or(i32::MAX))
    }

    /// `between A and B` with dates (both days whole) or instants (the last one left out).
    pub(super) fn between_moments(&self, a: &Moment, b: &Moment, on: On) -> Option<Window> {
        let start = self.opening(a, on)?;
        let end = match b.kind {
            MomentKind::Date(d) => Edge::EndOfDay(d),
            MomentKind::Instant(_) => self.opening(b, on)?,
        };
        let (low, high) = (self.moment_instant(&a.kind, false), self.moment_instant(&b.kind, true));
        if low >= high {
            let span = a.span.to(b.span);
            let d = Diagnostic::new(code::check::EMPTY_WINDOW, span, "nothing lies in this window");
            self.report(if self.moment_instant(&a.kind, false) > self.moment_instant(&b.kind, false) {
                d.label("the second end is before the first").help("write the earlier end first")
            } else {
                d.label("both ends are the same instant, and the second is left out")
                    .help("write a later second end, or a date for the whole day")
            });
            return None;
        }
        Some(Window { start: Some(start), end: Some(end) })
    }

    fn moment_instant(&self, moment: &MomentKind, as_end: bool) -> i64 {
        match moment {
            MomentKind::Date(d) => {
                let day = i64::from(crate::language::calendar::days_of(*d));
                self.zone.start_of_day(day + i64::from(as_end))
            }
            MomentKind::Instant(i) => self.zone.instant(*i),
        }
    }

    /// The moment as the start of a window, or as an end that is left out.
    fn opening(&self, moment: &Moment, on: On) -> Option<Edge> {
        match moment.kind {
            MomentKind::Date(d) => Some(Edge::StartOfDay(d)),
            MomentKind::Instant(i) if on != On::Dates => Some(Edge::Instant(self.zone.instant(i))),
            MomentKind::Instant(i) => {
                let date = date_text(i.date);
                self.report(
                    Diagnostic::new(code::check::WINDOW_UNIT, moment.span, "a time of day in a window on a plain date")
                        .label("this has a time of day, and the date has none")
                        .help(format!("write the date alone: `{date}`"))
                        .fix("drop the time of day", vec![(moment.span, date)]),
                );
                None
            }
        }
    }

    /// A duration back from the as-of instant. Weeks become days, years months, minutes and hours seconds, where the number
    /// stays in range: they mean the same, and equal windows are one window.
    pub(super) fn back(&self, d: &Duration, on: On) -> Option<Edge> {
        self.unit_fits(d, on).map(|()| edge_back(d))
    }

    fn unit_fits(&self, d: &Duration, on: On) -> Option<()> {
        if on == On::Dates && matches!(d.unit, Unit::Second | Unit::Minute | Unit::Hour) {
            self.report(
                Diagnostic::new(
                    code::check::WINDOW_UNIT,
                    d.span,
                    "hours, minutes or seconds in a window on a plain date",
                )
                .label("a plain date has no time of day")
                .help("use days, weeks, months or years"),
            );
            return None;
        }
        Some(())
    }

    fn between_ago(&self, written: &ast::Window, a: &Duration, b: &Duration, on: On) -> Option<Window> {
        let (first, second) = (self.back(a, on), self.back(b, on));
        let (first, second) = (first?, second?);
        if first == second {
            self.report(
                Diagnostic::new(code::check::EMPTY_WINDOW, written.span, "nothing lies in this window")
                    .label("both ends are the same instant")
                    .help(format!("did you mean `over {} ago` or `in {}`?", a, a)),
            );
            return None;
        }
        // The earlier edge, the one further back, opens the window. Where the calendar decides which one that is, the clock
        // takes it; here the longer unit stands first, so that one window has one form.
        let swap =
            if at_or_before(first, second) { false } else { at_or_before(second, first) || rank(first) < rank(second) };
        let (start, end) = if swap { (second, first) } else { (first, second) };
        Some(Window { start: Some(start), end: Some(end) })
    }
}

fn rank(edge: Edge) -> (u8, u32) {
    match edge {
        Edge::Back { amount, unit } => {
            let rank = match unit {
                Unit::Second => 0,
                Unit::Minute => 1,
                Unit::Hour => 2,
                Unit::Day => 3,
                Unit::Week => 4,
                Unit::Month => 5,
                Unit::Year => 6,
            };
            (rank, amount)
        }
        _ => (0, 0),
    }
}

fn period(unit: PeriodUnit, offset: i32) -> Edge {
    Edge::Period { unit, offset }
}

pub(super) fn unit_word(unit: PeriodUnit, n: u32) -> &'static str {
    match (unit, n) {
        (PeriodUnit::Day, 1) => "day",
        (PeriodUnit::Day, _) => "days",
        (PeriodUnit::Week, 1) => "week",
        (PeriodUnit::Week, _) => "weeks",
        (PeriodUnit::Month, 1) => "month",
        (PeriodUnit::Month, _) => "months",
        (PeriodUnit::Quarter, 1) => "quarter",
        (PeriodUnit::Quarter, _) => "quarters",
        (PeriodUnit::Year, 1) => "year",
        (PeriodUnit::Year, _) => "years",
    }
}

/// The edge of a duration back.
fn edge_back(d: &Duration) -> Edge {
    let (amount, unit) = plain(d);
    Edge::Back { amount, unit }
}

/// The edge of a duration ahead.
fn edge_ahead(d: &Duration) -> Edge {
    let (amount, unit) = plain(d);
    Edge::Ahead { amount, unit }
}

/// A duration in its plainest unit.
pub(super) fn plain(d: &Duration) -> (u32, Unit) {
    let (factor, unit) = match d.unit {
        Unit::Week => (7, Unit::Day),
        Unit::Year => (12, Unit::Month),
        Unit::Minute => (60, Unit::Second),
        Unit::Hour => (3600, Unit::Second),
        unit => (1, unit),
    };
    d.amount.checked_mul(factor).map_or((d.amount, d.unit), |amount| (amount, unit))
}

pub(super) fn date_text(d: ast::Date) -> String {
    format!("{:04}-{:02}-{:02}", d.year, d.month, d.day)
}
