//! Ranks and samples: parts of all customers, or of those of a segment or list.

use crate::language::catalog::Type;
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Cond, Op, Rank, RankEnd, RankScale, RankSize, Value};
use crate::language::num::{Arithmetic, Num};
use crate::language::sample;
use crate::language::source::Span;
use crate::language::syntax::ast::{self, Expr, Name};
use crate::language::text::nfc;

use super::Checker;
use super::facts::{Domain, Fact};
use super::idle::zero_over_nothing;
use super::people::Where;
use super::tree::Tree;
use super::values::{About, Part, Side, Typed, plainest, type_noun};

const AMONG: Where = Where {
    code: code::check::AMONG,
    needs: "a rank is among the people of a segment or list",
    then: "rank among that",
};

impl<'a> Checker<'a> {
    /// `top 10% by spend_12mo among vip`
    pub(super) fn ranked(&self, r: &ast::Ranked, span: Span) -> Option<Tree<Cond>> {
        let size = match r.size {
            ast::RankSize::Share(share) => self.share(share, r.size_span).map(RankSize::Share),
            ast::RankSize::Number(n) => self.number_of_customers(n, r.size_span).map(RankSize::Number),
        };
        let rank = self.rank(&r.by, r.among.as_ref());
        let (size, rank) = (size?, rank?);
        let end = r.end;
        let fact = part_of(&rank, end, size);
        let formula = Cond::Ranked { rank, end, size };
        Some(match fact {
            Some(fact) => Tree::leaf(formula, fact, span),
            None => Tree::opaque(formula, span),
        })
    }

    /// `quintile(spend_12mo among vip)`
    pub(super) fn rank_of(&self, r: &ast::RankOf, span: Span) -> Option<Typed<'a, Value>> {
        let rank = self.rank(&r.by, r.among.as_ref())?;
        let whole = |most| (Type::Integer, Domain::of(Type::Integer, true).between(1, most), Part::No);
        let (word, (ty, domain, part)) = match r.scale {
            RankScale::Quintile => ("quintile", whole(5)),
            RankScale::Decile => ("decile", whole(10)),
            RankScale::PercentileRank => ("percentile_rank", (Type::Number, Domain::below_one(), Part::Share)),
        };
        let about = About { part, ..About::plain(format!("{word}(…)"), domain) };
        Some(Typed { value: Value::Rank { rank, scale: r.scale }, ty, about, span })
    }

    /// `sample 10% of "salt"`: the salt is the declaration's name, if none is given.
    pub(super) fn sample(&self, s: &ast::Sample, span: Span) -> Option<Tree<Cond>> {
        let share = self.share(s.share, s.share_span)?;
        let salt = s.salt.as_ref().map_or_else(|| self.declared.borrow().clone(), |w| nfc(&w.text));
        // A customer lies somewhere on the line of this salt; a share holds up to its limit.
        let domain = Domain::COUNT.between(0, i128::from(u64::MAX));
        let limit = i128::try_from(sample::limit(share)).ok().map(|units| Num::Exact { units, scale: 0 });
        let family = format!("sample of {salt:?}");
        let formula = Cond::Sample { salt, share };
        Some(match limit.and_then(|limit| domain.compare(Op::Lt, limit)) {
            Some(set) => Tree::leaf(formula, Fact { family, domain, set, count: None, during: None }, span),
            None => Tree::opaque(formula, span),
        })
    }

    /// More than nothing and at most everything.
    fn share(&self, share: Num, span: Span) -> Option<Num> {
        let share = plainest(share);
        let (none, all) = (share.compare(Num::int(0)).is_le(), share.compare(Num::int(1)).is_gt());
        if !none && !all {
            return Some(share);
        }
        let d = Diagnostic::new(code::check::PART_SIZE, span, "a part of customers is more than 0% and at most 100%");
        self.report(if all {
            d.label("more than all of them").help("write a share such as `10%`; a number of customers has no `%`")
        } else {
            d.label("none of them").help("write a share such as `10%`")
        });
        None
    }

    fn number_of_customers(&self, n: Num, span: Span) -> Option<u64> {
        if let Num::Exact { units, scale: 0 } = plainest(n)
            && let Ok(n @ 1..) = u64::try_from(units)
        {
            return Some(n);
        }
        let d = Diagnostic::new(code::check::PART_SIZE, span, "a number of customers is whole, and at least 1");
        self.report(
            d.label("nobody can count so many").help("write a number such as `1_000`, or a share such as `10%`"),
        );
        None
    }

    /// By what, and among whom.
    fn rank(&self, by: &Expr, among: Option<&Name>) -> Option<Rank> {
        let value = self.ordered(by, "a rank");
        let among = match among {
            None => Some(None),
            Some(name) => self.people(name, &AMONG).map(Some),
        };
        let (value, among) = (value?, among?);
        if among.is_none() && zero_over_nothing(&value.value) {
            self.report(
                Diagnostic::new(code::check::RANKED_NOTHING, by.span, "people who never did anything are ranked, too")
                    .label(format!("`{}` is 0 for them, and 0 is a value", value.about.says))
                    .help("to rank active people only, name a segment of them: `… among SEGMENT`"),
            );
        }
        Some(Rank { by: Box::new(value.value), among })
    }

    /// A value that has an order of use here.
    pub(super) fn ordered(&self, by: &Expr, what: &str) -> Option<Typed<'a, Value>> {
        let value = match self.side::<Cond>((), by)? {
            Side::Value(value) => value,
            Side::Word(name) => self.value_named_here::<Cond>((), &name)?,
            Side::Constant(_) => {
                self.report(
                    Diagnostic::new(code::check::CONSTANTS, by.span, format!("{what} by a constant"))
                        .label("the same for everyone")
                        .help("take an attribute, a trait or a calculation"),
                );
                return None;
            }
        };
        if value.is_number() || matches!(value.ty, Type::Date | Type::Instant) {
            return Some(value);
        }
        let (says, noun) = (&value.about.says, type_noun(value.ty));
        let cure = match value.ty {
            Type::YesNo => format!("ask it by itself: `{says}` or `not {says}`"),
            Type::TextList => format!("ask what it has: `{says} has …`"),
            _ => format!("compare it: `{says} = …`, or rank by a number such as `count(…)`"),
        };
        self.report(
            Diagnostic::new(
                code::check::RANK_BY,
                by.span,
                format!("`{says}` is {noun}, and {what} needs a number or date"),
            )
            .label("nothing is more or less than another of these")
            .help(cure),
        );
        None
    }
}

