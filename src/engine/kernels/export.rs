//! Values that leave the kernel, as bytes behind an answer's bits.
//!
//! Owns: the encoding. Promises: what comes out is what went in, exact numbers to the last digit. Must not know: what they are for.

use crate::engine::plan::program::Scalar;
use crate::language::num::Num;

const MISSING: u8 = 0;
/// Scale and eight bytes.
const EXACT: u8 = 1;
/// Scale and sixteen bytes.
const WIDE: u8 = 2;
const FLOAT: u8 = 3;
/// Length in four bytes, then the text.
const TEXT: u8 = 4;
const NO: u8 = 5;
const YES: u8 = 6;
const DATE: u8 = 7;
const INSTANT: u8 = 8;

/// Appends a value. Lists stay inside: they are missing here.
pub fn put(out: &mut Vec<u8>, value: Option<Scalar<'_>>) {
    match value {
        None | Some(Scalar::List(_)) => out.push(MISSING),
        Some(Scalar::Num(Num::Exact { units, scale })) => match i64::try_from(units) {
            Ok(units) => {
                out.extend([EXACT, scale]);
                out.extend(units.to_le_bytes());
            }
            Err(_) => {
                out.extend([WIDE, scale]);
                out.extend(units.to_le_bytes());
            }
        },
        Some(Scalar::Num(Num::Float(x))) => {
            out.push(FLOAT);
            out.extend(x.to_bits().to_le_bytes());
        }
        Some(Scalar::Text(text)) => match u32::try_from(text.len()) {
            Ok(length) => {
                out.push(TEXT);
                out.extend(length.to_le_bytes());
                out.extend(text.as_bytes());
            }
            Err(_) => out.push(MISSING),
        },
        Some(Scalar::YesNo(yes)) => out.push(if yes { YES } else { NO }),
        Some(Scalar::Date(days)) => {
            out.push(DATE);
            out.extend(days.to_le_bytes());
        }
        Some(Scalar::Instant(at)) => {
            out.push(INSTANT);
            out.extend(at.to_le_bytes());
        }
    }
}

/// Takes the next value from the bytes; missing where they are at their end.
pub fn take<'a>(bytes: &mut &'a [u8]) -> Option<Scalar<'a>> {
    let [kind] = word(bytes)?;
    Some(match kind {
        EXACT => {
            let [scale] = word(bytes)?;
            Scalar::Num(Num::Exact { units: i128::from(i64::from_le_bytes(word(bytes)?)), scale })
        }
        WIDE => {
            let [scale] = word(bytes)?;
            Scalar::Num(Num::Exact { units: i128::from_le_bytes(word(bytes)?), scale })
        }
        FLOAT => Scalar::Num(Num::float(f64::from_bits(u64::from_le_bytes(word(bytes)?)))?),
        TEXT => {
            let length = u32::from_le_bytes(word(bytes)?) as usize;
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Scalar::Text(std::str::from_utf8(text).ok()?)
        }
        NO => Scalar::YesNo(false),
        YES => Scalar::YesNo(true),
        DATE => Scalar::Date(i32::from_le_bytes(word(bytes)?)),
        INSTANT => Scalar::Instant(i64::from_le_bytes(word(bytes)?)),
        _ => return None,
    })
}

fn word<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (word, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_they_went_in() {
        let exact = |units, scale| Some(Scalar::Num(Num::Exact { units, scale }));
        let values = [
            None,
            exact(0, 0),
            exact(-1_205, 2),
            exact(i128::from(i64::MAX), 18),
            exact(i128::from(i64::MAX) + 1, 0),
            exact(i128::MIN, 3),
            Some(Scalar::Num(Num::Float(-0.0))),
            Some(Scalar::Num(Num::Float(f64::INFINITY))),
            Some(Scalar::Text("")),
            Some(Scalar::Text("anti-âge")),
            Some(Scalar::YesNo(true)),
            Some(Scalar::YesNo(false)),
            Some(Scalar::Date(-3)),
            Some(Scalar::Instant(i64::MIN)),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|v| put(&mut bytes, *v));
        let mut rest = bytes.as_slice();
        for value in values {
            assert_eq!(format!("{:?}", take(&mut rest)), format!("{value:?}"));
        }
        assert!(rest.is_empty());
        assert!(take(&mut rest).is_none());
    }
}
