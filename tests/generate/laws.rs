//! Pairs of conditions of which a law holds, one catalog for them, and random histories whose events often share an instant.

use segue::language::calendar::Clock;
use segue::language::catalog::{Catalog, EventId, ListId, ProjectFile, load};
use segue::language::check::{CheckFile, check};
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::ir::Program;
use segue::language::source::Sources;
use segue::language::syntax::parse;

use super::dice::Dice;

const CATALOG: &str = "
sources:
  shop: {path: data, customer: id, time: ts, event: kind}
events:
  view: &seen
    source: shop
    session: true
    properties:
      product: {type: text, known: [a, b, c]}
      seconds: {type: integer}
  cart:
    source: shop
    session: true
    properties:
      product: {type: text, known: [a, b, c]}
      seconds: {type: integer}
  buy:
    source: shop
    session: true
    properties:
      product: {type: text, known: [a, b, c]}
      amount: {type: money}
  mail:
    source: shop
    properties:
      campaign: {type: text, known: [a, b, c]}
profiles:
  path: p
  customer: id
  attributes:
    points: {type: integer}
    signup: {type: date}
lists:
  staff: {path: staff.csv}
";

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What two conditions say of the same people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Law {
    /// The same.
    Equal,
    /// Whom the first holds for, the second does.
    Within,
    /// Never both, and one of them always.
    Apart,
}
use Law::{Apart, Equal, Within};

pub type Texts = (String, Law, String);

/// Writes parts of conditions.
pub struct Writer<'a> {
    pub dice: &'a mut Dice,
}

