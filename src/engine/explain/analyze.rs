//! What a run took, by stage and by rule.
//!
//! Owns: how measured time is dealt out. The formula: time of scan and look-ups by the rows to be read that a rule needs; of
//! classifying and logging by the rows of its patterns; of evaluating by its terms (each weighs one, and its pattern's rows a
//! customer) and its stories (each weighs one, and twice the rows of its patterns a customer); all else evenly. What several
//! rules share is split evenly. Promises: the times of the rules sum to the time of the run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::cost::{Cost, Piece, deal_out};
use super::{Explanation, uses};
use crate::engine::meter::{Meter, Stage, Totals};
use crate::engine::plan::lower::{Asked, Parts, Values, lower};
use crate::engine::run::{Request, measured};
use crate::error::Error;

/// A run that was measured.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub totals: Totals,
    /// From the first file to the last answer.
    pub wall: Duration,
    /// Rows by pattern.
    pub entries: Vec<u64>,
    /// Customers that were answered for.
    pub customers: u64,
    /// By rule, in seconds of all threads together.
    pub rules: Vec<Cost>,
    /// Members by rule.
    pub members: Vec<usize>,
}

/// Runs and measures. `explained` describes the same request.
pub async fn analyze(request: &Request<'_>, explained: &Explanation) -> Result<Analysis, Error> {
    let parts = lower(
        request.catalog,
        request.program,
        request.clock,
        Asked { values: Values::of(request.program), population: request.population },
    );
    let since = std::time::Instant::now();
    let (outcome, meter): (_, Arc<Meter>) = measured(request.clone(), parts.program.patterns).await?;
    let wall = since.elapsed();
    let (totals, entries) = (meter.totals(), meter.by_pattern());
    let customers = outcome.customers.len() as u64;
    let rules = attributed(explained, &parts, &totals, &entries, customers);
    let members = (0..request.program.rules.len()).map(|rule| outcome.size(rule)).collect();
    Ok(Analysis { totals, wall, entries, customers, rules, members })
}

fn attributed(explained: &Explanation, parts: &Parts, totals: &Totals, entries: &[u64], customers: u64) -> Vec<Cost> {
    let n = explained.rules.len();
    let asked = explained.asked();
    let rows = |pattern: u32| entries.get(pattern as usize).copied().unwrap_or(0) as f64;
    let patterns: Vec<Piece> = explained
        .patterns
        .iter()
        .enumerate()
        .map(|(p, pattern)| Piece { weight: rows(p as u32), rules: pattern.rules.clone() })
        .collect();
    let people = customers.max(1) as f64;
    let terms = explained
        .terms
        .iter()
        .map(|term| Piece { weight: 1.0 + rows(term.pattern) / people, rules: term.rules.clone() });
    let stories = explained.stories.iter().enumerate().map(|(s, story)| {
        let of: BTreeSet<u32> = uses::of_story(parts, s as u32).patterns;
        Piece { weight: 1.0 + 2.0 * of.into_iter().map(rows).sum::<f64>() / people, rules: story.rules.clone() }
    });
    let answers: Vec<Piece> = terms.chain(stories).collect();
    let mut sum = vec![Cost::default(); n];
    for (stage, time) in Stage::ALL.iter().zip(totals.stages) {
        let pieces = match stage {
            Stage::Scan | Stage::Lookup => explained.pieces.as_slice(),
            Stage::Classify | Stage::Log => &patterns,
            Stage::Evaluate => &answers,
            Stage::Other | Stage::Gather => &[],
        };
        for (sum, cost) in sum.iter_mut().zip(deal_out(time.as_secs_f64(), pieces, n, &asked)) {
            sum.alone += cost.alone;
            sum.share += cost.share;
            sum.only += cost.only;
        }
    }
    sum
}
