//! The texts of the sample project.
//!
//! Owns: the project file and the lists; the catalog, the rules and the specs are those of `examples/cosmetics`, compiled in, so
//! that the example and every demo tell the same stories. Must not know: what is in the texts.

use std::fs;
use std::path::Path;

use super::people::{self, Person};
use crate::error::Error;
use crate::language::ir::Date;

macro_rules! texts {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../examples/cosmetics/", $path)))),*]
    };
}

/// Everything that does not depend on the options.
const TEXTS: &[(&str, &str)] = &texts![
    "catalog.yaml",
    "rules/activity.seg",
    "rules/calendar.seg",
    "rules/carts.seg",
    "rules/lifecycle.seg",
    "rules/mail.seg",
    "rules/people.seg",
    "rules/service.seg",
    "rules/taste.seg",
    "rules/value.seg",
    "rules/winback.seg",
    "specs/activity.yaml",
    "specs/carts.yaml",
    "specs/mail.yaml",
    "specs/value.yaml",
    "specs/winback.yaml",
];

/// Writes all that is not Parquet.
pub(super) fn write(root: &Path, end: Date, people: &[Person]) -> Result<(), Error> {
    for (path, text) in TEXTS {
        put(root, path, text)?;
    }
    put(root, "segue.yaml", &project(end))?;
    put(root, "lists/staff.csv", &list("customer_id\n", people, |person| person.traits.staff))?;
    put(root, "lists/suppressed.txt", &list("", people, |person| person.traits.complained))
}

fn project(end: Date) -> String {
    format!(
        "\
# A sample project: a cosmetics shop that never was. `segue demo` wrote it.
name: cosmetics
edition: \"2026\"
timezone: Europe/Paris
currency: EUR
# The data ends here, so every run looks back from here. Leave it out where data keeps coming.
as_of: {:04}-{:02}-{:02}
catalog: catalog.yaml
rules: rules
specs: specs
output: out
# What runs decide is kept here, so that later runs know who was contacted, who came and who left.
store: published
",
        end.year, end.month, end.day
    )
}

fn list(head: &str, people: &[Person], member: impl Fn(&Person) -> bool) -> String {
    let mut text = head.to_owned();
    let mut id = String::new();
    for (number, person) in (1..).zip(people) {
        if member(person) {
            people::write_id(number, &mut id);
            text.push_str(&id);
            text.push('\n');
        }
    }
    text
}

fn put(root: &Path, path: &str, text: &str) -> Result<(), Error> {
    let path = root.join(path);
    if let Some(folder) = path.parent() {
        super::folder(folder)?;
    }
    fs::write(&path, text).map_err(|why| Error::io("could not write", &path, why))
}

#[cfg(test)]
mod tests {
    use super::super::{rows, shop};
    use super::*;

    #[test]
    fn the_catalog_knows_every_word_of_the_data() {
        let catalog = TEXTS.iter().find(|(path, _)| *path == "catalog.yaml").map_or("", |(_, text)| text);
        let known: Vec<&str> = catalog.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).collect();
        let products = shop::PRODUCTS.iter().map(|p| p.id);
        let words = rows::KINDS.iter().chain(&shop::CATEGORIES).chain(&shop::CAMPAIGNS).chain(&shop::CHANNELS);
        let words = words.chain(&shop::REFERRERS).chain(&shop::TOPICS).copied();
        let missing: Vec<&str> = products.chain(words).filter(|word| !known.contains(word)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for product in &shop::PRODUCTS {
            assert!(catalog.contains(product.brand), "{}", product.brand);
        }
    }
}
