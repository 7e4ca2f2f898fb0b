//! Events as rows of the statement: one stream of rows a source.
//!
//! Owns: which raw rows are which event, their columns, look-ups, repeats, and what is derived from a row's time.
//! Promises: a stream holds the events before the as-of instant and no other row. Must not know: what is asked of events.

use super::Writer;
use super::read::{self, Kind, Reading, Said, Why, not};
use super::text::{self, DAY};
use crate::engine::tables::Opened;
use crate::language::catalog::{ColumnRef, Event, EventId, LookupId, PropertyId, RawMatch};
use crate::language::ir::{Length, PeriodUnit, Unit};

/// Rows of one source; the rows of an event whose repeats collapse are a stream of their own.
#[derive(Debug)]
pub struct Stream {
    pub name: String,
    source: usize,
    collapse: Option<EventId>,
    kinds: Vec<(EventId, String)>,
    fields: Vec<Field>,
    joins: Vec<(LookupId, String)>,
    derived: Vec<Derived>,
    /// From when on rows are asked for.
    pub from: i64,
}

#[derive(Debug)]
struct Field {
    key: String,
    name: String,
    text: String,
    kind: Kind,
}

#[derive(Debug)]
struct Derived {
    layer: usize,
    name: String,
    text: String,
}

impl Writer<'_> {
    /// The stream of an event and the condition on its rows.
    pub fn event(&mut self, id: EventId) -> Said<(usize, String)> {
        if self.catalog.is_recorded(id) {
            return not("what earlier runs decided");
        }
        let Some(event) = self.catalog.event(id) else { return not("an unknown event") };
        let source = event.source.index();
        let collapse = event.event_id.is_some().then_some(id);
        let known = self.streams.iter().position(|s| s.source == source && s.collapse == collapse);
        let stream = match known {
            Some(stream) => stream,
            None => {
                let of = self.catalog.sources.get(source).map_or("events", |s| s.name.name.as_str());
                let name = if collapse.is_some() { format!("{of} {}", event.name.name) } else { of.to_owned() };
                let (kinds, fields) = (Vec::new(), Vec::new());
                let (joins, derived) = (Vec::new(), Vec::new());
                self.streams.push(Stream { name, source, collapse, kinds, fields, joins, derived, from: i64::MAX });
                self.streams.len() - 1
            }
        };
        let flag = format!("is {}", event.name.name);
        let asked = self.streams.get(stream).is_some_and(|s| s.kinds.iter().any(|(other, _)| *other == id));
        if !asked {
            let condition = self.kind(stream, id, event)?;
            if event.event_id.is_some() {
                // Repeats are put in order by every property.
                for property in 0..event.properties.len() {
                    self.property(id, PropertyId(property as u32))?;
                }
            }
            if let Some(stream) = self.streams.get_mut(stream) {
                stream.kinds.push((id, condition));
            }
        }
        Ok((stream, format!("e.{}", text::name(&flag))))
    }

    /// Which rows are the event.
    fn kind(&mut self, stream: usize, id: EventId, event: &Event) -> Said<String> {
        let mut parts = Vec::new();
        if let RawMatch::Names { exact, prefixes } = &event.raw {
            let exact: Vec<String> = exact.iter().map(|t| text::text(t)).collect();
            let mut any = Vec::new();
            if !exact.is_empty() {
                any.push(format!("e.\"raw\" IN ({})", exact.join(", ")));
            }
            for prefix in prefixes {
                let pattern = format!("{}%", text::literally(prefix));
                any.push(format!("e.\"raw\" LIKE {} ESCAPE '\\'", text::text(&pattern)));
            }
            parts.push(if any.is_empty() { "FALSE".to_owned() } else { format!("({})", any.join(" OR ")) });
        }
        let filter = self.program.event_filters.get(id.index()).and_then(Option::as_ref);
        if let Some(filter) = filter {
            let passes = self.pred(stream, id, filter)?;
            parts.push(format!("({})", passes.text));
        }
        Ok(text::all(&parts))
    }

    /// The value of a property of a row.
    pub fn property(&mut self, event: EventId, id: PropertyId) -> Said<(String, Kind)> {
        let Some(of) = self.catalog.event(event) else { return not("an unknown event") };
        let Some(property) = of.properties.get(id.index()) else { return not("an unknown property") };
        let collapse = of.event_id.is_some().then_some(event);
        let source = of.source.index();
        let at = self.streams.iter().position(|s| s.source == source && s.collapse == collapse);
        let zone = self.catalog.sources.get(source).and_then(|s| s.timezone.as_deref());
        let how = Reading { ty: property.ty, fold: property.fold, empty_is_value: property.empty_is_value, zone };
        let key = format!("{:?} {how:?}", property.column);
        let Some(stream) = at.and_then(|at| self.streams.get(at)) else { return not("an unknown stream") };
        if let Some(field) = stream.fields.iter().find(|f| f.key == key) {
            return Ok((format!("e.{}", text::name(&field.name)), field.kind));
        }
        let mut joins = stream.joins.clone();
        let (column, found) = match &property.column {
            ColumnRef::Own(column) => {
                let found = self.tables.sources.get(source).and_then(Option::as_ref).and_then(|t| t.column(column));
                (format!("s.{}", text::name(column)), found)
            }
            ColumnRef::Lookup { lookup, on, column } => {
                let join = (*lookup, on.clone());
                let place = joins.iter().position(|j| *j == join).unwrap_or_else(|| {
                    joins.push(join);
                    joins.len() - 1
                });
                let there = self.tables.lookups.get(lookup.index()).and_then(Option::as_ref);
                (format!("l{place}.{}", text::name(column)), there.and_then(|t| t.column(column)))
            }
        };
        let Some(found) = found else { return not("a column that is not there") };
        let said = read::value(&column, found, how, &self.clock.zone);
        let (text, kind) = said.map_err(|Why(why)| Why(format!("`{}` is {why}", property.name.name)))?;
        let mut name = property.name.name.clone();
        while taken(&name) || stream.fields.iter().any(|f| f.name.eq_ignore_ascii_case(&name)) {
            name = format!("{}.{name}", of.name.name);
        }
        if let Some(stream) = at.and_then(|at| self.streams.get_mut(at)) {
            stream.joins = joins;
            stream.fields.push(Field { key, name: name.clone(), text, kind });
        }
        Ok((format!("e.{}", text::name(&name)), kind))
    }

    /// Something that is told from the rows' columns so far.
    fn derived(&mut self, stream: usize, layer: usize, name: &str, text: String) -> String {
        if let Some(stream) = self.streams.get_mut(stream)
            && !stream.derived.iter().any(|d| d.name == name)
        {
            stream.derived.push(Derived { layer, name: name.to_owned(), text });
        }
        format!("e.{}", text::name(name))
    }

    /// The local time of an event in the project's zone, as microseconds.
    pub fn local_time(&mut self, stream: usize) -> Said<String> {
        let local = read::local("e.\"time\"", &self.clock.zone, self.clock.as_of)?;
        Ok(self.derived(stream, 1, "local time", local))
    }

    /// The local day of an event: the microseconds of its midnight.
    pub fn day(&mut self, stream: usize) -> Said<String> {
        let local = self.local_time(stream)?;
        Ok(self.derived(stream, 2, "day", text::floor(&local, DAY)))
    }

    /// Something that tells the local calendar periods apart.
    pub fn period(&mut self, stream: usize, unit: PeriodUnit) -> Said<String> {
        let day = self.day(stream)?;
        Ok(match unit {
            PeriodUnit::Day => day,
            // 1970-01-01 was a Thursday.
            PeriodUnit::Week => text::floor(&format!("({day} + {})", 3 * DAY), 7 * DAY),
            PeriodUnit::Month => self.month(stream, &day),
            PeriodUnit::Quarter => {
                let month = self.month(stream, &day);
                text::whole_part(&format!("({month} + 2)"), 3)
            }
            PeriodUnit::Year => {
                let month = self.month(stream, &day);
                text::whole_part(&format!("({month} + 2)"), 12)
            }
        })
    }

    /// The running number of the month; January's and two are a multiple of twelve.
    fn month(&mut self, stream: usize, day: &str) -> String {
        // Days since 0000-03-01, so that the leap day is a year's last; 400 years are 146,097 days.
        let shifted = 719_468 * DAY;
        let days = text::whole_part(&format!("({day} + {shifted})"), DAY);
        let days = self.derived(stream, 3, "days since 0000-03-01", days);
        let era = format!("({days} % 146097)");
        let (a, b, c) =
            (text::whole_part(&era, 1_460), text::whole_part(&era, 36_524), text::whole_part(&era, 146_096));
        let before = self.derived(stream, 4, "days but leap days", format!("{era} - {a} + {b} - {c}"));
        let year = self.derived(stream, 5, "year of 400", text::whole_part(&before, 365));
        let (four, hundred) = (text::whole_part(&year, 4), text::whole_part(&year, 100));
        let of_year = format!("{era} - (365 * {year} + {four} - {hundred})");
        let of_year = self.derived(stream, 6, "day of year", of_year);
        let (eras, months) = (text::whole_part(&days, 146_097), text::whole_part(&format!("(5 * {of_year} + 2)"), 153));
        self.derived(stream, 7, "month", format!("({eras} * 400 + {year}) * 12 + {months}"))
    }

    /// The instant that lies a duration after an event.
    pub fn later(&mut self, stream: usize, alias: &str, length: Length) -> Said<String> {
        let amount = i64::from(length.amount);
        let exact = match length.unit {
            Unit::Second => text::SECOND,
            Unit::Minute => 60 * text::SECOND,
            Unit::Hour => 3_600 * text::SECOND,
            Unit::Day => DAY,
            Unit::Week => 7 * DAY,
            Unit::Month | Unit::Year => return not("months or years after an event"),
        };
        let by = amount.saturating_mul(exact);
        // Beyond the calendar's years the end is meant; nobody asks for that.
        if by > 3_000 * 365 * DAY {
            return not("so long a time after an event");
        }
        let calendar = matches!(length.unit, Unit::Day | Unit::Week);
        if !calendar || self.fixed_zone() {
            return Ok(format!("({alias}.\"time\" + {by})"));
        }
        let local = self.local_time(stream)?;
        let name = format!("{amount} {} later", if length.unit == Unit::Day { "days" } else { "weeks" });
        let then = self.derived(stream, 2, &format!("local, {name}"), format!("{local} + {by}"));
        let instant = read::of_local(&then, &self.clock.zone)?;
        self.derived(stream, 3, &name, instant);
        Ok(format!("{alias}.{}", text::name(&name)))
    }

    /// Whether the project's zone has one offset.
    pub fn fixed_zone(&self) -> bool {
        self.clock.zone.offsets_before(self.clock.as_of).is_some_and(|all| all.len() == 1)
            && self.clock.zone.offsets_before(4_070_908_800_000_000).is_some_and(|all| all.len() == 1)
    }

    /// A number for each row of a stream, so that a row can be told from others; rows that are alike in all are interchangeable.
    pub fn row_number(&self, stream: usize) -> String {
        let Some(of) = self.streams.get(stream) else { return "1".to_owned() };
        let kinds = of.kinds.iter().filter_map(|(id, _)| self.catalog.event(*id));
        let flags = kinds.map(|event| format!("e.{}", text::name(&format!("is {}", event.name.name))));
        let fields = of.fields.iter().map(|f| format!("e.{}", text::name(&f.name)));
        let order: Vec<String> = std::iter::once("e.\"time\"".to_owned()).chain(flags).chain(fields).collect();
        format!("ROW_NUMBER() OVER (PARTITION BY e.\"customer\" ORDER BY {})", order.join(", "))
    }

    /// The parts of the statement that make a stream: what each is called, and its text.
    pub fn stream_parts(&self, stream: &Stream) -> Said<Vec<(String, String)>> {
        let Some(source) = self.catalog.sources.get(stream.source) else { return not("an unknown source") };
        let Some(Some(opened)) = self.tables.sources.get(stream.source) else { return not("a source without events") };
        let id = read::id(
            &format!("s.{}", text::name(&source.customer)),
            found(opened, &source.customer)?,
            self.tables.number_ids,
        )?;
        let (zone, column) = (source.timezone.as_deref(), format!("s.{}", text::name(&source.time)));
        let time = read::time(&column, found(opened, &source.time)?, source.time_unit, zone)?;
        let mut columns = vec![format!("{id} AS \"customer\""), format!("{time} AS \"time\"")];
        let names = |id: &EventId| self.catalog.event(*id).is_some_and(|e| e.raw != RawMatch::All);
        if let Some(event) = source.event.as_ref().filter(|_| stream.kinds.iter().any(|(id, _)| names(id))) {
            let raw = read::raw(&format!("s.{}", text::name(event)), found(opened, event)?)?;
            columns.push(format!("{raw} AS \"raw\""));
        }
        let repeated = stream.collapse.and_then(|id| self.catalog.event(id)).and_then(|e| e.event_id.as_ref());
        if let Some(id) = repeated {
            let column = read::raw(&format!("s.{}", text::name(id)), found(opened, id)?)?;
            columns.push(format!("NULLIF({column}, '') AS \"id\""));
        }
        columns.extend(stream.fields.iter().map(|f| format!("{} AS {}", f.text, text::name(&f.name))));
        let mut from = format!("{} s", text::name(self.names.source(stream.source)));
        for (j, (id, on)) in stream.joins.iter().enumerate() {
            let Some(lookup) = self.catalog.lookups.get(id.index()) else { return not("an unknown look-up") };
            let Some(Some(there)) = self.tables.lookups.get(id.index()) else { return not("a look-up without table") };
            let own = read::id(&format!("s.{}", text::name(on)), found(opened, on)?, false)?;
            let key = read::id(&format!("l{j}.{}", text::name(&lookup.key)), found(there, &lookup.key)?, false)?;
            let table = text::name(self.names.lookup(id.index()));
            from += &format!("\n    LEFT JOIN {table} l{j} ON {key} = {own}");
        }
        let rows = format!("{} rows", stream.name);
        let mut parts = vec![(rows.clone(), format!("SELECT {}\n    FROM {from}", columns.join(",\n      ")))];
        let mut last = rows;
        let deepest = stream.derived.iter().map(|d| d.layer).max().unwrap_or(0);
        for layer in 1..=deepest {
            let of = stream.derived.iter().filter(|d| d.layer == layer);
            let more: Vec<String> = of.map(|d| format!("{} AS {}", d.text, text::name(&d.name))).collect();
            if more.is_empty() {
                continue;
            }
            let next = format!("{} rows {layer}", stream.name);
            parts.push((
                next.clone(),
                format!("SELECT e.*, {}\n    FROM {} e", more.join(",\n      "), text::name(&last)),
            ));
            last = next;
        }
        let mut wanted = vec!["e.\"customer\" IS NOT NULL".to_owned()];
        // A repeat may lie before the window, so all rows are asked for there.
        let from = if stream.collapse.is_some() || self.everybody { i64::MIN } else { stream.from };
        wanted.extend(text::between("e.\"time\"", from, self.clock.as_of));
        let flag = |id: &EventId| text::name(&format!("is {}", self.catalog.event(*id).map_or("", |e| &e.name.name)));
        let all = match stream.kinds.as_slice() {
            [(id, condition)] => {
                wanted.push(condition.clone());
                format!(
                    "SELECT e.*, TRUE AS {}\n    FROM {} e\n    WHERE {}",
                    flag(id),
                    text::name(&last),
                    wanted.join("\n      AND ")
                )
            }
            kinds => {
                let flags: Vec<String> =
                    kinds.iter().map(|(id, is)| format!("COALESCE({is}, FALSE) AS {}", flag(id))).collect();
                let any: Vec<String> = kinds.iter().map(|(id, _)| format!("e.{}", flag(id))).collect();
                let next = format!("{} kinds", stream.name);
                let body = format!(
                    "SELECT e.*, {}\n    FROM {} e\n    WHERE {}",
                    flags.join(",\n      "),
                    text::name(&last),
                    wanted.join("\n      AND ")
                );
                parts.push((next.clone(), body));
                format!("SELECT e.*\n    FROM {} e\n    WHERE {}", text::name(&next), any.join(" OR "))
            }
        };
        if repeated.is_none() {
            parts.push((format!("{} events", stream.name), all));
            return Ok(parts);
        }
        parts.push((format!("{} repeated", stream.name), all));
        let of = stream.collapse.and_then(|id| self.catalog.event(id));
        let mut order = vec!["e.\"time\"".to_owned()];
        for field in of.iter().flat_map(|e| &e.properties).filter_map(|p| self.field_of(stream, p)) {
            order.push(format!("e.{} NULLS FIRST", text::name(&field)));
        }
        let place = format!(
            "SELECT e.*, ROW_NUMBER() OVER (PARTITION BY e.\"customer\", e.\"id\" ORDER BY {}) AS \"place\"\n    FROM {} e",
            order.join(", "),
            text::name(&format!("{} repeated", stream.name))
        );
        parts.push((format!("{} placed", stream.name), place));
        let first = format!(
            "SELECT e.*\n    FROM {} e\n    WHERE e.\"id\" IS NULL OR e.\"place\" = 1",
            text::name(&format!("{} placed", stream.name))
        );
        parts.push((format!("{} events", stream.name), first));
        Ok(parts)
    }

    fn field_of(&self, stream: &Stream, property: &crate::language::catalog::Property) -> Option<String> {
        let zone = self.catalog.sources.get(stream.source).and_then(|s| s.timezone.as_deref());
        let how = Reading { ty: property.ty, fold: property.fold, empty_is_value: property.empty_is_value, zone };
        let key = format!("{:?} {how:?}", property.column);
        stream.fields.iter().find(|f| f.key == key).map(|f| f.name.clone())
    }

    /// The rows of a stream, by this alias.
    pub fn rows(&self, stream: usize, alias: &str) -> String {
        let name = self.streams.get(stream).map_or("", |s| s.name.as_str());
        format!("{} {alias}", text::name(&format!("{name} events")))
    }

    /// Takes note of from when on rows of a stream are asked for.
    pub fn from(&mut self, stream: usize, lo: i64) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.from = stream.from.min(lo);
        }
    }
}

/// Whether a stream has a column of its own of this name; engines tell names apart by their letters only.
fn taken(name: &str) -> bool {
    let own = ["customer", "time", "raw", "id", "row", "place", "day", "month"];
    own.iter().any(|own| own.eq_ignore_ascii_case(name)) || name.contains(' ') && !name.contains('.')
}

fn found<'a>(table: &'a Opened, column: &str) -> Said<&'a arrow::datatypes::DataType> {
    table.column(column).ok_or_else(|| Why("a column that is not there".into()))
}
