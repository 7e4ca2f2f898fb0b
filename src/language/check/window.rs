//! Written windows into edges, and what can be said about the order of edges whatever the as-of instant.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Edge, Window};
use crate::language::syntax::ast::{self, Duration, Moment, MomentKind, Unit, WindowKind};

use super::Checker;

/// What a window is laid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// Events, or a property or attribute that is an instant.
    Instants,
    /// A property or attribute that is a plain date.
    Dates,
}

impl Checker<'_> {
    /// The edges of a written window, or nothing where a mistake has been reported.
    pub(super) fn window(&self, written: &ast::Window, on: On) -> Option<Window> {
        match &written.kind {
            WindowKind::In(d) => Some(Window { start: Some(self.back(d, on)?), end: Some(Edge::AsOf) }),
            WindowKind::OverAgo(d) => Some(Window { start: None, end: Some(self.back(d, on)?) }),
            WindowKind::BetweenAgo(a, b) => self.between_ago(written, a, b, on),
            WindowKind::Since(m) => Some(Window { start: Some(self.opening(m, on)?), end: None }),
            WindowKind::Before(m) => Some(Window { start: None, end: Some(self.opening(m, on)?) }),
            WindowKind::On(d) => Some(Window { start: Some(Edge::StartOfDay(*d)), end: Some(Edge::EndOfDay(*d)) }),
            WindowKind::Between(a, b) => self.between_moments(a, b, on),
            WindowKind::Ever => Some(Window::EVER),
            // SOON
            _ => None,
        }
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
            MomentKind::Instant(i) if on == On::Instants => Some(Edge::Instant(self.zone.instant(i))),
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
        Some(edge_back(d))
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
        // The earlier edge, the one further back, opens the window.
        if at_or_before(first, second) {
            Some(Window { start: Some(first), end: Some(second) })
        } else if at_or_before(second, first) {
            Some(Window { start: Some(second), end: Some(first) })
        } else {
            self.report(
                Diagnostic::new(
                    code::check::UNORDERED_WINDOW,
                    written.span,
                    format!("`{}` may be longer or shorter than `{}`", a, b),
                )
                .label("which end comes first depends on the day of the run")
                .help("write both ends in one unit"),
            );
            None
        }
    }
}

/// The edge of a duration back, in its plainest unit.
pub(super) fn edge_back(d: &Duration) -> Edge {
    let (factor, unit) = match d.unit {
        Unit::Week => (7, Unit::Day),
        Unit::Year => (12, Unit::Month),
        Unit::Minute => (60, Unit::Second),
        Unit::Hour => (3600, Unit::Second),
        unit => (1, unit),
    };
    match d.amount.checked_mul(factor) {
        Some(amount) => Edge::Back { amount, unit },
        None => Edge::Back { amount: d.amount, unit: d.unit },
    }
}

/// The span of days that a number of months can be, and of seconds that a number of days can be.
fn seconds(amount: u32, unit: Unit) -> (i64, i64) {
    const DAY: i64 = 86_400;
    // Two instants at one time of day are whole days apart, but for the zone's changes: never more than 27 hours of them.
    const ZONE: i64 = 27 * 3600;
    let n = i64::from(amount);
    let days = |low: i64, high: i64| (low * DAY - ZONE, high * DAY + ZONE);
    match unit {
        Unit::Second => (n, n),
        Unit::Minute => (n * 60, n * 60),
        Unit::Hour => (n * 3600, n * 3600),
        Unit::Day => days(n, n),
        Unit::Week => days(n * 7, n * 7),
        Unit::Month | Unit::Year => {
            let (low, high) = month_days(amount, unit);
            days(low, high)
        }
    }
}

fn month_days(amount: u32, unit: Unit) -> (i64, i64) {
    let months = i64::from(amount) * if unit == Unit::Year { 12 } else { 1 };
    (months / 12 * 365 + months % 12 * 28, months / 12 * 366 + months % 12 * 31)
}

