//! Ranks as window functions over the customers.
//!
//! Owns: places and parts of the ranked. Promises: highest value first, then the smaller id; every size exact.
//! Must not know: how the statement is put together.

use super::read::{Kind, Said};
use super::{Bool, Val, Writer};
use crate::language::ir::{Among, Arithmetic, Rank, RankEnd, RankScale, RankSize};
use crate::language::num::Num;

/// Columns of a ranking.
struct Ranking {
    /// From 1 for the highest; unknown for whom is not ranked.
    place: String,
    total: String,
    /// The condition of being ranked, and the value, for further windows.
    ranked: String,
    value: String,
    reads: usize,
}

impl Writer<'_> {
    fn ranking(&mut self, rank: &Rank) -> Said<Ranking> {
        // A rank is over everybody.
        self.everybody = true;
        let value = self.value(&rank.by)?;
        let value = if value.kind == Kind::DaysSince { self.number(&value)? } else { value };
        let (value, reads) = self.over_columns(value.text, value.reads);
        let mut ranked = Bool::new(format!("({value} IS NOT NULL)"), true, reads);
        let among = match rank.among {
            None => None,
            Some(Among::Rule(id)) => Some(self.rule(id)?.sure()),
            Some(Among::List(id)) => Some(self.list(id)?),
        };
        if let Some(among) = among {
            ranked = Bool::joined(vec![ranked, among], " AND ", "TRUE");
        }
        let (ranked, reads) = self.over_columns(ranked.text, ranked.reads);
        let place = format!(
            "CASE WHEN {ranked} THEN ROW_NUMBER() OVER (PARTITION BY {ranked} ORDER BY {value} DESC, c.\"customer\") END"
        );
        let (place, after) = self.over_columns(place, reads);
        let (total, _) = self.over_columns(format!("COUNT(*) OVER (PARTITION BY {ranked})"), reads);
        Ok(Ranking { place, total, ranked, value, reads: after })
    }

    pub fn ranked(&mut self, rank: &Rank, end: RankEnd, size: RankSize) -> Said<Bool> {
        let of = self.ranking(rank)?;
        let (place, total) = (&of.place, &of.total);
        let text = match (end, size) {
            (RankEnd::Top, RankSize::Number(n)) => format!("{place} <= {}", whole(n)),
            (RankEnd::Bottom, RankSize::Number(n)) => format!("{total} - {place} < {}", whole(n)),
            (RankEnd::Top, RankSize::Share(share)) => in_top(&of, share)?,
            (RankEnd::Bottom, RankSize::Share(share)) => {
                let rest = Num::int(1).combine(Arithmetic::Subtract, share).unwrap_or(Num::int(0));
                match rest.compare(Num::int(0)).is_gt() {
                    true => format!("NOT {}", in_top(&of, rest)?),
                    false => format!("{place} IS NOT NULL"),
                }
            }
        };
        Ok(Bool::new(format!("({text})"), false, of.reads))
    }

    pub fn scaled(&mut self, rank: &Rank, scale: RankScale) -> Said<Val> {
        let of = self.ranking(rank)?;
        let parts: i128 = match scale {
            RankScale::Quintile => 5,
            RankScale::Decile => 10,
            RankScale::PercentileRank => {
                let smaller = format!(
                    "CASE WHEN {} THEN RANK() OVER (PARTITION BY {} ORDER BY {}) - 1 END",
                    of.ranked, of.ranked, of.value
                );
                let (smaller, reads) = self.over_columns(smaller, of.reads);
                let text = format!("(CAST({smaller} AS DOUBLE) / CAST({} AS DOUBLE))", of.total);
                return Ok(Val { text, kind: Kind::Float, reads, literal: None });
            }
        };
        let mut arms = String::new();
        for n in (2..=parts).rev() {
            let share = Num::Exact { units: (parts + 1 - n) * (100 / parts), scale: 2 };
            arms += &format!("WHEN {} THEN {n} ", in_top(&of, share)?);
        }
        let text = format!("CASE WHEN {} IS NULL THEN NULL {arms}ELSE 1 END", of.place);
        Ok(Val { text, kind: Kind::Exact { scale: 0, digits: 2 }, reads: of.reads, literal: None })
    }
}

/// In the share of the ranked, rounded half up, at least one.
fn in_top(of: &Ranking, share: Num) -> Said<String> {
    let Num::Exact { units, scale } = share else { return super::not("a share that is a float") };
    if scale > 9 {
        return super::not("a share of so many decimal places");
    }
    let one = 10i128.pow(u32::from(scale));
    Ok(format!("({0} = 1 OR {0} * {1} <= {2} * {3} + {one})", of.place, 2 * one, 2 * units, of.total))
}

fn whole(n: u64) -> u64 {
    n.min(1 << 62)
}
