//! What takes one customer's entries in order: anchors, values along a chain, sequences, visits, and what compares an event with
//! its customer.
//!
//! Owns: deeds, reads and stories. Promises: as `lower`. Must not know: DataFusion, files.

use super::*;
use crate::engine::plan::story::{
    Absence, Anchor, Chain, Deed, Fold, Frame, Inside, Read, Rest, Same, Side, Step, Story,
};

/// The parts that stories are made of, each once.
#[derive(Default)]
pub(super) struct Shelf {
    reads: HashMap<Read, u32>,
    read_list: Vec<Read>,
    deeds: HashMap<Deed, u32>,
    deed_list: Vec<Deed>,
    stories: HashMap<Story, u32>,
    story_list: Vec<Story>,
    deeds_before: Vec<u32>,
    visits: bool,
}

impl Shelf {
    /// Puts everything into the program; channels are those of the lowerer.
    pub(super) fn unload(self, program: &mut Program) {
        program.reads = self.read_list;
        program.deeds = self.deed_list;
        program.stories = self.story_list;
        program.deeds_before = self.deeds_before;
    }
}

impl Lowerer<'_> {
    fn story(&mut self, story: Story) -> u32 {
        if let Some(&id) = self.shelf.stories.get(&story) {
            return id;
        }
        let id = self.shelf.story_list.len() as u32;
        self.shelf.story_list.push(story.clone());
        self.shelf.deeds_before.push(self.shelf.deed_list.len() as u32);
        self.shelf.stories.insert(story, id);
        id
    }

    fn told(&mut self, story: Story) -> u32 {
        let story = self.story(story);
        self.node(Node::Story(story))
    }

    fn deed(&mut self, matching: &Matching) -> u32 {
        let event = matching.event;
        let (row, rest) = match &matching.pred {
            Some(pred) if of_customer(pred) => {
                let all = match pred {
                    ir::Pred::And(all) => all.clone(),
                    other => vec![other.clone()],
                };
                let (rest, row): (Vec<_>, Vec<_>) = all.into_iter().partition(of_customer);
                (Some(ir::Pred::And(row)).filter(|p| *p != ir::Pred::And(Vec::new())), rest)
            }
            pred => (pred.clone(), Vec::new()),
        };
        let pattern = self.matching(&Matching { event, pred: row });
        let rest = match rest.len() {
            0 => None,
            1 => rest.first().map(|p| self.rest(event, pattern, p)),
            _ => Some(Rest::And(rest.iter().map(|p| self.rest(event, pattern, p)).collect())),
        };
        let deed = Deed { event: event.0, pattern, rest };
        if let Some(&id) = self.shelf.deeds.get(&deed) {
            return id;
        }
        let id = self.shelf.deed_list.len() as u32;
        self.shelf.deed_list.push(deed.clone());
        self.shelf.deeds.insert(deed, id);
        id
    }

    /// What is left of a predicate once rows are matched. Parts that don't ask for the customer are patterns of their own.
    fn rest(&mut self, event: EventId, pattern: u32, pred: &ir::Pred) -> Rest {
        if !of_customer(pred) {
            return match pred {
                ir::Pred::Const(yes) => Rest::Const(*yes),
                pred => Rest::Pattern(self.matching(&Matching { event, pred: Some(pred.clone()) })),
            };
        }
        match pred {
            ir::Pred::Const(yes) => Rest::Const(*yes),
            ir::Pred::And(all) => Rest::And(all.iter().map(|p| self.rest(event, pattern, p)).collect()),
            ir::Pred::Or(any) => Rest::Or(any.iter().map(|p| self.rest(event, pattern, p)).collect()),
            ir::Pred::Not(inner) => Rest::Not(Box::new(self.rest(event, pattern, inner))),
            ir::Pred::Test(test) => {
                // What asks for the profile alone is a pattern of the profile's row.
                if let Some(of_profile) = customer_test(test)
                    && let Some((pattern, negated)) = self.profile_pattern(&of_profile)
                {
                    let row = Rest::Row(pattern);
                    return if negated { Rest::Not(Box::new(row)) } else { row };
                }
                Rest::Test(self.map_test(test, |me, operand| me.side(event, pattern, operand)))
            }
        }
    }

    fn side(&mut self, event: EventId, pattern: u32, operand: &ir::Operand) -> Side {
        match operand {
            ir::Operand::Literal(literal) => Side::Customer(Val::Literal(lit(literal))),
            ir::Operand::Property(p) => {
                self.read(event, pattern, *p).map_or(Side::Customer(MISSING_VALUE), Side::Event)
            }
            ir::Operand::Hour => Side::Hour,
            ir::Operand::Weekday => Side::Weekday,
            ir::Operand::Date => Side::Date,
            ir::Operand::Customer(value) => Side::Customer(self.value(value)),
        }
    }

    fn read(&mut self, event: EventId, pattern: u32, p: catalog::PropertyId) -> Option<u32> {
        let (branch, column, ty) = self.property_column(event, p)?;
        if ty == Ty::List {
            return None;
        }
        let read = Read { pattern, channel: self.channel(branch, column, ty), ty };
        let next = self.shelf.read_list.len() as u32;
        Some(*self.shelf.reads.entry(read).or_insert_with(|| {
            self.shelf.read_list.push(read);
            next
        }))
    }

    /// A property of a deed's event.
    fn deed_read(&mut self, matching: &Matching, deed: u32, p: catalog::PropertyId) -> u32 {
        let pattern = self.shelf.deed_list.get(deed as usize).map_or(u32::MAX, |d| d.pattern);
        self.read(matching.event, pattern, p).unwrap_or(u32::MAX)
    }

    fn frame(&mut self, window: &Window, since: Option<&ir::Anchor>) -> Frame {
        let interval = self.interval(window);
        let since = since.map(|anchor| Anchor {
            last: anchor.end == End::Last,
            back: anchor.back,
            deed: self.deed(&anchor.matching),
        });
        Frame { lo: interval.lo, hi: interval.hi, since }
    }

    // --- values

    /// An aggregate that takes the entries in order.
    pub(super) fn folded(&mut self, behaviour: &Behaviour, fold: impl Fn(&mut Self, u32) -> Fold) -> Val {
        let deed = self.deed(&behaviour.matching);
        let frame = self.frame(&behaviour.window, behaviour.since.as_deref());
        let fold = fold(self, deed);
        Val::Story(self.story(Story::Fold { deed, frame, fold }))
    }

    pub(super) fn folded_aggregate(&mut self, function: Aggregate, behaviour: &Behaviour) -> Val {
        self.folded(behaviour, |me, deed| {
            let mut read = |p| me.deed_read(&behaviour.matching, deed, p);
            match function {
                Aggregate::Count => Fold::Count,
                Aggregate::Sum(p) => Fold::Sum(read(p)),
                Aggregate::Avg(p) => Fold::Average(read(p)),
                Aggregate::Min(p) => Fold::Min(read(p)),
                Aggregate::Max(p) => Fold::Max(read(p)),
                Aggregate::Distinct(p) => Fold::Distinct(read(p)),
                Aggregate::Percentile(p, millionths) => Fold::Percentile(read(p), millionths),
                Aggregate::First(p) => Fold::First(read(p)),
                Aggregate::Last(p) => Fold::Last(read(p)),
                Aggregate::MostFrequent(p) => Fold::MostFrequent(read(p)),
            }
        })
    }

    /// A count against a number; false where there is no anchor.
    pub(super) fn folded_count(&mut self, behaviour: &Behaviour, fold: Fold, op: Op, n: Num) -> u32 {
        let left = self.folded(behaviour, |_, _| fold);
        let right = Val::Literal(Lit::num(n));
        let test = self.node(Node::Test(Test::Compare { left: left.clone(), op: op.into(), right }));
        if op != Op::Ne || behaviour.since.is_none() {
            return test;
        }
        let known = self.node(Node::Test(Test::Known(left)));
        self.node(Node::And(vec![known, test]))
    }

    // --- conditions

    pub(super) fn same(
        &mut self,
        behaviour: &Behaviour,
        property: catalog::PropertyId,
        n: u64,
        without: Option<&(Matching, catalog::PropertyId)>,
    ) -> u32 {
        let same = self.same_of(&behaviour.matching, property, n, without);
        let frame = self.frame(&behaviour.window, behaviour.since.as_deref());
        self.told(Story::Same { same, frame })
    }

    fn same_of(
        &mut self,
        matching: &Matching,
        property: catalog::PropertyId,
        n: u64,
        without: Option<&(Matching, catalog::PropertyId)>,
    ) -> Same {
        let deed = self.deed(matching);
        let read = self.deed_read(matching, deed, property);
        let without = without.map(|(matching, p)| {
            let deed = self.deed(matching);
            (deed, self.deed_read(matching, deed, *p))
        });
        Same { deed, read, n, without }
    }

    pub(super) fn story_pick(
        &mut self,
        end: End,
        matching: &Matching,
        window: &Window,
        since: Option<&ir::Anchor>,
    ) -> u32 {
        let deed = self.deed(matching);
        let frame = self.frame(window, since);
        self.told(Story::Pick { last: end == End::Last, deed, frame })
    }

    pub(super) fn sequence(&mut self, sequence: &ir::Sequence) -> u32 {
        let chain = self.chain(sequence);
        let frame = self.frame(&sequence.window, sequence.since.as_deref());
        self.told(Story::Chain { chain, frame })
    }

    fn chain(&mut self, sequence: &ir::Sequence) -> Chain {
        let steps = sequence.steps.iter().map(|step| {
            let deed = self.deed(&step.matching);
            let same = step.same.map(|p| self.deed_read(&step.matching, deed, p));
            let without = step.without.as_ref().map(|(matching, p)| {
                let deed = self.deed(matching);
                (deed, p.map(|p| self.deed_read(matching, deed, p)))
            });
            Step {
                deed,
                pick: step.pick.map(Into::into),
                after: step.after.map(Into::into),
                within: step.within.map(Into::into),
                without,
                same,
            }
        });
        let steps = steps.collect();
        let absence = sequence.absence.as_ref().map(|absence| {
            let deed = self.deed(&absence.matching);
            let same = absence.same.map(|p| self.deed_read(&absence.matching, deed, p));
            Absence { deed, within: absence.within.map(Into::into), same }
        });
        Chain { steps, all_within: sequence.all_within.map(Into::into), absence }
    }

    pub(super) fn in_session(&mut self, inside: &Cond, window: &Window, since: Option<&ir::Anchor>) -> u32 {
        self.shelf.visits = true;
        let inside = self.inside(inside);
        let frame = self.frame(window, since);
        self.told(Story::Visit { inside, frame })
    }

    /// The patterns of the events that make up visits, where visits are asked for.
    pub(super) fn visit_patterns(&mut self) -> Vec<u32> {
        if !self.shelf.visits {
            return Vec::new();
        }
        let catalog = self.catalog;
        let marked = catalog.events.iter().enumerate().filter(|(_, event)| event.session);
        marked.map(|(e, _)| self.matching(&Matching { event: EventId(e as u32), pred: None })).collect()
    }

    pub(super) fn in_any(
        &mut self,
        length: ir::Length,
        inside: &Cond,
        starts: &[Matching],
        window: &Window,
        since: Option<&ir::Anchor>,
    ) -> u32 {
        let inside = self.inside(inside);
        let starts = starts.iter().map(|matching| self.deed(matching)).collect();
        let frame = self.frame(window, since);
        self.told(Story::Stretch { length: length.into(), inside, starts, frame })
    }

    fn inside(&mut self, condition: &Cond) -> Inside {
        // What is quickly told stands first.
        let cheap_first = |mut all: Vec<Inside>| {
            all.sort_by_key(effort);
            all
        };
        match condition {
            Cond::Const(yes) => Inside::Const(*yes),
            Cond::And(all) => Inside::And(cheap_first(all.iter().map(|c| self.inside(c)).collect())),
            Cond::Or(any) => Inside::Or(cheap_first(any.iter().map(|c| self.inside(c)).collect())),
            Cond::Not(inner) => Inside::Not(Box::new(self.inside(inner))),
            Cond::Count { behaviour, op, n } => {
                let deed = self.deed(&behaviour.matching);
                Inside::Count { deed, periods: None, op: (*op).into(), n: Lit::num(*n) }
            }
            Cond::Periods { behaviour, unit, op, n } => {
                let deed = self.deed(&behaviour.matching);
                Inside::Count { deed, periods: Some((*unit).into()), op: (*op).into(), n: Lit::num(*n) }
            }
            Cond::Same { behaviour, property, n, without } => {
                Inside::Same(self.same_of(&behaviour.matching, *property, *n, without.as_ref()))
            }
            Cond::Sequence(sequence) => Inside::Chain(self.chain(sequence)),
            // The checker lets nothing else stand inside.
            _ => Inside::Const(false),
        }
    }
}

