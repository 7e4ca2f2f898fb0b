//! The reference interpreter: a population's histories, plain loops, no DataFusion.
//!
//! Owns: the first of the two independent implementations of the meaning.
//! Promises: as simple as the language reference reads; speed is no aim, but a history of some hundred events is no trap.
//! Must not know: how the engine does it.

mod ask;
mod chain;
mod conditions;
mod events;
pub mod history;
mod ranks;
pub mod scalar;
mod values;
mod visits;

use std::cell::RefCell;
use std::rc::Rc;

use super::calendar::Clock;
use super::catalog::Catalog;
use super::ir::{Program, Rank, RuleId};
use super::num::Num;
use conditions::View;
use events::Seen;
use history::{CustomerId, History};
use ranks::Ranking;
use scalar::Scalar;

/// What holds for one customer at the as-of instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Whether the customer counts at all; if not, no rule holds.
    pub in_population: bool,
    /// One entry a rule, in the program's order.
    pub members: Vec<bool>,
    /// One entry a trait, in the program's order; `None` is missing.
    pub traits: Vec<Option<Scalar>>,
}

/// Evaluates every rule and trait for all customers, whose ids are unique. The answers are in the order of the customers.
pub fn evaluate(
    program: &Program,
    catalog: &Catalog,
    clock: &Clock,
    customers: &[(CustomerId, History)],
) -> Vec<Evaluation> {
    // What runs left behind is events like any other.
    let with_history = program.asks_history(catalog).then(|| catalog.with_history());
    let catalog = with_history.as_ref().unwrap_or(catalog);
    let customers = customers.iter().map(|(id, history)| Customer::new(id, history, program, catalog, clock)).collect();
    let mut population = Population { catalog, clock, customers, members: Vec::new(), rankings: RefCell::default() };
    // Rule by rule: a rule asks for earlier rules, and a rank for what everybody has.
    for rule in &program.rules {
        let holds = |view: View| view.customer.in_population && view.holds(&rule.condition);
        let members = population.views().map(holds).collect();
        population.members.push(members);
    }
    let evaluation = |view: View| Evaluation {
        in_population: view.customer.in_population,
        members: population.members.iter().map(|rule| rule.get(view.at).copied().unwrap_or(false)).collect(),
        traits: program.traits.iter().map(|t| view.value_of(&t.value)).collect(),
    };
    population.views().map(evaluation).collect()
}

/// One customer with the events that count.
struct Customer<'a> {
    id: &'a CustomerId,
    history: &'a History,
    /// Before the as-of instant, by time.
    events: Vec<Seen>,
    /// The time of the first event that the customer did: what runs left behind tells of no customer.
    first: Option<i64>,
    in_population: bool,
}

impl<'a> Customer<'a> {
    fn new(id: &'a CustomerId, history: &'a History, program: &Program, catalog: &Catalog, clock: &Clock) -> Self {
        let events = events::counting(program, catalog, clock, history);
        let profile = history.profile.as_ref();
        let in_future = profile.and_then(|p| p.created).is_some_and(|created| created >= clock.as_of);
        let counts = catalog.population;
        let first = events.iter().find(|e| !catalog.is_recorded(e.event)).map(|e| e.time);
        let has_trace = (counts.profiles && profile.is_some()) || (counts.events && first.is_some());
        Customer { id, history, events, first, in_population: has_trace && !in_future }
    }
}

/// Everybody, and what is known about them so far.
struct Population<'a> {
    catalog: &'a Catalog,
    clock: &'a Clock,
    customers: Vec<Customer<'a>>,
    /// For each rule that has been evaluated, whether each of the customers is a member.
    members: Vec<Vec<bool>>,
    /// The rankings that were asked for: many customers ask for one.
    rankings: RefCell<Vec<(Rank, Rc<Ranking>)>>,
}

impl Population<'_> {
    /// Each of the customers with all events.
    fn views(&self) -> impl Iterator<Item = View<'_>> {
        let view = |(at, customer)| View { population: self, at, customer, events: customer.events.iter().collect() };
        self.customers.iter().enumerate().map(view)
    }

    fn is_member(&self, customer: usize, rule: RuleId) -> bool {
        self.members.get(rule.0 as usize).and_then(|all| all.get(customer)).copied().unwrap_or(false)
    }

    fn ranking(&self, rank: &Rank) -> Rc<Ranking> {
        let known = self.rankings.borrow().iter().find(|(other, _)| other == rank).map(|(_, found)| Rc::clone(found));
        known.unwrap_or_else(|| {
            let ranking = Rc::new(Ranking::new(self, rank));
            self.rankings.borrow_mut().push((rank.clone(), Rc::clone(&ranking)));
            ranking
        })
    }
}

fn whole(n: usize) -> Num {
    Num::int(i64::try_from(n).unwrap_or(i64::MAX))
}
