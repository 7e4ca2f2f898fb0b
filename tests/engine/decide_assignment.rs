//! The published assignment: held to what Python's hashlib says (`decide_assignment.py` wrote the file), even over arms, independent
//! from salt to salt, and the same whatever else changes. These answers are for ever.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use segue::audience::campaign::{Assignment, Draw, Verdict, decide, held_out_everywhere, place};
use segue::language::ir::{Arm, Campaign, Take};
use segue::language::num::Num;
use segue::language::sample::{limit, point};

use super::decide_world::World;

fn thousandths(units: i128) -> Num {
    Num::Exact { units, scale: 3 }
}

/// A campaign with these arms, and a hold out.
fn campaign(shares: &[(&str, i128)], hold_out: Option<i128>) -> Campaign {
    let world = World::new(1, 1, 1);
    let mut campaign = world.program.campaigns[0].clone();
    let action = campaign.arms[0].action.clone();
    let arm = |&(name, share): &(&str, i128)| {
        let take = if share == 1000 { Take::All } else { Take::Share(thousandths(share)) };
        Arm { name: name.into(), take, action: action.clone() }
    };
    campaign.arms = shares.iter().map(arm).collect();
    campaign.hold_out = hold_out.map(thousandths);
    campaign
}

#[test]
fn ten_thousand_customers_are_where_python_says() {
    let winback = Assignment::new("shop", "winback", &campaign(&[("a", 450), ("b", 450)], Some(100)));
    let thirds = Assignment::new("shop", "anti-âge", &campaign(&[("x", 333), ("y", 333), ("z", 334)], None));
    let welcome = Assignment::new("shop", "welcome", &campaign(&[("1", 1000)], Some(200)));
    let arm = |assignment: &Assignment, names: [&'static str; 3], id: &str| match assignment.draw(id) {
        Draw::Arm(arm) => names[usize::from(arm)],
        Draw::In => "1",
        Draw::HeldOut => "-",
    };
    let mut found = "customer,winback,anti-âge,welcome,holdout,first\n".to_owned();
    let numbers = (0..5_000).map(|n| (n * 7 - 10_000).to_string());
    for id in numbers.chain((0..5_000).map(|n| format!("küche-{n}"))) {
        writeln!(
            found,
            "{id},{},{},{},{},{}",
            arm(&winback, ["a", "b", ""], &id),
            arm(&thirds, ["x", "y", "z"], &id),
            arm(&welcome, ["", "", ""], &id),
            if held_out_everywhere("shop", thousandths(50), &id) { "-" } else { "+" },
            if u128::from(place("shop", "winback", &id)) < limit(thousandths(100)) { "+" } else { "." },
        )
        .expect("a string takes all");
    }
    let golden = include_str!("fixtures/assignment.csv");
    let differs = found.lines().zip(golden.lines()).find(|(found, golden)| found != golden);
    assert_eq!(differs, None, "(found, golden)");
    assert_eq!(found.lines().count(), golden.lines().count());
}

/// Of chances below one in a million on either side, after Wilson and Hilferty.
fn is_chance(chi: f64, freedom: f64) -> bool {
    let part = 2.0 / (9.0 * freedom);
    let edge = |z: f64| freedom * (1.0 - part + z * part.sqrt()).powi(3);
    edge(-4.9) < chi && chi < edge(4.9)
}

fn cell(point: u64, cells: u128) -> usize {
    ((u128::from(point) * cells) >> 64) as usize
}

#[test]
fn a_million_customers_lie_evenly() {
    const CUSTOMERS: u32 = 1_000_000;
    let mut cells = vec![0u32; 100];
    for n in 0..CUSTOMERS {
        cells[cell(point("arms:1:shop/winback", &n.to_string()), 100)] += 1;
    }
    let expected = f64::from(CUSTOMERS) / 100.0;
    let chi: f64 = cells.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
    assert!(is_chance(chi, 99.0), "{chi}");
    // The test itself tells what is uneven: one cell in a hundred that is 6% too full.
    let skew = expected * 0.06;
    assert!(!is_chance(chi + 2.0 * skew * skew / expected + 60.0, 99.0));
}

#[test]
fn salts_know_nothing_of_each_other() {
    const CUSTOMERS: u32 = 100_000;
    let salts = [
        "arms:1:shop/winback",
        "arms:1:shop/welcome",
        "limit:1:shop/winback",
        "holdout:1:shop",
        "arms:1:shop2/winback",
    ];
    let cells: Vec<Vec<usize>> =
        salts.iter().map(|salt| (0..CUSTOMERS).map(|n| cell(point(salt, &format!("c{n}")), 10)).collect()).collect();
    for (a, one) in cells.iter().enumerate() {
        for (b, other) in cells.iter().enumerate().skip(a + 1) {
            let mut table = [[0u32; 10]; 10];
            one.iter().zip(other).for_each(|(&row, &column)| table[row][column] += 1);
            let rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<u32>().into()).collect();
            let columns: Vec<f64> = (0..10).map(|at| table.iter().map(|row| f64::from(row[at])).sum()).collect();
            let mut chi = 0.0;
            for (row, counts) in table.iter().enumerate() {
                for (column, &count) in counts.iter().enumerate() {
                    let expected = rows[row] * columns[column] / f64::from(CUSTOMERS);
                    chi += (f64::from(count) - expected).powi(2) / expected;
                }
            }
            assert!(is_chance(chi, 81.0), "{} and {}: {chi}", salts[a], salts[b]);
        }
    }
    // What depends on each other is told.
    let same: f64 = 9.0 * f64::from(CUSTOMERS);
    assert!(!is_chance(same, 81.0));
}

