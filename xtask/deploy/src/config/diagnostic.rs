//! One mistake in `deploy.toml`, as data: what, where, why, and the fix. Drawing it is `report`'s job.

use super::place::{Located, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used; somebody will regret it.
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The rule's name, such as `fargate-size`.
    pub code: &'static str,
    /// What is wrong, in one line: a fragment without a full stop.
    pub message: String,
    /// Why: facts that explain the message.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    pub(super) labels: Vec<Label>,
    pub(super) edit: Option<Edit>,
}

/// A remark on a part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) span: Span,
    pub(super) text: String,
    /// A party to a conflict may be its cause; context never is.
    pub(super) party: bool,
}

/// A replacement that corrects the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) span: Span,
    pub(super) text: String,
}

/// All mistakes that were found; each is described where it is found: `found.error(…).at(…).help(…)`.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The rule that looks right now.
    code: &'static str,
    pub(super) all: Vec<Diagnostic>,
}

impl Findings {
    /// What is found next is found by this rule.
    pub(super) fn of(&mut self, code: &'static str) -> &mut Self {
        self.code = code;
        self
    }

    pub(super) fn error(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Error, message.into())
    }

    pub(super) fn warning(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, message.into())
    }

    pub(super) fn add(&mut self, severity: Severity, message: String) -> &mut Diagnostic {
        let (code, notes, labels) = (self.code, Vec::new(), Vec::new());
        let last = self.all.len();
        self.all.push(Diagnostic { severity, code, message, notes, help: None, labels, edit: None });
        &mut self.all[last]
    }
}

/// Places in order, those that overlap as one.
pub(super) fn disjoint(mut places: Vec<Span>) -> Vec<Span> {
    places.sort_by_key(|place| place.start);
    let mut all: Vec<Span> = Vec::new();
    for place in places {
        match all.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => all.push(place),
        }
    }
    all
}

impl Diagnostic {
    /// Points at a setting that is a party to the mistake. Of several, the one written last in the
    /// file is blamed. A default has no place: it becomes a note.
    pub(super) fn at(&mut self, place: impl Located, text: impl Into<String>) -> &mut Self {
        self.label(place, text.into(), true)
    }

    /// Points at a setting that explains the mistake without being one.
    pub(super) fn context(&mut self, place: impl Located, text: impl Into<String>) -> &mut Self {
        self.label(place, text.into(), false)
    }

    fn label(&mut self, place: impl Located, text: String, party: bool) -> &mut Self {
        match place.place() {
            Some(span) => self.labels.push(Label { span, text, party }),
            None => self.notes.push(format!("{text} (the default)")),
        }
        self
    }

    pub(super) fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    pub(super) fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    /// A help that shows the corrected line.
    pub(super) fn replace(
        &mut self,
        place: impl Located,
        with: impl Into<String>,
        help: impl Into<String>,
    ) -> &mut Self {
        self.edit = place.place().map(|span| Edit { span, text: with.into() });
        self.help(help)
    }

    /// A help that puts the word that was meant in place of a text.
    pub(super) fn meant(&mut self, place: impl Located, word: &str) -> &mut Self {
        self.replace(place, format!("\"{word}\""), format!("did you mean `{word}`?"))
    }

    /// What a mistake has in common with the same one of another environment: its rule and its places.
    pub(super) fn identity(&self) -> (&'static str, Vec<usize>) {
        let mut places: Vec<usize> = self.labels.iter().map(|label| label.span.start).collect();
        places.sort_unstable();
        (self.code, places)
    }

    /// As it is shown to somebody who uses another environment: it is no obstacle there.
    pub(super) fn elsewhere(self, environment: &str) -> Self {
        let message = format!("in `{environment}`: {}", self.message);
        Self { severity: Severity::Warning, message, ..self }
    }

    /// Whether any of it is about one of these places, which are [`disjoint`].
    pub(super) fn touches(&self, places: &[Span]) -> bool {
        self.labels.iter().any(|label| {
            let before = places.partition_point(|place| place.start < label.span.end);
            before > 0 && places[before - 1].end > label.span.start
        })
    }

    /// The label that is blamed: of the conflicting ones, the last in the file.
    pub(super) fn primary(&self) -> Option<&Label> {
        self.labels
            .iter()
            .filter(|label| label.party)
            .max_by_key(|label| label.span.start)
            .or(self.labels.first())
    }
}
