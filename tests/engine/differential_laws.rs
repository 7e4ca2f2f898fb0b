//! The plan and the interpreter on conditions of every construct, with people whose events often share an instant.

use segue::engine::{Layout, Limits};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::interpret::history::History;

use super::differential::{Difference, compare};
use crate::generate::dice::Dice;
use crate::generate::laws::{Writer, compiled, history};

#[test]
fn conditions_of_every_construct() {
    let zone = Zone::new("Europe/Paris").unwrap();
    let mut rules = 0;
    for seed in crate::generate::seeds(crate::generate::cases(10_000).div_ceil(1_000)) {
        let mut dice = Dice::new(seed ^ 0x1a35);
        let as_of = dice.word(&["2026-11-21", "2026-11-21T12:00", "2026-10-26T12:00"]);
        let clock = Clock { as_of: parse_moment(as_of, &zone).unwrap(), zone: zone.clone() };
        let laws = Writer { dice: &mut dice }.laws();
        let text = |(i, (left, _, right)): (usize, &crate::generate::laws::Texts)| {
            [(format!("l{i}"), left.clone()), (format!("r{i}"), right.clone())]
        };
        let texts: Vec<(String, String)> = laws.iter().enumerate().flat_map(text).collect();
        let (program, catalog, said) = compiled(&texts);
        let people: Vec<(String, History)> = (0..150).map(|i| (i.to_string(), history(&mut dice, &clock))).collect();
        let layout = Layout { number_ids: seed % 2 == 0, partitions: 3, batch_rows: 17, ..Layout::default() };
        let limits = Limits { threads: Some(2), ..Limits::default() };
        if let Err(Difference { rule, customer, what }) = compare(&catalog, &program, &clock, &people, layout, limits) {
            let text = texts.iter().find(|(name, _)| *name == rule);
            let person = people.iter().find(|(id, _)| *id == customer);
            panic!("SEGUE_SEED={seed} as of {as_of}: {text:?}: {what}\n{person:#?}");
        }
        assert!(program.rules.len() * 10 > texts.len() * 9, "{said:#?}");
        rules += program.rules.len();
    }
    assert!(rules > 0);
}
