//! Random projects from a seed: a catalog, rules as text, histories, an as-of instant and a zone.
//!
//! Rules are well-typed by construction and printed as people write them, so that parser, checker and formatter take part.

pub mod campaigns;
pub mod data;
pub mod dice;
pub mod laws;
pub mod order;
pub mod recorded;
pub mod rules;
pub mod values;
pub mod vocabulary;
pub mod words;

use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{Catalog, ProjectFile, load};
use segue::language::check::{CheckFile, check};
use segue::language::diagnostic::Diagnostic;
use segue::language::interpret::history::{CustomerId, History};
use segue::language::ir::Program;
use segue::language::source::Sources;
use segue::language::syntax::{Parsed, parse};

use dice::Dice;

/// A project with its data.
pub struct Batch {
    pub seed: u64,
    pub catalog_yaml: String,
    pub project_yaml: String,
    /// The project's YAML files, and nothing else.
    pub sources: Sources,
    pub catalog: Catalog,
    pub project: ProjectFile,
    /// The name of each declaration and its text. Most are segments and campaigns, some are traits.
    pub rules: Vec<(String, String)>,
    /// By customer. Ids are unique and in no order.
    pub histories: Vec<(String, History)>,
    /// Whether the ids are whole numbers.
    pub integer_ids: bool,
    pub clock: Clock,
}

/// What became of the rules.
pub struct Compiled {
    pub program: Program,
    /// Everything that was said about the rules.
    pub diagnostics: Vec<Diagnostic>,
    /// All texts, so that diagnostics can be shown.
    pub sources: Sources,
}

/// How much there is in a batch.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub rules: usize,
    pub customers: usize,
}

/// The zones and the local times at which conditions are asked; most lie next to a jump of the clock or a month's end.
const CLOCKS: &[(&str, &[&str])] = &[
    ("UTC", &["2026-11-21", "2024-02-29T12:00", "2025-03-31T23:59:59.999999"]),
    (
        "Europe/Paris",
        &["2026-03-29T12:00", "2026-10-25T02:30", "2026-03-30T02:30", "2026-11-21T08:00", "2024-03-31T02:15"],
    ),
    ("America/New_York", &["2026-03-08T12:00", "2025-11-02T01:30", "2025-12-02T01:30", "2026-01-01"]),
    ("Australia/Lord_Howe", &["2026-04-05T01:45", "2025-10-05T02:15", "2025-10-12T02:15", "2026-07-01"]),
    ("America/Sao_Paulo", &["2018-11-04T00:30", "2018-12-04", "2019-02-17T12:00"]),
    ("Asia/Kolkata", &["2026-11-21T05:30", "2024-03-01"]),
    ("Pacific/Apia", &["2011-12-31T10:00", "2012-01-06T10:00", "2012-01-30"]),
    ("Africa/Casablanca", &["2026-03-22T12:00", "2026-02-15T02:30"]),
];

/// The batch of a seed, in the usual size.
pub fn batch(seed: u64) -> Batch {
    sized(seed, Size { rules: 100, customers: 40 })
}

/// The batch of a seed with this many declarations and customers.
pub fn sized(seed: u64, size: Size) -> Batch {
    made(seed, size, false)
}

/// The same with rules that ask what earlier runs left behind, and customers of whom something is.
pub fn recorded(seed: u64, size: Size) -> Batch {
    made(seed, size, true)
}