/// What a part of the ranked says beside other parts of the same rank.
///
/// A customer's *share* is the smallest one of which the top has him: the top of a larger share has everyone of a smaller, and
/// the bottom is whoever the rest leaves. Parts of a fixed number are about the *place*, counted from their own end.
fn part_of(rank: &Rank, end: RankEnd, size: RankSize) -> Option<Fact> {
    let (what, domain, set) = match size {
        RankSize::Share(share) => {
            let domain = Domain::above_zero();
            let set = match end {
                RankEnd::Top => domain.compare(Op::Le, share)?,
                RankEnd::Bottom => domain.compare(Op::Gt, Num::int(1).combine(Arithmetic::Subtract, share)?)?,
            };
            ("share", domain, set)
        }
        RankSize::Number(n) => {
            let domain = Domain::of(Type::Integer, true).between(1, i128::from(u64::MAX));
            let what = if end == RankEnd::Top { "place" } else { "place from below" };
            (what, domain, domain.compare(Op::Le, Num::Exact { units: n.into(), scale: 0 })?)
        }
    };
    Some(Fact { family: format!("{what} in {rank:?}"), domain, set, count: None, during: None })
}

/// Whether a value depends on other customers.
pub(super) fn has_rank(value: &Value) -> bool {
    match value {
        Value::Rank { .. } => true,
        Value::Arithmetic { left, right, .. } => has_rank(left) || has_rank(right),
        Value::Literal(_)
        | Value::Attribute(_)
        | Value::Aggregate { .. }
        | Value::Rate { .. }
        | Value::DaysSinceEvent { .. }
        | Value::DaysSinceAttribute(_) => false,
    }
}
