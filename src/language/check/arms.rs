//! Arms: whom each takes, and that they take everyone once.

use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::{Arm, Cond, Take};
use crate::language::num::{Arithmetic, Num};
use crate::language::source::Span;
use crate::language::syntax::ast::{self, ArmKind, Figure};

use super::Checker;
use super::campaigns::Draft;
use super::cover::covered;
use super::items::RuleItem;
use super::tree::{Node, Tree};
use super::values::plainest;

/// With more guards before it than this, an arm is not held against them: each is proved against each.
const COMPARED: usize = 64;

/// How an arm takes people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Guarded,
    Shared,
}

fn kind(arm: &ast::Arm) -> Option<Kind> {
    match arm.kind {
        ArmKind::All(_) => Some(Kind::All),
        ArmKind::When { .. } | ArmKind::Otherwise(_) => Some(Kind::Guarded),
        ArmKind::Share { .. } => Some(Kind::Shared),
        ArmKind::HoldOut(_) => None,
    }
}

impl<'a> Checker<'a> {
    /// Understands the arms of a campaign.
    pub(super) fn arms(&self, item: &RuleItem<'a>, condition: Option<&Tree<Cond>>, draft: &mut Draft) -> bool {
        let mut sound = self.kinds_of_arms(item.arms) && self.shares(item.arms);
        // Whom nobody meets, no arm takes, which is told of the condition.
        let condition = condition.filter(|condition| !self.never_holds(condition));
        let mut before: Vec<Tree<Cond>> = Vec::new();
        for arm in item.arms {
            let number = draft.campaign.arms.len() + 1;
            let take = match &arm.kind {
                ArmKind::HoldOut(share) => {
                    draft.campaign.hold_out = Some(plainest(share.n));
                    continue;
                }
                ArmKind::All(_) => Some((number.to_string(), Take::All)),
                ArmKind::Share { name, share, .. } => Some((name.text.clone(), Take::Share(plainest(share.n)))),
                ArmKind::Otherwise(_) => {
                    if let Some(condition) = condition {
                        self.nobody_left(condition, &before, None, arm.span);
                    }
                    Some((number.to_string(), Take::Otherwise))
                }
                ArmKind::When { condition: guard, .. } => {
                    self.lint_form(guard);
                    let tree = self.condition(guard);
                    tree.map(|tree| {
                        self.lint_missing(&tree);
                        let (_, open) = self.prove(&tree);
                        let condition = condition.filter(|_| open);
                        let empty = condition.is_some_and(|c| self.nobody_left(c, &before, Some(&tree), guard.span));
                        // Whom an empty arm would take, another one took.
                        if !empty {
                            before.push(tree.clone());
                        }
                        let name = format!("{}.arm.{number}", item.name);
                        (number.to_string(), Take::When(draft.part(name, tree.into_formula(), guard.span)))
                    })
                }
            };
            let action = arm.action().map(|action| self.action(action));
            match (take, action) {
                (Some((name, take)), Some(Some(action))) => draft.campaign.arms.push(Arm { name, take, action }),
                _ => sound = false,
            }
        }
        sound
    }

    /// One kind of arms, `otherwise` last, and something beside `hold out`.
    fn kinds_of_arms(&self, arms: &[ast::Arm]) -> bool {
        let refused =
            |span: Span, message: &str, label: &str| Diagnostic::new(code::check::ARMS, span, message).label(label);
        let Some((first, is)) = arms.iter().find_map(|arm| Some((arm, kind(arm)?))) else {
            let d = |arm: &ast::Arm| refused(arm.span, "`hold out` stands alone", "held out from what?");
            arms.first()
                .map(d)
                .into_iter()
                .for_each(|d| self.report(d.help("say what is done with the others: `→ offer`, or arms with shares")));
            return false;
        };
        let holds: Vec<Span> = arms.iter().filter(|arm| kind(arm).is_none()).map(|arm| arm.span).collect();
        if let [one, two, ..] = holds.as_slice() {
            let d = refused(*two, "`hold out` stands twice", "the second one").also(*one, "the first one");
            self.report(d.help("add their shares in one of them"));
            return false;
        }
        if let Some(other) = arms.iter().find(|arm| kind(arm).is_some_and(|k| k != is)) {
            let takes = |kind: Option<Kind>| match kind {
                Some(Kind::Guarded) => "takes whom a condition names",
                Some(Kind::Shared) => "takes a share",
                _ => "takes everyone",
            };
            let d = refused(other.span, "arms of two kinds", takes(kind(other)));
            let d = d.also(first.span, format!("this one {}", takes(Some(is))));
            self.report(match (is, kind(other)) {
                (Kind::Guarded, Some(Kind::All)) => d.help("whoever is left is taken by `→ otherwise: …`"),
                _ => {
                    d.help("arms are one action, or all guarded, or all shares; a second question is a second campaign")
                }
            });
            return false;
        }
        if is == Kind::All
            && let Some(second) = arms.iter().filter(|arm| kind(arm).is_some()).nth(1)
        {
            let d = refused(second.span, "a second action for everyone", "whom does it take?");
            self.report(d.also(first.span, "this one takes everyone").help(
                "give each a share, `→ a 50%: …`, or a condition, `→ when …: …`; two actions for one customer are two campaigns",
            ));
            return false;
        }
        let otherwise = arms.iter().position(|arm| matches!(arm.kind, ArmKind::Otherwise(_)));
        if let Some(at) = otherwise
            && let Some(arm) = arms.get(at)
        {
            let behind = arms.iter().skip(at + 1).find(|arm| kind(arm).is_some());
            if let Some(behind) = behind {
                let twice = matches!(behind.kind, ArmKind::Otherwise(_));
                let message = if twice { "`otherwise` stands twice" } else { "an arm behind `otherwise`" };
                let d = refused(behind.span, message, "nobody gets as far as this");
                self.report(d.also(arm.span, "`otherwise` takes everyone who is left").help(if twice {
                    "take one of them out"
                } else {
                    "put `otherwise` last"
                }));
                return false;
            }
            if !arms.iter().any(|arm| matches!(arm.kind, ArmKind::When { .. })) {
                let d = refused(arm.span, "`otherwise` stands alone", "no arm stands before it");
                self.report(d.help("an action for everyone is written `→ offer`"));
                return false;
            }
        }
        true
    }

