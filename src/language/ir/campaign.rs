//! Campaigns and policies as meaning: whom a campaign asks for, what it does with whom, and within which bounds.
//!
//! What is a yes or no of one customer (condition, exceptions, guards, consent) stands among the program's rules, what is a value
//! (the order of a limit, the payload) among its traits: the plan that evaluates rules evaluates all of it. Who is then contacted
//! is decided over all customers and the ledger, in the order of [`Campaign`]'s fields.

use super::{Action, Aggregate, Length, Matching, Num, RuleId};
use crate::language::syntax::ast::Date;

/// `campaign NAME: CONDITION ARM+ CLAUSE*`. Its name, title and place are those of its rule.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Who meets the condition.
    pub rule: RuleId,
    /// `was OLD`: its ledger and its salt are those of that name.
    pub was: Option<String>,
    /// `except NAME`, in the order of the text: the rules whose members are left out, by the name that was written.
    pub except: Vec<(String, RuleId)>,
    /// In the order of the text; at least one.
    pub arms: Vec<Arm>,
    /// `hold out 10%`: the share (0 to 1) that is drawn and not contacted.
    pub hold_out: Option<Num>,
    /// Higher first; 0 where unsaid.
    pub priority: i64,
    pub at_most: Option<Frequency>,
    pub limit: Option<Limit>,
    /// `with VALUE as name, …`
    pub with: Vec<Payload>,
    pub goal: Option<Goal>,
    pub every: Option<Every>,
    /// The first and the last day, both included, in the project's zone.
    pub from: Option<Date>,
    pub until: Option<Date>,
    /// What a contact costs, in the project's currency; else the channel's cost.
    pub cost: Option<Num>,
    /// For the campaign's whole life.
    pub budget: Option<Num>,
    pub quiet: Option<Quiet>,
}

/// What is done with some of a campaign's customers.
#[derive(Debug, Clone)]
pub struct Arm {
    /// As written for a share; else its number in the text, from 1.
    pub name: String,
    pub take: Take,
    pub action: Action,
}

/// Whom an arm takes. Arms of a campaign are all guarded, all shares, or one that takes all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Take {
    All,
    /// `when CONDITION:` and none of the arms before.
    When(RuleId),
    /// Whom no arm before takes.
    Otherwise,
    /// A share from 0 to 1; with `hold out` all shares add to 1.
    Share(Num),
}

/// `at most n … in D`: of the instants in (T − D, T], the coming one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frequency {
    pub n: u64,
    pub within: Length,
}

/// `limit n [by VALUE]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub n: u64,
    /// A place in the program's traits: the highest first, missing last, then the smaller id. Without it, by stable hash.
    pub by: Option<usize>,
}

/// A column that travels with a delivery.
#[derive(Debug, Clone)]
pub struct Payload {
    pub name: String,
    pub of: PayloadOf,
    /// Whether it is made of anything that the catalog marks as personal.
    pub pii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadOf {
    /// A place in the program's traits.
    Trait(usize),
    /// A yes or no.
    Rule(RuleId),
}

/// `goal BEHAVIOUR within 14d [, value …]`
#[derive(Debug, Clone)]
pub struct Goal {
    pub matching: Matching,
    pub within: Length,
    /// Over the goal's events.
    pub values: Vec<Aggregate>,
}

/// `every day|monday|… at 09:00`, in the project's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    /// Monday is 1, Sunday 7; sorted. All seven are `every day`.
    pub weekdays: Vec<u8>,
    /// Minutes after midnight.
    pub at: u16,
}

/// `quiet 21:00 to 08:00`: minutes after midnight, the first included, the second not; it may pass midnight. In the customer's
/// zone where the catalog knows it, else in the project's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    pub from: u16,
    pub to: u16,
}

/// `policy NAME: at most 3 contacts in 7d by email, sms; …`: contact pressure across campaigns.
#[derive(Debug, Clone)]
pub struct Policy {
    pub name: String,
    pub description: Option<String>,
    /// One at least; all of them hold.
    pub rules: Vec<PolicyRule>,
}

#[derive(Debug, Clone)]
pub struct PolicyRule {
    pub at_most: Frequency,
    /// The channels whose contacts count; empty: all.
    pub channels: Vec<String>,
}

/// What a customer must pass to be reached on a channel. It stands in every program that has a campaign on that channel; no text
/// and no option takes it out.
#[derive(Debug, Clone)]
pub struct Gate {
    pub channel: String,
    /// Who agreed; everybody on a channel without consent in the catalog.
    pub consent: RuleId,
    /// Whom a suppression list names.
    pub suppressed: RuleId,
}

impl Campaign {
    /// A campaign without any clause.
    pub fn of(rule: RuleId, arms: Vec<Arm>) -> Campaign {
        Campaign {
            rule,
            was: None,
            except: Vec::new(),
            arms,
            hold_out: None,
            priority: 0,
            at_most: None,
            limit: None,
            with: Vec::new(),
            goal: None,
            every: None,
            from: None,
            until: None,
            cost: None,
            budget: None,
            quiet: None,
        }
    }

    /// Calls back for every rule that it refers to: its own first, those of its channels aside.
    pub fn rules(&mut self, found: &mut dyn FnMut(&mut RuleId)) {
        found(&mut self.rule);
        self.except.iter_mut().for_each(|(_, rule)| found(rule));
        for arm in &mut self.arms {
            if let Take::When(rule) = &mut arm.take {
                found(rule);
            }
        }
        for payload in &mut self.with {
            if let PayloadOf::Rule(rule) = &mut payload.of {
                found(rule);
            }
        }
    }

    /// Calls back for every place in the program's traits that it refers to.
    pub fn traits(&mut self, found: &mut dyn FnMut(&mut usize)) {
        self.limit.iter_mut().filter_map(|limit| limit.by.as_mut()).for_each(&mut *found);
        for payload in &mut self.with {
            if let PayloadOf::Trait(of) = &mut payload.of {
                found(of);
            }
        }
    }

    /// The channels of its arms, in the order of the text, with repeats.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.arms.iter().filter_map(|arm| arm.action.channel.as_deref())
    }
}