impl Writer<'_> {
    /// Different kinds of visits' events.
    pub fn kinds(&mut self) -> [&'static str; 3] {
        *self.dice.pick(&[["view", "cart", "buy"], ["cart", "buy", "view"], ["buy", "view", "cart"]])
    }

    /// An event of a kind, perhaps with a property.
    pub fn of(&mut self, kind: &str) -> String {
        let property = if kind == "mail" { "campaign" } else { "product" };
        let value = *self.dice.pick(&["a", "b"]);
        match self.dice.below(6) {
            0 => format!("{kind} where ({property} = {value})"),
            1 => format!("{kind} where ({property} ≠ {value})"),
            2 => format!("{kind} where (hour < 12)"),
            _ => kind.to_owned(),
        }
    }

    fn window(&mut self) -> String {
        self.dice
            .word(&[
                "in 2d",
                "in 36h",
                "in 5d",
                "over 1d ago",
                "in this month",
                "in previous week",
                "since 2026-11-18",
                "ever",
            ])
            .to_owned()
    }

    /// All laws, about events of this turn.
    pub fn laws(&mut self) -> Vec<Texts> {
        let [k, l, m] = self.kinds();
        let (a, b, c, mail) = (self.of(k), self.of(l), self.of(m), self.of("mail"));
        let (w, n) = (self.window(), self.dice.between(1, 3));
        let (short, long) = *self.dice.pick(&[("1h", "6h"), ("6h", "1d"), ("1d", "3d"), ("24h", "2d"), ("2d", "1w")]);
        let anchor = format!("since {} {mail}", self.dice.word(&["last", "first", "last 2"]));
        let has_anchor = match anchor.starts_with("since last 2") {
            true => format!("{mail} ≥ 2"),
            false => mail.clone(),
        };
        let mut all: Vec<Texts> = Vec::new();
        let mut law = |left: String, law: Law, right: String| all.push((left, law, right));

        // Anchors.
        law(format!("{a} {anchor}"), Within, format!("{a} and {has_anchor}"));
        law(format!("({a} {anchor}) or (no {a} {anchor})"), Equal, has_anchor.clone());
        law(format!("{a} ≤ {n} {anchor}"), Equal, format!("{has_anchor} and not ({a} > {n} {anchor})"));
        law(format!("count({a} {anchor}) ≥ {n}"), Equal, format!("{a} ≥ {n} {anchor}"));
        law(format!("count({a} {anchor}) is unknown"), Apart, has_anchor.clone());
        law(format!("last {a} {anchor}"), Equal, format!("{a} {anchor}"));
        law(format!("first {a} {anchor}"), Within, format!("{a} {anchor}"));
        // Strictly after is at or after, but for what lies at one instant.
        law(format!("{a} since last {mail}"), Within, format!("last {mail} then {a}"));

        // One value several times.
        law(format!("{a} ≥ {n} of same product {w}"), Within, format!("{a} ≥ {n} {w}"));
        law(format!("{k} ≥ 1 of same product {w}"), Equal, format!("{k} where (product is known) {w}"));
        law(format!("{a} ≥ {n} of same product {w} without {b}"), Within, format!("{a} ≥ {n} of same product {w}"));
        law(format!("{a} ≥ {} of same product", n + 1), Within, format!("{a} ≥ {n} of same product"));

        // Sequences.
        law(format!("{a} then {b}"), Within, format!("{a} and {b}"));
        law(format!("{a} then {b} within {short}"), Within, format!("{a} then {b} within {long}"));
        law(format!("{a} then {b} after {long}"), Within, format!("{a} then {b} after {short}"));
        law(format!("({a} then {b} within {short}) or ({a} then {b} after {short})"), Equal, format!("{a} then {b}"));
        law(format!("{a} then {b} without {c}"), Within, format!("{a} then {b}"));
        // Between the last first and the first second lies nothing of either.
        law(format!("{a} then {b} without {a}"), Equal, format!("{a} then {b}"));
        law(format!("{a} then {b} without {b}"), Equal, format!("{a} then {b}"));
        law(
            format!("{a} then {b} then {c} all within {short}"),
            Within,
            format!("{a} then {b} then {c} all within {long}"),
        );
        law(format!("{a} then {b} all within {long}"), Equal, format!("{a} then {b} within {long}"));
        law(format!("{a} then {b} then {c}"), Within, format!("{a} then {c}"));
        law(format!("{a} then {b} with same product"), Within, format!("{a} then {b}"));
        law(format!("first {a} then {b}"), Equal, format!("{a} then {b}"));
        law(format!("{a} then last {b}"), Equal, format!("{a} then {b}"));
        law(format!("last {a} then {b}"), Within, format!("{a} then {b}"));
        law(format!("{a} {w} then {b}"), Within, format!("({a} {w}) and ({a} then {b})"));
        law(format!("last {a} {w} then {b}"), Equal, format!("(last {a} {w}) and (last {a} then {b})"));
        law(format!("{a} then {a}"), Equal, format!("{a} ≥ 2"));
        law(format!("{a} then {a} then {a}"), Equal, format!("{a} ≥ 3"));
        law(format!("{k} then {k} with same product"), Equal, format!("{k} ≥ 2 of same product"));
        law(format!("{a} then no {b}"), Equal, format!("last {a} then no {b}"));
        law(format!("last {a} then no {b}"), Within, format!("{a} and not (last {a} then {b})"));
        law(format!("{a} then no {b} within {long}"), Within, format!("{a} then no {b} within {short}"));
        law(format!("{a} then no {b} within {short}"), Within, format!("{a} over {short} ago"));
        law(format!("last {a} then no {b} within {short}"), Within, format!("{a} then no {b} within {short}"));
        law(format!("{a} then {b} then no {c}"), Within, format!("{a} then {b}"));
        law(format!("({a} then {b}) or ({b} then {a})"), Equal, format!("{a} and {b}"));

        // Stretches of time and visits.
        law(format!("in any {short} ({a})"), Equal, a.clone());
        law(format!("in any {short} ({a}) {w}"), Equal, format!("{a} {w}"));
        law(format!("in any {short} ({a} and {b})"), Within, format!("in any {long} ({a} and {b})"));
        law(
            format!("in any {short} ({a} and {b})"),
            Equal,
            format!("({a} then {b} within {short}) or ({b} then {a} within {short})"),
        );
        law(format!("in any {short} ({a} ≥ {n})"), Within, format!("{a} ≥ {n}"));
        law(format!("in any {short} ({a} ≥ 2)"), Equal, format!("{a} then {a} within {short}"));
        law(format!("in any {short} ({a} or {b})"), Equal, format!("{a} or {b}"));
        law(format!("in any {short} ({a} and no {b})"), Within, format!("in any {short} ({a})"));
        law(format!("in any {short} ({a} then {b})"), Equal, format!("{a} then {b} within {short}"));
        law(
            format!("in any {short} ({a} then {b} then {c})"),
            Equal,
            format!("{a} then {b} then {c} all within {short}"),
        );
        law(format!("in one session ({a}) {w}"), Within, a.clone());
        law(format!("in one session ({a})"), Equal, a.clone());
        law(format!("in one session ({a} and {b})"), Within, format!("{a} and {b}"));
        law(format!("in one session ({a} and no {b})"), Within, a.clone());
        law(format!("(in one session ({a} and {b})) or in one session ({a} and no {b})"), Equal, a.clone());
        law(format!("in one session ({a} then {b})"), Within, format!("{a} then {b}"));
        law(format!("({a} then {b} within 30min)"), Within, format!("in one session ({a} then {b})"));

        // Values.
        law(format!("count({a} {w}) + count({b}) = 0"), Equal, format!("(no {a} {w}) and no {b}"));
        law(format!("median(seconds of view {w}) ≥ 5"), Equal, format!("percentile(50, seconds of view {w}) ≥ 5"));
        law(format!("percentile(0, seconds of view {w}) ≤ 3"), Equal, format!("min(seconds of view {w}) ≤ 3"));
        law(format!("percentile(100, amount of buy {w}) > 20"), Equal, format!("max(amount of buy {w}) > 20"));
        law(
            format!("percentile(25, seconds of view {w}) ≥ 4"),
            Within,
            format!("percentile(75, seconds of view {w}) ≥ 4"),
        );
        law(format!("rate({a} per {b} {w}) ≥ 50%"), Equal, format!("count({a} {w}) / count({b} {w}) ≥ 50%"));
        law(format!("rate({a} per {b} {w}) is unknown"), Equal, format!("no {b} {w}"));
        law(format!("last(product of {k}) = a"), Within, format!("{k} where (product = a)"));
        law(
            "last(seconds of view) is unknown".into(),
            Within,
            "not (last view where (seconds is known) then no view where (seconds is unknown))".into(),
        );
        law(format!("most frequent(product of {k} {w}) = a"), Within, format!("{k} where (product = a) {w}"));
        law(format!("most frequent(product of {k} {w}) is known"), Equal, format!("{k} where (product is known) {w}"));
        law(format!("{k} where (product = b) ≥ 1 {w}"), Within, format!("distinct(product of {k} {w}) ≥ 1"));
        law("max(seconds of view) ≥ points".into(), Equal, "view where (seconds ≥ points)".into());
        law(
            "sum(amount of buy) - avg(amount of buy) * count(buy) is unknown".into(),
            Apart,
            "buy where (amount is known)".into(),
        );

        // Calendar windows.
        law(format!("{a} in each of previous 2 days"), Within, format!("{a} ≥ 2 in previous 2 days"));
        law(format!("{a} in each of previous 2 days"), Within, format!("{a} on ≥ 2 days in previous 2 days"));
        law(format!("{a} on ≥ 2 days in previous 2 days"), Within, format!("{a} in each of previous 2 days"));
        law(format!("{a} in this month"), Equal, format!("{a} since 2026-11-01"));
        law(format!("{a} between 3d and 1d ago"), Equal, format!("{a} between 1d and 3d ago"));
        law("signup within 5d".into(), Apart, "signup is unknown or signup < 2026-11-21 or signup > 2026-11-26".into());
        law("anniversary of signup within 5d".into(), Within, "signup before 2026-01-01".into());

        // Ranks and samples.
        law("top 30% by points".into(), Within, "top 60% by points".into());
        law("(top 30% by points) or bottom 70% by points".into(), Equal, "points is known".into());
        law("top 30% by points".into(), Within, "not (bottom 70% by points)".into());
        law("quintile(points) ≥ 4".into(), Equal, "top 40% by points".into());
        law("decile(points) = 10".into(), Equal, "top 10% by points".into());
        law("quintile(points) is unknown".into(), Apart, "points is known".into());
        law("percentile_rank(points) ≥ 50%".into(), Within, "points is known".into());
        law("top 3 by points among staff".into(), Within, "staff and points is known".into());
        law("bottom 2 by count(view) among staff".into(), Within, "staff".into());
        law("top 1 by points".into(), Within, "top 2 by points".into());
        law("sample 20% of \"x\"".into(), Within, "sample 50% of \"x\"".into());
        law("sample 100%".into(), Equal, "everyone".into());
        all
    }
}

