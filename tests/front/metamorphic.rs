//! Laws that hold for every rule, whatever it says: random programs and histories on the interpreter.

use std::collections::BTreeMap;

use crate::generate::batch;

#[test]
fn most_random_rules_are_accepted() {
    let (mut all, mut kept) = (0, 0);
    let mut why: BTreeMap<String, usize> = BTreeMap::new();
    let mut example: BTreeMap<String, String> = BTreeMap::new();
    for seed in 0..10 {
        let batch = batch(seed);
        let compiled = batch.compile();
        all += batch.rules.len();
        kept += compiled.program.rules.len() + compiled.program.traits.len();
        for d in compiled.diagnostics.iter() {
            let key = format!("{} {}", d.code, d.message);
            *why.entry(d.code.to_string()).or_default() += 1;
            let at = compiled.sources.get(d.primary.span.source).map_or("", |s| &s.text).to_owned();
            example.entry(key).or_insert(at);
        }
    }
    println!("{kept} of {all} {why:?}");
    for (k, v) in example { println!("{k}\n      {v}"); }
    assert!(kept * 10 >= all * 9, "{kept} of {all}");
}