fn effort(condition: &Inside) -> u8 {
    match condition {
        Inside::Const(_) => 0,
        Inside::Count { periods: None, .. } => 1,
        Inside::Count { .. } => 2,
        Inside::Same(_) => 3,
        Inside::Chain(_) => 4,
        Inside::Not(inner) => effort(inner),
        Inside::And(all) | Inside::Or(all) => all.iter().map(effort).max().unwrap_or(0),
    }
}

/// Whether a predicate asks for a value of the customer.
pub(super) fn of_customer(pred: &ir::Pred) -> bool {
    match pred {
        ir::Pred::Const(_) => false,
        ir::Pred::And(all) | ir::Pred::Or(all) => all.iter().any(of_customer),
        ir::Pred::Not(inner) => of_customer(inner),
        ir::Pred::Test(test) => {
            let mut found = false;
            test.clone().values(&mut |operand| found |= matches!(operand, ir::Operand::Customer(_)));
            found
        }
    }
}

/// The test as one of the customer, where nothing of the event is in it.
fn customer_test(test: &ir::Test<ir::Operand>) -> Option<ir::Test<Value>> {
    let value = |operand: &ir::Operand| match operand {
        ir::Operand::Literal(literal) => Some(Value::Literal(literal.clone())),
        ir::Operand::Customer(value) => Some((**value).clone()),
        _ => None,
    };
    Some(match test {
        ir::Test::Compare { left, op, right } => {
            ir::Test::Compare { left: value(left)?, op: *op, right: value(right)? }
        }
        ir::Test::OneOf { value: v, among, negated } => {
            ir::Test::OneOf { value: value(v)?, among: among.clone(), negated: *negated }
        }
        ir::Test::Text { value: v, how, pattern, fold } => {
            ir::Test::Text { value: value(v)?, how: *how, pattern: pattern.clone(), fold: *fold }
        }
        ir::Test::Has { value: v, among } => ir::Test::Has { value: value(v)?, among: among.clone() },
        ir::Test::Known(v) => ir::Test::Known(value(v)?),
        ir::Test::During { value: v, window } => ir::Test::During { value: value(v)?, window: *window },
        ir::Test::Anniversary { value: v, window } => ir::Test::Anniversary { value: value(v)?, window: *window },
        ir::Test::Yes(v) => ir::Test::Yes(value(v)?),
    })
}
