//! For people: the text with the place underlined, the why in a label, the cure below.

use std::collections::HashMap;
use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeStyles,
};

use super::super::super::source::SourceId;
use super::super::code;
use super::{Diagnostic, SourceFile, Sources, Span, cure, disturbs, visible};

/// How the text is painted.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// With ANSI colours.
    pub color: bool,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Columns at which messages wrap.
    pub width: usize,
}

impl Default for Paint {
    fn default() -> Self {
        Paint { color: false, ascii: false, width: 100 }
    }
}

/// A label that covers more lines than this is drawn on its first line only.
const MAX_LINES: usize = 6;
/// A line longer than this (in bytes) is cut around the place.
const MAX_LINE: usize = 240;
/// How much of a long line stands on each side of the place.
const AROUND: usize = 60;

/// All diagnostics, each followed by an empty line.
pub fn pretty(sources: &Sources, diagnostics: &[Diagnostic], paint: Paint) -> String {
    let mut files: HashMap<SourceId, Shown> = HashMap::new();
    let secret = diagnostics.iter().filter(|d| d.code == code::yaml::SECRET).map(|d| d.primary.span);
    let secrets: Vec<Span> = secret.collect();
    let mut out = String::new();
    for d in diagnostics {
        for span in std::iter::once(d.primary.span).chain(d.secondary.iter().map(|l| l.span)) {
            if let Some(file) = sources.get(span.source) {
                files.entry(span.source).or_insert_with(|| Shown::new(file, span.source, &secrets));
            }
        }
        let report = Report { diagnostic: d, views: views(d, &files) };
        // Writing to a `String` fails only if a source can't be read, and ours never refuse.
        if handler(d, paint).render_report(&mut out, &report).is_err() {
            out.push_str(&super::short(sources, std::slice::from_ref(d)));
        }
        out.push('\n');
    }
    out
}

fn handler(d: &Diagnostic, paint: Paint) -> GraphicalReportHandler {
    let mut theme = if paint.ascii { GraphicalTheme::ascii() } else { GraphicalTheme::unicode() };
    if !paint.color {
        theme.styles = ThemeStyles::none();
    }
    theme.characters.error = format!("error[{}]:", d.code);
    theme.characters.warning = format!("warning[{}]:", d.code);
    theme.characters.advice = "also:".to_owned();
    GraphicalReportHandler::new_themed(theme)
        .with_width(paint.width)
        .with_context_lines(1)
        .with_urls(false)
        .without_syntax_highlighting()
        .with_show_related_as_nested(true)
}

/// A text as it is shown: characters that disturb, and those of secrets, are replaced by others of the same length, so that
/// offsets stay.
struct Shown {
    name: String,
    text: String,
    lines: Vec<usize>,
}

impl Shown {
    fn new(file: &SourceFile, id: SourceId, secrets: &[Span]) -> Shown {
        let mut text = String::with_capacity(file.text.len());
        let secret = |at: usize| secrets.iter().any(|span| span.source == id && span.range().contains(&at));
        for (at, c) in file.text.char_indices() {
            if c != '\n' && secret(at) {
                text.extend(std::iter::repeat_n('*', c.len_utf8()));
                continue;
            }
            let keep = !disturbs(c) || c == '\n' || c == '\t' || c == '\r';
            text.push(match c.len_utf8() {
                _ if keep => c,
                1 => '?',
                2 => '¿',
                _ => '\u{fffd}',
            });
        }
        Shown { name: visible(&file.name), text, lines: file.line_starts().to_vec() }
    }

    /// Index of the line that holds the offset.
    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    fn line_range(&self, line: usize) -> (usize, usize) {
        let start = self.lines.get(line).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        (start, end)
    }

