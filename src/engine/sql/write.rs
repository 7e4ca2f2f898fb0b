//! The statement, put together.
//!
//! Owns: the order of its parts. Promises: a part reads only parts before it; what several rules ask for stands once.
//! Must not know: what conditions mean.

use super::read::{self, Said, not};
use super::{Made, Which, Writer, text};
use crate::language::catalog::EventId;

impl Writer<'_> {
    /// One statement for these rules of the program.
    pub fn statement(self, rules: &[usize]) -> Said<(String, usize)> {
        self.statement_of(rules, false)
    }

    /// The statement of all customers.
    pub fn population(self) -> Said<String> {
        self.statement_of(&[], true).map(|(text, _)| text)
    }

    fn statement_of(mut self, rules: &[usize], everybody: bool) -> Said<(String, usize)> {
        if self.catalog.identities.is_some() {
            return not("links between ids");
        }
        let program = self.program;
        let asked: Vec<_> = rules.iter().filter_map(|r| program.rules.get(*r)).collect();
        self.everybody =
            everybody || !self.catalog.population.events || asked.iter().any(|r| self.idle(&r.condition).0);
        let mut answers = vec!["c.\"customer\"".to_owned()];
        for rule in &asked {
            let holds = self.cond(&rule.condition)?.sure();
            answers.push(format!("{} AS {}", holds.text, text::name(&rule.name)));
        }
        if (self.everybody && self.catalog.population.events) || self.trace {
            for event in 0..self.catalog.declared_events() {
                let (stream, _) = self.event(EventId(event as u32))?;
                self.from(stream, i64::MIN);
            }
        }
        let mut parts: Vec<(String, String)> = Vec::new();
        for stream in &self.streams {
            parts.extend(self.stream_parts(stream)?);
        }
        self.customers(&mut parts)?;
        let deepest = self.columns.iter().map(|c| c.level).max().unwrap_or(0);
        for level in 1..=deepest {
            self.level(level, &mut parts);
        }
        let weight = weight(&parts);
        let parts: Vec<String> =
            parts.iter().map(|(name, body)| format!("{} AS (\n    {body}\n)", cte(name))).collect();
        let text = format!("WITH {}\nSELECT {}\nFROM c{deepest} c", parts.join(",\n"), answers.join(",\n  "));
        Ok((text, weight))
    }

    /// Whether the first level's aggregates have a row for everyone who can be in an answer.
    fn begins_with_aggregates(&self) -> bool {
        !self.everybody && self.streams.len() == 1 && self.groups(1).iter().any(|(.., reads, _)| !reads)
    }

    /// The customers and what is known of them without events.
    fn customers(&self, parts: &mut Vec<(String, String)>) -> Said<()> {
        let profile = self.profile(parts)?;
        let mut joins = String::new();
        let mut columns = Vec::new();
        if self.begins_with_aggregates() {
            self.aggregates(1, parts);
            let all = self.groups(1).into_iter().filter(|(.., reads, _)| !reads);
            columns.extend(all.flat_map(|(.., of)| of).filter_map(|at| {
                let otherwise = self.columns.get(at)?.otherwise.as_ref();
                Some(kept(&format!("p.\"t{at}\""), otherwise, at))
            }));
        } else {
            let population = self.catalog.population;
            let mut any: Vec<String> = Vec::new();
            if population.profiles && profile && self.everybody {
                any.push("SELECT a.\"customer\" FROM \"a profile\" a".to_owned());
            }
            if population.events {
                let streams = 0..self.streams.len();
                any.extend(streams.map(|s| format!("SELECT e.\"customer\" FROM {}", self.rows(s, "e"))));
            }
            match any.as_slice() {
                [] if self.everybody => return not("a population of nobody"),
                // What asks for no events and takes nobody who has none.
                [] => {
                    let kind = if self.tables.number_ids { "BIGINT" } else { "VARCHAR" };
                    parts.push((
                        "population".into(),
                        format!("SELECT CAST(NULL AS {kind}) AS \"customer\" WHERE FALSE"),
                    ));
                }
                [one] => parts.push(("population".into(), one.replacen("SELECT", "SELECT DISTINCT", 1))),
                many => parts.push(("population".into(), many.join("\n    UNION "))),
            }
        }
        let mut late = String::new();
        if profile {
            joins += "\n    LEFT JOIN \"a profile\" a ON a.\"customer\" = p.\"customer\"";
            if self.catalog.profile.as_ref().is_some_and(|p| p.created.is_some()) {
                columns.push("a.\"created\"".to_owned());
                late =
                    format!("\n    WHERE a.\"created\" IS NULL OR a.\"created\" < {}", text::instant(self.clock.as_of));
            }
        }
        for (at, column) in self.columns.iter().enumerate() {
            match &column.made {
                Made::Profile(_) => columns.push(format!("a.\"t{at}\"")),
                Made::List(list) => {
                    self.list_part(*list, parts)?;
                    joins +=
                        &format!("\n    LEFT JOIN \"list {list}\" i{list} ON i{list}.\"customer\" = p.\"customer\"");
                    columns.push(format!("(i{list}.\"customer\" IS NOT NULL) AS \"t{at}\""));
                }
                Made::Trace => {
                    let rows = (0..self.streams.len())
                        .map(|s| format!("SELECT e.\"customer\", e.\"time\" FROM {}", self.rows(s, "e")));
                    let all: Vec<String> = rows.collect();
                    let first = format!(
                        "SELECT e.\"customer\", MIN(e.\"time\") AS \"time\"\n    FROM ({}) e\n    GROUP BY e.\"customer\"",
                        all.join(" UNION ALL ")
                    );
                    parts.push(("first traces".into(), first));
                    joins += "\n    LEFT JOIN \"first traces\" f ON f.\"customer\" = p.\"customer\"";
                    columns.push(format!("f.\"time\" AS \"t{at}\""));
                }
                _ => {}
            }
        }
        columns.insert(0, "p.\"customer\"".to_owned());
        let from = if self.begins_with_aggregates() {
            text::name(&self.group_name(1, 0, false))
        } else {
            text::name("population")
        };
        let body = format!("SELECT {}\n    FROM {from} p{joins}{late}", columns.join(", "));
        parts.push(("c0".into(), body));
        Ok(())
    }

    /// The profiles, one row a customer; whether they are asked for.
    fn profile(&self, parts: &mut Vec<(String, String)>) -> Said<bool> {
        let Some(profile) = &self.catalog.profile else { return Ok(false) };
        let asked = self.columns.iter().any(|c| matches!(c.made, Made::Profile(_)));
        if !(asked || profile.created.is_some() || (self.everybody && self.catalog.population.profiles)) {
            return Ok(false);
        }
        let Some(opened) = &self.tables.profile else { return not("profiles without table") };
        let found = |column: &str| opened.column(column).ok_or_else(|| read::Why("a column that is not there".into()));
        let own = |column: &str| format!("s.{}", text::name(column));
        let id = read::id(&own(&profile.customer), found(&profile.customer)?, self.tables.number_ids)?;
        let mut columns = vec![format!("{id} AS \"customer\"")];
        let zone = profile.timezone.as_deref();
        if let Some(created) = &profile.created {
            columns.push(format!("{} AS \"created\"", read::time(&own(created), found(created)?, None, zone)?));
        }
        for (at, column) in self.columns.iter().enumerate() {
            if let Made::Profile(text) = &column.made {
                columns.push(format!("{text} AS \"t{at}\""));
            }
        }
        if let Some(updated) = &profile.updated_at {
            let updated = read::time(&own(updated), found(updated)?, None, zone)?;
            columns
                .push(format!("ROW_NUMBER() OVER (PARTITION BY {id} ORDER BY {updated} DESC NULLS LAST) AS \"place\""));
        }
        let table = text::name(self.names.of(Which::Profiles));
        parts.push(("profile rows".into(), format!("SELECT {}\n    FROM {table} s", columns.join(",\n      "))));
        let first = if profile.updated_at.is_some() { " AND a.\"place\" = 1" } else { "" };
        let body = format!("SELECT a.*\n    FROM \"profile rows\" a\n    WHERE a.\"customer\" IS NOT NULL{first}");
        parts.push(("a profile".into(), body));
        Ok(true)
    }

    fn list_part(&self, list: usize, parts: &mut Vec<(String, String)>) -> Said<()> {
        let Some(Some(opened)) = self.tables.lists.get(list) else { return not("a list without table") };
        let Some(field) = opened.schema.fields().first() else { return not("a list without column") };
        let id = read::id(&format!("s.{}", text::name(field.name())), field.data_type(), self.tables.number_ids)?;
        let table = text::name(self.names.of(Which::List(list)));
        parts.push((
            format!("list {list}"),
            format!("SELECT DISTINCT {id} AS \"customer\"\n    FROM {table} s\n    WHERE {id} IS NOT NULL"),
        ));
        Ok(())
    }

    /// The aggregates of a level: stream, whether columns are read, and which columns.
    fn groups(&self, level: usize) -> Vec<(usize, bool, Vec<usize>)> {
        let mut groups: Vec<(usize, bool, Vec<usize>)> = Vec::new();
        for (at, column) in self.columns.iter().enumerate().filter(|(_, c)| c.level == level) {
            let Made::Aggregate { stream, reads, .. } = column.made else { continue };
            match groups.iter_mut().find(|(s, r, _)| (*s, *r) == (stream, reads)) {
                Some((.., of)) => of.push(at),
                None => groups.push((stream, reads, vec![at])),
            }
        }
        groups
    }

    fn group_name(&self, level: usize, stream: usize, reads: bool) -> String {
        let of = self.streams.get(stream).map_or("", |s| s.name.as_str());
        format!("{of} terms {level}{}", if reads { " of customers" } else { "" })
    }

    fn aggregates(&self, level: usize, parts: &mut Vec<(String, String)>) {
        for (stream, reads, of) in self.groups(level) {
            let mut columns = vec!["e.\"customer\"".to_owned()];
            for at in of {
                if let Some(Made::Aggregate { call, .. }) = self.columns.get(at).map(|c| &c.made) {
                    columns.push(format!("{call} AS \"t{at}\""));
                }
            }
            let join = match reads {
                false => String::new(),
                true => format!("\n    JOIN c{} c ON c.\"customer\" = e.\"customer\"", level - 1),
            };
            let body = format!(
                "SELECT {}\n    FROM {}{join}\n    GROUP BY e.\"customer\"",
                columns.join(",\n      "),
                self.rows(stream, "e")
            );
            parts.push((self.group_name(level, stream, reads), body));
        }
    }

    /// The columns of a level, beside those of the levels before.
    fn level(&self, level: usize, parts: &mut Vec<(String, String)>) {
        let begun = level == 1 && self.begins_with_aggregates();
        let (mut columns, mut joins) = (vec!["c.*".to_owned()], String::new());
        if begun {
            // Those that read no customer stand in `c0`.
            let mut of_customers = Vec::new();
            self.aggregates(level, &mut of_customers);
            parts.extend(of_customers.into_iter().filter(|(name, _)| *name != self.group_name(1, 0, false)));
        } else {
            self.aggregates(level, parts);
        }
        for (g, (stream, reads, of)) in self.groups(level).into_iter().enumerate() {
            if begun && !reads {
                continue;
            }
            let table = text::name(&self.group_name(level, stream, reads));
            joins += &format!("\n    LEFT JOIN {table} g{g} ON g{g}.\"customer\" = c.\"customer\"");
            for at in of {
                let otherwise = self.columns.get(at).and_then(|c| c.otherwise.as_ref());
                columns.push(kept(&format!("g{g}.\"t{at}\""), otherwise, at));
            }
        }
        for (at, column) in self.columns.iter().enumerate().filter(|(_, c)| c.level == level) {
            match &column.made {
                Made::Query(body) => {
                    parts.push((format!("value {at}"), body.clone()));
                    joins += &format!("\n    LEFT JOIN \"value {at}\" q{at} ON q{at}.\"customer\" = c.\"customer\"");
                    columns.push(kept(&format!("q{at}.\"value\""), column.otherwise.as_ref(), at));
                }
                Made::From(text) => columns.push(format!("{text} AS \"t{at}\"")),
                _ => {}
            }
        }
        let body = format!("SELECT {}\n    FROM c{} c{joins}", columns.join(",\n      "), level - 1);
        parts.push((format!("c{level}"), body));
    }
}

/// How many parts there are once each stands where it is read, as engines put them.
fn weight(parts: &[(String, String)]) -> usize {
    let mut weights: Vec<usize> = Vec::with_capacity(parts.len());
    for (at, (_, body)) in parts.iter().enumerate() {
        let mut own = 1usize;
        for ((name, _), weight) in parts.iter().take(at).zip(&weights) {
            let quoted = text::name(name);
            let plain = |word: &str| body.matches(&format!("{word} {name} ")).count();
            let read = body.matches(&format!("FROM {quoted} ")).count()
                + body.matches(&format!("JOIN {quoted} ")).count()
                + plain("FROM")
                + plain("JOIN");
            own = own.saturating_add(weight.saturating_mul(read));
        }
        weights.push(own);
    }
    weights.last().copied().unwrap_or(0)
}

fn kept(text: &str, otherwise: Option<&String>, at: usize) -> String {
    match otherwise {
        Some(otherwise) => format!("COALESCE({text}, {otherwise}) AS \"t{at}\""),
        None => format!("{text} AS \"t{at}\""),
    }
}

fn cte(name: &str) -> String {
    text::name(name)
}
