//! `segue test`: the executable examples of a project.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::output::{Failure, Form, Out, plural};
use super::{Exit, Global, workspace};
use crate::language::calendar::Zone;
use crate::language::catalog::Catalog;
use crate::language::diagnostic::render::visible;
use crate::language::diagnostic::sort;
use crate::language::ir::Program;
use crate::language::spec::{self, Spec, Verdict, Wrong};

/// Evaluate every spec, by interpreter and by plan; both must agree and match
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  segue test
  segue test examples/cosmetics --format json

Exit code: 0 all hold · 1 some do not · 3 the project or a spec has errors")]
pub struct Args {
    /// The project's folder or its segue.yaml.
    path: Option<PathBuf>,
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
}

pub fn run(args: &Args, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let mut project = workspace::load(args.path.as_deref(), global)?;
    let checked = project.check(None);
    let (files, of_specs) = workspace::specs(&mut project, &checked)?;
    let mut diagnostics = checked.diagnostics;
    diagnostics.extend(of_specs);
    sort(&mut diagnostics);
    if workspace::complain(&project.sources, &diagnostics, out) {
        return Ok(Exit::Project);
    }
    let zone = Zone::new(&project.file.timezone).unwrap_or_else(Zone::utc);
    let mut results = Vec::new();
    for file in &files {
        let Some(spec) = &file.spec else { continue };
        let by_interpreter = spec::evaluate(spec, &checked.program, &project.catalog, &zone);
        let by_plan = by_plan(spec, &checked.program, &project.catalog, &zone, &by_interpreter)?;
        let (name, lines) = match project.sources.get(file.source) {
            Some(text) => {
                (text.name.clone(), by_interpreter.iter().map(|v| text.line_column(v.span.start as usize).0).collect())
            }
            None => (String::new(), Vec::new()),
        };
        results.push(Judged { name, lines, by_interpreter, by_plan });
    }
    match args.format {
        Form::Text => out.print(&pretty(&results))?,
        Form::Json => out.print(&format!("{:#}\n", json(&results)))?,
    }
    if cfg!(not(feature = "engine")) {
        out.note("judged by the interpreter alone: this build has no engine");
    }
    Ok(if results.iter().all(Judged::holds) { Exit::Ok } else { Exit::Findings })
}

/// What both implementations say about one spec.
struct Judged {
    name: String,
    /// The line of each expectation.
    lines: Vec<usize>,
    /// Audiences first, then stages, then values of traits.
    by_interpreter: Vec<Verdict>,
    /// The same expectations; nothing in a build without engine.
    by_plan: Option<Vec<Verdict>>,
}

impl Judged {
    /// One entry an expectation: its line, the interpreter's verdict, the plan's where it differs.
    fn rows(&self) -> impl Iterator<Item = (usize, &Verdict, Option<&Verdict>)> {
        self.by_interpreter.iter().enumerate().map(|(i, verdict)| {
            let plan = self.by_plan.as_ref().and_then(|all| all.get(i)).filter(|plan| *plan != verdict);
            (self.lines.get(i).copied().unwrap_or(1), verdict, plan)
        })
    }

    fn holds(&self) -> bool {
        self.rows().all(|(_, verdict, plan)| verdict.wrong.is_none() && plan.is_none())
    }
}

#[cfg(feature = "engine")]
fn by_plan(
    spec: &Spec,
    program: &Program,
    catalog: &Catalog,
    zone: &Zone,
    by_interpreter: &[Verdict],
) -> Result<Option<Vec<Verdict>>, Failure> {
    use std::collections::HashMap;

    use crate::engine::{Layout, Limits, run_histories};
    use crate::language::calendar::Clock;
    use crate::language::catalog::Type;

    let clock = Clock { as_of: spec.as_of, zone: zone.clone() };
    let run = run_histories(catalog, program, &clock, &spec.customers, Layout::default(), Limits::default());
    let outcome = super::run::block_on(None, run)?;
    let rows: HashMap<String, usize> = (0..outcome.customers.len()).map(|row| (outcome.customer(row), row)).collect();
    let row = |customer: usize| spec.customers.get(customer).and_then(|(name, _)| rows.get(name)).copied();
    let mut verdicts = spec::judge(spec, program, |customer, rule| {
        row(customer).zip(outcome.members.get(rule)).is_some_and(|(row, members)| members.value(row))
    });
    // The plan has no say about the values of somebody outside the population, and none about lists.
    let values = spec::judge_values(spec, program, zone, |customer, of| {
        let is_list = program.traits.get(of).is_some_and(|t| t.ty == Type::TextList);
        row(customer).filter(|_| !is_list).and_then(|row| outcome.traits.get(of)?.get(row).cloned())
    });
    for value in values {
        let agreed = || by_interpreter.get(verdicts.len()).cloned();
        verdicts.extend(value.or_else(agreed));
    }
    Ok(Some(verdicts))
}

