//! Whether a spec holds.
//!
//! Owns: the comparison of what was expected with what came out. Promises: it takes any evaluation's answer, so that interpreter
//! and plan are judged alike. Must not know: who evaluates.

use super::events::meant;
use super::{ExpectedValue, RecordedName, Spec};
use crate::language::calendar::{Clock, Zone, days_of, parse_date, parse_moment};
use crate::language::catalog::Catalog;
use crate::language::diagnostic::{Diagnostic, code, nearest};
use crate::language::interpret;
use crate::language::interpret::history::{CustomerId, History};
use crate::language::interpret::scalar::Scalar;
use crate::language::ir::{Program, Rule, RuleKind, Stages};
use crate::language::num::Num;
use crate::language::source::Span;
use crate::language::syntax::ast::RecordedWhat;
use crate::language::text::nfc;

/// One expectation and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The rule, the trait or the stages.
    pub name: String,
    /// Its place in the spec.
    pub span: Span,
    /// `None`: it holds.
    pub wrong: Option<Wrong>,
}

/// How an expectation failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    /// An audience: who should be there and is not, and who is there and should not. Sorted.
    Members { missing: Vec<String>, unexpected: Vec<String> },
    /// A trait or the stage of a customer; `None` is missing.
    Value { customer: String, expected: Option<String>, found: Option<String> },
}

/// Expectations of rules, traits and stages that the program does not have, and what is recorded of such in timelines.
pub fn unknown_names(spec: &Spec, program: &Program) -> Vec<Diagnostic> {
    let rules = || program.rules.iter().filter(|r| !r.is_hidden()).map(|r| r.name.as_str());
    let traits = || program.traits.iter().filter(|t| !t.hidden).map(|t| t.name.as_str());
    let stages = |name: &str| program.stages.iter().find(|s| s.name == name);
    let mut found = Vec::new();
    for expectation in &spec.expect {
        let (name, span) = (&expectation.rule, expectation.span);
        if rules().any(|r| r == name) {
            continue;
        }
        let d =
            Diagnostic::new(code::spec::RULE, span, format!("`{name}` is no segment and no campaign of the project"));
        found.push(match stages(name) {
            Some(stages) => {
                let one = stages.lines.first().map_or("STAGE", |line| &line.stage);
                d.label("these are stages")
                    .help(format!("name one of them, `{name}.{one}`, or say under `values:` at which a customer is"))
            }
            None if traits().any(|t| t == name) => d.label("this is a trait").help("traits stand under `values:`"),
            None => meant(d, span, nearest(name, rules()), rules()),
        });
    }
    for expected in &spec.values {
        let (name, span) = (&expected.name, expected.name_span);
        if traits().any(|t| t == name) {
            continue;
        }
        if let Some(stages) = stages(name) {
            found.extend(unknown_stage(expected, stages));
            continue;
        }
        let d = Diagnostic::new(code::spec::RULE, span, format!("`{name}` is no trait and no stages of the project"));
        found.push(if rules().any(|r| r == name) {
            d.label("this is an audience").help("audiences stand under `expect:`")
        } else {
            let names = || traits().chain(program.stages.iter().map(|s| s.name.as_str()));
            meant(d, span, nearest(name, names()), names())
        });
    }
    found.extend(spec.recorded.iter().filter_map(|recorded| unrecorded(recorded, program)));
    crate::language::diagnostic::sort(&mut found);
    found
}

/// What a timeline says of a segment or campaign that the program does not have, under no name that it had either.
fn unrecorded(recorded: &RecordedName, program: &Program) -> Option<Diagnostic> {
    let RecordedName { what, name, span } = recorded;
    let campaigns = matches!(what, RecordedWhat::Contacted | RecordedWhat::HeldOut);
    let rules = || {
        let fits = move |rule: &&Rule| match rule.kind {
            RuleKind::Segment => !campaigns,
            RuleKind::Campaign { .. } => campaigns,
            _ => false,
        };
        program.rules.iter().filter(fits).map(|rule| rule.name.as_str())
    };
    let former = || program.former.iter().map(String::as_str);
    if rules().chain(former()).any(|known| known == name) {
        return None;
    }
    let noun = if campaigns { "campaign" } else { "segment" };
    let d = Diagnostic::new(code::spec::RULE, *span, format!("`{name}` is no {noun} of the project"));
    Some(meant(d, *span, nearest(name, rules()), rules()))
}

/// A stage that the stages do not have.
fn unknown_stage(expected: &ExpectedValue, stages: &Stages) -> Option<Diagnostic> {
    let (value, span) = (expected.value.as_ref()?, expected.value_span);
    let names = || stages.lines.iter().map(|line| line.stage.as_str());
    if names().any(|stage| stage == value) {
        return None;
    }
    let d = Diagnostic::new(code::spec::VALUE, span, format!("`{value}` is no stage of `{}`", stages.name));
    Some(meant(d, span, nearest(value, names()), names()))
}

/// Judges a spec by the interpreter. Names that the program does not have are left out: see [`unknown_names`].
pub fn evaluate(spec: &Spec, program: &Program, catalog: &Catalog, zone: &Zone) -> Vec<Verdict> {
    let clock = Clock { as_of: spec.as_of, zone: zone.clone() };
    // The customers of a spec are called by their names, whatever the ids of the project are.
    let customers: Vec<(CustomerId, History)> =
        spec.customers.iter().map(|(name, history)| (CustomerId::Text(name.clone()), history.clone())).collect();
    let answers = interpret::evaluate(program, catalog, &clock, &customers);
    let mut verdicts = judge(spec, program, |customer, rule| {
        answers.get(customer).and_then(|a| a.members.get(rule)).copied().unwrap_or(false)
    });
    let values = judge_values(spec, program, zone, |customer, of| answers.get(customer)?.traits.get(of).cloned());
    verdicts.extend(values.into_iter().flatten());
    verdicts
}

