//! Values that nest.
//!
//! Owns: the flattening of a written taxonomy into known values, parents before children.
//! Promises: every value stands once, so a value has one parent and no chain of parents is a loop.
//! Must not know: which property uses it.

use std::collections::HashMap;

use super::KnownValue;
use super::raw::{Branch, Branches};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::Span;
use crate::language::text::nfc;

/// All values of a taxonomy in the order of the file, each parent before its children. A value that stands twice is reported
/// and left out the second time: were it kept, it would have two parents, or be its own ancestor.
pub fn flatten(branches: &Branches, diagnostics: &mut Vec<Diagnostic>) -> Vec<KnownValue> {
    let mut flat = Flat { values: Vec::new(), places: HashMap::new(), diagnostics };
    flat.level(branches, None);
    flat.values
}

struct Flat<'a> {
    values: Vec<KnownValue>,
    places: HashMap<String, usize>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Flat<'_> {
    fn level(&mut self, branches: &Branches, parent: Option<usize>) {
        for Branch { value, children } in &branches.0 {
            let at = self.add(&value.value, value.span, parent);
            // The children of a repeated value still count as written, under the value that stands first.
            self.level(children, at);
        }
    }

    fn add(&mut self, text: &str, span: Span, parent: Option<usize>) -> Option<usize> {
        let text = nfc(text);
        if text.is_empty() {
            let message = "a taxonomy has an empty value";
            self.diagnostics.push(Diagnostic::new(code::yaml::KNOWN_VALUE, span, message).help("remove it"));
            return parent;
        }
        if let Some(&first) = self.places.get(&text) {
            let mut above = parent;
            let mut is_loop = false;
            while let Some(at) = above {
                is_loop |= at == first;
                above = self.values.get(at).and_then(|v| v.parent);
            }
            let message = if is_loop {
                format!("`{text}` stands below itself")
            } else {
                format!("`{text}` stands twice in one taxonomy")
            };
            let mut d = Diagnostic::new(code::yaml::KNOWN_VALUE, span, message)
                .label(if is_loop { "a value can't include itself" } else { "again" })
                .help("a value has one place in a taxonomy; rename or remove one of the two");
            if let Some(value) = self.values.get(first) {
                d = d.also(value.span, "first here");
            }
            self.diagnostics.push(d);
            return Some(first);
        }
        let at = self.values.len();
        self.places.insert(text.clone(), at);
        self.values.push(KnownValue { text, aliases: Vec::new(), parent, span });
        Some(at)
    }
}
