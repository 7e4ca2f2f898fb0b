//! Meaning to data: the checked program taken apart into patterns, terms and nodes that all rules share.
//!
//! Owns: lowering. Promises: pure and total; what the checker let through lowers; equal parts become one part.
//! Must not know: DataFusion, files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::late::{self, Bits, Late, Step};
use super::needs::needs_population;
use super::program::{
    Agg, Branch, ColumnSpec, Kind, Lit, Node, Operand, Pred, Program, Rows, Scalar, Term, Test, Ty, Val,
};
use super::story::{Calculation, Fold};
use super::windows::{ALWAYS, NEVER, windows};
use crate::engine::kernels::test::{pred as holds, test as passes};
use crate::language::calendar::{Clock, Interval, days_of};
use crate::language::catalog::{
    self, AttributeId, Catalog, ColumnRef, EventId, ListId, LookupId, RawMatch, TimeUnit, Type,
};
use crate::language::ir::{self, Aggregate, Behaviour, Cond, End, Matching, Op, Value, Window};
use crate::language::num::Num;

mod cut;

mod layout;

mod moments;

mod stories;

mod values;

pub use moments::{Moment, lower_each};

/// Which table a branch reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    Source(u32),
    Profile,
    List(u32),
}

/// A branch with what the builder of the plan needs to know about its columns.
#[derive(Debug, Clone)]
pub struct Lowered {
    pub branch: Branch,
    pub table: Table,
    /// Where each of the branch's columns is.
    pub refs: Vec<ColumnRef>,
    /// Measure columns: channel and column of the branch.
    pub ints: Vec<(u32, u32)>,
    pub texts: Vec<(u32, u32)>,
    /// The event whose repeats collapse: its id column and its properties, as columns of the branch.
    pub collapse: Option<(u32, Vec<u32>)>,
}

/// Everything that is needed to build the plan.
#[derive(Debug, Clone)]
pub struct Parts {
    pub program: Program,
    /// What is left to do when all customers are known.
    pub late: Late,
    /// The same at earlier instants, in ascending order, where there are any: see [`lower_each`].
    pub earlier: Vec<Moment>,
    pub branches: Vec<Lowered>,
    /// Number of counters.
    pub counters: u32,
    /// The windows of events as they were written, by the interval that they are; of several the first. To be shown.
    pub windows: BTreeMap<(i64, i64), Window>,
    /// All customers are told, and not only the members of rules.
    pub population: bool,
}

impl Parts {
    /// The look-ups that some branch asks, each once.
    pub fn lookups(&self) -> BTreeSet<LookupId> {
        let refs = self.branches.iter().flat_map(|branch| &branch.refs);
        refs.filter_map(|at| match at {
            ColumnRef::Lookup { lookup, .. } => Some(*lookup),
            ColumnRef::Own(_) => None,
        })
        .collect()
    }
}

/// What is asked for beside the members of rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    pub values: Values,
    /// All customers, also where no rule depends on who they are.
    pub population: bool,
}

/// Of which traits the values are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    #[default]
    None,
    /// Those that a campaign orders or sends by, and the customer's time zone.
    Campaigns,
    All,
}

impl Values {
    /// What a run of a program asks for.
    pub fn of(program: &ir::Program) -> Values {
        // Whose campaigns ask for no value ask for members only.
        if program.values_of_campaigns().is_empty() { Values::None } else { Values::Campaigns }
    }
}

/// Takes a program apart.
pub fn lower(catalog: &Catalog, program: &ir::Program, clock: &Clock, asked: Asked) -> Parts {
    let mut lowerer = Lowerer::new(catalog, program, clock);
    let moment = lowerer.moment(asked.values);
    lowerer.finish(Vec::new(), moment, asked.population)
}

/// Whose rows a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Owner {
    Event(EventId),
    Profile,
    List(ListId),
}

struct Lowerer<'a> {
    catalog: &'a Catalog,
    input: &'a ir::Program,
    clock: &'a Clock,
    branches: Vec<Lowered>,
    /// Branch and kind of an owner.
    places: HashMap<Owner, (usize, usize)>,
    columns: Vec<HashMap<(ColumnRef, ColumnSpec), u32>>,
    patterns: HashMap<(Owner, Pred), u32>,
    terms: HashMap<Term, u32>,
    term_list: Vec<Term>,
    shelf: stories::Shelf,
    nodes: HashMap<Node, u32>,
    node_list: Vec<Node>,
    /// The nodes and values that the kernel answers with.
    wanted: Vec<u32>,
    exports: Vec<Val>,
    exported: HashMap<Val, u32>,
    steps: Vec<Step>,
    /// Where the members of each rule so far are found.
    rules: Vec<Bits>,
    needs_trace: bool,
    windows: BTreeMap<(i64, i64), Window>,
}

