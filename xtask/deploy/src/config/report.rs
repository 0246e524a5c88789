//! Everything that is wrong with a `deploy.toml`: drawn like rustc's errors, or as data for annotations and
//! JSON.
//!
//! The text that it quotes from has secrets masked already (see `redact`): a report is safe to print.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use super::diagnostic::{Diagnostic, Findings, Label, Severity};
use super::place::{Places, Span};
use crate::view::wrapped;

/// Labels that are more lines or bytes apart are shown as two excerpts.
const APART: usize = 200;
const BYTES_APART: usize = 80 * APART;

/// Of a line that is longer than [`LONG`], so many bytes are read beside a place: more than the renderer shows. It reads all
/// that it is given, for each mistake.
const BESIDE: usize = 200;
const LONG: usize = 1_000;

/// All that was found in one file, in the order of the file, errors first.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub diagnostics: Vec<Diagnostic>,
    /// The file's name as it is shown.
    origin: String,
    /// The file's text, with secrets masked.
    text: String,
    /// Where each of its lines begins.
    lines: Vec<usize>,
    /// What is written where, by where it begins.
    paths: Vec<(Span, String)>,
}

/// One diagnostic in the terms of an editor or of GitHub's annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Finding {
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
    /// The key that it is about, such as `service.backend.cpu`.
    pub path: Option<String>,
    pub file: String,
    /// First line, counted from 1; 1 when the mistake has no place.
    pub line: usize,
    /// First column in characters, counted from 1.
    pub column: usize,
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
    /// What the place itself is said to be.
    pub label: Option<String>,
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The text that corrects it, in place of what is there.
    pub fix: Option<String>,
}