    /// Shares are more than nothing, and all together the whole.
    fn shares(&self, arms: &[ast::Arm]) -> bool {
        let mut names: Vec<&ast::Name> = Vec::new();
        let mut shares: Vec<Figure> = Vec::new();
        let mut held: Option<Figure> = None;
        for arm in arms {
            match &arm.kind {
                ArmKind::Share { name, share, .. } => {
                    if let Some(before) = names.iter().find(|n| n.text == name.text) {
                        let d = Diagnostic::new(
                            code::check::ARMS,
                            name.span,
                            format!("two arms are called `{}`", name.text),
                        );
                        self.report(
                            d.label("the second one").also(before.span, "the first one").help("give one another name"),
                        );
                        return false;
                    }
                    names.push(name);
                    shares.push(*share);
                }
                ArmKind::HoldOut(share) => held = Some(*share),
                _ => {}
            }
        }
        let all: Vec<Figure> = shares.iter().copied().chain(held).collect();
        for share in &all {
            let none = share.n.compare(Num::int(0)).is_le();
            let whole = share.n.compare(Num::int(1));
            if none || whole.is_gt() || whole.is_eq() && all.len() > shares.len() {
                let d = Diagnostic::new(
                    code::check::ARMS,
                    share.span,
                    format!("{} is no share of an arm", percent(share.n)),
                );
                self.report(if none {
                    d.label("nobody").help("take the arm out, or write a share such as `10%`")
                } else if whole.is_gt() {
                    d.label("more than everyone").help("write a share such as `10%`")
                } else {
                    d.label("everyone")
                        .help("leave some for another arm, or write a segment if nobody is to be contacted")
                });
                return false;
            }
        }
        if shares.is_empty() {
            return true;
        }
        let add = |sum: Num, share: &Figure| sum.combine(Arithmetic::Add, share.n).unwrap_or(sum);
        let sum = all.iter().fold(Num::int(0), add);
        let Some(last) = all.last().filter(|_| sum.compare(Num::int(1)).is_ne()) else { return true };
        let shown: Vec<String> = all.iter().map(|share| percent(share.n)).collect();
        let d =
            Diagnostic::new(code::check::ARMS, last.span, format!("the shares add to {}, not to 100%", percent(sum)))
                .label(format!("{} = {}", shown.join(" + "), percent(sum)));
        let rest = Num::int(1).combine(Arithmetic::Subtract, sum).unwrap_or(sum);
        let fit = rest.combine(Arithmetic::Add, last.n).filter(|fit| fit.compare(Num::int(0)).is_gt());
        let d = match (held, rest.compare(Num::int(0)).is_gt()) {
            (None, true) => d.help(format!("who is to hear nothing is held out: `→ hold out {}`", percent(rest))),
            _ => d.help("everyone who meets the condition is in one arm, or held out"),
        };
        self.report(match fit {
            Some(fit) => d.fix(format!("write `{}`", percent(fit)), vec![(last.span, percent(fit))]),
            None => d,
        });
        false
    }

    /// Says that the condition or the arms before leave nobody for a guard (or for `otherwise`).
    fn nobody_left(
        &self,
        condition: &Tree<Cond>,
        before: &[Tree<Cond>],
        guard: Option<&Tree<Cond>>,
        span: Span,
    ) -> bool {
        let d = Diagnostic::new(code::check::EMPTY_ARM, span, "no customer can get this arm");
        let before = if before.len() < COMPARED { before } else { &[] };
        let mut parts = vec![condition.clone()];
        if let Some(guard) = guard {
            if let Some(by) = before.iter().find(|earlier| covered(guard, earlier)) {
                self.report(
                    d.label("an earlier arm takes them all")
                        .also(by.span, "this one")
                        .help("put the stricter condition first, or take this arm out"),
                );
                return true;
            }
            parts.push(guard.clone());
            let whole = Tree { node: Node::And(parts.clone()), span };
            if self.never_holds(&whole) {
                self.report(
                    d.label("the campaign's condition rules it out")
                        .also(condition.span, "the condition")
                        .help("take this arm out, or ask something that can hold there"),
                );
                return true;
            }
        }
        parts.extend(before.iter().map(|earlier| earlier.clone().not(earlier.span)));
        if before.is_empty() || !self.never_holds(&Tree { node: Node::And(parts), span }) {
            return false;
        }
        self.report(
            d.label("the arms before take everyone").help("take this arm out, or ask something stricter before it"),
        );
        true
    }
}

/// 0.45 as `45%`.
fn percent(share: Num) -> String {
    let hundred = share.combine(Arithmetic::Multiply, Num::int(100)).unwrap_or(share);
    format!("{}%", plainest(hundred))
}