/// Few instants, so that many events lie at one of them and at the edges of windows.
pub fn history(dice: &mut Dice, clock: &Clock) -> History {
    let lengths = [0, HOUR / 2, HOUR, 6 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY];
    let from = dice.below(4) as i64 * DAY;
    let instants: Vec<i64> = (0..4).map(|_| from + *dice.pick(&lengths) + *dice.pick(&lengths)).collect();
    let mut history = History::default();
    for _ in 0..dice.below(9) {
        let event = EventId(dice.below(4) as u32);
        let time = clock.as_of - dice.pick(&instants) - *dice.pick(&[0, 0, 0, 1, -1]);
        let text = dice.chance(85).then(|| Datum::Text(dice.word(&["a", "b", "c"]).into()));
        let number = dice.chance(85).then(|| dice.between(0, 9));
        let second = match event.0 {
            0 | 1 => Some(number.map(Datum::Integer)),
            2 => Some(number.map(|n| Datum::Money(n * 700))),
            _ => None,
        };
        let properties = std::iter::once(text).chain(second).collect();
        history.events.push(EventRow { event, time, properties, event_id: None });
    }
    let today = clock.zone.date(clock.as_of);
    let signup = dice.chance(70).then(|| Datum::Date(today + *dice.pick(&[-400, -366, -365, -362, -3, 0, 4, 5, 6])));
    let points = dice.chance(70).then(|| Datum::Integer(dice.between(0, 9)));
    history.profile = Some(ProfileRow { created: None, attributes: vec![points, signup] });
    if dice.chance(40) {
        history.lists.insert(ListId(0));
    }
    history
}

