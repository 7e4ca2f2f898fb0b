//! Deliveries with the engine: which audiences go where, one after the other, and what is told of them.

use std::path::Path;
use std::sync::Arc;

use indicatif::{HumanCount, ProgressBar};
use serde_json::{Value, json};

use super::super::output::{Failure, Form, Out, plural};
use super::super::run::block_on;
use super::super::{Exit, Global, keeper, moment, progress, workspace};
use super::Args;
use crate::audience::deliver::retry::Patience;
use crate::audience::deliver::{
    Delivered, Machine, Request, Step, Told, deliver, files, is_contacts, known_as, left_behind, open, shelf, versions,
};
use crate::audience::store::{Chain, Manifest, Store, Table};
use crate::engine::write;
use crate::error::Error;
use crate::language::catalog::{Destination, Mode, To};
use crate::language::diagnostic::nearest;
use crate::language::ir::Program;
use crate::project::Project;

/// The version of the JSON.
const SCHEMA: u32 = 1;

/// One audience to one destination.
struct Pair<'p> {
    audience: &'p str,
    destination: &'p Destination,
}

pub(super) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let mut project = workspace::load(None, global)?;
    let checked = project.check(None);
    if workspace::complain(&project.sources, &checked.diagnostics, out) {
        return Ok(Exit::Project);
    }
    let store = keeper::needed(args.store.as_deref(), &project)?;
    let chain = block_on(None, store.chain())?;
    let latest = chain.latest().ok_or_else(|| {
        Error::usage(format!("nothing was published to `{}` yet", store.address())).with_help("`segue run` does it")
    })?;
    let mut told: Vec<(Pair<'_>, Result<Delivered, Error>)> = Vec::new();
    if args.names.is_empty() {
        leave_behind(args, &project, (&store, &chain), out)?;
    }
    for pair in pairs(args, (&project, &checked.program), latest, out)? {
        let done = one(args, &project, &checked.program, (&store, &chain), &pair, out);
        match done {
            Err(Failure::Error(Error::Interrupted)) => {
                out.note("what was delivered so far is remembered; the same call goes on from there");
                return Err(Error::Interrupted.into());
            }
            Err(Failure::Pipe) => return Err(Failure::Pipe),
            // A destination that is away is no reason to keep the others waiting.
            Err(Failure::Error(error)) => {
                out.error(&error);
                told.push((pair, Err(error)));
            }
            Ok(done) => {
                if args.format == Form::Text {
                    out.print(&said(&pair, &done))?;
                }
                told.push((pair, Ok(done)));
            }
        }
    }
    if args.format == Form::Json {
        let all: Vec<Value> = told.iter().flat_map(|(pair, done)| values(pair, done)).collect();
        let whole = json!({
            "schema": SCHEMA, "project": project.file.name.name, "version": latest.version, "deliveries": all,
        });
        out.print(&format!("{whole:#}\n"))?;
    }
    let failed = told.iter().find_map(|(_, done)| done.as_ref().err());
    let dead = told.iter().any(|(_, done)| done.as_ref().is_ok_and(|done| letters(done) > 0));
    Ok(match failed {
        Some(error) => error.exit(),
        None if dead => Exit::Findings,
        None => Exit::Ok,
    })
}

/// What goes where, by destination and then by name.
fn pairs<'p>(
    args: &'p Args,
    (project, program): (&'p Project, &'p Program),
    latest: &'p Manifest,
    out: &Out,
) -> Result<Vec<Pair<'p>>, Error> {
    let destinations = &project.catalog.destinations;
    if destinations.is_empty() {
        return Err(Error::usage("the catalog has no `destinations`").with_help(
            "declare one, such as `destinations: {drop: {kind: csv, path: out/drop}}` (`segue schema catalog`)",
        ));
    }
    let names: Vec<&str> = destinations.iter().map(|d| d.name.name.as_str()).collect();
    if let Some(unknown) = args.to.iter().find(|to| !names.contains(&to.as_str())) {
        return Err(meant(format!("the catalog has no destination `{unknown}`"), unknown, &names));
    }
    let audiences: Vec<&str> = latest.draft.of(Table::Audience).map(|file| file.name.as_str()).collect();
    if let Some(unknown) = args.names.iter().find(|name| !audiences.contains(&name.as_str())) {
        let message = format!("version {} has no audience `{unknown}`", latest.version);
        return Err(meant(message, unknown, &audiences));
    }
    // A campaign that goes by no channel is a list to look at; who asks for it by name is told so.
    let channels = |name: &str| {
        let rule = program.rules.iter().find(|rule| rule.name == name)?;
        Some(program.campaign(rule)?.channels().count())
    };
    let unasked = |destination: &Destination| args.names.is_empty() && destination.audiences.is_none();
    let listed: Vec<&str> = audiences.iter().copied().filter(|name| channels(name) == Some(0)).collect();
    for name in listed.iter().filter(|_| destinations.iter().any(unasked)) {
        out.note(&format!("note: `{name}` goes by no channel, and is not delivered"));
    }
    let mut pairs = Vec::new();
    for destination in destinations.iter().filter(|d| args.to.is_empty() || args.to.contains(&d.name.name)) {
        for &audience in &audiences {
            let asked = args.names.is_empty() || args.names.iter().any(|name| name == audience);
            if asked && destination.takes(audience) && !(unasked(destination) && listed.contains(&audience)) {
                pairs.push(Pair { audience, destination });
            }
        }
    }
    if pairs.is_empty() {
        return Err(Error::usage("no destination takes any of these audiences")
            .with_help("`audiences:` beside a destination in the catalog says which it takes"));
    }
    Ok(pairs)
}

