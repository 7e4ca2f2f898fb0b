//! Thousands of rules in one plan; `SEGUE_RULES` says how many.

use std::path::Path;
use std::time::Instant;

use segue::engine::Limits;

use super::engine_answers::run_project;

#[test]
fn thousands_of_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cosmetics");
    let count: usize = std::env::var("SEGUE_RULES").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000);
    let mut text = String::new();
    for i in 0..count {
        let (n, days, amount) = (i % 7 + 1, i % 89 + 1, i / 7);
        text += &format!(
            "segment s{i}:\n  purchased where (amount > {amount}) ≥ {n} in {days}d and no open in {}d\n",
            i % 30 + 1
        );
    }
    let start = Instant::now();
    let (names, outcome) = run_project(&root, Some(&text), Some("2026-11-21"), Limits::default()).unwrap();
    assert_eq!(names.len(), count);
    assert!((0..count).any(|rule| outcome.size(rule) > 0));
    println!("{count} rules: {:?}", start.elapsed());
}
