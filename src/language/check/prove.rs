//! Proofs: what can never hold, what always holds, what changes nothing.
//!
//! A condition is read with its negations pushed to the leaves; each `and` and each `or` is judged by its direct parts. Parts with
//! one meaning have one number, so that equality is one comparison. Every finding is certain; not everything is found.

use std::collections::HashMap;

use crate::language::diagnostic::{Code, Diagnostic, code};
use crate::language::ir::{Behaviour, Literal, Op, Operand, Pred, Test};
use crate::language::source::Span;

use super::Checker;
use super::edges::{apart, inside};
use super::facts::Fact;
use super::tree::{Formula, Node, Tree};

/// In one conjunction, more parts about one thing than this are only compared for equality.
const PAIRS: usize = 64;

/// One number for each meaning.
#[derive(Debug, Default)]
pub(super) struct Meanings(HashMap<String, u32>);

impl Meanings {
    fn number(&mut self, text: String) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(text).or_insert(next)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Never,
    Always,
}

/// A part that has been judged.
struct Part {
    span: Span,
    /// Whether the part, as it is written at its place, stands below an even number of negations: only then does what is said
    /// about it here hold for what is written.
    written: bool,
    id: u32,
    /// The number of its complement.
    not: u32,
    fact: Option<Fact>,
    verdict: Verdict,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    span: Span,
    written: bool,
    /// If the part can't hold, the whole can't.
    top: bool,
}