/// Says which contacts nobody will get.
fn leave_behind(args: &Args, project: &Project, (store, chain): (&Store, &Chain), out: &Out) -> Result<(), Failure> {
    for destination in
        project.catalog.destinations.iter().filter(|d| args.to.is_empty() || args.to.contains(&d.name.name))
    {
        for (name, versions) in block_on(None, left_behind(store, chain, destination))? {
            let n = plural(versions.len(), "decision");
            let to = &destination.name.name;
            out.note(&format!(
                "campaign `{name}` is not in the newest version any more: {n} of it that `{to}` has not got will not be delivered"
            ));
        }
    }
    Ok(())
}

fn meant(message: String, unknown: &str, known: &[&str]) -> Error {
    let help = match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    Error::usage(message).with_help(help)
}

fn one(
    args: &Args,
    project: &Project,
    program: &Program,
    (store, chain): (&Store, &Chain),
    pair: &Pair<'_>,
    out: &Out,
) -> Result<Delivered, Failure> {
    let Pair { audience, destination } = *pair;
    apart(project, pair)?;
    let known_as = known_as(chain, audience);
    let versions = versions(chain, audience);
    if versions.is_empty() {
        // Published before anything was decided, or all of it was cleared away.
        return Ok(Delivered::Nothing { version: 0, dead: 0 });
    }
    let campaign = program.campaigns.iter().find(|c| {
        let rule = program.rules.get(c.rule.0 as usize);
        rule.is_some_and(|rule| rule.name == audience)
    });
    let payload: Vec<(String, bool)> =
        campaign.iter().flat_map(|c| &c.with).map(|payload| (payload.name.clone(), payload.pii)).collect();
    let bar = progress::bar(out, 0, "{msg}, {eta} left");
    let watch = watch(&bar, pair);
    let request = Request {
        project: &project.file.name.name,
        audience,
        known_as,
        versions: &versions,
        contacts: is_contacts(chain, audience),
        destination,
        catalog: &project.catalog,
        payload: &payload,
        mode: match (args.full, args.delta) {
            (true, _) => Some(Mode::Full),
            (_, true) => Some(Mode::Delta),
            _ => None,
        },
        again: args.again,
        resume: args.resume,
        dry_run: args.dry_run,
        progress: Some(&watch),
    };
    let machine = Machine {
        root: project.root.clone(),
        now: Arc::new(|| moment::now().div_euclid(1_000_000)),
        patience: Patience::default(),
    };
    let mut shelf = shelf(store, &destination.name.name, known_as);
    let done = block_on(None, deliver(&request, store, &mut shelf, || open(destination, &machine)));
    bar.finish_and_clear();
    done
}

/// Delivered files are not among those that the next run reads.
fn apart(project: &Project, pair: &Pair<'_>) -> Result<(), Error> {
    let To::Files { kind, path } = &pair.destination.to else { return Ok(()) };
    if path.contains("://") {
        return Ok(());
    }
    let folder = project.root.join(Path::new(path));
    write::apart(&project.catalog, &project.root, &folder, &files::names(pair.audience, *kind))
}

fn watch(bar: &ProgressBar, pair: &Pair<'_>) -> impl Fn(&Step) + Send + Sync + use<> {
    let bar = bar.clone();
    let what = format!("{} → {}", pair.audience, pair.destination.name.name);
    move |step: &Step| {
        bar.set_length(step.of);
        bar.set_position(step.batches);
        bar.set_message(format!("{what}: {} of {} batches, {} rows", step.batches, step.of, HumanCount(step.rows)));
    }
}

