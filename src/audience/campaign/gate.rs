//! The gates that a campaign's customers pass, one after the other.
//!
//! Owns: their order, and what each of them asks. Promises: who is stopped by one is not asked by the next. Must not know: tables.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::buffer::BooleanBuffer;

use super::assignment::{Assignment, Draw, held_out_everywhere, key, place};
use super::ids::Ids;
use super::ledger::{Pressure, Touches, channel, micros};
use super::quiet::{Zones, until};
use super::verdict::{Note, Reason, Verdict};
use super::{Decided, Input, words};
use crate::error::Error;
use crate::language::calendar::days_of;
use crate::language::interpret::scalar::Scalar;
use crate::language::ir::{Campaign, Quiet, RuleId, Take};

/// The order of decision.
pub const ORDER: &[Gate] = &[
    Gate::Due,
    Gate::Except,
    Gate::Arm,
    Gate::Channel,
    Gate::Consent,
    Gate::Suppression,
    Gate::QuietHours,
    Gate::Frequency,
    Gate::Policies,
    Gate::Limit,
    Gate::Budget,
    Gate::HoldOut,
];

/// A step of the decision about one campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// `every`, `from`, `until`.
    Due,
    Except,
    /// Guards are tried in order; the first that holds takes the customer.
    Arm,
    /// There is a channel to reach the customer on.
    Channel,
    Consent,
    Suppression,
    QuietHours,
    /// `at most`: contacts and holdouts of this campaign.
    Frequency,
    /// Contacts of all campaigns, those of this run that were decided before included.
    Policies,
    Limit,
    Budget,
    /// The campaign's own and the project's.
    HoldOut,
}

/// A customer whom nothing has stopped so far.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    row: u32,
    /// The arm that takes the customer; with shares nobody knows before the end.
    arm: Option<u16>,
}

/// What an arm needs to reach anybody.
struct Way<'a> {
    channel: Option<&'a str>,
    /// Its place in the catalog.
    number: u16,
    /// Who agreed, and who is suppressed.
    gate: Option<(&'a BooleanBuffer, &'a BooleanBuffer)>,
    quiet: Option<Quiet>,
    /// In millionths.
    cost: i128,
}

/// One campaign while it is decided.
pub(super) struct Case<'a> {
    input: &'a Input<'a>,
    ids: Ids<'a>,
    place: usize,
    campaign: &'a Campaign,
    name: &'a str,
    key: &'a str,
    /// In the ledger.
    number: u32,
    ways: Vec<Way<'a>>,
    /// The arms are shares, so that a customer must be reachable on the way of each.
    shared: bool,
    budget: Option<i128>,
    assignment: Assignment,
    pressures: &'a [Pressure],
    given: &'a Touches,
    left: Vec<Candidate>,
    settled: Vec<(u32, Verdict)>,
    notes: Notes,
}

/// Each text once.
#[derive(Default)]
struct Notes {
    texts: Vec<String>,
    places: HashMap<String, u32>,
}

impl Notes {
    fn note(&mut self, text: Option<Cow<'_, str>>) -> Note {
        let Some(text) = text else { return Note::default() };
        if let Some(&place) = self.places.get(text.as_ref()) {
            return Note(place);
        }
        self.texts.push(text.clone().into_owned());
        let place = self.texts.len() as u32;
        self.places.insert(text.into_owned(), place);
        Note(place)
    }
}

type Stop<'n> = (Reason, Option<Cow<'n, str>>);

