//! What init asks on a terminal.
//!
//! Owns: the questions and the reading of answers. Promises: Enter takes the guess; the end of input takes all of them; an answer
//! that fits nothing is asked again with what would fit.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::work::Answers;
use crate::engine::infer::{Guess, Survey, Table};
use crate::error::Error;

/// How often one question is asked.
const TRIES: usize = 5;

/// Asks for the columns, the zone and the currency that no flag has answered.
pub fn ask(
    survey: &Survey,
    answers: &mut Answers,
    input: &mut dyn BufRead,
    say: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    say("Enter takes the guess in brackets; `?` lists the columns.\n");
    let guesses = survey.guess(&answers.hints)?;
    if answers.hints.customer.is_empty() {
        let told = column(survey, &guesses, "customer id", &|g| g.customer, None, input, say)?;
        answers.hints.customer = told;
    }
    let guesses = survey.guess(&answers.hints)?;
    if answers.hints.time.is_empty() {
        answers.hints.time = column(survey, &guesses, "event time", &|g| g.time.map(|t| t.0), None, input, say)?;
    }
    let guesses = survey.guess(&answers.hints)?;
    if answers.hints.event.is_empty() {
        answers.hints.event = column(survey, &guesses, "event name", &|g| g.event, Some("none"), input, say)?;
    }
    if answers.timezone.is_none() {
        let guess = survey.timezone().map_or_else(|| "UTC".to_owned(), |(zone, _)| zone);
        for _ in 0..TRIES {
            match line(&format!("Time zone in which days begin [{guess}]: "), input, say)? {
                Some(zone) if is_zone(&zone) => answers.timezone = Some(zone),
                Some(zone) => {
                    say(&format!("there is no time zone `{zone}`; it is an IANA name, such as Europe/Paris\n"));
                    continue;
                }
                None => {}
            }
            break;
        }
    }
    if answers.currency.is_none() {
        let guess = survey.currency().map(|(code, _)| code);
        let shown = guess.as_deref().unwrap_or("none");
        for _ in 0..TRIES {
            match line(&format!("Currency of amounts [{shown}]: "), input, say)? {
                Some(code) if code.len() == 3 && code.chars().all(|c| c.is_ascii_alphabetic()) => {
                    answers.currency = Some(code.to_uppercase());
                }
                Some(code) if code == "none" => {}
                Some(code) => {
                    say(&format!("`{code}` is no ISO 4217 code, such as EUR\n"));
                    continue;
                }
                None => {}
            }
            break;
        }
    }
    Ok(())
}

/// Whether there is a time zone of this name.
pub fn is_zone(name: &str) -> bool {
    jiff::tz::db().available().any(|zone| zone.as_str() == name)
}

/// Asks once for all tables with the same guess. The answers are hints, `TABLE.COLUMN`.
fn column(
    survey: &Survey,
    guesses: &[Guess],
    what: &str,
    of: &dyn Fn(&Guess) -> Option<usize>,
    none: Option<&str>,
    input: &mut dyn BufRead,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<String>, Error> {
    let mut groups: BTreeMap<Option<String>, Vec<&Table>> = BTreeMap::new();
    for (table, guess) in survey.tables.iter().zip(guesses) {
        let name = of(guess).and_then(|at| table.columns.get(at)).map(|c| c.name.clone());
        groups.entry(name).or_default().push(table);
    }
    // Tables without a guess are asked about only where no table has one: most of them are dimensions.
    let any = groups.keys().any(Option::is_some);
    let mut hints = Vec::new();
    for (guess, tables) in groups {
        if guess.is_none() && (any || none.is_some()) {
            continue;
        }
        let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
        let shown = guess.as_deref().unwrap_or("none");
        let prompt = format!("Column of the {what} in {} [{shown}]: ", names.join(", "));
        for _ in 0..TRIES {
            let Some(answer) = line(&prompt, input, say)? else { break };
            if none == Some(answer.as_str()) {
                hints.push(answer);
                break;
            }
            let with: Vec<String> = tables
                .iter()
                .filter(|t| t.columns.iter().any(|c| c.name == answer))
                .map(|t| format!("{}.{answer}", t.name))
                .collect();
            if !with.is_empty() {
                hints.extend(with);
                break;
            }
            if answer != "?" {
                say(&format!("there is no column `{answer}`\n"));
            }
            for table in &tables {
                let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
                say(&format!("  {}: {}\n", table.name, columns.join(", ")));
            }
        }
    }
    Ok(hints)
}

/// An answer; `None` takes the guess.
fn line(prompt: &str, input: &mut dyn BufRead, say: &mut dyn FnMut(&str)) -> Result<Option<String>, Error> {
    say(prompt);
    let mut text = String::new();
    let read = input.read_line(&mut text).map_err(|e| Error::io("can't read", "standard input", e))?;
    if read == 0 {
        say("\n");
    }
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::infer::Hints;
    use crate::engine::infer::table::{Column, Kind};

    fn table(name: &str, columns: &[(&str, Kind)]) -> Table {
        let columns = columns.iter().map(|(name, kind)| {
            let mut column = Column::new((*name).to_owned(), kind.clone(), false);
            column.facts.rows = 100;
            column.facts.hashes.extend(0..10);
            column
        });
        Table {
            name: name.to_owned(),
            path: format!("{name}.parquet"),
            files: Vec::new(),
            rows: 100,
            columns: columns.collect(),
            lacking: Default::default(),
            sample: Vec::new(),
            sample_is_all: true,
        }
    }

    fn talk(said: &str) -> (Answers, String) {
        let orders = [("user_id", Kind::Integer), ("account_id", Kind::Integer), ("ordered_at", Kind::Instant)];
        let visits = [("user_id", Kind::Integer), ("ts", Kind::Instant), ("event", Kind::Text)];
        let survey = Survey { tables: vec![table("orders", &orders), table("visits", &visits)] };
        let hints = Hints::default();
        let mut answers = Answers { hints, timezone: None, currency: None };
        let mut shown = String::new();
        ask(&survey, &mut answers, &mut said.as_bytes(), &mut |text| shown.push_str(text)).unwrap();
        (answers, shown)
    }

    #[test]
    fn enter_and_the_end_of_input_take_the_guesses() {
        for said in ["\n\n\n\n\n\n", ""] {
            let (answers, shown) = talk(said);
            assert!(
                answers.hints.customer.is_empty() && answers.hints.time.is_empty() && answers.hints.event.is_empty()
            );
            assert!(answers.timezone.is_none() && answers.currency.is_none());
            assert!(shown.contains("customer id in orders, visits [user_id]"), "{shown}");
            assert!(shown.contains("event time in orders [ordered_at]"), "{shown}");
        }
    }

    #[test]
    fn answers_become_hints_and_wrong_ones_are_asked_again() {
        let (answers, shown) = talk("acount\naccount_id\n\n\nnone\nParis\nEurope/Paris\neuro\neur\n");
        assert_eq!(answers.hints.customer, ["orders.account_id"]);
        assert_eq!(answers.hints.event, ["none"]);
        assert_eq!(answers.timezone.as_deref(), Some("Europe/Paris"));
        assert_eq!(answers.currency.as_deref(), Some("EUR"));
        assert!(shown.contains("there is no column `acount`"), "{shown}");
        assert!(shown.contains("there is no time zone `Paris`"), "{shown}");
        assert!(shown.contains("`euro` is no ISO 4217 code"), "{shown}");
    }
}