#[cfg(not(feature = "engine"))]
fn by_plan(_: &Spec, _: &Program, _: &Catalog, _: &Zone, _: &[Verdict]) -> Result<Option<Vec<Verdict>>, Failure> {
    Ok(None)
}

fn pretty(results: &[Judged]) -> String {
    use owo_colors::OwoColorize as _;
    if results.is_empty() {
        return "no specs\n".to_owned();
    }
    let mut out = String::new();
    for judged in results {
        let (good, bad) = (format!("{}", "ok  ".green()), format!("{}", "FAIL".red().bold()));
        let count = plural(judged.by_interpreter.len(), "expectation");
        let mark = if judged.holds() { good } else { bad };
        out.push_str(&format!("{mark}  {}  {count}\n", visible(&judged.name)));
        for (line, verdict, plan) in judged.rows() {
            let at = format!("      {}:{line}: `{}`", visible(&judged.name), verdict.name);
            match plan {
                Some(plan) => out.push_str(&format!(
                    "{at}: the two implementations disagree, please report this: interpreter {}, plan {}\n",
                    said(verdict),
                    said(plan)
                )),
                None if verdict.wrong.is_some() => out.push_str(&format!("{at}: {}\n", said(verdict))),
                None => {}
            }
        }
    }
    let holding = results.iter().filter(|j| j.holds()).count();
    out.push_str(&format!("\n{holding} of {} specs hold\n", results.len()));
    out
}

/// What is wrong, in words.
fn said(verdict: &Verdict) -> String {
    let names = |names: &[String]| names.iter().map(|n| visible(n)).collect::<Vec<_>>().join(", ");
    match &verdict.wrong {
        None => "as expected".to_owned(),
        Some(Wrong::Members { missing, unexpected }) => {
            let mut parts = Vec::new();
            if !missing.is_empty() {
                parts.push(format!("without {}, who should be in it", names(missing)));
            }
            if !unexpected.is_empty() {
                parts.push(format!("with {}, who should not be in it", names(unexpected)));
            }
            parts.join("; ")
        }
        Some(Wrong::Value { customer, expected, found }) => {
            let value = |v: &Option<String>| v.as_deref().map_or("missing".to_owned(), visible);
            format!("of {} is {}, not {}", visible(customer), value(found), value(expected))
        }
    }
}

fn json(results: &[Judged]) -> Value {
    let wrong = |verdict: &Verdict| match &verdict.wrong {
        None => Value::Null,
        Some(Wrong::Members { missing, unexpected }) => json!({ "missing": missing, "unexpected": unexpected }),
        Some(Wrong::Value { customer, expected, found }) => {
            json!({ "customer": customer, "expected": expected, "found": found })
        }
    };
    let specs = results.iter().map(|judged| {
        let expectations = judged.rows().map(|(line, verdict, plan)| {
            json!({
                "name": verdict.name,
                "line": line,
                "holds": verdict.wrong.is_none() && plan.is_none(),
                "interpreter": wrong(verdict),
                "plan_disagrees": plan.map(wrong),
            })
        });
        json!({
            "file": judged.name,
            "holds": judged.holds(),
            "plan": judged.by_plan.is_some(),
            "expectations": expectations.collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": 1,
        "segue": env!("CARGO_PKG_VERSION"),
        "holds": results.iter().all(Judged::holds),
        "specs": specs.collect::<Vec<_>>(),
    })
}