fn made(seed: u64, size: Size, recording: bool) -> Batch {
    let mut dice = Dice::new(seed);
    let catalog_yaml = vocabulary::catalog(&mut dice);
    let (zone, moments) = dice.pick(CLOCKS);
    let project_yaml =
        format!("name: random\nedition: \"2026\"\ntimezone: {zone}\ncurrency: EUR\ncatalog: catalog.yaml\n");
    let mut sources = Sources::default();
    let project = read_project(&mut sources, &project_yaml, seed);
    let id = sources.add("catalog.yaml", catalog_yaml.as_str());
    let (catalog, said) = load::catalog(&mut sources, id);
    let catalog = match catalog {
        Some(catalog) if !said.iter().any(Diagnostic::is_error) => catalog,
        _ => panic!("seed {seed}: the catalog is wrong: {said:#?}\n{catalog_yaml}"),
    };
    let zone = Zone::new(zone).expect("a zone");
    let as_of = parse_moment(dice.word(moments), &zone).expect("an instant");
    let clock = Clock { as_of: as_of + *dice.pick(&[0, 0, 0, 1, -1]), zone };

    let mut writer = rules::Writer::new(&mut dice, &catalog, &clock);
    writer.recording = recording;
    let rules: Vec<(String, String)> = (0..size.rules)
        .map(|i| {
            let name = format!("r{i}");
            let text = writer.declaration(&name);
            (name, text)
        })
        .collect();
    let edges = std::mem::take(&mut writer.edges);
    let lengths = std::mem::take(&mut writer.lengths);
    let asked = std::mem::take(&mut writer.recorded);

    let moments = data::moments(&mut dice, &clock, &edges);
    let integer_ids = dice.chance(40);
    let mut filler = data::Filler { dice: &mut dice, catalog: &catalog, clock: &clock, moments, lengths };
    let histories = (0..size.customers)
        .map(|i| {
            let mut history = filler.history();
            if !asked.is_empty() {
                filler.record(&asked, &mut history);
            }
            // No sorted order: 7 and 11 as numbers and as text differ.
            let id = (i * 7919) % 10_007;
            let id = if integer_ids {
                (id as i64 - 50).to_string()
            } else {
                format!("{}{id}", filler.dice.pick(&["c", "é", "K-", ""]))
            };
            (id, history)
        })
        .collect();
    Batch { seed, catalog_yaml, project_yaml, sources, catalog, project, rules, histories, integer_ids, clock }
}

fn read_project(sources: &mut Sources, yaml: &str, seed: u64) -> ProjectFile {
    let id = sources.add("segue.yaml", yaml);
    let file = sources.get(id).expect("just added").clone();
    let (project, said) = load::project(&file);
    project.unwrap_or_else(|| panic!("seed {seed}: the project is wrong: {said:#?}"))
}