impl<'a> Lowerer<'a> {
    fn new(catalog: &'a Catalog, input: &'a ir::Program, clock: &'a Clock) -> Lowerer<'a> {
        let mut lowerer = Lowerer {
            catalog,
            input,
            clock,
            branches: Vec::new(),
            places: HashMap::new(),
            columns: Vec::new(),
            patterns: HashMap::new(),
            terms: HashMap::new(),
            term_list: Vec::new(),
            shelf: stories::Shelf::default(),
            nodes: HashMap::new(),
            node_list: Vec::new(),
            wanted: Vec::new(),
            exports: Vec::new(),
            exported: HashMap::new(),
            steps: Vec::new(),
            rules: Vec::new(),
            needs_trace: false,
            windows: BTreeMap::new(),
        };
        lowerer.lay_out();
        lowerer
    }

    fn finish(mut self, mut earlier: Vec<Moment>, mut last: Moment, asked: bool) -> Parts {
        let entries = if earlier.is_empty() { Vec::new() } else { self.events_as_entries() };
        let population = self.catalog.population;
        let needs_trace = self.needs_trace;
        let late_profiles = self.catalog.profile.as_ref().is_some_and(|p| p.created.is_some());
        let mut int_channels = 0;
        let mut text_channels = 0;
        for branch in &self.branches {
            int_channels = int_channels.max(branch.ints.len() as u32);
            text_channels = text_channels.max(branch.texts.len() as u32);
        }
        let mut matters = vec![NEVER; self.patterns.len()];
        let mut counted = false;
        for Moment { program, late, population } in earlier.iter_mut().chain([&mut last]) {
            program.patterns = self.patterns.len() as u32;
            (program.int_channels, program.text_channels) = (int_channels, text_channels);
            // Text channels were numbered from `TEXT`; now it is known how many integer ones stand before them.
            for term in &mut program.terms {
                term.agg = renumber(term.agg, int_channels);
            }
            for read in &mut program.reads {
                read.channel = channel_of(read.channel, int_channels);
            }
            *population = asked || needs_trace || needs_population(program, late, &of_events(&self.branches, program));
            program.members_only = !*population;
            counted |= *population;
            for (all, (lo, hi)) in matters.iter_mut().zip(windows(program)) {
                *all = (all.0.min(lo), all.1.max(hi));
            }
        }
        for &pattern in entries.iter().filter(|_| counted) {
            matters.get_mut(pattern as usize).into_iter().for_each(|window| *window = ALWAYS);
        }
        let mut counters = 0;
        for lowered in &mut self.branches {
            let branch = &mut lowered.branch;
            counters = counters.max(branch.counter + 1);
            branch.keep_all = match branch.rows {
                Rows::Event => (population.events && counted) || needs_trace,
                // A late profile leaves its customer out, so all rows matter where there is a creation column.
                Rows::Profile => population.profiles || needs_trace || late_profiles,
                Rows::List | Rows::Late | Rows::Recorded => false,
            };
            for kind in branch.kinds.iter_mut().filter(|_| branch.rows.happens()) {
                let window = |(p, _): &(u32, Pred)| matters.get(*p as usize).copied().unwrap_or(ALWAYS);
                kind.windows = kind.patterns.iter().map(window).collect();
            }
        }
        let mut branches: Vec<Lowered> = self
            .branches
            .into_iter()
            .filter(|b| {
                let asked = b.branch.kinds.iter().any(|k| !k.patterns.is_empty());
                b.branch.keep_all || asked
            })
            .collect();
        // A branch that only knows of foreign events reads their rows for the counters alone.
        for branch in &mut branches {
            for text in &mut branch.texts {
                text.0 = text.0 - TEXT + int_channels;
            }
        }
        let Moment { program, late, population } = last;
        Parts { program, late, earlier, branches, counters, population, windows: self.windows }
    }

    // --- conditions

    fn node(&mut self, node: Node) -> u32 {
        if let Some(&id) = self.nodes.get(&node) {
            return id;
        }
        let id = self.node_list.len() as u32;
        self.node_list.push(node.clone());
        self.nodes.insert(node, id);
        id
    }

    fn term(&mut self, pattern: u32, lo: i64, hi: i64, agg: Agg) -> u32 {
        let term = Term { pattern, lo, hi, agg };
        let next = self.term_list.len() as u32;
        *self.terms.entry(term).or_insert_with(|| {
            self.term_list.push(term);
            next
        })
    }

    fn cond(&mut self, cond: &Cond) -> u32 {
        match cond {
            Cond::Const(yes) => self.node(Node::Const(*yes)),
            Cond::And(all) => {
                let all = all.iter().map(|c| self.cond(c)).collect();
                self.node(Node::And(all))
            }
            Cond::Or(any) => {
                let any = any.iter().map(|c| self.cond(c)).collect();
                self.node(Node::Or(any))
            }
            Cond::Not(inner) => {
                let inner = self.cond(inner);
                self.node(Node::Not(inner))
            }
            Cond::Rule(rule) => match self.rules.get(rule.0 as usize) {
                Some(&Bits::Answer(at)) => self.wanted.get(at as usize).copied().unwrap_or_default(),
                _ => self.node(Node::Const(false)),
            },
            Cond::List(list) => {
                let pattern = self.pattern(Owner::List(*list), Pred::Const(true));
                self.any(pattern)
            }
            Cond::Count { behaviour, op, n } if !at_once(behaviour) => {
                self.folded_count(behaviour, Fold::Count, *op, *n)
            }
            Cond::Count { behaviour, op, n } => {
                let term = self.behaviour(behaviour, Agg::Count);
                self.range(term, *op, *n)
            }
            Cond::Periods { behaviour, unit, op, n } if !at_once(behaviour) => {
                self.folded_count(behaviour, Fold::Periods((*unit).into()), *op, *n)
            }
            Cond::Periods { behaviour, unit, op, n } => {
                let term = self.behaviour(behaviour, Agg::Periods((*unit).into()));
                self.range(term, *op, *n)
            }
            Cond::Same { behaviour, property, n, without } => self.same(behaviour, *property, *n, without.as_ref()),
            Cond::Pick { end, matching, window, since } if since.is_some() || !on_rows(matching) => {
                self.story_pick(*end, matching, window, since.as_deref())
            }
            Cond::Pick { end, matching, window, .. } => {
                let term = self.picked(*end, matching);
                let interval = self.interval(window);
                self.node(Node::Time { term, lo: interval.lo, hi: interval.hi })
            }
            Cond::Sequence(sequence) => self.sequence(sequence),
            Cond::InSession { inside, window, since } => self.in_session(inside, window, since.as_deref()),
            Cond::InAny { length, inside, starts, window, since } => {
                self.in_any(*length, inside, starts, window, since.as_deref())
            }
            Cond::KnownSince(edge) => {
                self.needs_trace = true;
                let at = self.clock.edge(*edge);
                self.node(Node::Trace(at))
            }
            Cond::Test(test) => self.test(test),
            // Never asked of the kernel: see `cut`.
            Cond::Ranked { .. } | Cond::Sample { .. } => self.node(Node::Const(false)),
        }
    }

    /// Some row has the pattern, at any time.
    fn any(&mut self, pattern: u32) -> u32 {
        let term = self.term(pattern, i64::MIN, i64::MAX, Agg::Count);
        self.node(Node::Range { term, lo: 1, hi: i64::MAX })
    }

    fn behaviour(&mut self, behaviour: &Behaviour, agg: Agg) -> u32 {
        let pattern = self.matching(&behaviour.matching);
        let interval = self.interval(&behaviour.window);
        self.term(pattern, interval.lo, interval.hi, agg)
    }

    fn interval(&mut self, window: &Window) -> Interval {
        let interval = self.clock.interval(window);
        self.windows.entry((interval.lo, interval.hi)).or_insert(*window);
        interval
    }

    fn picked(&mut self, end: End, matching: &Matching) -> u32 {
        let behaviour = Behaviour { matching: matching.clone(), window: Window::EVER, since: None };
        self.behaviour(&behaviour, if end == End::First { Agg::First } else { Agg::Last })
    }

    fn matching(&mut self, matching: &Matching) -> u32 {
        let pred = matching.pred.as_ref().map_or(Pred::Const(true), |p| self.pred(matching.event, p));
        self.pattern(Owner::Event(matching.event), pred)
    }

    fn pattern(&mut self, owner: Owner, pred: Pred) -> u32 {
        let next = self.patterns.len() as u32;
        let key = (owner, pred);
        if let Some(&id) = self.patterns.get(&key) {
            return id;
        }
        if let Some(&(b, k)) = self.places.get(&owner)
            && let Some(kind) = self.branches.get_mut(b).and_then(|b| b.branch.kinds.get_mut(k))
        {
            kind.patterns.push((next, key.1.clone()));
        }
        self.patterns.insert(key, next);
        next
    }

    /// A count against a number, as an interval of whole numbers.
    fn range(&mut self, term: u32, op: Op, n: Num) -> u32 {
        let Num::Exact { units, scale } = n else {
            let left = Val::Term { term, ty: Ty::Integer };
            let right = Val::Literal(Lit::num(n));
            return self.node(Node::Test(Test::Compare { left, op: op.into(), right }));
        };
        let one = 10i128.pow(u32::from(scale.min(18)));
        let narrow = |x: i128| x.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let floor = narrow(units.div_euclid(one));
        let whole = units.rem_euclid(one) == 0;
        let ceil = if whole { floor } else { floor.saturating_add(1) };
        let (lo, hi) = match op {
            Op::Eq | Op::Ne if whole => (floor, floor),
            Op::Eq | Op::Ne => (1, 0),
            Op::Lt => (i64::MIN, ceil.saturating_sub(1)),
            Op::Le => (i64::MIN, floor),
            Op::Gt => (floor.saturating_add(1), i64::MAX),
            Op::Ge => (ceil, i64::MAX),
        };
        let node = self.node(Node::Range { term, lo, hi });
        if op == Op::Ne { self.node(Node::Not(node)) } else { node }
    }

    fn test(&mut self, test: &ir::Test<Value>) -> u32 {
        // A test on nothing but the profile is a pattern of the profile's row.
        if let Some((pattern, negated)) = self.profile_pattern(test) {
            let node = self.any(pattern);
            return if negated { self.node(Node::Not(node)) } else { node };
        }
        if let ir::Test::Compare {
            left: Value::Aggregate { function, behaviour },
            op,
            right: Value::Literal(ir::Literal::Num(n)),
        } = test
            && at_once(behaviour)
        {
            match function {
                Aggregate::Count => {
                    let term = self.behaviour(behaviour, Agg::Count);
                    return self.range(term, *op, *n);
                }
                Aggregate::Distinct(property) => {
                    if let Some(term) = self.measured(behaviour, *property, Agg::Distinct) {
                        return self.range(term, *op, *n);
                    }
                }
                _ => {}
            }
        }
        let lowered = self.map_test(test, |me, value| me.value(value));
        self.node(Node::Test(lowered))
    }

    /// The pattern of the profiles that pass, or (if the flag is set) of those that don't, as none at all does.
    fn profile_pattern(&mut self, test: &ir::Test<Value>) -> Option<(u32, bool)> {
        let on_row = self.profile_test(test)?;
        let when_missing = holds(&on_row, &|t| passes(t, &self.clock.zone, &|operand| literal(operand)));
        let asked = if when_missing { Pred::Not(Box::new(on_row)) } else { on_row };
        Some((self.pattern(Owner::Profile, asked), when_missing))
    }

    fn profile_test(&mut self, test: &ir::Test<Value>) -> Option<Pred> {
        let plain = |v: &Value| matches!(v, Value::Attribute(_) | Value::Literal(_));
        if !sides(test).all(plain) || !self.places.contains_key(&Owner::Profile) {
            return None;
        }
        Some(Pred::Test(self.map_test(test, |me, value| match value {
            Value::Literal(literal) => Operand::Literal(lit(literal)),
            Value::Attribute(id) => me.attribute_column(*id).map_or(MISSING_OPERAND, |(_, c, _)| Operand::Column(c)),
            _ => MISSING_OPERAND,
        })))
    }

    fn map_test<V, W>(&mut self, test: &ir::Test<V>, mut value: impl FnMut(&mut Self, &V) -> W) -> Test<W> {
        match test {
            ir::Test::Compare { left, op, right } => {
                let (left, right) = (value(self, left), value(self, right));
                Test::Compare { left, op: (*op).into(), right }
            }
            ir::Test::OneOf { value: v, among, negated } => {
                Test::OneOf { value: value(self, v), among: among.iter().map(lit).collect(), negated: *negated }
            }
            ir::Test::Text { value: v, how, pattern, fold } => {
                Test::Text { value: value(self, v), how: (*how).into(), pattern: pattern.clone(), fold: *fold }
            }
            ir::Test::Has { value: v, among } => Test::Has { value: value(self, v), among: among.clone() },
            ir::Test::Known(v) => Test::Known(value(self, v)),
            ir::Test::During { value: v, window } => {
                let (instants, dates) = (self.clock.instants(window), self.clock.dates(window));
                Test::During {
                    value: value(self, v),
                    instants: (instants.lo, instants.hi),
                    dates: (dates.lo, dates.hi),
                }
            }
            ir::Test::Anniversary { value: v, window } => {
                let dates = self.clock.dates(window);
                Test::Anniversary { value: value(self, v), dates: (dates.lo, dates.hi) }
            }
            ir::Test::Yes(v) => Test::Yes(value(self, v)),
        }
    }
}

/// The values that a test speaks of.
fn sides<V>(test: &ir::Test<V>) -> impl Iterator<Item = &V> {
    let (one, other) = match test {
        ir::Test::Compare { left, right, .. } => (left, Some(right)),
        ir::Test::OneOf { value, .. }
        | ir::Test::Text { value, .. }
        | ir::Test::Has { value, .. }
        | ir::Test::Known(value)
        | ir::Test::During { value, .. }
        | ir::Test::Anniversary { value, .. }
        | ir::Test::Yes(value) => (value, None),
    };
    std::iter::once(one).chain(other)
}

/// Text channels until their final number is known.
const TEXT: u32 = 1 << 24;

/// A column that no branch has: always missing.
const MISSING_OPERAND: Operand = Operand::Column(u32::MAX);
const MISSING_VALUE: Val = Val::Term { term: u32::MAX, ty: Ty::Integer };

/// Whether the rows alone tell which events match.
fn on_rows(matching: &Matching) -> bool {
    !matching.pred.as_ref().is_some_and(stories::of_customer)
}

/// Whether one pass over the entries in any order tells all about the behaviour.
fn at_once(behaviour: &Behaviour) -> bool {
    behaviour.since.is_none() && on_rows(&behaviour.matching)
}

/// The number of a channel, once it is known how many integer ones there are.
fn channel_of(channel: u32, ints: u32) -> u32 {
    if channel >= TEXT { channel - TEXT + ints } else { channel }
}

/// By pattern, whether it is one of events.
fn of_events(branches: &[Lowered], program: &Program) -> Vec<bool> {
    let mut events = vec![false; program.patterns as usize];
    let kinds = branches.iter().filter(|b| b.branch.rows == Rows::Event).flat_map(|b| &b.branch.kinds);
    for (pattern, _) in kinds.flat_map(|k| &k.patterns) {
        if let Some(of_event) = events.get_mut(*pattern as usize) {
            *of_event = true;
        }
    }
    events
}

fn renumber(agg: Agg, ints: u32) -> Agg {
    let last = |c: u32| channel_of(c, ints);
    match agg {
        Agg::CountKnown(c) => Agg::CountKnown(last(c)),
        Agg::Distinct(c) => Agg::Distinct(last(c)),
        Agg::Min(c) => Agg::Min(last(c)),
        Agg::Max(c) => Agg::Max(last(c)),
        other => other,
    }
}

fn literal(operand: &Operand) -> Option<Scalar<'_>> {
    match operand {
        Operand::Literal(literal) => Some(literal.scalar()),
        _ => None,
    }
}

fn lit(literal: &ir::Literal) -> Lit {
    match literal {
        ir::Literal::Num(num) => Lit::num(*num),
        ir::Literal::Text(text) => Lit::Text(text.clone()),
        ir::Literal::YesNo(yes) => Lit::YesNo(*yes),
        ir::Literal::Date(date) => Lit::Date(days_of(*date)),
        ir::Literal::Instant(at) => Lit::Instant(*at),
    }
}

/// A catalog type, as data.
pub fn ty(of: Type) -> Ty {
    match of {
        Type::Text => Ty::Text,
        Type::Integer => Ty::Integer,
        Type::Money { scale } => Ty::Money(scale),
        Type::Number => Ty::Number,
        Type::YesNo => Ty::YesNo,
        Type::Date => Ty::Date,
        Type::Instant => Ty::Instant,
        Type::TextList => Ty::List,
    }
}

/// Microseconds of a unit, as a fraction.
pub fn micros(unit: TimeUnit) -> (i64, i64) {
    match unit {
        TimeUnit::Second => (1_000_000, 1),
        TimeUnit::Millisecond => (1_000, 1),
        TimeUnit::Microsecond => (1, 1),
        TimeUnit::Nanosecond => (1, 1_000),
    }
}
