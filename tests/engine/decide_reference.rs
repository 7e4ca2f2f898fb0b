//! The order of decision once more, as the reference has it in words: one pair at a time, over plain maps and a list of rows. It shares
//! the types of the program, the calendar and the hash with what it is compared with, and nothing else.

use std::collections::{BTreeMap, HashMap};

use segue::language::calendar::{Zone, date_of};
use segue::language::interpret::scalar::Scalar;
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::sample::point;

use super::decide_world::{Day, Row, Told, World};

/// The verdicts of a day; `rows` is all that happened before.
pub fn decide(world: &World, day: &Day, rows: &[Row]) -> Told {
    let mut reference = Reference::new(world, day, rows);
    // Campaigns are served by priority (higher first), then name.
    let mut order: Vec<usize> = (0..world.program.campaigns.len()).collect();
    order.sort_by_key(|&place| {
        let campaign = &world.program.campaigns[place];
        (-campaign.priority, world.name(campaign).to_owned())
    });
    order.into_iter().map(|place| reference.campaign(place)).collect()
}

/// A zone, and the quiet hours that are asked of it.
type Asked = (Option<String>, Vec<(u16, u16)>);

struct Reference<'a> {
    world: &'a World,
    day: &'a Day,
    /// By customer what happened before, and what is decided in this run.
    past: HashMap<&'a str, Vec<&'a Row>>,
    now: HashMap<String, Vec<(String, Option<String>)>>,
    rows: &'a [Row],
    /// By campaign its name in the ledger.
    keys: Vec<String>,
    quiet: HashMap<Asked, Option<String>>,
}

type Outcome = (String, Option<u16>, Option<String>);

fn stopped(reason: &str, detail: Option<String>) -> Outcome {
    (reason.to_owned(), None, detail)
}

