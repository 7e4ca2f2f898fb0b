//! One program at several instants, for one pass over the rows.
//!
//! Owns: what the programs of several instants share, and what must be asked besides so that one log tells all of them. Promises: as
//! `lower`; at each instant the answer is that of a run of its own. Must not know: DataFusion, files.

use std::mem::take;

use super::*;
use crate::engine::plan::program::Cmp;

/// The program at one instant.
#[derive(Debug, Clone)]
pub struct Moment {
    pub program: Program,
    /// What is left to do when all customers are known.
    pub late: Late,
    /// All customers are told, and not only the members of rules.
    pub population: bool,
}

/// Takes a program apart for several instants, ascending and of one zone. Patterns, columns and branches are the same for all of them:
/// rows matter that matter to one, and whatever happened before the last. The rows of repeats that collapse are those of every instant,
/// since the earliest counts. `None` where one pass can't tell all of them: where an event's own filter depends on the instant, other rows
/// are the event.
pub fn lower_each(catalog: &Catalog, program: &ir::Program, clocks: &[Clock], asked: Asked) -> Option<Parts> {
    let (last, earlier) = clocks.split_last()?;
    let mut lowerer = Lowerer::new(catalog, program, last);
    let mut moments = Vec::with_capacity(earlier.len());
    for clock in earlier {
        lowerer.clock = clock;
        if !lowerer.filters_hold() {
            return None;
        }
        moments.push(lowerer.moment(asked.values));
    }
    lowerer.clock = last;
    let last = lowerer.moment(asked.values);
    Some(lowerer.finish(moments, last, asked.population))
}

impl Lowerer<'_> {
    /// The program at the clock's instant. Numbers that depend on all that is asked are given at the end.
    pub(super) fn moment(&mut self, values: Values) -> Moment {
        for rule in &self.input.rules {
            let at = self.bits(&rule.condition);
            self.rules.push(at);
        }
        let used = self.input.values_of_campaigns();
        let wanted = |at: usize| match values {
            Values::None => false,
            Values::Campaigns => used.contains(&at),
            Values::All => true,
        };
        let mut traits = Vec::new();
        for (at, told) in self.input.traits.iter().enumerate().filter(|_| values != Values::None) {
            traits.push(wanted(at).then(|| match told.ty {
                // Lists are tested on the profile's row and never leave it.
                Type::TextList => late::Val::Missing,
                _ => self.late_value(&told.value),
            }));
        }
        let population = self.catalog.population;
        // Orphans of a list are counted over the whole list, used or not; only used lists are read.
        let lists: Vec<u32> = (0..self.catalog.lists.len() as u32)
            .filter(|&l| self.patterns.contains_key(&(Owner::List(ListId(l)), Pred::Const(true))))
            .collect();
        let lists = lists.iter().map(|&l| self.cond(&Cond::List(ListId(l)))).collect();
        let left_out = self.left_out();
        let visit_patterns = self.visit_patterns();
        self.nodes.clear();
        self.terms.clear();
        self.exported.clear();
        let mut program = Program {
            as_of: self.clock.as_of,
            zone: self.clock.zone.name().into(),
            terms: take(&mut self.term_list),
            visit_patterns,
            visit_gap: self.catalog.visit_gap(),
            nodes: take(&mut self.node_list),
            wanted: take(&mut self.wanted),
            exports: take(&mut self.exports),
            lists,
            profiles_count: population.profiles,
            events_count: population.events,
            left_out,
            ..Program::default()
        };
        take(&mut self.shelf).unload(&mut program);
        let late = Late { steps: take(&mut self.steps), rules: take(&mut self.rules), traits };
        Moment { program, late, population: false }
    }

    /// Whether the events' filters ask the same at the clock's instant as at the last.
    fn filters_hold(&mut self) -> bool {
        let input = self.input;
        input.event_filters.iter().enumerate().all(|(e, filter)| {
            let id = EventId(e as u32);
            let now = filter.as_ref().map(|filter| self.pred(id, filter));
            let place = self.places.get(&Owner::Event(id));
            let kind = place.and_then(|&(b, k)| self.branches.get(b)?.branch.kinds.get(k));
            kind.is_none_or(|kind| kind.filter == now)
        })
    }

    /// The node of whoever's profile was not there yet, at an earlier instant. At the last the rows themselves tell ([`Rows::Late`]).
    fn left_out(&mut self) -> Option<u32> {
        let &(branch, _) = self.places.get(&Owner::Profile)?;
        let last = self.branches.get(branch)?.branch.as_of;
        let profile = self.catalog.profile.as_ref().filter(|_| self.clock.as_of < last)?;
        let created = profile.created.as_ref()?;
        let spec = ColumnSpec {
            ty: Ty::Instant,
            fold: false,
            empty_is_value: false,
            zone: profile.timezone.clone().unwrap_or_else(|| "UTC".into()),
            project_zone: self.clock.zone.name().into(),
            unit: None,
            label: format!("column `{created}` of the profiles"),
        };
        let column = self.column(branch, ColumnRef::Own(created.clone()), spec);
        let channel = self.channel(branch, column, Ty::Instant);
        let pattern = self.pattern(Owner::Profile, Pred::Const(true));
        let term = self.term(pattern, i64::MIN, i64::MAX, Agg::Min(channel));
        let left = Val::Term { term, ty: Ty::Instant };
        let right = Val::Literal(Lit::Instant(self.clock.as_of));
        Some(self.node(Node::Test(Test::Compare { left, op: Cmp::Ge, right })))
    }

    /// Patterns by which every event is an entry of the log, where its trace alone would not tell whether somebody had one before an
    /// earlier instant: a first trace may be the profile's, and where profiles don't count for the population, that says nothing.
    pub(super) fn events_as_entries(&mut self) -> Vec<u32> {
        let population = self.catalog.population;
        let created = self.catalog.profile.as_ref().is_some_and(|profile| profile.created.is_some());
        if population.profiles || !population.events || !created {
            return Vec::new();
        }
        let recorded = |event: &catalog::Event| self.catalog.history == Some(event.source);
        let events = self.catalog.events.iter().enumerate().filter(|(_, event)| !recorded(event));
        let events: Vec<EventId> = events.map(|(e, _)| EventId(e as u32)).collect();
        events.into_iter().map(|event| self.pattern(Owner::Event(event), Pred::Const(true))).collect()
    }
}
