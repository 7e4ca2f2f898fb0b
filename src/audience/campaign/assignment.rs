//! Which arm a customer gets, who is held out, and who comes first where nothing else decides: the published assignment, version 1.
//!
//! Owns: the salts, and the line from 0 to 2^64 that shares divide. Promises: the same customer gets the same arm on every run, every
//! machine and in every version; nothing but the project's name, the campaign's key, the customer's id and the shares in their order
//! has a say: not the rule, not the names of arms, not the data, not who else there is. Must not know: why a customer is asked about.
//!
//! To the bit:
//!
//! - A customer's *point* ([`sample::point`]) is the first eight bytes, read as a big-endian whole number, of SHA-256 over the UTF-8
//!   bytes of the salt, one byte 0, and the UTF-8 bytes of the id (a number in decimal digits, `-` before a negative one).
//! - The *key* of a campaign is the name behind `was` where there is one, else its name.
//! - Salts: `arms:1:PROJECT/KEY` divides a campaign among its arms, `limit:1:PROJECT/KEY` is the order of a `limit` without `by` (and
//!   of a budget without `limit`), `holdout:1:PROJECT` draws the project's own holdout. The 1 is the version.
//! - Arms with shares lie on the line from 0 to 2^64 one behind the other in the order of the text, the hold out last. An arm ends
//!   before ⌊s × 2^64⌋, where s is the exact sum of the shares so far. A customer gets the first arm whose end lies above his point;
//!   whom no arm takes is held out (without `hold out`, the last arm takes him).
//! - `hold out h` beside one plain arm or guards holds out who lies at or above ⌊(1 − h) × 2^64⌋.
//! - The project's holdout of the share p takes who lies below ⌊p × 2^64⌋ of its own line: a larger share includes a smaller one.
//! - A smaller point comes first in the order of `limit`; of equal points the smaller id.

use crate::language::ir::{Campaign, Take};
use crate::language::num::{Arithmetic, Num};
use crate::language::sample;

/// The name that a campaign has in the ledger and in its salts: the one that it had at first.
pub fn key<'a>(campaign: &'a Campaign, name: &'a str) -> &'a str {
    campaign.was.as_deref().unwrap_or(name)
}

/// Whether the project's own holdout takes a customer.
pub fn held_out_everywhere(project: &str, share: Num, customer: &str) -> bool {
    sample::holds(&format!("holdout:1:{project}"), share, customer)
}

/// Where a customer stands in the order of a limit without `by`.
pub fn place(project: &str, key: &str, customer: &str) -> u64 {
    sample::point(&format!("limit:1:{project}/{key}"), customer)
}

/// How a campaign divides its customers.
#[derive(Debug, Clone)]
pub struct Assignment {
    salt: String,
    /// Where the shares end, in the order of the arms; empty where arms have none.
    ends: Vec<u128>,
    /// Whoever lies here or above is held out.
    held: u128,
}

/// What a customer has drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// An arm with a share, by its place.
    Arm(u16),
    /// Not held out, of a campaign whose arms have no shares.
    In,
    HeldOut,
}

impl Assignment {
    pub fn new(project: &str, key: &str, campaign: &Campaign) -> Assignment {
        const WHOLE: u128 = 1 << 64;
        let sum = |a: Num, b: Num| a.combine(Arithmetic::Add, b).unwrap_or(a);
        let mut ends = Vec::new();
        let mut so_far = Num::int(0);
        for arm in &campaign.arms {
            if let Take::Share(share) = arm.take {
                so_far = sum(so_far, share);
                ends.push(sample::limit(so_far));
            }
        }
        let held = match campaign.hold_out {
            None => {
                // What rounding leaves over is the last arm's.
                if let Some(last) = ends.last_mut() {
                    *last = WHOLE;
                }
                WHOLE
            }
            Some(_) if !ends.is_empty() => ends.last().copied().unwrap_or(WHOLE),
            Some(share) => sample::limit(Num::int(1).combine(Arithmetic::Subtract, share).unwrap_or(Num::int(1))),
        };
        Assignment { salt: format!("arms:1:{project}/{key}"), ends, held }
    }

    /// What the customer has drawn, and draws for ever.
    pub fn draw(&self, customer: &str) -> Draw {
        if self.ends.is_empty() && self.held >= 1 << 64 {
            return Draw::In;
        }
        let point = u128::from(sample::point(&self.salt, customer));
        if point >= self.held {
            return Draw::HeldOut;
        }
        match self.ends.iter().position(|&end| point < end) {
            Some(arm) => Draw::Arm(arm as u16),
            None => Draw::In,
        }
    }
}