impl<'a> Case<'a> {
    /// The campaign at a place of the program, with all who met its condition.
    pub fn new(
        input: &'a Input<'a>,
        ids: Ids<'a>,
        place: usize,
        pressures: &'a [Pressure],
        given: &'a Touches,
    ) -> Result<Case<'a>, Error> {
        let wrong = |what: String| Error::Engine { message: format!("campaigns can't be decided: {what}"), help: None };
        let program = input.program;
        let campaign = program.campaigns.get(place).ok_or_else(|| wrong("one is missing".into()))?;
        let rule = program.rules.get(campaign.rule.0 as usize);
        let name = rule.map(|rule| rule.name.as_str()).ok_or_else(|| wrong("one has no rule".into()))?;
        let bits = |rule: RuleId| {
            input.members.get(rule.0 as usize).ok_or_else(|| wrong(format!("a rule of `{name}` is missing")))
        };
        let guards = campaign.arms.iter().filter_map(|arm| match arm.take {
            Take::When(rule) => Some(rule),
            _ => None,
        });
        for rule in guards.chain(campaign.except.iter().map(|(_, rule)| *rule)) {
            bits(rule)?;
        }
        let mut ways = Vec::with_capacity(campaign.arms.len());
        for arm in &campaign.arms {
            let written = arm.action.channel.as_deref();
            let number = channel(input.catalog, written);
            let known = input.catalog.channels.get(usize::from(number));
            let gate = match written {
                None => None,
                // Nobody is ever reached on a channel whose consent was not asked for.
                Some(channel) => {
                    let gate = program.gates.iter().find(|gate| gate.channel == channel).ok_or_else(|| {
                        wrong(format!("`{name}` goes by {channel}, and nobody was asked whether he agreed to that"))
                    })?;
                    Some((bits(gate.consent)?, bits(gate.suppressed)?))
                }
            };
            let quiet = known.and_then(|c| c.quiet).map(|(from, to)| Quiet { from, to });
            let cost = campaign.cost.or(known.and_then(|c| c.cost)).map_or(Ok(0), micros)?;
            ways.push(Way { channel: written, number, gate, quiet, cost });
        }
        let key = key(campaign, name);
        let met = bits(campaign.rule)?.set_indices();
        Ok(Case {
            input,
            ids,
            place,
            campaign,
            name,
            key,
            number: input.ledger.number(key),
            ways,
            shared: campaign.arms.iter().any(|arm| matches!(arm.take, Take::Share(_))),
            budget: campaign.budget.map(micros).transpose()?,
            assignment: Assignment::new(input.project, key, campaign),
            pressures,
            given,
            left: met.map(|row| Candidate { row: row as u32, arm: None }).collect(),
            settled: Vec::new(),
            notes: Notes::default(),
        })
    }

    /// Asks everybody who is left, in the order of ids; whom the answer is a reason is stopped.
    fn ask<'n>(&mut self, mut judge: impl FnMut(&Case<'a>, &mut Candidate) -> Option<Stop<'n>>) {
        let mut left = std::mem::take(&mut self.left);
        left.retain_mut(|candidate| match judge(self, candidate) {
            None => true,
            Some((reason, text)) => {
                let note = self.notes.note(text);
                self.settled.push((candidate.row, Verdict::Stopped(reason, note)));
                false
            }
        });
        self.left = left;
    }

    fn stop_all(&mut self, reason: Reason, text: String) {
        self.ask(|_, _| Some((reason, Some(Cow::Borrowed(text.as_str())))));
    }

    /// Every way on which the customer must be reachable.
    fn ways(&self, candidate: &Candidate) -> &[Way<'a>] {
        match candidate.arm {
            _ if self.shared => &self.ways,
            Some(arm) => self.ways.get(usize::from(arm)..=usize::from(arm)).unwrap_or_default(),
            None => &[],
        }
    }

    fn is_in(&self, rule: RuleId, row: u32) -> bool {
        self.input.members.get(rule.0 as usize).is_some_and(|bits| bits.value(row as usize))
    }

    /// Places among those who are left, in the order of the limit.
    fn by_limit(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.left.len() as u32).collect();
        let row = |at: u32| self.left.get(at as usize).map_or(0, |c| c.row);
        match self.campaign.limit.and_then(|limit| limit.by).and_then(|t| self.input.traits.get(t)) {
            Some(values) => {
                let value = |at: u32| values.get(row(at) as usize).and_then(Option::as_ref);
                order.sort_unstable_by(|&a, &b| highest_first(value(a), value(b)).then(a.cmp(&b)));
            }
            None => {
                let points: Vec<u64> = self
                    .left
                    .iter()
                    .map(|c| place(self.input.project, self.key, &self.ids.text(c.row as usize)))
                    .collect();
                order.sort_unstable_by_key(|&at| (points.get(at as usize).copied(), at));
            }
        }
        order
    }

    /// Stops whom the flags say.
    fn stop_flagged(&mut self, flags: &[bool], reason: Reason, text: &str) {
        let mut at = 0;
        self.ask(|_, _| {
            at += 1;
            flags.get(at - 1).copied().unwrap_or(false).then_some((reason, Some(Cow::Borrowed(text))))
        });
    }

    /// The verdict on who is held out, by the project first.
    fn held_out(&self, candidate: &Candidate) -> Option<Verdict> {
        let id = self.ids.text(candidate.row as usize);
        let global = self.input.holdout.is_some_and(|share| held_out_everywhere(self.input.project, share, &id));
        let held = global || self.assignment.draw(&id) == Draw::HeldOut;
        held.then_some(Verdict::HeldOut { arm: candidate.arm, global })
    }

    /// The arm of a customer who is contacted.
    fn arm(&self, candidate: &Candidate) -> u16 {
        candidate.arm.unwrap_or_else(|| match self.assignment.draw(&self.ids.text(candidate.row as usize)) {
            Draw::Arm(arm) => arm,
            Draw::In | Draw::HeldOut => 0,
        })
    }

    /// The verdicts, and by arm the place of its channel.
    pub fn finish(mut self) -> (Decided, Vec<u16>) {
        let mut all = std::mem::take(&mut self.settled);
        all.extend(self.left.iter().map(|candidate| (candidate.row, Verdict::Sent { arm: self.arm(candidate) })));
        all.sort_unstable_by_key(|(row, _)| *row);
        let (rows, verdicts) = all.into_iter().unzip();
        let decided = Decided {
            campaign: self.place,
            name: self.name.to_owned(),
            key: self.key.to_owned(),
            rows,
            verdicts,
            costs: self.ways.iter().map(|way| way.cost).collect(),
            notes: self.notes.texts,
        };
        (decided, self.ways.iter().map(|way| way.number).collect())
    }
}

