//! What a run would do, before it does it.
//!
//! Owns: the description of a run as plain data: what is read of which table, the terms that rules share, who uses what.
//! Promises: only footers are read; the same project and files give the same description. Must not know: how it is shown.

mod analyze;

mod cost;

mod narrate;

mod reads;

mod uses;

mod words;

use super::cache::{self, Job, Kept, Told};
use super::decide::{Choice, Facts, decide};
use super::history;
use super::plan::lower::{Asked, Parts, Values, lower};
use super::plan::program::Term;
use super::run::Request;
use super::sql;
use super::tables::{self, Tables};
use crate::error::Error;
use narrate::Narrator;

pub use super::decide::{Decision, Engine, Way};
pub use super::tables::prune::Part;
pub use analyze::{Analysis, analyze};
pub use cost::{Cost, Piece};
pub use narrate::Matched;
pub use reads::{EventRead, TableRead, What};
pub use uses::Uses;
pub use words::instant;

/// A run, described.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// In the order of the catalog: sources, profile, lists, look-ups, link tables.
    pub tables: Vec<TableRead>,
    pub patterns: Vec<PatternUse>,
    /// What is counted, summed or picked over one pattern and one window.
    pub terms: Vec<TermUse>,
    /// What needs a customer's events in the order of time.
    pub stories: Vec<StoryUse>,
    /// In the order of the program.
    pub rules: Vec<RuleUse>,
    pub sharing: Sharing,
    /// Rows to be read, and the rules that need them.
    pub pieces: Vec<Piece>,
    /// How it is run.
    pub decision: Decision,
    /// What a run that keeps what it read would have of earlier ones.
    pub kept: Told,
}

impl Explanation {
    /// The rules that were asked for.
    pub fn asked(&self) -> Vec<usize> {
        self.rules.iter().enumerate().filter(|(_, rule)| !rule.helper).map(|(i, _)| i).collect()
    }
}

/// Rows that are told apart from all others.
#[derive(Debug, Clone)]
pub struct PatternUse {
    pub matched: Matched,
    pub words: String,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct TermUse {
    pub words: String,
    pub pattern: u32,
    /// `count`, `sum`, …
    pub aggregate: &'static str,
    /// As it is written, where it is.
    pub window: String,
    /// Microseconds; `i64::MIN` is from the beginning.
    pub from: i64,
    pub to: i64,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct StoryUse {
    pub words: String,
    /// `sequence`, `session`, …
    pub kind: &'static str,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct RuleUse {
    pub name: String,
    /// Another rule needs it; nobody asked for it.
    pub helper: bool,
    pub uses: Uses,
    /// Rows to be read.
    pub cost: Cost,
}

/// How much the rules have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sharing {
    /// The terms and stories that the rules would need one by one.
    pub references: usize,
    /// What they need together.
    pub terms: usize,
    pub stories: usize,
    pub patterns: usize,
}

/// Describes a run. `asked` says of a rule's number whether it was asked for or is only needed by others.
pub async fn explain(request: &Request<'_>, asked: &(dyn Fn(usize) -> bool + Sync)) -> Result<Explanation, Error> {
    let with = history::resolve(request);
    let request = &Request { catalog: &with.catalog, program: &with.program, ..request.clone() };
    let tables = tables::open_with(request.catalog, request.root, with.files).await?;
    let wanted = Asked { values: Values::of(request.program), population: request.population };
    let Request { catalog, program, clock, limits, .. } = *request;
    let parts = lower(catalog, program, clock, wanted);
    if limits.engine == Choice::Only(Engine::Standard) {
        let reasons = sql::unsaid(&sql::portable(catalog, program, clock, &tables), program);
        if !reasons.is_empty() {
            return Err(sql::refused(&reasons));
        }
    }
    let mut explanation = describe(request, &tables, &parts, asked);
    let root = request.root;
    explanation.kept = match explanation.decision.passes.at_once() {
        _ if explanation.decision.engine == Engine::Standard => Kept::nothing(&parts, cache::STANDARD).told(),
        Some(_) => Kept::nothing(&parts, cache::CLUSTERED).told(),
        None => {
            let (tables, parts) = (&tables, &parts);
            let (links, progress) = (None, None);
            cache::foresee(&Job {
                catalog,
                program,
                clock,
                root,
                tables,
                parts,
                links,
                limits,
                asked: wanted,
                progress,
            })
            .await
        }
    };
    Ok(explanation)
}

fn describe(request: &Request<'_>, tables: &Tables, parts: &Parts, asked: &dyn Fn(usize) -> bool) -> Explanation {
    let narrator = Narrator::new(request.catalog, parts, request.clock);
    let rules: Vec<RuleUse> = request
        .program
        .rules
        .iter()
        .enumerate()
        .map(|(i, rule)| RuleUse {
            name: rule.name.clone(),
            helper: !asked(i),
            uses: uses::of_rule(parts, request.program, i),
            cost: Cost::default(),
        })
        .collect();
    let users = |of: &dyn Fn(&Uses) -> bool| -> Vec<usize> {
        let users = rules.iter().enumerate().filter(|(_, rule)| !rule.helper && of(&rule.uses));
        users.map(|(i, _)| i).collect()
    };
    let patterns: Vec<PatternUse> = (0..parts.program.patterns)
        .map(|p| {
            let matched = narrator.pattern(p);
            PatternUse { words: matched.words(), matched, rules: users(&|uses| uses.patterns.contains(&p)) }
        })
        .collect();
    let term = |(t, term): (usize, &Term)| TermUse {
        words: narrator.term(t as u32),
        pattern: term.pattern,
        aggregate: narrate::aggregate(term.agg),
        window: narrator.window(term.lo, term.hi),
        from: term.lo,
        to: term.hi,
        rules: users(&|uses| uses.terms.contains(&(t as u32))),
    };
    let terms: Vec<TermUse> = parts.program.terms.iter().enumerate().map(term).collect();
    let stories: Vec<StoryUse> = parts
        .program
        .stories
        .iter()
        .enumerate()
        .map(|(s, story)| StoryUse {
            words: narrator.story(s as u32),
            kind: narrate::kind(story),
            rules: users(&|uses| uses.stories.contains(&(s as u32))),
        })
        .collect();
    let alone = rules.iter().filter(|rule| !rule.helper);
    let sharing = Sharing {
        references: alone.map(|rule| rule.uses.terms.len() + rule.uses.stories.len()).sum(),
        terms: terms.iter().filter(|t| !t.rules.is_empty()).count(),
        stories: stories.iter().filter(|s| !s.rules.is_empty()).count(),
        patterns: patterns.iter().filter(|p| !p.rules.is_empty()).count(),
    };
    let facts = Facts::new(request.catalog, tables, parts, request.catalog.identities.is_some());
    let decision = decide(&facts, &parts.program, request.limits);
    let mut explanation = Explanation {
        tables: reads::reads(request.catalog, tables, parts, &narrator, &decision),
        patterns,
        terms,
        stories,
        rules,
        sharing,
        pieces: Vec::new(),
        decision,
        kept: Told::default(),
    };
    explanation.pieces = reads::pieces(request, tables, &explanation.asked());
    let costs = cost::deal(&explanation.pieces, explanation.rules.len(), &explanation.asked());
    explanation.rules.iter_mut().zip(costs).for_each(|(rule, cost)| rule.cost = cost);
    explanation
}