/// Judges the values of traits: `value` answers for the index of a customer in the spec and of a trait in the program, and is
/// `None` where it has no say; there, no verdict is given.
pub fn judge_values(
    spec: &Spec,
    program: &Program,
    zone: &Zone,
    value: impl Fn(usize, usize) -> Option<Option<Scalar>>,
) -> Vec<Option<Verdict>> {
    let mut verdicts = Vec::new();
    for expected in &spec.values {
        let at = spec.customers.iter().position(|(name, _)| *name == expected.customer);
        let of = program.traits.iter().position(|t| !t.hidden && t.name == expected.name);
        let (Some(at), Some(of)) = (at, of) else { continue };
        verdicts.push(value(at, of).map(|found| value_verdict(expected, found.as_ref(), zone)));
    }
    verdicts
}

/// Judges the audiences and then the stages of a spec: `is_member` answers for the index of a customer in the spec and of a rule in the program.
pub fn judge(spec: &Spec, program: &Program, is_member: impl Fn(usize, usize) -> bool) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for expectation in &spec.expect {
        let Some(rule) = program.rules.iter().position(|r| !r.is_hidden() && r.name == expectation.rule) else {
            continue;
        };
        let (mut missing, mut unexpected) = (Vec::new(), Vec::new());
        for (at, (name, _)) in spec.customers.iter().enumerate() {
            match (expectation.members.binary_search(name).is_ok(), is_member(at, rule)) {
                (true, false) => missing.push(name.clone()),
                (false, true) => unexpected.push(name.clone()),
                _ => {}
            }
        }
        missing.sort();
        unexpected.sort();
        let holds = missing.is_empty() && unexpected.is_empty();
        let wrong = (!holds).then_some(Wrong::Members { missing, unexpected });
        verdicts.push(Verdict { name: expectation.rule.clone(), span: expectation.span, wrong });
    }
    for expected in &spec.values {
        let at = spec.customers.iter().position(|(name, _)| *name == expected.customer);
        let of = program.stages.iter().find(|s| s.name == expected.name);
        let (Some(at), Some(of)) = (at, of) else { continue };
        let line = of.lines.iter().find(|line| is_member(at, line.rule.0 as usize));
        let found = line.map(|line| line.stage.clone());
        verdicts.push(verdict(expected, found == expected.value, found));
    }
    verdicts
}

fn value_verdict(expected: &ExpectedValue, found: Option<&Scalar>, zone: &Zone) -> Verdict {
    let holds = match (&expected.value, found) {
        (None, None) => true,
        (Some(text), Some(scalar)) => same(text, scalar, zone),
        _ => false,
    };
    verdict(expected, holds, found.map(|s| shown(s, zone)))
}

fn verdict(expected: &ExpectedValue, holds: bool, found: Option<String>) -> Verdict {
    let wrong =
        (!holds).then(|| Wrong::Value { customer: expected.customer.clone(), expected: expected.value.clone(), found });
    Verdict { name: expected.name.clone(), span: expected.span, wrong }
}

/// Whether a written value is this one. Exact numbers are compared exactly; a quotient as far as it is written.
fn same(text: &str, found: &Scalar, zone: &Zone) -> bool {
    match found {
        Scalar::Num(Num::Float(x)) => {
            let decimals = text.split_once('.').map_or(0, |(_, part)| part.len());
            let near = |wanted: f64| {
                (wanted - x).abs() <= 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap_or(308)) * (1.0 + 1e-9)
            };
            text.replace('_', "").parse::<f64>().is_ok_and(|wanted| wanted == *x || (decimals > 0 && near(wanted)))
        }
        Scalar::Num(exact) => decimal(text).is_some_and(|wanted| wanted == *exact),
        Scalar::Text(t) => nfc(text) == *t,
        Scalar::YesNo(b) => matches!((text, b), ("yes" | "true", true) | ("no" | "false", false)),
        Scalar::Date(days) => parse_date(text).is_some_and(|d| days_of(d) == *days),
        Scalar::Instant(at) => parse_moment(text, zone) == Some(*at),
        Scalar::Texts(_) => false,
    }
}

fn decimal(text: &str) -> Option<Num> {
    let text = text.replace('_', "");
    let scale = text.split_once('.').map_or(0, |(_, part)| part.trim_end_matches('0').len());
    let scale = u8::try_from(scale).ok().filter(|s| *s <= 9)?;
    super::values::units(&text, scale).map(|units| Num::Exact { units: i128::from(units), scale })
}

fn shown(value: &Scalar, zone: &Zone) -> String {
    let date = |days: i32| {
        let d = crate::language::calendar::date_of(days);
        format!("{:04}-{:02}-{:02}", d.year, d.month, d.day)
    };
    match value {
        Scalar::Num(n) => n.to_string(),
        Scalar::Text(t) => t.clone(),
        Scalar::YesNo(b) => (if *b { "yes" } else { "no" }).to_owned(),
        Scalar::Date(days) => date(*days),
        Scalar::Instant(at) => {
            let clock = zone.local(*at).rem_euclid(86_400_000_000) / 1_000_000;
            format!("{}T{:02}:{:02}:{:02}", date(zone.date(*at)), clock / 3_600, clock / 60 % 60, clock % 60)
        }
        Scalar::Texts(texts) => texts.join(", "),
    }
}
