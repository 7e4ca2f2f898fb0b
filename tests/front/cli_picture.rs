//! The picture of a diagnostic in the README, drawn from what the program really prints.

use std::path::Path;

use crate::support::{segue, snapshot};

#[test]
fn the_readme_shows_real_diagnostics() {
    let output = segue().args(["check", "tests/projects/mistakes", "--color", "always"]).output().expect("segue runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains('\u{1b}'), "coloured:\n{text}");
    snapshot(Path::new(".github/diagnostic.svg"), &svg(&format!("$ segue check\n\n{text}")));
}

const LINE: usize = 20;
const CHARACTER: f32 = 8.43;

/// ANSI-coloured text as a picture: one `text` element a line, one `tspan` a colour.
fn svg(text: &str) -> String {
    let mut body = String::new();
    let mut style = Style::default();
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut columns = 0;
    for (row, line) in lines.iter().enumerate() {
        let y = (row + 1) * LINE + LINE;
        body.push_str(&format!("  <text x=\"20\" y=\"{y}\" xml:space=\"preserve\">"));
        let mut width = 0;
        for (i, part) in line.split("\u{1b}[").enumerate() {
            let shown = match part.split_once('m') {
                Some((codes, rest)) if i > 0 => {
                    codes.split(';').for_each(|code| style.apply(code));
                    rest
                }
                _ => part,
            };
            if !shown.is_empty() {
                width += shown.chars().count();
                let escaped = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                body.push_str(&format!("<tspan class=\"{}\">{escaped}</tspan>", style.class()));
            }
        }
        columns = columns.max(width);
        body.push_str("</text>\n");
    }
    let (w, h) = ((columns as f32 * CHARACTER) as usize + 40, (lines.len() + 2) * LINE);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         aria-label=\"Diagnostics of segue check in a terminal\">\n\
         <style>\n\
         text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d8dee9; }}\n\
         .bold {{ font-weight: bold; }} .dim {{ opacity: .7; }}\n\
         .c1 {{ fill: #ff6b68; }} .c2 {{ fill: #8fce6a; }} .c3 {{ fill: #f0c674; }} .c4 {{ fill: #7aa6da; }}\n\
         .c5 {{ fill: #d492e0; }} .c6 {{ fill: #5fc9c9; }}\n\
         </style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e222a\"/>\n{body}</svg>\n"
    )
}

/// What the escapes so far have switched on.
#[derive(Default)]
struct Style {
    color: Option<u8>,
    bold: bool,
    dim: bool,
}

impl Style {
    fn apply(&mut self, code: &str) {
        match code.parse::<u8>().unwrap_or(0) {
            0 => *self = Style::default(),
            1 => self.bold = true,
            2 => self.dim = true,
            22 => (self.bold, self.dim) = (false, false),
            n @ (30..=37 | 90..=97) => self.color = Some(n % 10),
            39 => self.color = None,
            _ => {}
        }
    }

    fn class(&self) -> String {
        let mut class = self.color.map_or("plain".to_owned(), |n| format!("c{n}"));
        class.push_str(if self.bold { " bold" } else { "" });
        class.push_str(if self.dim { " dim" } else { "" });
        class
    }
}
