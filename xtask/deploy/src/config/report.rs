//! Everything that is wrong with a `deploy.toml`: drawn like rustc's errors, or as data for annotations and
//! JSON.
//!
//! The text that it quotes from has secrets masked already (see `redact`): a report is safe to print.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use super::diagnostic::{Diagnostic, Severity};

/// All that was found in one file, in the order of the file, errors first.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// The file's name as it is shown.
    origin: String,
    /// The file's text, with secrets masked.
    text: String,
}

/// One diagnostic in the terms of an editor or of GitHub's annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// The rule's name.
    pub code: &'a str,
    /// What is wrong.
    pub message: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// First line, counted from 1; 1 when the mistake has no place.
    pub line: usize,
    /// First column in characters, counted from 1.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
    /// What the place itself is said to be.
    pub label: Option<&'a str>,
    /// Why.
    pub notes: &'a [String],
    /// What to do about it.
    pub help: Option<&'a str>,
}

impl Report {
    pub(super) fn new(origin: &str, masked: String, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics
            .sort_by_key(|found| (found.severity, found.primary().map_or(0, |label| label.span.start)));
        // A value that all services share is wrong once, not once for each of them.
        let mut kept: Vec<Diagnostic> = Vec::new();
        for found in diagnostics {
            if !kept.contains(&found) {
                kept.push(found);
            }
        }
        Self { diagnostics: kept, origin: origin.to_owned(), text: masked }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// How many of them make the file unusable; the others are warnings.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// The report as people read it; the text ends with a line break unless it is empty.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        self.diagnostics.iter().fold(String::new(), |mut out, found| {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&renderer.render(&self.groups(found)));
            out.push('\n');
            out
        })
    }

    /// The same as data.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        self.diagnostics.iter().map(|found| {
            let primary = found.primary();
            let span = primary.map_or(0..0, |label| label.span.clone());
            let (line, column) = self.position(span.start);
            let (end_line, end_column) = self.position(span.end);
            Finding {
                severity: found.severity,
                code: found.code,
                message: &found.message,
                file: &self.origin,
                line,
                column,
                end_line,
                end_column,
                label: primary.map(|label| label.text.as_str()),
                notes: &found.notes,
                help: found.help.as_deref(),
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
            let marks = found.labels.iter().map(|label| {
                let kind = if std::ptr::eq(label, primary) {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                kind.span(label.span.clone()).label(label.text.as_str())
            });
            main = main.element(self.snippet().annotations(marks));
        }
        main = main.elements(found.notes.iter().map(|note| Level::NOTE.message(note.as_str())));
        match (&found.help, &found.edit) {
            (Some(help), Some(edit)) => {
                let patch = Patch::new(edit.span.clone(), edit.text.as_str());
                let fix = Snippet::source(self.text.as_str()).path(self.origin.as_str()).patch(patch);
                vec![main, Group::with_title(Level::HELP.secondary_title(help.as_str())).element(fix)]
            }
            (Some(help), None) => vec![main.element(Level::HELP.message(help.as_str()))],
            (None, _) => vec![main],
        }
    }

    fn snippet<'a>(&'a self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        Snippet::source(self.text.as_str()).path(self.origin.as_str())
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