/// The arm of each campaign and customer that was contacted or held out by the campaign itself.
fn arms(world: &World, days: std::ops::Range<u64>) -> BTreeMap<(String, String), Option<u16>> {
    let mut arms = BTreeMap::new();
    for number in days {
        let day = world.day(number);
        let ledger = world.ledger(&day, &[]).expect("a ledger");
        let decisions = decide(&world.input(&day, &ledger)).expect("decided");
        for decided in &decisions.campaigns {
            for (row, verdict) in decided.pairs() {
                let arm = match verdict {
                    Verdict::Sent { arm } => Some(arm),
                    Verdict::HeldOut { global: false, .. } => None,
                    _ => continue,
                };
                let pair = (decided.name.clone(), world.ids[row as usize].clone());
                let before = arms.insert(pair.clone(), arm);
                assert!(before.is_none_or(|before| before == arm), "{pair:?} had {before:?} and has {arm:?}");
            }
        }
    }
    arms
}

#[test]
fn rules_names_and_data_have_no_say() {
    let mut compared = 0;
    for seed in 1..9 {
        // Only shares, with hold outs and without; nothing that depends on who else there is.
        let shares = |world: &mut World| {
            world.program.policies.clear();
            for (number, campaign) in world.program.campaigns.iter_mut().enumerate() {
                let hold_out = (number % 2 == 0).then_some(100);
                let last = if hold_out.is_some() { 450 } else { 550 };
                campaign.arms = super::decide_assignment::campaign(&[("a", 450), ("b", last)], hold_out).arms;
                campaign.hold_out = hold_out.map(thousandths);
                (campaign.limit, campaign.budget, campaign.was) = (None, None, None);
                for arm in &mut campaign.arms {
                    arm.action.channel = Some("email".into());
                }
            }
        };
        let mut world = World::new(seed, 300, 4);
        shares(&mut world);
        // The data is another one every day.
        let before = arms(&world, 0..5);
        // Other arms' names, other guards and exceptions, other conditions, more campaigns, more customers' worth of history.
        let mut edited = World::new(seed, 300, 4);
        shares(&mut edited);
        let rules: Vec<_> = edited.program.campaigns.iter().map(|campaign| campaign.rule).collect();
        for (number, campaign) in edited.program.campaigns.iter_mut().enumerate() {
            campaign.arms[1].name = "renamed".into();
            campaign.arms[1].action.arguments = vec!["other".into()];
            campaign.except.clear();
            campaign.priority = number as i64;
        }
        edited.add_campaign("another", seed);
        // Everybody's consent stands where a campaign's own condition was.
        let everyone = edited.program.gates[0].consent;
        assert!(!rules.contains(&everyone));
        let after = arms(&edited, 3..8);
        for (pair, arm) in &before {
            if let Some(now) = after.get(pair) {
                assert_eq!(now, arm, "{pair:?}");
                compared += 1;
            }
        }
        // Under another name with `was`, and never without it.
        let mut renamed = World::new(seed, 300, 4);
        shares(&mut renamed);
        let (name, rule) = {
            let campaign = &renamed.program.campaigns[0];
            (renamed.name(campaign).to_owned(), campaign.rule)
        };
        renamed.program.rules[rule.0 as usize].name = "new_name".into();
        renamed.program.campaigns[0].was = Some(name.clone());
        (renamed.program.campaigns[0].every, world.program.campaigns[0].every) = (None, None);
        let (kept, original) = (arms(&renamed, 0..3), arms(&world, 0..3));
        let of = |all: &BTreeMap<(String, String), Option<u16>>, campaign: &str| -> BTreeMap<String, Option<u16>> {
            all.iter().filter(|((name, _), _)| name == campaign).map(|((_, id), arm)| (id.clone(), *arm)).collect()
        };
        assert_eq!(of(&kept, "new_name"), of(&original, &name));
        renamed.program.campaigns[0].was = None;
        let lost = of(&arms(&renamed, 0..3), "new_name");
        let original = of(&original, &name);
        assert!(original.len() < 40 || lost.iter().any(|(id, arm)| original.get(id).is_some_and(|other| other != arm)));
    }
    assert!(compared > 1_000, "{compared}");
}