    fn boundary(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// The labels of one diagnostic in one text.
struct View<'a> {
    shown: &'a Shown,
    labels: Vec<(Span, &'a str, bool)>,
    /// Only this part of the text is shown (of a very long line).
    cut: Option<(usize, usize)>,
}

/// One view a text, that of the primary label first.
fn views<'a>(d: &'a Diagnostic, files: &'a HashMap<SourceId, Shown>) -> Vec<View<'a>> {
    let mut views: Vec<(SourceId, View<'a>)> = Vec::new();
    let labels = std::iter::once((&d.primary, true)).chain(d.secondary.iter().map(|l| (l, false)));
    for (label, primary) in labels {
        let Some(shown) = files.get(&label.span.source) else { continue };
        let entry = (label.span, label.text.as_str(), primary);
        match views.iter_mut().find(|(id, _)| *id == label.span.source) {
            Some((_, view)) => view.labels.push(entry),
            None => views.push((label.span.source, View { shown, labels: vec![entry], cut: None })),
        }
    }
    views.into_iter().map(|(_, view)| view.fitted()).collect()
}

impl View<'_> {
    /// Cuts long lines, and drops labels that the cut leaves out.
    fn fitted(mut self) -> Self {
        let shown = self.shown;
        let long = |span: &Span| {
            let line = shown.line_of(span.start as usize);
            // The neighbours are context, and shown too.
            (line.saturating_sub(1)..=line + 1).any(|l| {
                let (start, end) = shown.line_range(l);
                end.saturating_sub(start) > MAX_LINE
            })
        };
        if self.labels.iter().any(|(span, ..)| long(span)) {
            let at = self.labels.first().map_or(0, |(span, ..)| span.start as usize);
            let (line_start, line_end) = shown.line_range(shown.line_of(at));
            let from = shown.boundary(at.saturating_sub(AROUND).max(line_start));
            let to = shown.boundary((at + 2 * AROUND).min(line_end));
            self.cut = Some((from, to));
            self.labels.retain(|(span, ..)| (from..=to).contains(&(span.start as usize)));
        }
        self
    }

    fn spans(&self) -> Vec<LabeledSpan> {
        let spans = self.labels.iter().map(|&(span, text, primary)| {
            let start = self.shown.boundary(span.start as usize);
            let mut end = self.shown.boundary(span.end as usize).max(start);
            let line = self.shown.line_of(start);
            if self.shown.line_of(end) >= line + MAX_LINES {
                end = self.shown.line_range(line).1.saturating_sub(1).max(start);
            }
            if let Some((_, to)) = self.cut {
                end = end.min(to).max(start);
            }
            let text = (!text.is_empty()).then(|| visible(text));
            if primary {
                LabeledSpan::new_primary_with_span(text, (start, end - start))
            } else {
                LabeledSpan::new_with_span(text, (start, end - start))
            }
        });
        spans.collect()
    }
}

impl SourceCode for View<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let shown = self.shown;
        let first = shown.line_of(span.offset());
        let last = shown.line_of((span.offset() + span.len().saturating_sub(1)).min(shown.text.len()));
        let (from, to, line, column) = match self.cut {
            Some((from, to)) if before > 0 || after > 0 => {
                let (start, _) = shown.line_range(first);
                (from, to, first, shown.text.get(start..from).map_or(0, |t| t.chars().count()))
            }
            // Asked for the place alone, for the head line.
            _ if before == 0 && after == 0 => {
                let start = shown.boundary(span.offset());
                let (line_start, _) = shown.line_range(first);
                let column = shown.text.get(line_start..start).map_or(0, |t| t.chars().count());
                (start, start + span.len(), first, column)
            }
            _ => {
                let top = first.saturating_sub(before);
                let (_, mut end) = shown.line_range(last.saturating_add(after));
                if end > 0 && shown.text.get(end - 1..end) == Some("\n") {
                    end -= 1;
                }
                (shown.line_range(top).0, end.max(span.offset() + span.len()), top, 0)
            }
        };
        let to = shown.boundary(to);
        let data = shown.text.get(from..to).unwrap_or("");
        Ok(Box::new(MietteSpanContents::new_named(
            shown.name.clone(),
            data.as_bytes(),
            (from, data.len()).into(),
            line,
            column,
            data.matches('\n').count() + 1,
        )))
    }
}

/// A diagnostic as miette wants it: the first text here, the others as related reports.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    views: Vec<View<'a>>,
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.diagnostic, f)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.diagnostic.message))
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.diagnostic.is_error() { miette::Severity::Error } else { miette::Severity::Warning })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        cure(self.diagnostic).map(|text| Box::new(visible(text)) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.views.first().map(|v| v as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.views.first().map(|v| Box::new(v.spans().into_iter()) as _)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let rest = self.views.get(1..).unwrap_or(&[]);
        (!rest.is_empty()).then(|| Box::new(rest.iter().map(|v| v as &dyn miette::Diagnostic)) as _)
    }
}

/// What a diagnostic has to say about another text.
impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.name)
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in `{}`", self.shown.name)
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.spans().into_iter()))
    }
}
