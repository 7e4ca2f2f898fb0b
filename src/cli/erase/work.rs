//! Erasure with the engine: read the ids, erase, tell.

use super::super::output::{Failure, Form, Out, plural};
use super::super::run::block_on;
use super::super::{Exit, Global, interrupt, keeper, moment, workspace};
use super::Args;
use crate::audience::erase::{Destination, Receipt, Request, State, erase};
use crate::audience::store::Tool;
use crate::engine::Limits;
use crate::error::Error;
use crate::language::calendar::{Clock, Zone, tzdb_version};
use crate::language::diagnostic::render::visible;

pub(super) fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    interrupt::watch();
    let ids = ids(args)?;
    let project = workspace::load(None, global)?;
    // A mistake in a rule is no reason to keep anybody.
    if workspace::complain(&project.sources, &workspace::of_catalog(&project), out) {
        return Ok(Exit::Project);
    }
    let store = keeper::store(args.store.as_deref(), &project)?;
    let zone = Zone::new(&project.file.timezone).unwrap_or_else(Zone::utc);
    let at = moment::shown(&Clock { as_of: moment::now(), zone });
    let request = Request {
        project: &project,
        ids: &ids,
        limits: Limits::default(),
        tool: Tool { version: env!("CARGO_PKG_VERSION").to_owned(), tzdb: tzdb_version().to_owned() },
        at: &at,
        dry_run: args.dry_run,
    };
    // What can't be found out any more once it broke off is said at once.
    let told = |all: &[Destination]| all.iter().for_each(|one| out.note(&format!("note: {}", destination(one))));
    let work = erase(&request, store.as_ref(), &told);
    let done = match &store {
        Some(store) if !args.dry_run => keeper::locked(None, store, "erase", work),
        _ => block_on(None, work),
    };
    if let Err(Failure::Error(Error::Interrupted)) = &done {
        out.note("what is done stays done; the same call completes it");
    }
    let receipt = done?;
    match args.format {
        Form::Json => {
            let json = serde_json::to_string_pretty(&receipt)
                .map_err(|e| Error::Engine { message: e.to_string(), help: None })?;
            out.print(&format!("{json}\n"))?;
        }
        Form::Text => {
            let kept = store.as_ref().map(|store| format!("{}/{}", store.address(), receipt.name()));
            out.print(&text(&receipt, kept.as_deref()))?;
        }
    }
    Ok(Exit::Ok)
}

/// The ids of the command line and of the file.
fn ids(args: &Args) -> Result<Vec<String>, Error> {
    let mut ids = args.ids.clone();
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path).map_err(|why| Error::io("cannot read the ids", path, why))?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        ids.extend(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned));
    }
    ids.sort();
    ids.dedup();
    if ids.iter().any(|id| id.trim().is_empty()) || ids.is_empty() {
        return Err(Error::usage("there is no id to erase").with_help("name one: `segue erase ID`"));
    }
    Ok(ids)
}

fn destination(one: &Destination) -> String {
    let (name, audience) = (visible(&one.destination), visible(&one.audience));
    match one.in_it {
        true => format!("destination `{name}` has version {} of `{audience}`, which held them: tell it", one.version),
        false => {
            format!("destination `{name}` may know them from `{audience}`, before version {}: tell it", one.version)
        }
    }
}

fn text(receipt: &Receipt, kept: Option<&str>) -> String {
    let n = |n: u64, word: &str| plural(usize::try_from(n).unwrap_or(usize::MAX), word);
    let removed = &receipt.removed;
    let ids: usize = receipt.people.iter().map(|person| person.ids.len()).sum();
    let dry = receipt.state == State::Asked;
    let mut out = format!(
        "{} with {}: {} in the file of erased ids\n",
        plural(receipt.people.len(), "person").replace("persons", "people"),
        plural(ids, "id"),
        n(receipt.entries, if dry { "entry to come" } else { "new entry" }).replace("entrys", "entries"),
    );
    let verb = if dry { "to take out" } else { "taken out" };
    out.push_str(&format!("{verb}: {} of {} of the store\n", n(removed.rows, "row"), n(removed.data_files, "file")));
    for (count, what) in [
        (removed.cells + removed.output_cells, "cell of others"),
        (removed.letters, "row of dead letters"),
        (removed.reports, "report of audits"),
        (removed.unfinished, "unfinished object"),
        (removed.output_rows, "row of files in `output`"),
        (removed.output_whole, "file in `output` as a whole"),
    ] {
        if count > 0 {
            let (head, tail) = what.split_once(' ').unwrap_or((what, ""));
            let plural = if count == 1 {
                what.to_owned()
            } else if head == "unfinished" {
                format!("{what}s")
            } else {
                format!("{head}s {tail}")
            };
            out.push_str(&format!("{verb}: {count} {plural}\n"));
        }
    }
    if removed.cache {
        out.push_str(&format!("{verb}: the cache, whole\n"));
    }
    if let Some(version) = receipt.version {
        out.push_str(&format!("published version {version} without them\n"));
    }
    if receipt.state == State::Done {
        let searched = &receipt.searched;
        out.push_str(&format!(
            "searched {} with {}: {} hold them\n",
            n(searched.objects, "object"),
            n(searched.rows, "row"),
            searched.holding
        ));
        if let Some(kept) = kept {
            out.push_str(&format!("receipt: {}\n", visible(kept)));
        }
    }
    out
}
