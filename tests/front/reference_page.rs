//! The blocks of the language reference, for whoever runs them.

use std::fmt;

/// Where the page is.
pub const PAGE: &str = "grammar/README.md";
/// The instant at which all blocks stand.
pub const AS_OF: &str = "2026-11-21";

/// One `seg` block.
#[derive(Debug)]
pub struct Block {
    /// The line of its fence.
    pub line: usize,
    /// As it stands on the page.
    pub text: String,
    /// Without annotations.
    pub program: String,
    pub expected: Vec<Expected>,
    /// Customers and what they did.
    pub given: Vec<(String, String)>,
    /// Rules and their members.
    pub expect: Vec<(String, String)>,
}

/// What the checker must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub severity: String,
    pub code: String,
    /// Part of the underlined text or of the message.
    pub text: String,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "# {}: [{}] \"{}\"", self.severity, self.code, self.text)
    }
}

impl Expected {
    fn read(line: &str) -> Option<Expected> {
        let (severity, rest) = line.strip_prefix("# ")?.split_once(": [")?;
        let (code, rest) = rest.split_once("] \"")?;
        let known = severity == "error" || severity == "warning";
        known.then(|| Expected {
            severity: severity.into(),
            code: code.into(),
            text: rest.trim_end().trim_end_matches('"').into(),
        })
    }
}

impl Block {
    /// The text of the block with other findings.
    pub fn with_expected(&self, found: &[Expected]) -> String {
        let mut lines: Vec<String> = Vec::new();
        let (program, notes): (Vec<&str>, Vec<&str>) =
            self.text.lines().filter(|l| Expected::read(l).is_none()).partition(|l| annotation(l).is_none());
        lines.extend(program.into_iter().map(str::to_owned));
        lines.extend(found.iter().map(ToString::to_string));
        lines.extend(notes.into_iter().map(str::to_owned));
        lines.join("\n") + "\n"
    }
}

/// `# given NAME: …` and `# expect NAME: …`
fn annotation(line: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = rest.split_once(": ")?;
    matches!(kind, "given" | "expect").then_some((kind, name, rest))
}

/// All `seg` blocks of the page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((i, line)) = lines.next() {
        if line != "```seg" {
            continue;
        }
        let mut block = Block {
            line: i + 1,
            text: String::new(),
            program: String::new(),
            expected: Vec::new(),
            given: Vec::new(),
            expect: Vec::new(),
        };
        for (_, line) in lines.by_ref() {
            if line == "```" {
                break;
            }
            block.text.push_str(line);
            block.text.push('\n');
            if let Some(expected) = Expected::read(line) {
                block.expected.push(expected);
            } else if let Some((kind, name, rest)) = annotation(line) {
                let list = if kind == "given" { &mut block.given } else { &mut block.expect };
                list.push((name.to_owned(), rest.to_owned()));
            } else {
                block.program.push_str(line);
                block.program.push('\n');
            }
        }
        found.push(block);
    }
    found
}

/// The catalog that the page shows.
pub fn catalog_text(page: &str) -> String {
    let start = page.find("```yaml catalog\n").expect("a catalog") + "```yaml catalog\n".len();
    let rest = &page[start..];
    rest[..rest.find("```").expect("ends")].to_owned()
}

/// A spec that says what the annotations of a block say.
pub fn spec_text(block: &Block) -> String {
    let mut text = format!("as_of: {AS_OF}\ncustomers:\n");
    let quoted = |s: &str| format!("'{}'", s.replace('\'', "''"));
    for (name, timeline) in &block.given {
        match timeline.strip_prefix("profile ") {
            None => text.push_str(&format!("  {name}: {}\n", quoted(timeline))),
            Some(rest) => {
                let (profile, events) = rest.split_once("; ").unwrap_or((rest, ""));
                text.push_str(&format!("  {name}:\n    profile:\n"));
                for entry in profile.split(", ") {
                    let (attribute, value) = entry.split_once(" = ").expect("attribute = value");
                    let value = if value.starts_with('[') { value.to_owned() } else { quoted(value) };
                    text.push_str(&format!("      {attribute}: {value}\n"));
                }
                if !events.is_empty() {
                    text.push_str(&format!("    events: {}\n", quoted(events)));
                }
            }
        }
    }
    text.push_str("expect:\n");
    for (rule, members) in &block.expect {
        text.push_str(&format!("  {rule}: [{members}]\n"));
    }
    text
}
