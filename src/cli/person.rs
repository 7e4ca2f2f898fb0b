//! `segue person`: all that is known of one person.

use super::output::{Failure, Form, Out};
use super::{Exit, Global};

/// Show all that is known of one person: raw events, profile, lists, audiences, decisions, deliveries
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "engine"), allow(dead_code))]
#[command(after_help = "\
Examples:
  segue person c-4711 --format json > c-4711.json
  segue person c-4711 | less

Every row that the files of the catalog have of the customer and of all ids that are linked to him, with all
columns; and of every version that is kept what was decided about him and why, what was sent, who was told.

Exit code: 0 done, also where nothing is known · 2 wrong call · 3 the catalog has errors
4 files, store or engine · 130 interrupted")]
pub struct Args {
    /// An id, as the files have it.
    id: String,
    /// Where decisions are kept; otherwise the project's `store`.
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

#[cfg(not(feature = "engine"))]
pub fn run(_: &Args, _: &Global, _: &Out) -> Result<Exit, Failure> {
    Err(super::output::no_engine("person"))
}

#[cfg(feature = "engine")]
pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    use super::{interrupt, keeper, workspace};
    use crate::audience::person::person;
    use crate::engine::Limits;
    use crate::error::Error;
    use crate::language::diagnostic::render::visible;

    interrupt::watch();
    let project = workspace::load(None, global)?;
    if workspace::complain(&project.sources, &workspace::of_catalog(&project), out) {
        return Ok(Exit::Project);
    }
    let store = keeper::store(args.store.as_deref(), &project)?;
    let found = super::run::block_on(None, person(&project, Limits::default(), &args.id, store.as_ref()))?;
    match args.format {
        Form::Json => {
            let json = serde_json::to_string_pretty(&found)
                .map_err(|e| Error::Engine { message: e.to_string(), help: None })?;
            out.print(&format!("{json}\n"))?;
        }
        Form::Text => out.print(&table(&found))?,
    }
    if !found.known {
        out.note(&format!("nothing is known of `{}`", visible(&args.id)));
    }
    Ok(Exit::Ok)
}

/// Section by section, a line a row.
#[cfg(feature = "engine")]
fn table(person: &crate::audience::person::Person) -> String {
    use crate::language::diagnostic::render::visible;
    let mut out = format!("customer {}, ids: {}\n", person.customer, person.ids.join(", "));
    if person.erased {
        out.push_str("erased: no run has this customer\n");
    }
    let mut part = |name: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n{name} ({})\n", lines.len()));
            lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
        }
    };
    part("profiles", person.profiles.iter().map(ToString::to_string).collect());
    part("links", person.links.iter().map(|link| format!("{} {}", link.table, link.row)).collect());
    part("lists", person.lists.clone());
    let event = |event: &crate::audience::person::Event| {
        format!("{} {} {}", event.time.as_deref().unwrap_or("-"), event.source, event.row)
    };
    part("events", person.events.iter().map(event).collect());
    part("audiences", person.audiences.iter().map(|one| format!("{} {}", one.audience, one.row)).collect());
    part("history", person.history.iter().map(ToString::to_string).collect());
    let published = |one: &crate::audience::person::Published| {
        let audience = one.audience.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("version {} as of {}{audience} {}", one.version, one.as_of, one.row)
    };
    part("decisions", person.decisions.iter().map(published).collect());
    part("campaigns", person.campaigns.iter().map(published).collect());
    let delivery = |one: &crate::audience::erase::Destination| {
        let when = if one.in_it { "in" } else { "perhaps before" };
        format!("{} {} {when} version {}", one.destination, one.audience, one.version)
    };
    part("deliveries", person.deliveries.iter().map(delivery).collect());
    // What others wrote may hold control characters.
    out.lines().map(|line| format!("{}\n", visible(line))).collect()
}
