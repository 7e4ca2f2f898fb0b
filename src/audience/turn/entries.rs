//! The declarations of a project, as they go into what is published.
//!
//! Owns: their texts and checksums. Promises: layout, comments and the order of files do not change a checksum. Must not know: what a
//! declaration means.

use crate::audience::store::{Entry, EntryKind, sha256};
use crate::language::source::Span;
use crate::language::syntax::ast::{File, Item, Name, Word};
use crate::language::syntax::dump;
use crate::project::Project;

/// Every declaration, by name.
pub fn entries(project: &Project) -> Vec<Entry> {
    let mut all = Vec::new();
    for rule in &project.rules {
        for item in &rule.parsed.file.items {
            let title = |title: &Option<Word>| title.as_ref().map(|title| title.text.clone());
            let was = |was: &Option<Name>| was.as_ref().map(|was| was.text.clone());
            let (kind, name, title, was, span) = match item {
                Item::Segment(s) => (EntryKind::Segment, &s.name.text, title(&s.title), was(&s.was), s.span),
                Item::Campaign(c) => (EntryKind::Campaign, &c.name.text, title(&c.title), was(&c.was), c.span),
                Item::Stages(s) => (EntryKind::Stages, &s.name.text, title(&s.title), None, s.span),
                Item::Trait(t) => (EntryKind::Trait, &t.name.text, title(&t.title), None, t.span),
                Item::Policy(p) => (EntryKind::Policy, &p.name.text, None, None, p.span),
                Item::Bare(b) => {
                    let kind = if b.arms.is_empty() { EntryKind::Segment } else { EntryKind::Campaign };
                    (kind, &rule.stem, None, None, b.span)
                }
                Item::Error { .. } => continue,
            };
            let alone = File { source: rule.parsed.file.source, items: vec![item.clone()] };
            all.push(Entry {
                name: name.clone(),
                kind,
                title,
                was,
                rule: text(project, span),
                sha256: sha256(dump::file(&alone).as_bytes()),
            });
        }
    }
    all.sort();
    all
}

fn text(project: &Project, span: Span) -> String {
    project.sources.get(span.source).map_or("", |file| file.slice(span)).trim_end().to_owned()
}

/// One checksum over all that a project says: its rules, its catalog, its project file. Another checksum may decide otherwise.
pub fn digest(project: &Project) -> String {
    let mut parts: Vec<String> = entries(project).into_iter().map(|e| format!("{} {}", e.name, e.sha256)).collect();
    let rules: Vec<_> = project.rules.iter().map(|rule| rule.source).collect();
    for file in project.sources.iter().filter(|file| !rules.contains(&file.id)) {
        parts.push(format!("{} {}", file.name, sha256(file.text.as_bytes())));
    }
    parts.sort();
    sha256(parts.join("\n").as_bytes())
}
