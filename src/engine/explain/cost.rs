//! What each rule costs: before a run in rows, behind it in time.
//!
//! Owns: how a whole is dealt out to rules. Promises: the shares of the rules sum to the whole; what several rules need is split
//! evenly among them; a rule's margin is what only it needs. Must not know: where the numbers come from.

/// Something that costs, and the rules that need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub weight: f64,
    /// Indices of rules.
    pub rules: Vec<usize>,
}

/// What a rule costs, in the unit of the pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// All that it needs, as if it were alone.
    pub alone: f64,
    /// Its part of the whole, what is shared split evenly.
    pub share: f64,
    /// What would not be there without it.
    pub only: f64,
}

/// Deals pieces out to those of `rules` rules that were `asked` for. What none of them needs belongs to all of them.
pub fn deal(pieces: &[Piece], rules: usize, asked: &[usize]) -> Vec<Cost> {
    let mut costs = vec![Cost::default(); rules];
    for piece in pieces {
        let users = if piece.rules.is_empty() { asked } else { piece.rules.as_slice() };
        for &rule in users {
            let Some(cost) = costs.get_mut(rule) else { continue };
            cost.alone += piece.weight;
            cost.share += piece.weight / users.len() as f64;
            if users.len() == 1 {
                cost.only += piece.weight;
            }
        }
    }
    costs
}

/// The same where the pieces stand for a whole of another size, such as a time: shares sum to `whole`.
pub fn deal_out(whole: f64, pieces: &[Piece], rules: usize, asked: &[usize]) -> Vec<Cost> {
    let sum: f64 = pieces.iter().map(|piece| piece.weight).sum();
    if sum <= 0.0 {
        return deal(&[Piece { weight: whole, rules: Vec::new() }], rules, asked);
    }
    let scaled: Vec<Piece> =
        pieces.iter().map(|p| Piece { weight: p.weight * whole / sum, rules: p.rules.clone() }).collect();
    deal(&scaled, rules, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(weight: f64, rules: &[usize]) -> Piece {
        Piece { weight, rules: rules.to_vec() }
    }

    #[test]
    fn what_is_shared_is_split_and_the_shares_sum_to_the_whole() {
        let pieces = [piece(6.0, &[0, 1]), piece(4.0, &[1]), piece(2.0, &[])];
        let costs = deal(&pieces, 3, &[0, 1]);
        assert_eq!(costs[0], Cost { alone: 8.0, share: 4.0, only: 0.0 });
        assert_eq!(costs[1], Cost { alone: 12.0, share: 8.0, only: 4.0 });
        assert_eq!(costs[2], Cost::default());
        let shares: f64 = costs.iter().map(|cost| cost.share).sum();
        assert_eq!(shares, 12.0);
    }

    #[test]
    fn a_time_is_dealt_out_by_weight() {
        let pieces = [piece(3.0, &[0]), piece(1.0, &[1])];
        let costs = deal_out(8.0, &pieces, 2, &[0, 1]);
        assert_eq!((costs[0].share, costs[1].share), (6.0, 2.0));
        let nothing = deal_out(8.0, &[], 2, &[0, 1]);
        assert_eq!((nothing[0].share, nothing[1].share), (4.0, 4.0));
        assert_eq!(nothing[0].only, 0.0);
    }
}
