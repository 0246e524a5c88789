//! Workflow commands: annotations, and groups that fold in the log.
//!
//! Source: GitHub docs, "Workflow commands for GitHub Actions"; the escapes are those of `@actions/core`.

use crate::config::{Finding, Severity};
use crate::event::{Event, Kind, Phase};

/// The commands that go before an event's own line. `open` is whether a group is open, and is kept true.
///
/// What happens step by step folds away; what a person must see never does, as a folded error is an unseen one.
pub fn commands(event: &Event, open: &mut bool) -> Vec<String> {
    let mut all = Vec::new();
    let opens = match &event.kind {
        Kind::PhaseBegan { phase: phase @ (Phase::Start | Phase::Build | Phase::Apply), about } => {
            Some(format!("::group::{} {about}", phase.word()))
        }
        _ => None,
    };
    if *open && (opens.is_some() || closes(&event.kind)) {
        all.push("::endgroup::".to_owned());
        *open = false;
    }
    if let Some(group) = opens {
        all.push(group);
        *open = true;
    }
    all.extend(annotation(&event.kind));
    all
}

fn closes(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::PhaseBegan { .. }
            | Kind::PhaseEnded { .. }
            | Kind::Planned { .. }
            | Kind::StepFailed { .. }
            | Kind::Failed { .. }
            | Kind::Warned { .. }
            | Kind::Following { .. }
            | Kind::Explained { .. }
            | Kind::Diagnosed { .. }
            | Kind::Undoing { .. }
            | Kind::Table { .. }
            | Kind::Ended { .. }
    )
}

fn annotation(kind: &Kind) -> Option<String> {
    let (level, title, message) = match kind {
        Kind::Failed { error, hint } => {
            ("error", None, hint.as_ref().map_or_else(|| error.clone(), |hint| format!("{error}\n{hint}")))
        }
        Kind::Warned { text } => ("warning", None, text.clone()),
        // The same cause may have been reported before, when it became plain.
        Kind::Diagnosed { service, diagnosis } => {
            let cause = diagnosis.cause.as_ref()?;
            ("error", Some(service.0.clone()), format!("{}\n{}", cause.cause, cause.remedy))
        }
        Kind::Settled { service, verdict, .. } if !verdict.outcome.is_success() => {
            ("error", Some(format!("{service}: {}", verdict.outcome.word())), verdict.outcome.sentence())
        }
        _ => return None,
    };
    let title = title.map(|title| format!(" title={}", property(&title))).unwrap_or_default();
    Some(format!("::{level}{title}::{}", data(&message)))
}

/// A mistake in `deploy.toml` as an annotation of its lines.
#[must_use]
pub fn finding(finding: &Finding<'_>) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let Finding { line, column, end_line, .. } = finding;
    let message = finding
        .help
        .map_or_else(|| finding.message.to_owned(), |help| format!("{}\n{help}", finding.message));
    format!(
        "::{level} file={},line={line},endLine={end_line},col={column},title={}::{}",
        property(finding.file),
        property(finding.code),
        data(&message)
    )
}

pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind) -> Event {
        Event { seq: 1, at_ms: 0, kind }
    }

    #[test]
    fn an_error_is_never_folded_away() {
        let mut open = false;
        let build = Kind::PhaseBegan { phase: Phase::Build, about: "backend".to_owned() };
        assert_eq!(commands(&event(build), &mut open), ["::group::build backend"]);
        let failed = Kind::Failed { error: "no compiler".to_owned(), hint: Some("install one".to_owned()) };
        assert_eq!(
            commands(&event(failed), &mut open),
            ["::endgroup::", "::error::no compiler%0Ainstall one"]
        );
        assert!(!open);
    }

    #[test]
    fn text_cannot_become_a_command() {
        let text = "100 %\n::set-output name=x::y";
        let lines = commands(&event(Kind::Warned { text: text.to_owned() }), &mut false);
        assert_eq!(lines, ["::warning::100 %25%0A::set-output name=x::y"]);
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