fn letters(done: &Delivered) -> u64 {
    match done {
        Delivered::Nothing { dead, .. } => *dead,
        Delivered::Would(_) => 0,
        // Of what broke off before and of a newer one, only the last counts: its letters are those that are left.
        Delivered::Done(told) => told.last().map_or(0, |told| told.dead.len() as u64),
    }
}

/// `vip → crm: version 7, 12 rows new or changed, 3 gone, 988 as they were`
fn said(pair: &Pair<'_>, done: &Delivered) -> String {
    let what = format!("{} → {}", pair.audience, pair.destination.name.name);
    match done {
        Delivered::Nothing { version: 0, .. } => format!("{what}: nothing to do\n"),
        Delivered::Nothing { version, dead } => {
            let letters = match dead {
                0 => String::new(),
                n => format!(", but for {} (`segue deliver --resume`)", plural(count(*n), "dead letter")),
            };
            format!("{what}: nothing to do, it has version {version}{letters}\n")
        }
        Delivered::Would(all) => all.iter().map(|told| format!("{what}: would be {}", line(told))).collect(),
        Delivered::Done(all) => all.iter().map(|told| format!("{what}: {}", line(told))).collect(),
    }
}

fn line(told: &Told) -> String {
    let number = |n: u64| HumanCount(n).to_string();
    let mut text = format!("version {}, ", told.which.version);
    text.push_str(&match (told.which.mode, told.which.base) {
        (Mode::Full, _) => format!("{} rows", number(told.counts.upserts)),
        (Mode::Delta, None) => format!("{} rows, the first ones", number(told.counts.upserts)),
        (Mode::Delta, Some(base)) => format!(
            "{} new or changed, {} gone, {} as in version {base}",
            number(told.counts.upserts),
            number(told.counts.deletes),
            number(told.counts.unchanged)
        ),
    });
    if told.counts.refused > 0 {
        text.push_str(&format!(", {} left out who may not be reached any more", number(told.counts.refused)));
    }
    if let Some(cells) = told.counts.neutralised.filter(|cells| *cells > 0) {
        text.push_str(&format!(", {} neutralised", plural(count(cells), "formula")));
    }
    if told.batches > 1 {
        text.push_str(&format!(", {} batches", number(told.batches)));
    }
    if told.resumed > 0 && told.resumed < told.batches {
        text.push_str(&format!(", {} of them before", number(told.resumed)));
    }
    if told.repeated {
        text.push_str(", which it had already");
    }
    text.push('\n');
    for dead in &told.dead {
        let rows = plural(count(dead.rows), "row");
        text.push_str(&format!("  batch {} ({rows}) is a dead letter: {}\n", dead.batch + 1, dead.reason));
    }
    text
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn values(pair: &Pair<'_>, done: &Result<Delivered, Error>) -> Vec<Value> {
    let head = |state: &str, more: Value| {
        let mut value = json!({
            "audience": pair.audience, "destination": pair.destination.name.name, "state": state,
        });
        if let (Some(to), Value::Object(more)) = (value.as_object_mut(), more) {
            to.extend(more);
        }
        value
    };
    match done {
        Err(error) => vec![head("failed", json!({"error": error.to_string(), "help": error.help()}))],
        Ok(Delivered::Nothing { version, dead }) => {
            vec![head("nothing", json!({"version": (*version > 0).then_some(version), "dead_letters": dead}))]
        }
        Ok(Delivered::Would(all)) => all.iter().map(|told| head("would", value(told))).collect(),
        Ok(Delivered::Done(all)) => all.iter().map(|told| head("delivered", value(told))).collect(),
    }
}

fn value(told: &Told) -> Value {
    let dead: Vec<Value> = told
        .dead
        .iter()
        .map(|d| json!({"batch": d.batch + 1, "key": d.key, "rows": d.rows, "reason": d.reason}))
        .collect();
    json!({
        "version": told.which.version,
        "mode": told.which.mode.as_str(),
        "base": told.which.base,
        "idempotency_key": told.which.key,
        "upserts": told.counts.upserts,
        "deletes": told.counts.deletes,
        "unchanged": told.counts.unchanged,
        "refused": told.counts.refused,
        "neutralised": told.counts.neutralised,
        "batches": told.batches,
        "resumed": told.resumed,
        "repeated": told.repeated,
        "dead_letters": dead,
    })
}