/// The higher value first, missing last.
fn highest_first(a: Option<&Scalar>, b: Option<&Scalar>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.compare(a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

impl Gate {
    /// Takes everybody who is left through this gate.
    pub(super) fn apply(self, case: &mut Case<'_>) {
        match self {
            Gate::Due => due(case),
            Gate::Except => {
                let except = &case.campaign.except;
                case.ask(|case, candidate| {
                    let (name, _) = except.iter().find(|(_, rule)| case.is_in(*rule, candidate.row))?;
                    Some((Reason::Excepted, Some(Cow::Borrowed(name.as_str()))))
                });
            }
            Gate::Arm => case.ask(|case, candidate| {
                if case.shared {
                    return None;
                }
                let takes = |take: Take| match take {
                    Take::When(rule) => case.is_in(rule, candidate.row),
                    Take::All | Take::Otherwise | Take::Share(_) => true,
                };
                let arm = case.campaign.arms.iter().position(|arm| takes(arm.take));
                candidate.arm = arm.and_then(|arm| u16::try_from(arm).ok());
                candidate.arm.is_none().then_some((Reason::NoArm, None))
            }),
            Gate::Channel => case.ask(|case, candidate| {
                let lost = case.ways(candidate).iter().any(|way| way.channel.is_none());
                lost.then_some((Reason::NoChannel, None))
            }),
            Gate::Consent => case.ask(|case, candidate| {
                let refuses = |way: &&Way| way.gate.is_some_and(|(agreed, _)| !agreed.value(candidate.row as usize));
                let way = case.ways(candidate).iter().find(refuses)?;
                Some((Reason::NoConsent, way.channel.map(Cow::Borrowed)))
            }),
            Gate::Suppression => case.ask(|case, candidate| {
                let names = |way: &&Way| way.gate.is_some_and(|(_, named)| named.value(candidate.row as usize));
                let way = case.ways(candidate).iter().find(names)?;
                Some((Reason::Suppressed, way.channel.map(Cow::Borrowed)))
            }),
            Gate::QuietHours => quiet_hours(case),
            Gate::Frequency => {
                let Some(at_most) = case.campaign.at_most else { return };
                let text = words::frequency(at_most);
                case.ask(|case, candidate| {
                    let ledger = case.input.ledger;
                    let counts = |touch: u32, at: i64| touch == case.number && ledger.within_cap(touch, at);
                    let before = ledger.touches().of(candidate.row).filter(|t| counts(t.name, t.at)).count() as u64;
                    (before >= at_most.n).then_some((Reason::Capped, Some(Cow::Borrowed(text.as_str()))))
                });
            }
            Gate::Policies => policies(case),
            Gate::Limit => {
                let Some(limit) = case.campaign.limit else { return };
                let over = usize::try_from(limit.n).unwrap_or(usize::MAX);
                if over >= case.left.len() {
                    return;
                }
                let mut flags = vec![false; case.left.len()];
                for at in case.by_limit().into_iter().skip(over) {
                    if let Some(flag) = flags.get_mut(at as usize) {
                        *flag = true;
                    }
                }
                case.stop_flagged(&flags, Reason::OverLimit, &format!("limit {}", limit.n));
            }
            Gate::Budget => budget(case),
            Gate::HoldOut => {
                let mut left = std::mem::take(&mut case.left);
                left.retain(|candidate| match case.held_out(candidate) {
                    None => true,
                    Some(verdict) => {
                        case.settled.push((candidate.row, verdict));
                        false
                    }
                });
                case.left = left;
            }
        }
    }
}

/// A campaign with `every` is due when the schedule says so; from the first to the last day where it has none.
fn due(case: &mut Case<'_>) {
    let campaign = case.campaign;
    if !case.input.due.get(case.place).copied().unwrap_or(false) {
        let text = campaign.every.as_ref().map_or_else(|| "not at this instant".to_owned(), words::every);
        return case.stop_all(Reason::NotDue, text);
    }
    if campaign.every.is_some() {
        return;
    }
    let today = case.input.clock.zone.date(case.input.clock.as_of);
    if let Some(from) = campaign.from.filter(|&from| today < days_of(from)) {
        case.stop_all(Reason::NotDue, format!("from {}", words::date(from)));
    }
    if let Some(until) = campaign.until.filter(|&until| today > days_of(until)) {
        case.stop_all(Reason::NotDue, format!("until {}", words::date(until)));
    }
}

fn quiet_hours(case: &mut Case<'_>) {
    if case.campaign.quiet.is_none() && case.ways.iter().all(|way| way.quiet.is_none()) {
        return;
    }
    let input = case.input;
    let mut zones = Zones::new(&input.clock.zone);
    // By the zone's name and the arm: there are few of both, and many customers.
    let mut answers: HashMap<(Option<&str>, Option<u16>), Option<String>> = HashMap::new();
    let named = input.program.zone.and_then(|t| input.traits.get(t));
    case.ask(|case, candidate| {
        let zone = match named.and_then(|zones| zones.get(candidate.row as usize)) {
            Some(Some(Scalar::Text(zone))) => Some(zone.as_str()),
            _ => None,
        };
        let answer = answers.entry((zone, candidate.arm)).or_insert_with(|| {
            let channels = case.ways(candidate).iter().filter_map(|way| way.quiet);
            let hours: Vec<Quiet> = case.campaign.quiet.into_iter().chain(channels).collect();
            let zone = zones.get(zone);
            until(&hours, zone, input.clock.as_of).map(|until| match until {
                Some(at) => format!("until {}", words::minute(at, zone)),
                None => "always".to_owned(),
            })
        });
        answer.as_ref().map(|text| (Reason::QuietHours, Some(Cow::Owned(text.clone()))))
    });
}

fn policies(case: &mut Case<'_>) {
    let Input { program, ledger, .. } = *case.input;
    // What a campaign is called today.
    let name_of = |number: u32| {
        let known = ledger.name(number);
        let of = program.campaigns.iter().find_map(|campaign| {
            let name = program.rules.get(campaign.rule.0 as usize)?.name.as_str();
            (key(campaign, name) == known).then_some(name)
        });
        of.unwrap_or(known)
    };
    case.ask(|case, candidate| {
        for line in case.pressures {
            if !case.ways(candidate).iter().any(|way| line.counts(way.number)) {
                continue;
            }
            let touches = || {
                let all = ledger.touches().of(candidate.row).chain(case.given.of(candidate.row));
                all.filter(|touch| !touch.held && line.since < touch.at && line.counts(touch.channel))
            };
            if (touches().count() as u64) < line.n {
                continue;
            }
            let mut names: Vec<&str> = touches().map(|touch| name_of(touch.name)).collect();
            names.sort_unstable();
            names.dedup();
            let policy = program.policies.get(line.policy).map_or("", |policy| policy.name.as_str());
            let places = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            let text = format!("policy {policy}{places}");
            return Some((Reason::Policy, Some(Cow::Owned(text))));
        }
        None
    });
}

/// In the order of the limit, each is asked for what the dearest of the arms costs that might come of it, and pays for the one that
/// does; who is held out pays nothing.
fn budget(case: &mut Case<'_>) {
    let (Some(budget), Some(whole)) = (case.budget, case.campaign.budget) else { return };
    let mut spent = case.input.ledger.spent(case.number);
    let mut flags = vec![false; case.left.len()];
    for at in case.by_limit() {
        let (Some(candidate), Some(flag)) = (case.left.get(at as usize), flags.get_mut(at as usize)) else { continue };
        let dearest = case.ways(candidate).iter().map(|way| way.cost).max().unwrap_or(0);
        if spent.saturating_add(dearest) > budget {
            *flag = true;
        } else if case.held_out(candidate).is_none() {
            let arm = usize::from(case.arm(candidate));
            spent = spent.saturating_add(case.ways.get(arm).map_or(0, |way| way.cost));
        }
    }
    case.stop_flagged(&flags, Reason::OverBudget, &format!("budget {whole}"));
}