impl<'a> Reference<'a> {
    fn new(world: &'a World, day: &'a Day, rows: &'a [Row]) -> Reference<'a> {
        let key = |campaign: &Campaign| campaign.was.clone().unwrap_or_else(|| world.name(campaign).to_owned());
        let keys: Vec<String> = world.program.campaigns.iter().map(key).collect();
        let mut past: HashMap<&str, Vec<&Row>> = HashMap::new();
        for row in rows {
            // What was decided at this very instant about a campaign that is decided now is this decision.
            let again = |place: usize| day.due[place] && keys[place] == row.name;
            if row.at != day.clock.as_of || !(0..keys.len()).any(again) {
                past.entry(&row.customer).or_default().push(row);
            }
        }
        Reference { world, day, past, now: HashMap::new(), rows, keys, quiet: HashMap::new() }
    }

    fn holds(&self, rule: RuleId, customer: usize) -> bool {
        self.day.members[rule.0 as usize].value(customer)
    }

    /// The instants in (T − D, T].
    fn is_within(&self, at: i64, length: Length) -> bool {
        self.day.clock.back(length.amount, length.unit) < at && at <= self.day.clock.as_of
    }

    fn cost(&self, campaign: &Campaign, arm: usize) -> i128 {
        let of_channel = || {
            let name = campaign.arms[arm].action.channel.as_ref()?;
            self.world.catalog.channels.iter().find(|c| c.name.name == *name)?.cost
        };
        match campaign.cost.or_else(of_channel) {
            Some(Num::Exact { units, scale }) => units * 10i128.pow(6 - u32::from(scale)),
            _ => 0,
        }
    }

    fn campaign(&mut self, place: usize) -> (String, BTreeMap<String, Outcome>) {
        let world = self.world;
        let campaign = &world.program.campaigns[place];
        let name = world.name(campaign).to_owned();
        let shared = campaign.arms.iter().any(|arm| matches!(arm.take, Take::Share(_)));
        let mut all = BTreeMap::new();
        let mut eligible: Vec<(usize, Vec<usize>)> = Vec::new();
        for (customer, id) in world.ids.iter().enumerate() {
            if !self.holds(campaign.rule, customer) {
                continue;
            }
            match self.eligible(place, campaign, customer) {
                Ok(arms) => eligible.push((customer, arms)),
                Err(reason) => _ = all.insert(id.clone(), reason),
            }
        }
        // `limit n by VALUE`: the n highest, missing last; ties: the smaller id; without `by`, by stable hash.
        let key = self.keys[place].clone();
        let salt = format!("limit:1:{}/{key}", world.project);
        eligible.sort_by_cached_key(|&(customer, _)| match campaign.limit.and_then(|limit| limit.by) {
            Some(by) => match &self.day.traits[by][customer] {
                Some(Scalar::Num(Num::Exact { units, .. })) => (0, -units, customer),
                _ => (1, 0, customer),
            },
            None => (0, i128::from(point(&salt, &world.ids[customer])), customer),
        });
        let again = self.day.due[place];
        let mut spent: i128 = (self.rows.iter())
            .filter(|row| row.name == key && row.event == "contacted")
            .filter(|row| row.at < self.day.clock.as_of || (row.at == self.day.clock.as_of && !again))
            .filter_map(|row| row.cost)
            .sum();
        let budget = campaign.budget.map(|budget| match budget {
            Num::Exact { units, scale } => units * 10i128.pow(6 - u32::from(scale)),
            Num::Float(_) => unreachable!("no project has such a budget"),
        });
        let mut places = 0;
        for (customer, arms) in eligible {
            let id = &world.ids[customer];
            if campaign.limit.is_some_and(|limit| places >= limit.n) {
                all.insert(id.clone(), stopped("over limit", None));
                continue;
            }
            places += 1;
            let dearest = arms.iter().map(|&arm| self.cost(campaign, arm)).max().expect("some arm");
            if budget.is_some_and(|budget| spent + dearest > budget) {
                all.insert(id.clone(), stopped("over budget", None));
                continue;
            }
            let one_arm = (!shared).then(|| arms[0]);
            let global = world
                .holdout
                .is_some_and(|share| u128::from(point(&format!("holdout:1:{}", world.project), id)) < bound(&[share]));
            let outcome = if global {
                ("held out".to_owned(), one_arm.map(|arm| arm as u16), Some("the project's holdout".to_owned()))
            } else {
                match self.drawn(campaign, &key, id) {
                    None => ("held out".to_owned(), one_arm.map(|arm| arm as u16), None),
                    Some(drawn) => {
                        let arm = one_arm.unwrap_or(drawn);
                        spent += self.cost(campaign, arm);
                        let channel = campaign.arms[arm].action.channel.clone();
                        self.now.entry(id.clone()).or_default().push((name.clone(), channel));
                        ("sent".to_owned(), Some(arm as u16), None)
                    }
                }
            };
            all.insert(id.clone(), outcome);
        }
        (name, all)
    }

    /// The arm with a share that the customer draws (0 where arms have none), or nothing: held out.
    fn drawn(&self, campaign: &Campaign, key: &str, id: &str) -> Option<usize> {
        let at = u128::from(point(&format!("arms:1:{}/{key}", self.world.project), id));
        let shares: Vec<Num> = (campaign.arms.iter())
            .filter_map(|arm| match arm.take {
                Take::Share(share) => Some(share),
                _ => None,
            })
            .collect();
        if shares.is_empty() {
            let hold_out = campaign.hold_out.unwrap_or(Num::int(0));
            let Num::Exact { units, scale } = hold_out else { unreachable!("shares are written in decimals") };
            let rest = Num::Exact { units: 10i128.pow(u32::from(scale)) - units, scale };
            return (at < bound(&[rest])).then_some(0);
        }
        (1..=shares.len()).find(|&n| at < bound(&shares[..n])).map(|n| n - 1)
    }

    /// Whom nothing up to the policies stops, with the arms on whose channels he must be reachable.
    fn eligible(&mut self, place: usize, campaign: &Campaign, customer: usize) -> Result<Vec<usize>, Outcome> {
        let (world, day) = (self.world, self.day);
        let id = world.ids[customer].as_str();
        if !day.due[place] {
            return Err(stopped("not due", None));
        }
        let today = date_of(day.clock.zone.date(day.clock.as_of));
        let outside =
            campaign.from.is_some_and(|from| today < from) || campaign.until.is_some_and(|until| today > until);
        if campaign.every.is_none() && outside {
            return Err(stopped("not due", None));
        }
        for (name, rule) in &campaign.except {
            if self.holds(*rule, customer) {
                return Err(stopped("excepted", Some(name.clone())));
            }
        }
        let mut arms = Vec::new();
        for (place, arm) in campaign.arms.iter().enumerate() {
            match arm.take {
                Take::Share(_) => arms.push(place),
                Take::When(rule) if !self.holds(rule, customer) => {}
                _ if arms.is_empty() => arms.push(place),
                _ => {}
            }
        }
        if arms.is_empty() {
            return Err(stopped("no arm", None));
        }
        let mut channels = Vec::new();
        for &arm in &arms {
            match &campaign.arms[arm].action.channel {
                None => return Err(stopped("no channel", None)),
                Some(channel) => channels.push(channel.clone()),
            }
        }
        let gate = |channel: &str| world.program.gates.iter().find(|gate| gate.channel == channel).expect("a gate");
        for channel in &channels {
            if !self.holds(gate(channel).consent, customer) {
                return Err(stopped("no consent", Some(channel.clone())));
            }
        }
        for channel in &channels {
            if self.holds(gate(channel).suppressed, customer) {
                return Err(stopped("suppressed", Some(channel.clone())));
            }
        }
        if let Some(until) = self.quiet(campaign, &channels, customer) {
            return Err(stopped("quiet hours", Some(until)));
        }
        let past: &[&Row] = self.past.get(id).map_or(&[], Vec::as_slice);
        if let Some(at_most) = campaign.at_most {
            let key = &self.keys[place];
            let touches = |row: &&&Row| row.name == *key && (row.event == "contacted" || row.event == "held out");
            let before = past.iter().filter(touches).filter(|row| self.is_within(row.at, at_most.within)).count();
            if before as u64 + 1 > at_most.n {
                return Err(stopped("capped", None));
            }
        }
        for policy in &world.program.policies {
            for line in &policy.rules {
                let counts = |channel: Option<&String>| {
                    line.channels.is_empty() || channel.is_some_and(|channel| line.channels.contains(channel))
                };
                if !channels.iter().any(|channel| counts(Some(channel))) {
                    continue;
                }
                let mut places: Vec<String> = (past.iter())
                    .filter(|row| row.event == "contacted" && counts(row.channel.as_ref()))
                    .filter(|row| self.is_within(row.at, line.at_most.within))
                    .map(|row| {
                        let mine = self.keys.iter().position(|key| *key == row.name);
                        mine.map_or(row.name.clone(), |place| world.name(&world.program.campaigns[place]).to_owned())
                    })
                    .collect();
                let now = self.now.get(id).into_iter().flatten();
                places.extend(now.filter(|(_, channel)| counts(channel.as_ref())).map(|(name, _)| name.clone()));
                if places.len() as u64 + 1 > line.at_most.n {
                    places.sort();
                    places.dedup();
                    let takers = if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) };
                    return Err(stopped("policy", Some(format!("policy {}{takers}", policy.name))));
                }
            }
        }
        Ok(arms)
    }

    /// The first minute that is not quiet, where this one is: the clock on the customer's wall, minute by minute.
    fn quiet(&mut self, campaign: &Campaign, channels: &[String], customer: usize) -> Option<String> {
        let mut hours: Vec<(u16, u16)> = campaign.quiet.iter().map(|quiet| (quiet.from, quiet.to)).collect();
        for channel in channels {
            let of_channel = self.world.catalog.channels.iter().find(|c| c.name.name == *channel);
            hours.extend(of_channel.and_then(|c| c.quiet));
        }
        let own = self.world.program.zone.and_then(|place| match &self.day.traits[place][customer] {
            Some(Scalar::Text(zone)) => Some(zone.clone()),
            _ => None,
        });
        let as_of = self.day.clock.as_of;
        let asked = (own.clone(), hours.clone());
        let found = self.quiet.entry(asked).or_insert_with(|| {
            let zone = own.as_deref().and_then(Zone::new).unwrap_or_else(|| self.world.zone.clone());
            let is_quiet = |at: i64| {
                let wall = (zone.local(at) / 60_000_000).rem_euclid(1440) as u16;
                hours.iter().any(
                    |&(from, to)| {
                        if from <= to { (from..to).contains(&wall) } else { wall >= from || wall < to }
                    },
                )
            };
            if !is_quiet(as_of) {
                return None;
            }
            let mut minute = as_of - as_of.rem_euclid(60_000_000);
            for _ in 0..8 * 1440 {
                minute += 60_000_000;
                if !is_quiet(minute) {
                    return Some(format!("until {}", written(minute, &zone)));
                }
            }
            Some("always".to_owned())
        });
        found.clone()
    }
}

/// ⌊sum × 2^64⌋, exactly.
fn bound(shares: &[Num]) -> u128 {
    let sum: i128 = shares
        .iter()
        .map(|share| match share {
            Num::Exact { units, scale } => units * 10i128.pow(6 - u32::from(*scale)),
            Num::Float(_) => unreachable!("shares are written in decimals"),
        })
        .sum();
    (sum as u128) * (1 << 64) / 1_000_000
}

/// `2026-11-22T08:00+01:00`
fn written(at: i64, zone: &Zone) -> String {
    let local = zone.local(at);
    let date = date_of((local.div_euclid(86_400_000_000)) as i32);
    let minute = (local.rem_euclid(86_400_000_000)) / 60_000_000;
    let east = zone.offset(at) / 60_000_000;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}{}{:02}:{:02}",
        date.year,
        date.month,
        date.day,
        minute / 60,
        minute % 60,
        if east < 0 { '-' } else { '+' },
        east.abs() / 60,
        east.abs() % 60
    )
}
