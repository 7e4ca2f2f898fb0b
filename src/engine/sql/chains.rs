//! Sequences as self joins.
//!
//! Owns: a join a step and an anti join for what must be absent. Promises: events of a chain are distinct rows.
//! Must not know: what stands around a sequence.

use super::read::{Kind, Said, not};
use super::values::Rows;
use super::{Bool, Writer};
use crate::language::catalog::{EventId, PropertyId};
use crate::language::ir::{Matching, Sequence, Window};

/// More joins than that are for nobody to read, and to wait for.
const STEPS: usize = 3;

impl Writer<'_> {
    pub fn sequence(&mut self, sequence: &Sequence) -> Said<Bool> {
        if sequence.steps.len() > STEPS {
            return not(format!("a sequence of more than {STEPS} steps"));
        }
        // All properties first: they tell rows apart.
        let mut values = Vec::new();
        let mut kinds: Vec<Kind> = Vec::new();
        for step in &sequence.steps {
            let (_, _) = self.event(step.matching.event)?;
            values.push(self.same_value(step.matching.event, step.same, &mut kinds)?);
        }
        let mut reads = 0;
        let mut joins: Vec<String> = Vec::new();
        let mut absent: Vec<String> = Vec::new();
        for (i, step) in sequence.steps.iter().enumerate() {
            let mut rows = match i {
                0 => self.open(&step.matching, &sequence.window, sequence.since.as_deref())?,
                _ => self.open(&step.matching, &Window::EVER, None)?,
            };
            if let Some(end) = step.pick {
                let (at, more) = self.picked(end, &step.matching)?;
                rows.filter = format!("{} AND e.\"time\" = {at}", rows.filter);
                rows.reads = rows.reads.max(more);
            }
            reads = reads.max(rows.reads);
            let mut columns = vec!["e.\"customer\"".to_owned(), "e.\"time\"".to_owned()];
            if let Some(Some(value)) = values.get(i) {
                columns.push(format!("{value} AS \"same\""));
                rows.filter = format!("{} AND {value} IS NOT NULL", rows.filter);
            }
            if i == 0
                && let Some(length) = sequence.all_within
            {
                columns.push(format!("{} AS \"until\"", self.later(rows.stream, "e", length)?));
            }
            let next = sequence.steps.get(i + 1);
            if let Some(length) = next.and_then(|s| s.after) {
                columns.push(format!("{} AS \"after\"", self.later(rows.stream, "e", length)?));
            }
            let within = match (next, &sequence.absence) {
                (Some(next), _) => next.within,
                (None, Some(absence)) => absence.within,
                (None, None) => None,
            };
            if let Some(length) = within {
                columns.push(format!("{} AS \"within\"", self.later(rows.stream, "e", length)?));
            }
            let numbered = self.alike(sequence, step.matching.event);
            let table = self.step_table(&rows, &columns, numbered);
            let mut on = Vec::new();
            if i > 0 {
                on.push(format!("s{i}.\"customer\" = s0.\"customer\""));
                on.push(format!("s{i}.\"time\" >= s{}.\"time\"", i - 1));
                for (j, before) in sequence.steps.iter().enumerate().take(i) {
                    if before.matching.event == step.matching.event {
                        on.push(format!("s{i}.\"row\" <> s{j}.\"row\""));
                    }
                }
                if step.after.is_some() {
                    on.push(format!("s{i}.\"time\" > s{}.\"after\"", i - 1));
                }
                if step.within.is_some() {
                    on.push(format!("s{i}.\"time\" <= s{}.\"within\"", i - 1));
                }
                if sequence.all_within.is_some() {
                    on.push(format!("s{i}.\"time\" <= s0.\"until\""));
                }
                if step.same.is_some() {
                    on.push(format!("s{i}.\"same\" = s0.\"same\""));
                }
            }
            joins.push(match i {
                0 => format!("({table}) s0"),
                _ => format!("JOIN ({table}) s{i} ON {}", on.join(" AND ")),
            });
            if let Some((matching, same)) = &step.without {
                let between = vec![
                    format!("u.\"time\" > s{}.\"time\"", i.saturating_sub(1)),
                    format!("u.\"time\" < s{i}.\"time\""),
                ];
                absent.push(self.absent(matching, *same, between, false, &mut kinds, &mut reads)?);
            }
        }
        let last = sequence.steps.len().saturating_sub(1);
        if let Some(absence) = &sequence.absence {
            let mut after = vec![format!("u.\"time\" >= s{last}.\"time\"")];
            if absence.within.is_some() {
                after.push(format!("u.\"time\" <= s{last}.\"within\""));
                absent.push(format!("s{last}.\"within\" < {}", super::text::instant(self.clock.as_of)));
            }
            let last_event = sequence.steps.last().map(|s| s.matching.event);
            let itself = last_event == Some(absence.matching.event);
            if itself {
                after.push(format!("u.\"row\" <> s{last}.\"row\""));
            }
            absent.push(self.absent(&absence.matching, absence.same, after, itself, &mut kinds, &mut reads)?);
        }
        let mut body = format!("SELECT DISTINCT s0.\"customer\", TRUE AS \"value\"\n    FROM {}", joins.join("\n    "));
        if !absent.is_empty() {
            body += &format!("\n    WHERE {}", absent.join("\n      AND "));
        }
        let (text, reads) = self.query(reads, body, Some("FALSE"));
        Ok(Bool::new(text, true, reads))
    }

    /// Whether rows of the event have to be told apart.
    fn alike(&self, sequence: &Sequence, event: EventId) -> bool {
        let absence = sequence.absence.as_ref().filter(|a| a.matching.event == event);
        sequence.steps.iter().filter(|s| s.matching.event == event).count() + usize::from(absence.is_some()) > 1
    }

    /// The property that has to be the same, of one kind in all events.
    fn same_value(&mut self, event: EventId, of: Option<PropertyId>, kinds: &mut Vec<Kind>) -> Said<Option<String>> {
        let Some(of) = of else { return Ok(None) };
        let (text, kind) = self.property(event, of)?;
        if kinds.first().is_some_and(|first| *first != kind) {
            return not("values of two types that have to be the same");
        }
        kinds.push(kind);
        Ok(Some(text))
    }

    fn step_table(&self, rows: &Rows, columns: &[String], numbered: bool) -> String {
        let mut from = self.joined(rows);
        let mut columns = columns.to_vec();
        if numbered {
            let plain = self.rows(rows.stream, "e");
            let all = format!("(SELECT e.*, {} AS \"row\" FROM {plain}) e", self.row_number(rows.stream));
            from = from.replacen(&plain, &all, 1);
            columns.push("e.\"row\"".to_owned());
        }
        format!("SELECT {}\n      FROM {from}\n      WHERE {}", columns.join(", "), rows.filter)
    }

    /// That no such event lies there.
    fn absent(
        &mut self,
        matching: &Matching,
        same: Option<PropertyId>,
        mut there: Vec<String>,
        numbered: bool,
        kinds: &mut Vec<Kind>,
        reads: &mut usize,
    ) -> Said<String> {
        let rows = self.open(matching, &Window::EVER, None)?;
        *reads = (*reads).max(rows.reads);
        let mut columns = vec!["e.\"customer\"".to_owned(), "e.\"time\"".to_owned()];
        if let Some(value) = self.same_value(matching.event, same, kinds)? {
            columns.push(format!("{value} AS \"same\""));
            there.push("u.\"same\" = s0.\"same\"".to_owned());
        }
        let table = self.step_table(&rows, &columns, numbered);
        Ok(format!(
            "NOT EXISTS (SELECT 1 FROM ({table}) u WHERE u.\"customer\" = s0.\"customer\" AND {})",
            there.join(" AND ")
        ))
    }
}
