//! What holds of every decision, whoever made it, said directly of its rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use segue::audience::campaign::{Decisions, Verdict};
use segue::language::ir::*;
use segue::language::num::Num;

use super::decide_world::{Day, Row, World};

fn micros(amount: Num) -> i128 {
    match amount {
        Num::Exact { units, scale } => units * 10i128.pow(6 - u32::from(scale)),
        Num::Float(_) => unreachable!("amounts are written in decimals"),
    }
}

/// What holds of one day, whose history before it is `rows`; the first that does not is told.
pub fn of_day(world: &World, day: &Day, rows: &[Row], decisions: &Decisions) -> Result<(), String> {
    let holds = |rule: RuleId, row: u32| day.members[rule.0 as usize].value(row as usize);
    for (campaign, decided) in world.program.campaigns.iter().zip(&decisions.campaigns) {
        let name = world.name(campaign);
        let fail = |what: &str| Err(format!("campaign {name}: {what}"));
        let met: Vec<u32> = day.members[campaign.rule.0 as usize].set_indices().map(|row| row as u32).collect();
        if decided.rows != met || decided.verdicts.len() != met.len() {
            return fail("not exactly one verdict for each who met the condition");
        }
        let shared = campaign.arms.iter().any(|arm| matches!(arm.take, Take::Share(_)));
        let mut places = 0;
        for (row, verdict) in decided.pairs() {
            let word = verdict.outcome();
            let before_consent = ["not due", "excepted", "no arm", "no channel"].contains(&word);
            if before_consent {
                continue;
            }
            if !day.due[decided.campaign] {
                return fail("decided though it is not due");
            }
            if campaign.except.iter().any(|(_, rule)| holds(*rule, row)) {
                return fail("went on with who is excepted");
            }
            let takes = |arm: &&Arm| match arm.take {
                Take::When(rule) => holds(rule, row),
                _ => true,
            };
            let ways: Vec<&Arm> = if shared {
                campaign.arms.iter().collect()
            } else {
                campaign.arms.iter().find(takes).into_iter().collect()
            };
            if ways.is_empty() || ways.iter().any(|arm| arm.action.channel.is_none()) {
                return fail("went on without an arm or a channel");
            }
            if let Verdict::Sent { arm } | Verdict::HeldOut { arm: Some(arm), .. } = verdict
                && !ways.iter().any(|way| way.name == campaign.arms[usize::from(arm)].name)
            {
                return fail("another arm than the one that takes the customer");
            }
            let gates = || {
                let of = |arm: &&Arm| {
                    world.program.gates.iter().find(|gate| Some(&gate.channel) == arm.action.channel.as_ref())
                };
                ways.iter().filter_map(of)
            };
            let agreed = gates().all(|gate| holds(gate.consent, row));
            if agreed == (word == "no consent") {
                return fail("consent is not first");
            }
            if word == "no consent" {
                continue;
            }
            let named = gates().any(|gate| holds(gate.suppressed, row));
            if named != (word == "suppressed") {
                return fail("suppression is not second");
            }
            if ["sent", "held out", "over budget"].contains(&word) {
                places += 1;
            }
        }
        if campaign.limit.is_some_and(|limit| places > limit.n) {
            return fail("more than its limit");
        }
        let key = campaign.was.as_deref().unwrap_or(name);
        if let Some(budget) = campaign.budget.map(micros) {
            let before: i128 = (rows.iter())
                .filter(|row| row.name == key && row.event == "contacted")
                .filter_map(|row| row.cost)
                .sum();
            if decided.cost() > 0 && before + decided.cost() > budget {
                return fail("more than its budget");
            }
        }
    }
    Ok(())
}

/// What holds of a whole history for the touches after `from`: no cap and no policy is exceeded over any window that ends in one.
pub fn of_history(world: &World, rows: &[Row], days: &[Day]) -> Result<(), String> {
    let mut touches: HashMap<&str, Vec<&Row>> = HashMap::new();
    for row in rows.iter().filter(|row| row.event == "contacted" || row.event == "held out") {
        touches.entry(&row.customer).or_default().push(row);
    }
    let clocks: BTreeMap<i64, &Day> = days.iter().map(|day| (day.clock.as_of, day)).collect();
    let keys: HashMap<&str, &Campaign> = (world.program.campaigns.iter())
        .map(|campaign| (campaign.was.as_deref().unwrap_or(world.name(campaign)), campaign))
        .collect();
    for (customer, all) in &touches {
        let mut once = HashSet::new();
        for touch in all {
            let Some(day) = clocks.get(&touch.at) else { continue };
            if !once.insert((touch.at, &touch.name)) {
                return Err(format!("{customer} twice from {} at one instant", touch.name));
            }
            let within = |row: &&&Row, length: Length| {
                day.clock.back(length.amount, length.unit) < row.at && row.at <= day.clock.as_of
            };
            if let Some(at_most) = keys.get(touch.name.as_str()).and_then(|campaign| campaign.at_most) {
                let count = all.iter().filter(|row| row.name == touch.name && within(row, at_most.within)).count();
                if count as u64 > at_most.n {
                    return Err(format!("{customer} has {count} touches from {}", touch.name));
                }
            }
            if touch.event == "held out" {
                continue;
            }
            for (policy, line) in world.program.policies.iter().flat_map(|p| p.rules.iter().map(move |line| (p, line)))
            {
                let counts = |row: &Row| {
                    row.event == "contacted"
                        && (line.channels.is_empty() || row.channel.as_ref().is_some_and(|c| line.channels.contains(c)))
                };
                if !counts(touch) {
                    continue;
                }
                let count = all.iter().filter(|row| counts(row) && within(row, line.at_most.within)).count();
                if count as u64 > line.at_most.n {
                    return Err(format!("{customer} has {count} contacts against policy {}", policy.name));
                }
            }
        }
    }
    Ok(())
}