fn read() -> (Sources, Catalog, ProjectFile) {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", CATALOG.replace(" &seen", ""));
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    let id =
        sources.add("segue.yaml", "name: laws\nedition: \"2026\"\ntimezone: Europe/Paris\ncatalog: catalog.yaml\n");
    let (project, found) = load::project(sources.get(id).expect("added"));
    assert!(found.is_empty(), "{found:#?}");
    (sources, catalog.expect("a catalog"), project.expect("a project"))
}

/// The program of segments with these names and conditions, and what was said of those that it leaves out.
pub fn compiled(texts: &[(String, String)]) -> (Program, Catalog, Vec<String>) {
    let segment = |(name, text): &(String, String)| (name.clone(), format!("segment {name}: {text}\n"));
    declared(&texts.iter().map(segment).collect::<Vec<_>>())
}

/// The program of these files, and what was said of what it leaves out.
pub fn declared(texts: &[(String, String)]) -> (Program, Catalog, Vec<String>) {
    let (mut sources, catalog, project) = read();
    let mut files = Vec::new();
    let mut said = Vec::new();
    for (name, text) in texts {
        let id = sources.add(format!("{name}.seg"), text.as_str());
        let parsed = parse(sources.get(id).expect("added"));
        said.extend(
            parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| format!("{} {}: {text}", d.code, d.message)),
        );
        files.push((name.as_str(), parsed));
    }
    let files: Vec<CheckFile> = files.iter().map(|(stem, parsed)| CheckFile { stem, parsed: &parsed.file }).collect();
    let checked = check(&sources, &catalog, &project, &files);
    let text =
        |d: &segue::language::diagnostic::Diagnostic| sources.get(d.primary.span.source).map(|s| s.text.to_string());
    let errors = checked.diagnostics.iter().filter(|d| d.is_error());
    said.extend(errors.map(|d| format!("{} {}: {}", d.code, d.message, text(d).unwrap_or_default())));
    (checked.program, catalog, said)
}