impl Batch {
    /// Parses and checks every rule; one file a declaration.
    pub fn compile(&self) -> Compiled {
        self.compile_texts(self.rules.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Parses and checks declarations other than the batch's own, one file each.
    pub fn compile_texts<'a>(&self, texts: impl Iterator<Item = (&'a str, &'a str)>) -> Compiled {
        let mut sources = self.sources.clone();
        let mut diagnostics = Vec::new();
        let mut parsed: Vec<(String, Parsed)> = Vec::new();
        for (name, text) in texts {
            let id = sources.add(format!("{name}.seg"), text);
            let file = parse(sources.get(id).expect("just added"));
            diagnostics.extend(file.diagnostics.iter().cloned());
            parsed.push((name.to_owned(), file));
        }
        let files: Vec<CheckFile> = parsed.iter().map(|(stem, p)| CheckFile { stem, parsed: &p.file }).collect();
        let checked = check(&sources, &self.catalog, &self.project, &files);
        diagnostics.extend(checked.diagnostics);
        Compiled { program: checked.program, diagnostics, sources }
    }

    /// The customers as the interpreter knows them.
    pub fn customers(&self) -> Vec<(CustomerId, History)> {
        customers(&self.histories, self.integer_ids)
    }

    /// The text of a declaration.
    pub fn text(&self, name: &str) -> &str {
        self.rules.iter().find(|(n, _)| n == declared(name)).map_or("", |(_, text)| text)
    }

    /// All that is needed to understand a difference: who, which rule, which history, and how to see it again.
    pub fn explain(&self, rule: &str, customer: &str, what: &str) -> String {
        let history = self.histories.iter().find(|(id, _)| id == customer);
        let mut text = format!("SEGUE_SEED={} rule {rule}, customer {customer:?}: {what}\n", self.seed);
        text += &format!(
            "as of {} in {} ({} µs)\n\n",
            shown(self.clock.as_of, &self.clock.zone),
            self.clock.zone.name(),
            self.clock.as_of
        );
        for name in self.needed(rule) {
            text += self.text(&name);
        }
        text += "\n";
        if let Some((_, history)) = history {
            text += &self.show_history(history);
        }
        text + "\n" + &self.catalog_yaml
    }

    /// The rule and those that it names, in order.
    fn needed(&self, rule: &str) -> Vec<String> {
        let mut wanted = vec![declared(rule).to_owned()];
        for (name, text) in self.rules.iter().rev() {
            if wanted.contains(name) {
                let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let named = words.filter(|w| *w != name && self.rules.iter().any(|(n, _)| n == w));
                let new: Vec<String> = named.map(str::to_owned).filter(|w| !wanted.contains(w)).collect();
                wanted.extend(new);
            }
        }
        self.rules.iter().map(|(n, _)| n.clone()).filter(|n| wanted.contains(n)).collect()
    }

    /// A history, one line an event, by time.
    pub fn show_history(&self, history: &History) -> String {
        let mut text = String::new();
        let mut events = history.events.clone();
        events.sort_by_key(|e| e.time);
        let catalog = self.catalog.with_history();
        for row in &events {
            let Some(event) = catalog.event(row.event) else { continue };
            text += &format!(
                "{} {} µs {}",
                shown(row.time, &self.clock.zone),
                row.time - self.clock.as_of,
                event.name.name
            );
            for (property, value) in event.properties.iter().zip(&row.properties) {
                text += &match value {
                    Some(value) => format!(" {}={value:?}", property.name.name),
                    None => format!(" {}=∅", property.name.name),
                };
            }
            text += &row.event_id.as_ref().map_or("\n".to_owned(), |id| format!(" id={id:?}\n"));
        }
        if let Some(profile) = &history.profile {
            text += &format!("profile created {:?}", profile.created.map(|at| shown(at, &self.clock.zone)));
            for (attribute, value) in self.catalog.attributes().iter().zip(&profile.attributes) {
                text += &format!(" {}={value:?}", attribute.name.name);
            }
            text += "\n";
        }
        if !history.lists.is_empty() {
            text += &format!("lists {:?}\n", history.lists);
        }
        text
    }
}

/// Customers as the interpreter knows them.
pub fn customers(named: &[(String, History)], whole: bool) -> Vec<(CustomerId, History)> {
    let id = |name: &String| match whole {
        true => CustomerId::Number(name.parse().expect("a whole number")),
        false => CustomerId::Text(name.clone()),
    };
    named.iter().map(|(name, history)| (id(name), history.clone())).collect()
}

/// The declaration of a rule: that of a stage is all of its stages.
fn declared(rule: &str) -> &str {
    rule.split('.').next().unwrap_or(rule)
}

/// An instant on the zone's clock.
fn shown(at: i64, zone: &Zone) -> String {
    let date = segue::language::calendar::date_of(zone.date(at));
    let clock = zone.local(at).rem_euclid(86_400_000_000);
    let (seconds, micros) = (clock / 1_000_000, clock % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}", date.year, date.month, date.day)
}

/// How many cases a test should run: `SEGUE_CASES`, or this many.
pub fn cases(default: usize) -> usize {
    std::env::var("SEGUE_CASES").ok().and_then(|n| n.replace('_', "").parse().ok()).unwrap_or(default)
}

/// How many declarations a project of a differential test has: `SEGUE_RULES`, or 125. With more, many cases are cheaper.
pub fn rules() -> usize {
    std::env::var("SEGUE_RULES").ok().and_then(|n| n.replace('_', "").parse().ok()).unwrap_or(125)
}

/// Seeds for batches: `SEGUE_SEED` alone if it is set, else the first `count`.
pub fn seeds(count: usize) -> Vec<u64> {
    match std::env::var("SEGUE_SEED").ok().and_then(|n| n.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count as u64).collect(),
    }
}