impl Checker<'_> {
    /// Reports what can be proved about a condition, and gives the number of its meaning and whether anything is left to ask.
    pub(super) fn prove<F: Formula>(&self, tree: &Tree<F>) -> (u32, bool) {
        if let Node::Leaf(_, fact) = &tree.node
            && fact.family.is_empty()
        {
            // `everyone`, alone.
            return (self.number("everyone".to_owned()), false);
        }
        let whole = self.judge(tree, true, Place { span: tree.span, written: true, top: true });
        (whole.id, whole.verdict == Verdict::Open)
    }

    /// Whether it can be proved that a condition never holds. Nothing is reported.
    pub(super) fn never_holds<F: Formula>(&self, tree: &Tree<F>) -> bool {
        let told = self.diagnostics.borrow().len();
        let whole = self.judge(tree, true, Place { span: tree.span, written: true, top: true });
        self.diagnostics.borrow_mut().truncate(told);
        whole.verdict == Verdict::Never
    }

    fn number(&self, text: String) -> u32 {
        self.meanings.borrow_mut().number(text)
    }

    fn judge<F: Formula>(&self, tree: &Tree<F>, positive: bool, place: Place) -> Part {
        match &tree.node {
            Node::Not(inner) => self.judge(inner, !positive, place),
            Node::Leaf(_, fact) => self.judge_leaf(fact, positive, place),
            Node::And(_) | Node::Or(_) => {
                let all = matches!(tree.node, Node::And(_)) == positive;
                let mut parts = Vec::new();
                self.flatten(tree, positive, all, place.top && all, &mut parts);
                self.judge_parts(parts, all, place)
            }
        }
    }

    /// The parts of a conjunction (`all`) or disjunction, nested ones of the same kind included.
    fn flatten<F: Formula>(&self, tree: &Tree<F>, positive: bool, all: bool, top: bool, parts: &mut Vec<Part>) {
        let (mut bare, mut sign) = (tree, positive);
        while let Node::Not(inner) = &bare.node {
            (bare, sign) = (inner, !sign);
        }
        match &bare.node {
            Node::And(inner) | Node::Or(inner) if (matches!(bare.node, Node::And(_)) == sign) == all => {
                for part in inner {
                    self.flatten(part, sign, all, top, parts);
                }
            }
            _ => parts.push(self.judge(tree, positive, Place { span: tree.span, written: positive, top })),
        }
    }

    fn judge_leaf(&self, fact: &Fact, positive: bool, place: Place) -> Part {
        let negated = fact.negated();
        let (fact, other) = if positive { (fact.clone(), negated) } else { (negated, fact.clone()) };
        let verdict = if fact.never() {
            self.never(place);
            Verdict::Never
        } else if other.never() {
            if !fact.family.is_empty() {
                self.always(place);
            }
            Verdict::Always
        } else {
            Verdict::Open
        };
        let (id, not) = (self.number(key(&fact)), self.number(key(&other)));
        Part { span: place.span, written: place.written, id, not, fact: Some(fact), verdict }
    }

    fn judge_parts(&self, parts: Vec<Part>, all: bool, place: Place) -> Part {
        let (id, not) = {
            let number = |sign: char, mut ids: Vec<u32>| {
                ids.sort_unstable();
                ids.dedup();
                match ids.as_slice() {
                    [one] => *one,
                    _ => self.number(format!("{sign}{ids:?}")),
                }
            };
            let (sign, dual) = if all { ('&', '|') } else { ('|', '&') };
            (number(sign, parts.iter().map(|p| p.id).collect()), number(dual, parts.iter().map(|p| p.not).collect()))
        };
        let (ruin, trivial) = if all { (Verdict::Never, Verdict::Always) } else { (Verdict::Always, Verdict::Never) };
        let mut verdict = if parts.iter().any(|p| p.verdict == ruin) {
            ruin
        } else if parts.iter().all(|p| p.verdict == trivial) {
            trivial
        } else {
            Verdict::Open
        };
        if verdict == Verdict::Never && !all && place.top {
            self.never(place);
        }
        if verdict == Verdict::Open {
            for part in parts.iter().filter(|p| p.verdict == trivial && all) {
                // `everyone` is no mistake alone, and says nothing beside others.
                if part.fact.as_ref().is_some_and(|f| f.family.is_empty()) {
                    let truth = if part.written { "true for everyone" } else { "true for no one" };
                    self.report(
                        Diagnostic::new(code::check::ADDS_NOTHING, part.span, "this part changes nothing")
                            .label(truth)
                            .help("take it out"),
                    );
                }
            }
            let open: Vec<&Part> = parts.iter().filter(|p| p.verdict == Verdict::Open).collect();
            verdict = self.together(&open, all, place.top);
        }
        Part { span: place.span, written: place.written, id, not, fact: None, verdict }
    }

    /// What open parts say together.
    fn together(&self, parts: &[&Part], all: bool, top: bool) -> Verdict {
        let mut idle = vec![false; parts.len()];
        let mut first: HashMap<u32, usize> = HashMap::new();
        for (i, part) in parts.iter().enumerate() {
            if let Some(&j) = first.get(&part.not) {
                return self.decided(part, parts.get(j).copied(), all, top);
            }
            match first.get(&part.id) {
                Some(&j) => {
                    if let Some(other) = parts.get(j) {
                        self.adds_nothing(part, other, all);
                    }
                    if let Some(idle) = idle.get_mut(i) {
                        *idle = true;
                    }
                }
                None => {
                    first.insert(part.id, i);
                }
            }
        }
        let groups = groups(parts, &idle);
        let fact = |i: usize| parts.get(i).and_then(|p| p.fact.as_ref());
        for members in &groups {
            if members.len() <= PAIRS {
                for (n, &j) in members.iter().enumerate() {
                    for &i in members.iter().take(n) {
                        let (Some(a), Some(b), Some(part)) = (fact(i), fact(j), parts.get(j)) else { continue };
                        let clash = if all { contradict(a, b) } else { contradict(&a.negated(), &b.negated()) };
                        if clash {
                            return self.decided(part, parts.get(i).copied(), all, top);
                        }
                    }
                }
            }
            if let Some((j, i)) = jointly(members, &fact, all)
                && let Some(part) = parts.get(j)
            {
                return self.decided(part, parts.get(i).copied(), all, top);
            }
        }
        for members in groups.iter().filter(|m| m.len() <= PAIRS) {
            for (n, &j) in members.iter().enumerate() {
                for &i in members.iter().take(n) {
                    if idle.get(i) == Some(&true) || idle.get(j) == Some(&true) {
                        continue;
                    }
                    let (Some(a), Some(b)) = (fact(i), fact(j)) else { continue };
                    // In a conjunction what is implied is idle, in a disjunction what implies.
                    let (first_idle, second_idle) =
                        if all { (implies(b, a), implies(a, b)) } else { (implies(a, b), implies(b, a)) };
                    let (lazy, other) = if second_idle {
                        (j, i)
                    } else if first_idle {
                        (i, j)
                    } else {
                        continue;
                    };
                    if let (Some(part), Some(other)) = (parts.get(lazy), parts.get(other)) {
                        self.adds_nothing(part, other, all);
                    }
                    if let Some(idle) = idle.get_mut(lazy) {
                        *idle = true;
                    }
                }
            }
        }
        Verdict::Open
    }

    /// Two parts that leave nothing together (`all`), or everything.
    fn decided(&self, part: &Part, other: Option<&Part>, all: bool, top: bool) -> Verdict {
        let (code, message) = match (all == part.written, all && top) {
            (true, true) => (code::check::NEVER_HOLDS, "this can never hold"),
            (false, true) => (code::check::NEVER_HOLDS, "these parts together always hold, so the whole never does"),
            (true, false) => (code::check::ADDS_NOTHING, "this part can never hold, so it adds nothing"),
            (false, false) => (code::check::ALWAYS_HOLDS, "these parts together always hold"),
        };
        let (label, help) = if all == part.written {
            ("rules out the other part", "take one of them out, or join them with `or`")
        } else {
            ("holds wherever the other part does not", "take one of them out, or join them with `and`")
        };
        let mut d = Diagnostic::new(code, part.span, message).label(label).help(help);
        if let Some(other) = other {
            d = d.also(other.span, "the other part");
        }
        self.report(d);
        if all { Verdict::Never } else { Verdict::Always }
    }

    fn never(&self, place: Place) {
        let (code, message) = match (place.written, place.top) {
            (true, true) => (code::check::NEVER_HOLDS, "this can never hold"),
            (false, true) => (code::check::NEVER_HOLDS, "this always holds, so the whole never does"),
            (true, false) => (code::check::ADDS_NOTHING, "this part can never hold, so it adds nothing"),
            (false, false) => (code::check::ALWAYS_HOLDS, "this always holds"),
        };
        self.constant(code, message, place);
    }

    fn always(&self, place: Place) {
        if place.written {
            self.constant(code::check::ALWAYS_HOLDS, "this always holds", place);
        } else {
            self.constant(code::check::ADDS_NOTHING, "this part can never hold, so it adds nothing", place);
        }
    }

    fn constant(&self, code: Code, message: &str, place: Place) {
        let never = message.starts_with("this can never") || message.starts_with("this part can never");
        let d = Diagnostic::new(code, place.span, message);
        self.report(if never {
            d.label("true for no one").help("ask something that can be true")
        } else {
            d.label("true for everyone").help("take it out, or ask something that can be false")
        });
    }

    fn adds_nothing(&self, part: &Part, other: &Part, all: bool) {
        let label = match (all == part.written, part.written == other.written) {
            (true, true) => "holds whenever the other part does",
            (false, true) => "wherever this holds, the other part does, too",
            (true, false) => "the other part makes this true",
            (false, false) => "the other part rules this out",
        };
        self.report(
            Diagnostic::new(code::check::ADDS_NOTHING, part.span, "this part changes nothing")
                .label(label)
                .also(other.span, "the other part")
                .help("take it out, or ask something stricter"),
        );
    }
}

