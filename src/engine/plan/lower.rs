//! Meaning to data: the checked program taken apart into patterns, terms and nodes that all rules share.
//!
//! Owns: lowering. Promises: pure and total; what the checker let through lowers; equal parts become one part.
//! Must not know: DataFusion, files.

use std::collections::HashMap;

use super::program::{
    Agg, Branch, ColumnSpec, Kind, Lit, Node, Operand, Pred, Program, Rows, Scalar, Term, Test, Ty, Val,
};
use crate::engine::kernels::test::{pred as holds, test as passes};
use crate::language::calendar::{Clock, days_of};
use crate::language::catalog::{self, AttributeId, Catalog, ColumnRef, EventId, ListId, RawMatch, TimeUnit, Type};
use crate::language::ir::{self, Aggregate, Behaviour, Cond, End, Matching, Op, Value, Window};
use crate::language::num::Num;

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
    pub branches: Vec<Lowered>,
    /// Number of counters.
    pub counters: u32,
}

/// Takes a program apart.
pub fn lower(catalog: &Catalog, program: &ir::Program, clock: &Clock) -> Parts {
    let mut lowerer = Lowerer::new(catalog, program, clock);
    for rule in &program.rules {
        let node = lowerer.cond(&rule.condition);
        lowerer.rules.push(node);
    }
    lowerer.finish()
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
    nodes: HashMap<Node, u32>,
    node_list: Vec<Node>,
    rules: Vec<u32>,
    needs_trace: bool,
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
            nodes: HashMap::new(),
            node_list: Vec::new(),
            rules: Vec::new(),
            needs_trace: false,
        };
        lowerer.lay_out();
        lowerer
    }

    /// One branch a source (and one more for each event whose repeats collapse), one for profiles, one a list.
    fn lay_out(&mut self) {
        let catalog = self.catalog;
        for (s, source) in catalog.sources.iter().enumerate() {
            let of_source: Vec<(usize, &catalog::Event)> =
                catalog.events.iter().enumerate().filter(|(_, e)| e.source.index() == s).collect();
            if of_source.is_empty() {
                continue;
            }
            let table = Table::Source(s as u32);
            let main = self.branch(table, Rows::Event, &source.name.name, s as u32, true);
            for (e, event) in of_source {
                let own = event.event_id.is_some();
                let place = self.kind(main, e, event, own);
                if own {
                    let alone = self.branch(table, Rows::Event, &source.name.name, s as u32, false);
                    let place = self.kind(alone, e, event, false);
                    self.places.insert(Owner::Event(EventId(e as u32)), (alone, place));
                } else {
                    self.places.insert(Owner::Event(EventId(e as u32)), (main, place));
                }
            }
        }
        let next = catalog.sources.len() as u32;
        if catalog.profile.is_some() {
            let branch = self.branch(Table::Profile, Rows::Profile, "profiles", next, true);
            self.one_kind(branch);
            self.places.insert(Owner::Profile, (branch, 0));
        }
        for (l, list) in catalog.lists.iter().enumerate() {
            let branch = self.branch(Table::List(l as u32), Rows::List, &list.name.name, next + 1 + l as u32, true);
            self.one_kind(branch);
            self.places.insert(Owner::List(ListId(l as u32)), (branch, 0));
        }
        // The filters first need their columns; they are lowered here so that every branch has them, whatever the rules ask.
        for e in 0..catalog.events.len() {
            let id = EventId(e as u32);
            let filter = self.input.event_filters.get(e).and_then(Option::as_ref);
            let (Some(filter), Some(&(b, k))) = (filter, self.places.get(&Owner::Event(id))) else { continue };
            let lowered = self.pred(id, filter);
            if let Some(kind) = self.branches.get_mut(b).and_then(|b| b.branch.kinds.get_mut(k)) {
                kind.filter = Some(lowered);
            }
        }
        for e in 0..catalog.events.len() {
            self.lay_out_collapse(EventId(e as u32));
        }
    }

    fn lay_out_collapse(&mut self, id: EventId) {
        let Some(event) = self.catalog.event(id) else { return };
        let (Some(column), Some(&(b, _))) = (&event.event_id, self.places.get(&Owner::Event(id))) else { return };
        let spec =
            ColumnSpec { empty_is_value: false, ..self.spec(event.source.index(), Type::Text, false, false, column) };
        let key = self.column(b, ColumnRef::Own(column.clone()), spec);
        let properties = (0..event.properties.len())
            .filter_map(|p| self.property_column(id, catalog::PropertyId(p as u32)).map(|(_, column, _)| column))
            .collect();
        if let Some(branch) = self.branches.get_mut(b) {
            branch.collapse = Some((key, properties));
        }
    }

    fn branch(&mut self, table: Table, rows: Rows, label: &str, counter: u32, counts: bool) -> usize {
        let branch = Branch {
            rows,
            label: label.into(),
            counter,
            counts,
            columns: Vec::new(),
            kinds: Vec::new(),
            keep_all: false,
            as_of: self.clock.as_of,
            zone: self.clock.zone.name().into(),
        };
        let lowered = Lowered { branch, table, refs: Vec::new(), ints: Vec::new(), texts: Vec::new(), collapse: None };
        self.branches.push(lowered);
        self.columns.push(HashMap::new());
        self.branches.len() - 1
    }

    fn kind(&mut self, branch: usize, e: usize, event: &catalog::Event, foreign: bool) -> usize {
        let (exact, prefixes) = match &event.raw {
            RawMatch::All => (None, Vec::new()),
            RawMatch::Names { exact, prefixes } => (Some(exact.clone()), prefixes.clone()),
        };
        let kind = Kind { event: Some(e as u32), exact, prefixes, filter: None, patterns: Vec::new(), foreign };
        self.push_kind(branch, kind)
    }

    fn one_kind(&mut self, branch: usize) -> usize {
        let kind =
            Kind { event: None, exact: None, prefixes: Vec::new(), filter: None, patterns: Vec::new(), foreign: false };
        self.push_kind(branch, kind)
    }

    fn push_kind(&mut self, branch: usize, kind: Kind) -> usize {
        self.branches.get_mut(branch).map_or(0, |b| {
            b.branch.kinds.push(kind);
            b.branch.kinds.len() - 1
        })
    }

    fn finish(mut self) -> Parts {
        let population = self.catalog.population;
        // Orphans of a list are counted over the whole list, used or not; only used lists are read.
        let lists: Vec<u32> = (0..self.catalog.lists.len() as u32)
            .filter(|&l| self.patterns.contains_key(&(Owner::List(ListId(l)), Pred::Const(true))))
            .collect();
        let list_nodes = lists.iter().map(|&l| self.cond(&Cond::List(ListId(l)))).collect();
        let needs_trace = self.needs_trace;
        let late_profiles = self.catalog.profile.as_ref().is_some_and(|p| p.created.is_some());
        let mut counters = 0;
        for branch in &mut self.branches {
            counters = counters.max(branch.branch.counter + 1);
            branch.branch.keep_all = match branch.branch.rows {
                Rows::Event => population.events || needs_trace,
                // A late profile leaves its customer out, so all rows matter where there is a creation column.
                Rows::Profile => population.profiles || needs_trace || late_profiles,
                Rows::List | Rows::Late => false,
            };
        }
        let mut int_channels = 0;
        let mut text_channels = 0;
        for branch in &self.branches {
            int_channels = int_channels.max(branch.ints.len() as u32);
            text_channels = text_channels.max(branch.texts.len() as u32);
        }
        let mut program = Program {
            as_of: self.clock.as_of,
            zone: self.clock.zone.name().into(),
            int_channels,
            text_channels,
            patterns: self.patterns.len() as u32,
            terms: self.term_list,
            nodes: self.node_list,
            rules: self.rules,
            lists: list_nodes,
            profiles_count: population.profiles,
            events_count: population.events,
        };
        // Text channels were numbered from `TEXT`; now it is known how many integer ones stand before them.
        for term in &mut program.terms {
            term.agg = renumber(term.agg, int_channels);
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
        Parts { program, branches, counters }
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
                Some(&node) => node,
                None => self.node(Node::Const(false)),
            },
            Cond::List(list) => {
                let pattern = self.pattern(Owner::List(*list), Pred::Const(true));
                self.any(pattern)
            }
            Cond::Count { behaviour, op, n } => {
                let term = self.behaviour(behaviour, Agg::Count);
                self.range(term, *op, *n)
            }
            Cond::Periods { behaviour, unit, op, n } => {
                let term = self.behaviour(behaviour, Agg::Periods((*unit).into()));
                self.range(term, *op, *n)
            }
            Cond::Pick { end, matching, window } => {
                let term = self.picked(*end, matching);
                let interval = self.clock.interval(window);
                self.node(Node::Time { term, lo: interval.lo, hi: interval.hi })
            }
            Cond::KnownSince(edge) => {
                self.needs_trace = true;
                let at = self.clock.edge(*edge);
                self.node(Node::Trace(at))
            }
            Cond::Test(test) => self.test(test),
        }
    }

    /// Some row has the pattern, at any time.
    fn any(&mut self, pattern: u32) -> u32 {
        let term = self.term(pattern, i64::MIN, i64::MAX, Agg::Count);
        self.node(Node::Range { term, lo: 1, hi: i64::MAX })
    }

    fn behaviour(&mut self, behaviour: &Behaviour, agg: Agg) -> u32 {
        let pattern = self.matching(&behaviour.matching);
        let interval = self.clock.interval(&behaviour.window);
        self.term(pattern, interval.lo, interval.hi, agg)
    }

    fn picked(&mut self, end: End, matching: &Matching) -> u32 {
        let behaviour = Behaviour { matching: matching.clone(), window: Window::EVER };
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
        if let Some(on_row) = self.profile_test(test) {
            let when_missing = holds(&on_row, &|t| passes(t, &|operand| literal(operand)));
            let asked = if when_missing { Pred::Not(Box::new(on_row)) } else { on_row };
            let pattern = self.pattern(Owner::Profile, asked);
            let node = self.any(pattern);
            return if when_missing { self.node(Node::Not(node)) } else { node };
        }
        if let ir::Test::Compare {
            left: Value::Aggregate { function, behaviour },
            op,
            right: Value::Literal(ir::Literal::Num(n)),
        } = test
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

    fn profile_test(&mut self, test: &ir::Test<Value>) -> Option<Pred> {
        let plain = |v: &Value| matches!(v, Value::Attribute(_) | Value::Literal(_));
        let all = match test {
            ir::Test::Compare { left, right, .. } => plain(left) && plain(right),
            ir::Test::OneOf { value, .. }
            | ir::Test::Text { value, .. }
            | ir::Test::Has { value, .. }
            | ir::Test::Known(value)
            | ir::Test::During { value, .. }
            | ir::Test::Yes(value) => plain(value),
        };
        if !all || !self.places.contains_key(&Owner::Profile) {
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
            ir::Test::Yes(v) => Test::Yes(value(self, v)),
        }
    }

    // --- values

    fn value(&mut self, value: &Value) -> Val {
        match value {
            Value::Literal(literal) => Val::Literal(lit(literal)),
            Value::Attribute(id) => self.attribute(*id).map_or(MISSING_VALUE, |(term, ty)| Val::Term { term, ty }),
            Value::Aggregate { function, behaviour } => self.aggregate(*function, behaviour),
            Value::DaysSinceEvent { end, matching } => Val::DaysSince(self.picked(*end, matching)),
            Value::DaysSinceAttribute(id) => match self.attribute(*id) {
                Some((term, Ty::Date)) => Val::DaysSinceDate(term),
                Some((term, _)) => Val::DaysSince(term),
                None => MISSING_VALUE,
            },
        }
    }

    fn attribute(&mut self, id: AttributeId) -> Option<(u32, Ty)> {
        let (branch, column, ty) = self.attribute_column(id)?;
        let channel = self.channel(branch, column, ty);
        let pattern = self.pattern(Owner::Profile, Pred::Const(true));
        let agg = if ty == Ty::Number { Agg::MinFloat(channel) } else { Agg::Min(channel) };
        Some((self.term(pattern, i64::MIN, i64::MAX, agg), ty))
    }

    fn aggregate(&mut self, function: Aggregate, behaviour: &Behaviour) -> Val {
        let typed = |me: &Self, p| me.property_type(behaviour.matching.event, p);
        let whole = |term| Val::Term { term, ty: Ty::Integer };
        match function {
            Aggregate::Count => whole(self.behaviour(behaviour, Agg::Count)),
            Aggregate::Distinct(p) => self.measured(behaviour, p, Agg::Distinct).map_or(MISSING_VALUE, whole),
            Aggregate::Sum(p) | Aggregate::Avg(p) => {
                let Some(ty) = typed(self, p) else { return MISSING_VALUE };
                let sum = if ty == Ty::Number { Agg::SumFloat } else { Agg::Sum };
                let Some(sum) = self.measured(behaviour, p, sum) else { return MISSING_VALUE };
                if matches!(function, Aggregate::Sum(_)) {
                    return Val::Term { term: sum, ty };
                }
                match self.measured(behaviour, p, Agg::CountKnown) {
                    Some(known) => Val::Average { sum, known, ty },
                    None => MISSING_VALUE,
                }
            }
            Aggregate::Min(p) | Aggregate::Max(p) => {
                let Some(ty) = typed(self, p) else { return MISSING_VALUE };
                let agg = match (function, ty) {
                    (Aggregate::Min(_), Ty::Number) => Agg::MinFloat,
                    (Aggregate::Min(_), _) => Agg::Min,
                    (_, Ty::Number) => Agg::MaxFloat,
                    _ => Agg::Max,
                };
                self.measured(behaviour, p, agg).map_or(MISSING_VALUE, |term| Val::Term { term, ty })
            }
        }
    }

    fn measured(&mut self, behaviour: &Behaviour, p: catalog::PropertyId, agg: impl Fn(u32) -> Agg) -> Option<u32> {
        let (branch, column, ty) = self.property_column(behaviour.matching.event, p)?;
        let channel = self.channel(branch, column, ty);
        Some(self.behaviour(behaviour, agg(channel)))
    }

    fn channel(&mut self, branch: usize, column: u32, ty: Ty) -> u32 {
        let Some(branch) = self.branches.get_mut(branch) else { return 0 };
        let (list, base) = if ty == Ty::Text { (&mut branch.texts, TEXT) } else { (&mut branch.ints, 0) };
        if let Some((channel, _)) = list.iter().find(|(_, c)| *c == column) {
            return *channel;
        }
        let channel = base + list.len() as u32;
        list.push((channel, column));
        channel
    }

    // --- rows

    fn pred(&mut self, event: EventId, pred: &ir::Pred) -> Pred {
        match pred {
            ir::Pred::Const(yes) => Pred::Const(*yes),
            ir::Pred::And(all) => Pred::And(all.iter().map(|p| self.pred(event, p)).collect()),
            ir::Pred::Or(any) => Pred::Or(any.iter().map(|p| self.pred(event, p)).collect()),
            ir::Pred::Not(inner) => Pred::Not(Box::new(self.pred(event, inner))),
            ir::Pred::Test(test) => Pred::Test(self.map_test(test, |me, operand| match operand {
                ir::Operand::Literal(literal) => Operand::Literal(lit(literal)),
                ir::Operand::Property(p) => {
                    me.property_column(event, *p).map_or(MISSING_OPERAND, |(_, c, _)| Operand::Column(c))
                }
                ir::Operand::Hour => Operand::Hour,
                ir::Operand::Weekday => Operand::Weekday,
                ir::Operand::Date => Operand::Date,
            })),
        }
    }

    fn property_type(&self, event: EventId, p: catalog::PropertyId) -> Option<Ty> {
        Some(ty(self.catalog.event(event)?.properties.get(p.index())?.ty))
    }

    fn property_column(&mut self, event: EventId, p: catalog::PropertyId) -> Option<(usize, u32, Ty)> {
        let catalog = self.catalog;
        let owner = catalog.event(event)?;
        let property = owner.properties.get(p.index())?;
        let &(branch, _) = self.places.get(&Owner::Event(event))?;
        let column = match &property.column {
            ColumnRef::Own(column) | ColumnRef::Lookup { column, .. } => column,
        };
        let mut spec = self.spec(owner.source.index(), property.ty, property.fold, property.empty_is_value, column);
        if let ColumnRef::Lookup { lookup, .. } = &property.column
            && let Some(lookup) = catalog.lookups.get(lookup.index())
        {
            spec.label = format!("column `{column}` of look-up `{}`", lookup.name.name);
        }
        let ty = spec.ty;
        Some((branch, self.column(branch, property.column.clone(), spec), ty))
    }

    fn attribute_column(&mut self, id: AttributeId) -> Option<(usize, u32, Ty)> {
        let catalog = self.catalog;
        let profile = catalog.profile.as_ref()?;
        let attribute = profile.attributes.get(id.index())?;
        let &(branch, _) = self.places.get(&Owner::Profile)?;
        let spec = ColumnSpec {
            ty: ty(attribute.ty),
            fold: attribute.fold,
            empty_is_value: attribute.empty_is_value,
            zone: profile.timezone.clone().unwrap_or_else(|| "UTC".into()),
            project_zone: self.clock.zone.name().into(),
            unit: None,
            label: format!("column `{}` of the profiles", attribute.column),
        };
        let ty = spec.ty;
        Some((branch, self.column(branch, ColumnRef::Own(attribute.column.clone()), spec), ty))
    }

    fn spec(&self, source: usize, of: Type, fold: bool, empty_is_value: bool, column: &str) -> ColumnSpec {
        let source = self.catalog.sources.get(source);
        ColumnSpec {
            ty: ty(of),
            fold,
            empty_is_value,
            zone: source.and_then(|s| s.timezone.clone()).unwrap_or_else(|| "UTC".into()),
            project_zone: self.clock.zone.name().into(),
            unit: None,
            label: format!("column `{column}` of source `{}`", source.map_or("", |s| s.name.name.as_str())),
        }
    }

    fn column(&mut self, branch: usize, at: ColumnRef, spec: ColumnSpec) -> u32 {
        let (Some(lowered), Some(known)) = (self.branches.get_mut(branch), self.columns.get_mut(branch)) else {
            return 0;
        };
        let next = lowered.branch.columns.len() as u32;
        *known.entry((at.clone(), spec.clone())).or_insert_with(|| {
            lowered.branch.columns.push(spec);
            lowered.refs.push(at);
            next
        })
    }
}

/// Text channels until their final number is known.
const TEXT: u32 = 1 << 24;

/// A column that no branch has: always missing.
const MISSING_OPERAND: Operand = Operand::Column(u32::MAX);
const MISSING_VALUE: Val = Val::Term { term: u32::MAX, ty: Ty::Integer };

fn renumber(agg: Agg, ints: u32) -> Agg {
    let last = |c: u32| if c >= TEXT { c - TEXT + ints } else { c };
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
