//! What a run would change against what is published.
//!
//! Owns: the two forms of that, and the plan file. Promises: nothing is published.

use std::path::Path;

use comfy_table::{Cell, CellAlignment};
use serde_json::{Value, json};

use super::super::asked::Prepared;
use super::super::output::{Failure, Form, Out, plural};
use super::super::run::{block_on, campaigns};
use super::super::show::{SCHEMA, grouped, lined};
use super::super::{Exit, moment, progress};
use super::Args;
use crate::audience::store::{Draft, EntryKind, Store};
use crate::audience::turn::{Done, Job, Proposal, Summary, Then, turns};
use crate::engine::Keep;
use crate::error::Error;
use crate::language::calendar::Clock;

pub(super) fn run(args: &Args, prepared: &Prepared, store: &Store, out: &Out) -> Result<Exit, Failure> {
    let job = Job {
        project: &prepared.project,
        program: &prepared.program,
        keep: Keep::Off,
        limits: args.limits.of(&prepared.project),
        population: false,
        progress: progress::of_run(out),
    };
    // No lock: what is staged is nobody's until it is applied, and that asks whether anything else was published.
    let work = turns(&job, store, &prepared.clock, args.catch_up.of(), Then::Wait);
    let done = block_on(args.limits.threads, work)?;
    if let Some(file) = &args.out {
        moment::in_time(&prepared.clock)?;
        write(file, &Proposal::new(&prepared.project, &done)?.text()?)?;
    }
    let changes = Changes::of(&done);
    match args.format {
        Form::Text => out.print(&changes.table(prepared, store, out.table_width()))?,
        Form::Json => out.print(&format!("{:#}\n", changes.json(prepared, store)))?,
    }
    if let Some(file) = &args.out {
        out.note(&format!("\nwrote the plan to `{0}`; `segue apply '{0}'` publishes exactly that", file.display()));
    }
    Ok(if args.exit_code && changes.any() { Exit::Findings } else { Exit::Ok })
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(file, text).map_err(|why| Error::io("cannot write", file, why))
}

/// What is different.
struct Changes<'a> {
    done: &'a Done,
    rows: Vec<Row<'a>>,
    gone: Vec<&'a str>,
}

/// One audience.
struct Row<'a> {
    name: &'a str,
    /// `new`, `changed`, `renamed from …`; nothing where the rule is the same.
    rule: String,
    members: u64,
    entered: u64,
    left: u64,
}