/// Parts about one value, and parts about events of one kind: what may say something about each other.
fn groups(parts: &[&Part], idle: &[bool]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: HashMap<String, usize> = HashMap::new();
    for (i, part) in parts.iter().enumerate() {
        let Some(fact) = part.fact.as_ref().filter(|_| idle.get(i) != Some(&true)) else { continue };
        let topic = match (&fact.count, &fact.during) {
            (Some(behaviour), _) => format!("{:?}", behaviour.matching.event),
            (None, Some((value, _))) => value.clone(),
            (None, None) => fact.family.clone(),
        };
        let at = *group_of.entry(topic).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(members) = groups.get_mut(at) {
            members.push(i);
        }
    }
    groups.retain(|members| members.len() > 1);
    groups
}

/// Where a family's tests together leave nothing (or, in a disjunction, everything): the last of them and the one before.
fn jointly<'f>(members: &[usize], fact: &impl Fn(usize) -> Option<&'f Fact>, all: bool) -> Option<(usize, usize)> {
    let mut rest: HashMap<&str, (super::facts::Set, usize)> = HashMap::new();
    for &i in members {
        let f = fact(i)?;
        let set = if all { f.set.clone() } else { f.negated().set };
        match rest.get_mut(f.family.as_str()) {
            None => {
                rest.insert(&f.family, (set, i));
            }
            Some((left, before)) => {
                let both = left.intersect(&set);
                if both.is_empty() {
                    return Some((i, *before));
                }
                (*left, *before) = (both, i);
            }
        }
    }
    None
}