/// Days as a range, for the units of whole days.
fn whole_days(amount: u32, unit: Unit) -> Option<(i64, i64)> {
    let n = i64::from(amount);
    match unit {
        Unit::Day => Some((n, n)),
        Unit::Week => Some((n * 7, n * 7)),
        Unit::Month | Unit::Year => Some(month_days(amount, unit)),
        Unit::Second | Unit::Minute | Unit::Hour => None,
    }
}

/// Whether `a` is never after `b`, whatever the as-of instant. `false` where that can't be said.
pub(super) fn at_or_before(a: Edge, b: Edge) -> bool {
    match (a, b) {
        _ if a == b => true,
        (Edge::Back { .. }, Edge::AsOf) => true,
        (Edge::Back { amount: m, unit: u }, Edge::Back { amount: n, unit: v }) => {
            let months = |unit, n| match unit {
                Unit::Month => Some(u64::from(n)),
                Unit::Year => Some(u64::from(n) * 12),
                _ => None,
            };
            if let (Some(m), Some(n)) = (months(u, m), months(v, n)) {
                return m >= n;
            }
            match (whole_days(m, u), whole_days(n, v)) {
                (Some((shortest, _)), Some((_, longest))) => shortest >= longest,
                _ => seconds(m, u).0 >= seconds(n, v).1,
            }
        }
        (Edge::StartOfDay(a), Edge::StartOfDay(b)) | (Edge::EndOfDay(a), Edge::EndOfDay(b)) => a <= b,
        (Edge::StartOfDay(a), Edge::EndOfDay(b)) => a <= b,
        (Edge::EndOfDay(a), Edge::StartOfDay(b)) => a < b,
        (Edge::Instant(a), Edge::Instant(b)) => a <= b,
        _ => false,
    }
}

/// Whether all of `inner` lies in `outer`, whatever the as-of instant. For events every window ends there at the latest.
pub(super) fn inside(inner: Window, outer: Window, events: bool) -> bool {
    let starts = match (outer.start, inner.start) {
        (None, _) => true,
        (Some(outer), Some(inner)) => at_or_before(outer, inner),
        (Some(_), None) => false,
    };
    let ends = match (inner.end, outer.end) {
        (_, None) => true,
        (_, Some(Edge::AsOf)) if events => true,
        (Some(inner), Some(outer)) => at_or_before(inner, outer),
        (None, Some(_)) => false,
    };
    starts && ends
}

/// Whether no event can lie in both.
pub(super) fn apart(a: Window, b: Window) -> bool {
    let before =
        |x: Window, y: Window| matches!((x.end, y.start), (Some(end), Some(start)) if at_or_before(end, start));
    before(a, b) || before(b, a)
}

pub(super) fn date_text(d: ast::Date) -> String {
    format!("{:04}-{:02}-{:02}", d.year, d.month, d.day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(amount: u32, unit: Unit) -> Edge {
        Edge::Back { amount, unit }
    }

    #[test]
    fn edges_are_ordered_only_where_that_is_certain() {
        for (earlier, later, certain) in [
            (back(2, Unit::Month), back(30, Unit::Day), true),
            (back(1, Unit::Month), back(30, Unit::Day), false),
            (back(30, Unit::Day), back(1, Unit::Month), false),
            (back(31, Unit::Day), back(1, Unit::Month), true),
            (back(366, Unit::Day), back(12, Unit::Month), true),
            (back(12, Unit::Month), back(365, Unit::Day), true),
            (back(24 * 3600, Unit::Second), back(1, Unit::Day), false),
            (back(3, Unit::Day), back(3600, Unit::Second), true),
            (back(1, Unit::Second), Edge::AsOf, true),
            (Edge::AsOf, back(1, Unit::Second), false),
        ] {
            assert_eq!(at_or_before(earlier, later), certain, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn windows_nest() {
        let within = |n| Window { start: Some(back(n, Unit::Day)), end: Some(Edge::AsOf) };
        assert!(inside(within(90), within(365), true));
        assert!(!inside(within(365), within(90), true));
        assert!(inside(within(90), Window::EVER, true));
        assert!(apart(within(30), Window { start: None, end: Some(back(30, Unit::Day)) }));
        assert!(!apart(within(31), Window { start: None, end: Some(back(30, Unit::Day)) }));
    }
}