impl<'a> Changes<'a> {
    fn of(done: &'a Done) -> Changes<'a> {
        let Some(last) = done.drafts.last() else { return Changes { done, rows: Vec::new(), gone: Vec::new() } };
        let before = done.before.as_ref();
        // Over all turns: who entered in one and left in the next is in both.
        let total = |name: &str, of: fn(&crate::audience::store::Count) -> u64| {
            done.drafts.iter().filter_map(|draft| draft.counts.get(name)).map(of).sum()
        };
        let audiences = last.program.iter().filter(|e| !matches!(e.kind, EntryKind::Trait | EntryKind::Policy));
        let rows = audiences.filter_map(|entry| {
            let count = last.counts.get(&entry.name)?;
            Some(Row {
                name: &entry.name,
                rule: rule(before, last, &entry.name, &entry.sha256),
                members: count.members,
                entered: total(&entry.name, |count| count.entered),
                left: total(&entry.name, |count| count.left),
            })
        });
        let rows = rows.collect();
        let kept = |name: &str| {
            last.entry(name).is_some() || last.names.values().any(|former| former.iter().any(|f| f == name))
        };
        let gone = before.into_iter().flat_map(|b| &b.program).map(|e| e.name.as_str()).filter(|name| !kept(name));
        Changes { done, rows, gone: gone.collect() }
    }

    fn any(&self) -> bool {
        let contacts = |summary: &Summary| summary.campaigns.iter().any(|c| c.sent() + c.held_out > 0);
        let rules =
            |draft: &Draft| draft.program.iter().map(|e| (e.name.clone(), e.sha256.clone())).collect::<Vec<_>>();
        let edited = self.done.before.as_ref().zip(self.done.drafts.last()).is_some_and(|(a, b)| rules(a) != rules(b));
        edited
            || !self.gone.is_empty()
            || self.rows.iter().any(|row| row.entered + row.left > 0 || !row.rule.is_empty())
            || self.done.summaries.iter().any(contacts)
    }

    fn table(&self, prepared: &Prepared, store: &Store, width: Option<u16>) -> String {
        let name = &prepared.project.file.name.name;
        let mut out = format!("{name} as of {}, {}\n", moment::shown(&prepared.clock), self.base(store));
        if self.done.drafts.is_empty() {
            out.push_str("\nthat instant was decided and published before; nothing would change\n");
            return out;
        }
        let changed: Vec<&Row> = self.rows.iter().filter(|r| r.entered + r.left > 0 || !r.rule.is_empty()).collect();
        out.push('\n');
        if !changed.is_empty() {
            let mut table = lined(width);
            table.set_header(["audience", "members", "+entered", "−left", "rule"]);
            for row in &changed {
                let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
                let signed = |sign: &str, n: u64| if n == 0 { String::new() } else { format!("{sign}{}", count(n)) };
                table.add_row([
                    Cell::new(row.name),
                    right(count(row.members)),
                    right(signed("+", row.entered)),
                    right(signed("−", row.left)),
                    Cell::new(&row.rule),
                ]);
            }
            out.push_str(&format!("{table}\n"));
        }
        let same = self.rows.len() - changed.len();
        if same > 0 {
            out.push_str(&format!("{} would stay as they are\n", plural(same, "audience")));
        }
        for name in &self.gone {
            out.push_str(&format!("`{name}` is no longer declared\n"));
        }
        let (mut contacts, mut cost) = (0, 0);
        for summary in self.done.summaries.iter().filter(|summary| !summary.campaigns.is_empty()) {
            let at = Clock { as_of: summary.at, zone: prepared.clock.zone.clone() };
            out.push_str(&format!("\ncampaigns at {}\n\n", moment::shown(&at)));
            out.push_str(&campaigns::table(summary, width));
            contacts += summary.campaigns.iter().map(|c| c.sent()).sum::<usize>();
            cost += summary.campaigns.iter().map(|c| c.cost).sum::<i128>();
        }
        let currency = prepared.project.file.currency.as_deref().unwrap_or_default();
        let money = campaigns::money(cost);
        out.push_str(&format!("\nall together: {} for {money} {currency}", plural(contacts, "contact")));
        format!("{}\n", out.trim_end())
    }

    fn base(&self, store: &Store) -> String {
        match self.done.base {
            Some(base) => format!("after version {base} in `{}`", store.address()),
            None => format!("nothing is published yet in `{}`", store.address()),
        }
    }

    fn json(&self, prepared: &Prepared, store: &Store) -> Value {
        let row = |row: &Row| json!({ "name": row.name, "members": row.members, "entered": row.entered, "left": row.left, "rule": row.rule });
        let turn = |summary: &Summary| {
            let at = Clock { as_of: summary.at, zone: prepared.clock.zone.clone() };
            json!({ "at": moment::shown(&at), "campaigns": campaigns::json(summary) })
        };
        json!({
            "schema": SCHEMA,
            "project": prepared.project.file.name.name,
            "as_of": moment::shown(&prepared.clock),
            "store": store.address(),
            "base": self.done.base,
            "changes": self.any(),
            "audiences": self.rows.iter().map(row).collect::<Vec<_>>(),
            "gone": self.gone,
            "decisions": self.done.summaries.iter().map(turn).collect::<Vec<_>>(),
        })
    }
}

fn count(n: u64) -> String {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// How a rule is different from what it was.
fn rule(before: Option<&Draft>, now: &Draft, name: &str, sha256: &str) -> String {
    let Some(before) = before else { return "new".to_owned() };
    match now.names_of(name).find_map(|name| before.entry(name)) {
        None => "new".to_owned(),
        Some(entry) if entry.name != name => format!("was {}", entry.name),
        Some(entry) if entry.sha256 != sha256 => "changed".to_owned(),
        Some(_) => String::new(),
    }
}