fn key(fact: &Fact) -> String {
    if fact.family.is_empty() {
        return if fact.never() { "no one".to_owned() } else { "everyone".to_owned() };
    }
    format!("{} in {:?}", fact.family, fact.set)
}

pub(super) fn implies(a: &Fact, b: &Fact) -> bool {
    contradict(a, &b.negated())
}

/// Whether the two can't hold together.
fn contradict(a: &Fact, b: &Fact) -> bool {
    if a.family == b.family && a.domain == b.domain {
        return a.set.intersect(&b.set).is_empty();
    }
    if let (Some(x), Some(y)) = (&a.count, &b.count) {
        return more_than(a, x, b, y) || more_than(b, y, a, x);
    }
    if let (Some((value, x)), Some((other, y))) = (&a.during, &b.during) {
        let holds = |f: &Fact| f.set.bounds() == Some((1, 1));
        let fails = |f: &Fact| f.set.bounds() == Some((0, 0));
        return value == other
            && ((holds(a) && holds(b) && apart(*x, *y))
                || (holds(a) && fails(b) && inside(*x, *y, false))
                || (fails(a) && holds(b) && inside(*y, *x, false)));
    }
    false
}

/// Whether `a` asks for more events than `b` lets be, where every event that `a` counts is counted by `b`.
fn more_than(a: &Fact, x: &Behaviour, b: &Fact, y: &Behaviour) -> bool {
    let (Some((least, _)), Some((_, most))) = (a.set.bounds(), b.set.bounds()) else { return false };
    least > most
        && x.matching.event == y.matching.event
        && inside(x.window, y.window, true)
        && narrower(x.matching.pred.as_ref(), y.matching.pred.as_ref())
}

/// Whether every event that fulfils `a` fulfils `b`.
fn narrower(a: Option<&Pred>, b: Option<&Pred>) -> bool {
    match (a, b) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => entails(a, b),
    }
}

fn entails(a: &Pred, b: &Pred) -> bool {
    if a == b {
        return true;
    }
    match (a, b) {
        (a, Pred::And(parts)) => parts.iter().all(|p| entails(a, p)),
        (Pred::Or(parts), b) => parts.iter().all(|p| entails(p, b)),
        (Pred::And(parts), b) if parts.iter().any(|p| entails(p, b)) => true,
        (a, Pred::Or(parts)) => parts.iter().any(|p| entails(a, p)),
        (Pred::Test(a), Pred::Test(b)) => match (texts(a), texts(b)) {
            (Some((left, few)), Some((right, many))) => left == right && few.iter().all(|t| many.contains(t)),
            _ => false,
        },
        _ => false,
    }
}

/// The property and the texts of `property = a` or `property in (a, b)`.
fn texts(test: &Test<Operand>) -> Option<(&Operand, Vec<&Literal>)> {
    match test {
        Test::Compare { left, op: Op::Eq, right: Operand::Literal(l @ Literal::Text(_)) } => Some((left, vec![l])),
        Test::OneOf { value, among, negated: false } => Some((value, among.iter().collect())),
        _ => None,
    }
}