impl Report {
    pub(super) fn new(origin: &str, masked: String, found: Findings) -> Self {
        let mut diagnostics = found.all;
        diagnostics
            .sort_by_key(|found| (found.severity, found.primary().map_or(0, |label| label.span.start)));
        // A value that all services share is wrong once, not once for each of them.
        let mut kept: Vec<Diagnostic> = Vec::new();
        for found in diagnostics {
            let place = |other: &Diagnostic| other.primary().map(|label| label.span.start);
            let here = place(&found);
            // They are sorted: its equals, if there are any, are the last ones.
            if !kept.iter().rev().take_while(|other| place(other) == here).any(|other| *other == found) {
                kept.push(found);
            }
        }
        let lines = std::iter::once(0).chain(masked.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { diagnostics: kept, origin: origin.to_owned(), text: masked, lines, paths: Vec::new() }
    }

    pub(super) fn with_paths(self, written: &Places) -> Self {
        Self { paths: written.sorted(), ..self }
    }

    /// The path of the innermost key or entry at a byte.
    fn path(&self, at: usize) -> Option<&str> {
        let before = self.paths.partition_point(|(span, _)| span.start <= at);
        self.paths[..before].iter().rev().find(|(span, _)| at < span.end).map(|(_, path)| path.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// How many of them make the file unusable; the others are warnings.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// The report as people read it; the text ends with a line break unless it is empty.
    pub fn render(&self, color: bool) -> String {
        self.render_in(color, None)
    }

    /// The same on a terminal of so many columns: what is said below the lines of the file is broken between words.
    pub fn render_in(&self, color: bool, columns: Option<usize>) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = columns.map_or(renderer.clone(), |columns| renderer.term_width(columns));
        // The renderer puts them below `= note: `, after a margin as wide as the line's number.
        let fit = |text: &mut String| {
            if let Some(columns) = columns {
                *text = wrapped(text, columns.saturating_sub(14).max(24));
            }
        };
        self.diagnostics.iter().fold(String::new(), |mut out, found| {
            if !out.is_empty() {
                out.push('\n');
            }
            let mut found = found.clone();
            found.notes.iter_mut().chain(&mut found.help).for_each(fit);
            let drawn = renderer.render(&self.groups(&found));
            out.push_str(&self.with_columns(&found, drawn));
            out.push('\n');
            out
        })
    }

    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.diagnostics.iter().map(|found| {
            let primary = found.primary();
            let span = primary.map_or(0..0, |label| label.span.clone());
            let (line, column) = self.position(span.start);
            let (end_line, end_column) = self.position(span.end);
            Finding {
                severity: found.severity,
                code: found.code,
                message: found.message.clone(),
                path: primary.and_then(|_| self.path(span.start)).map(str::to_owned),
                file: self.origin.clone(),
                line,
                column,
                end_line,
                end_column,
                label: primary.map(|label| label.text.clone()),
                notes: found.notes.clone(),
                help: found.help.clone(),
                fix: found.edit.as_ref().map(|edit| edit.text.clone()),
            }
        })
    }

    fn groups<'a>(&'a self, found: &'a Diagnostic) -> Vec<Group<'a>> {
        let level = match found.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut main = Group::with_title(level.primary_title(found.message.as_str()).id(found.code));
        if let Some(primary) = found.primary() {
            for labels in self.neighbours(found, primary) {
                let (within, snippet) = self.excerpt(labels.iter().map(|label| &label.span));
                let marks = labels.into_iter().map(|label| {
                    let primary = std::ptr::eq(label, primary);
                    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                    kind.span(inside(&label.span, &within)).label(label.text.as_str())
                });
                main = main.element(snippet.annotations(marks));
            }
        }
        main = main.elements(found.notes.iter().map(|note| Level::NOTE.message(note.as_str())));
        match (&found.help, &found.edit) {
            (Some(help), Some(edit)) => {
                let (within, snippet) = self.excerpt([&edit.span]);
                let patch = Patch::new(inside(&edit.span, &within), edit.text.as_str());
                let fix = snippet.patch(patch);
                vec![main, Group::with_title(Level::HELP.secondary_title(help.as_str())).element(fix)]
            }
            (Some(help), None) => vec![main.element(Level::HELP.message(help.as_str()))],
            (None, _) => vec![main],
        }
    }

    /// The labels in groups that are shown together, that of the blamed place first: what lies between two labels is
    /// read by the renderer too.
    fn neighbours<'a>(&self, found: &'a Diagnostic, primary: &Label) -> Vec<Vec<&'a Label>> {
        let mut labels: Vec<&Label> = found.labels.iter().collect();
        labels.sort_by_key(|label| label.span.start);
        let near = |one: &&Label, next: &&Label| {
            self.line(next.span.start) - self.line(one.span.start) < APART
                && next.span.start - one.span.start < BYTES_APART
        };
        let mut groups: Vec<Vec<&Label>> = labels.chunk_by(near).map(<[_]>::to_vec).collect();
        groups.sort_by_key(|labels| !labels.iter().any(|label| std::ptr::eq(*label, primary)));
        groups
    }

    /// The lines that these places are in, as far as they are read, and where that is.
    fn excerpt<'a, T: Clone>(&'a self, spans: impl IntoIterator<Item = &'a Span>) -> (Span, Snippet<'a, T>) {
        let within = self.window(spans);
        let snippet = Snippet::source(&self.text[within.clone()]).path(self.origin.as_str());
        let first = self.line(within.start);
        (within, snippet.line_start(first + 1))
    }

    fn window<'a>(&self, spans: impl IntoIterator<Item = &'a Span>) -> Span {
        let (start, end) = spans
            .into_iter()
            .fold((self.text.len(), 0), |(start, end), span| (start.min(span.start), end.max(span.end)));
        let (first, last) = (self.line(start), self.line(end));
        let from = self.lines[first];
        let to = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        let long = |line: usize| {
            self.lines.get(line + 1).copied().unwrap_or(self.text.len()) - self.lines[line] > LONG
        };
        let from = match long(first) {
            true => self.text.floor_char_boundary(start.saturating_sub(BESIDE)).max(from),
            false => from,
        };
        let to = match long(last) {
            // A place that is longer is marked as far as it is shown.
            true => self.text.ceil_char_boundary(end.min(start + BYTES_APART) + BESIDE).min(to),
            false => to,
        };
        from..to
    }

    /// The renderer counts columns from where the excerpt begins, which is not where a long line does. The columns of the file
    /// are put in their place.
    fn with_columns(&self, found: &Diagnostic, mut drawn: String) -> String {
        let Some(primary) = found.primary() else { return drawn };
        for labels in self.neighbours(found, primary) {
            let within = self.window(labels.iter().map(|label| &label.span));
            let (line, cut) = self.position(within.start);
            let own = labels.iter().find(|label| std::ptr::eq(**label, primary)).unwrap_or(&labels[0]);
            let (at, column) = self.position(own.span.start);
            if cut > 1 && at == line {
                let origin = &self.origin;
                let counted = format!("{origin}:{at}:{}", column + 1 - cut);
                // Behind it is a line break, or the end of a color.
                let ends = |end: usize| !drawn[end..].starts_with(|c: char| c.is_ascii_digit());
                let place = drawn.match_indices(&counted).map(|(start, _)| start..start + counted.len());
                if let Some(place) = place.into_iter().find(|place| ends(place.end)) {
                    drawn.replace_range(place, &format!("{origin}:{at}:{column}"));
                }
            }
        }
        drawn
    }

    /// The line of a byte, from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.lines.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }
}

/// A place as it is counted inside of an excerpt.
fn inside(span: &Span, within: &Span) -> Span {
    span.start - within.start..span.end.min(within.end) - within.start
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
