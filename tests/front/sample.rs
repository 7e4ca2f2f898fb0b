//! Who is drawn: the published hash, held to what Python's hashlib says (`sample_golden.py`). These answers are for ever.

use std::fmt::Write as _;

use segue::language::num::Num;
use segue::language::sample::{holds, point};
use sha2::{Digest, Sha256};

const SALTS: [&str; 4] = ["winback", "anti-âge", "", "two words"];

fn percent(n: i128) -> Num {
    Num::Exact { units: n, scale: 2 }
}

#[test]
fn points() {
    for (salt, customer, expected) in [
        ("winback", "1", 0x3be1_d1d1_97a0_a4bd),
        ("winback", "ana", 0x92d9_566d_c0eb_c160),
        ("winback", "Ana", 0x4ddf_6e9d_d526_99ca),
        ("anti-âge", "zoë", 0xd37f_916e_5e0b_9729),
        ("", "", 0x6e34_0b9c_ffb3_7a98),
        ("a", "b", 0x59b2_71ae_1bbc_b1d3),
        ("ab", "", 0x969c_aaeb_3626_c0d5),
    ] {
        assert_eq!(point(salt, customer), expected, "{salt:?} {customer:?}");
    }
    // Four salts, 2,500 customers each.
    let mut all = Sha256::new();
    for salt in SALTS {
        for n in 0..2_500 {
            all.update(point(salt, &n.to_string()).to_be_bytes());
        }
    }
    let hex = all.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    assert_eq!(hex, "e6c70df3485c3139cb856917cf0267412f3e348fd5205a53f256f47423a53f2c");
}

#[test]
fn members() {
    let drawn = |share| (1..=40).filter(|n| holds("winback", share, &n.to_string())).collect::<Vec<u32>>();
    assert_eq!(drawn(percent(10)), [20, 30]);
    assert_eq!(drawn(percent(50)), [1, 3, 6, 7, 12, 16, 19, 20, 23, 24, 26, 27, 28, 30, 37]);
    assert!(drawn(percent(0)).is_empty());
    assert_eq!(drawn(percent(100)).len(), 40);
}

#[test]
fn a_larger_share_holds_the_smaller() {
    for n in 0..2_500 {
        let id = n.to_string();
        let first = (0..=100).find(|&share| holds("winback", percent(share), &id)).expect("all are in the whole");
        assert!((first..=100).all(|share| holds("winback", percent(share), &id)), "{id}");
        // The share is a number, however it is written.
        for (one, same) in [(percent(10), Num::Exact { units: 1, scale: 1 }), (percent(50), Num::Float(0.5))] {
            assert_eq!(holds("winback", one, &id), holds("winback", same, &id));
        }
    }
}

/// The chance that a good hash is this far off is below one in a million; and the answers never change.
#[test]
fn a_share_is_that_share_of_the_customers() {
    for salt in SALTS {
        for share in [1, 10, 20, 50, 90] {
            let drawn = (0..10_000).filter(|n| holds(salt, percent(share), &n.to_string())).count() as f64;
            let p = share as f64 / 100.0;
            let sigma = (10_000.0 * p * (1.0 - p)).sqrt();
            assert!((drawn - 10_000.0 * p).abs() < 5.0 * sigma, "{share}% of {salt:?}: {drawn}");
        }
    }
    // And even in every tenth of the line.
    for salt in SALTS {
        let mut tenths = [0u32; 10];
        (0..10_000).for_each(|n| tenths[((u128::from(point(salt, &n.to_string())) * 10) >> 64) as usize] += 1);
        let chi: f64 = tenths.iter().map(|&n| (f64::from(n) - 1_000.0).powi(2) / 1_000.0).sum();
        assert!(chi < 40.0, "{salt:?}: {tenths:?}");
    }
}

#[test]
fn salts_are_independent() {
    for (a, one) in SALTS.iter().enumerate() {
        for other in SALTS.iter().skip(a + 1) {
            let both = |n: &u32| {
                let id = n.to_string();
                holds(one, percent(50), &id) && holds(other, percent(50), &id)
            };
            let both = (0..10_000).filter(both).count() as f64;
            let sigma = (10_000.0f64 * 0.25 * 0.75).sqrt();
            assert!((both - 2_500.0).abs() < 5.0 * sigma, "{one:?} and {other:?}: {both}");
        }
    }
}
