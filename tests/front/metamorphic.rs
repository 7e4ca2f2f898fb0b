//! Laws that hold for every rule, whatever it says: random programs and histories on the interpreter.

use segue::language::format::{Style, format};
use segue::language::interpret::{Evaluation, evaluate};
use segue::language::ir::Program;
use segue::language::source::Sources;
use segue::language::syntax::parse;

use crate::generate::dice::Dice;
use crate::generate::rules::Writer;
use crate::generate::{Batch, Size, seeds, sized};

/// What holds for each of the batch's customers.
fn answers(batch: &Batch, program: &Program) -> Vec<Evaluation> {
    evaluate(program, &batch.catalog, &batch.clock, &batch.customers())
}

/// The members of a rule; `None` where the checker kept the rule out.
fn members(answers: &[Evaluation], program: &Program, rule: &str) -> Option<Vec<bool>> {
    let at = program.rules.iter().position(|r| r.name == rule)?;
    Some(answers.iter().map(|a| a.members[at]).collect())
}

fn small(seed: u64) -> Batch {
    sized(seed, Size { rules: 0, customers: 40 })
}

#[test]
fn most_random_rules_are_accepted() {
    let (mut all, mut kept) = (0, 0);
    let mut why = Vec::new();
    for seed in 0..20 {
        let batch = sized(seed, Size { rules: 100, customers: 0 });
        let compiled = batch.compile();
        all += batch.rules.len();
        kept += compiled.program.rules.len() + compiled.program.traits.len();
        let errors = compiled.diagnostics.iter().filter(|d| d.is_error());
        why.extend(errors.map(|d| format!("seed {seed}: {} {}", d.code, d.message)));
    }
    assert!(kept * 100 >= all * 93, "{kept} of {all}\n{}", why.join("\n"));
    // What was kept out was told.
    assert!(kept == all || !why.is_empty());
}

#[test]
fn conditions_combine_as_sets_do() {
    let mut compared = 0;
    for seed in seeds(20) {
        let batch = small(seed);
        let mut dice = Dice::new(seed ^ 0x5eed);
        let mut writer = Writer::new(&mut dice, &batch.catalog, &batch.clock);
        writer.salted = true;
        for round in 0..6 {
            let (p, q) = (writer.condition(round % 3), writer.condition(round % 2));
            let laws = [
                ("p", format!("segment p: {p}\n")),
                ("q", format!("segment q: {q}\n")),
                ("neither", format!("segment neither: not (({p}) or ({q}))\n")),
                ("nor", format!("segment nor: (not ({p})) and not ({q})\n")),
                ("both", format!("segment both: ({p}) and ({q})\n")),
                ("both_named", "segment both_named: p but q\n".to_owned()),
                ("either", format!("segment either: ({p}) or ({q})\n")),
                ("either_named", "segment either_named: p or q\n".to_owned()),
                ("all_of_them", format!("segment all_of_them: ({p}) or not p\n")),
            ];
            let compiled = batch.compile_texts(laws.iter().map(|(name, text)| (*name, text.as_str())));
            let answers = answers(&batch, &compiled.program);
            let of = |rule: &str| members(&answers, &compiled.program, rule);
            let (Some(p), Some(q)) = (of("p"), of("q")) else { continue };
            let there: Vec<bool> = answers.iter().map(|a| a.in_population).collect();
            let n = p.len();
            let law = |rule: &str, holds: &dyn Fn(usize) -> bool| {
                let Some(found) = of(rule) else { return };
                for i in 0..n {
                    let who = &batch.histories[i];
                    assert_eq!(
                        found[i],
                        there[i] && holds(i),
                        "seed {seed}: {rule}, {}\n{}\n{}\n{}",
                        who.0,
                        laws.iter().map(|(_, t)| t.as_str()).collect::<String>(),
                        batch.show_history(&who.1),
                        batch.catalog_yaml
                    );
                }
            };
            law("p", &|i| p[i]);
            law("neither", &|i| !p[i] && !q[i]);
            law("nor", &|i| !p[i] && !q[i]);
            law("both", &|i| p[i] && q[i]);
            law("both_named", &|i| p[i] && q[i]);
            law("either", &|i| p[i] || q[i]);
            law("either_named", &|i| p[i] || q[i]);
            law("all_of_them", &|_| true);
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn a_wider_window_keeps_who_reached_the_count() {
    for seed in seeds(12) {
        let batch = small(seed);
        let mut dice = Dice::new(seed ^ 0xa11);
        let windows = ["30min", "12h", "1d", "2d", "7d", "2w", "30d", "60d", "3mo", "6mo", "1y", "2y"];
        for _ in 0..6 {
            let mut writer = Writer::new(&mut dice, &batch.catalog, &batch.clock);
            let matching = writer.matching();
            let count = dice.between(1, 3);
            let periods = if dice.chance(30) { "on " } else { "" };
            let unit = if periods.is_empty() { "" } else { " days" };
            let names: Vec<String> = (0..windows.len()).map(|i| format!("w{i}")).collect();
            let texts: Vec<String> = windows
                .iter()
                .zip(&names)
                .map(|(window, name)| format!("segment {name}: {matching} {periods}≥ {count}{unit} in {window}\n"))
                .collect();
            let compiled = batch.compile_texts(names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
            let answers = answers(&batch, &compiled.program);
            let mut narrower: Option<Vec<bool>> = None;
            for name in &names {
                let Some(wider) = members(&answers, &compiled.program, name) else { continue };
                if let Some(narrower) = &narrower {
                    let lost = narrower.iter().zip(&wider).position(|(before, now)| *before && !now);
                    assert_eq!(lost, None, "seed {seed}: {name} of {texts:#?}");
                }
                narrower = Some(wider);
            }
        }
    }
}

#[test]
fn the_order_of_events_means_nothing() {
    for seed in seeds(8) {
        let mut batch = sized(seed, Size { rules: 60, customers: 25 });
        let program = batch.compile().program;
        let before = answers(&batch, &program);
        let mut dice = Dice::new(seed);
        for (_, history) in &mut batch.histories {
            for i in (1..history.events.len()).rev() {
                history.events.swap(i, dice.below(i + 1));
            }
        }
        assert_eq!(before, answers(&batch, &program), "seed {seed}");
    }
}

#[test]
fn formatted_rules_mean_the_same() {
    for seed in seeds(10) {
        let batch = sized(seed, Size { rules: 60, customers: 15 });
        let program = batch.compile().program;
        let formatted: Vec<(String, String)> = batch
            .rules
            .iter()
            .map(|(name, text)| {
                let mut sources = Sources::default();
                let id = sources.add("rule.seg", text.as_str());
                let source = sources.get(id).expect("added");
                let style = Style { ascii: seed % 2 == 1 };
                let text = format(source, &parse(source), style).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
                (name.clone(), text)
            })
            .collect();
        let again = batch.compile_texts(formatted.iter().map(|(n, t)| (n.as_str(), t.as_str()))).program;
        assert_eq!(program.rules.len(), again.rules.len(), "seed {seed}");
        assert_eq!(answers(&batch, &program), answers(&batch, &again), "seed {seed}");
    }
}
