//! Workflow commands: annotations, and groups that fold in the log.
//!
//! Source: GitHub docs, "Workflow commands for GitHub Actions"; the escapes are those of `@actions/core`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Finding, Severity};
use crate::event::{Event, ExitCode, Kind, Phase};
use crate::model::ServiceKey;
use crate::rollout::Cause;
use crate::view::{Detail, line};

/// The log of one command: which group is open, and what is annotated.
#[derive(Debug, Default)]
pub struct Log {
    open: bool,
    /// What was annotated as an error so far, each once: the last lines of a command repeat its causes.
    errors: BTreeSet<String>,
    /// Why each service failed, with its title. Said at the end: the verdict comes first and its cause later, and they are one
    /// failure.
    services: BTreeMap<ServiceKey, (String, String)>,
    /// Mistakes of deploy.toml are annotated on their lines; the sentence that counts them is not one more.
    mistaken: bool,
}

impl Log {
    /// The commands that go before an event's own line, and that line: without what the log shows already as the title of a group
    /// or the text of an annotation.
    pub fn lines(&mut self, event: &Event, detail: Detail) -> (Vec<String>, Option<String>) {
        let commands = self.commands(event);
        let annotated = commands.last().is_some_and(|last| last != "::endgroup::");
        let text = match &event.kind {
            Kind::PhaseBegan { .. } if self.open => None,
            Kind::Failed { .. } | Kind::Warned { .. } if annotated => None,
            Kind::Ended { exit, summary, elapsed_ms, reads, writes, .. } if annotated => {
                let (summary, causes) = (summary.clone(), Vec::new());
                let (exit, elapsed_ms, reads, writes) = (*exit, *elapsed_ms, *reads, *writes);
                let kind = Kind::Ended { exit, summary, causes, elapsed_ms, reads, writes };
                line(&Event { kind, ..*event }, detail)
            }
            _ => line(event, detail),
        };
        (commands, text)
    }

    /// What happens step by step folds away; what a person must see never does, as a folded error is an unseen one.
    fn commands(&mut self, event: &Event) -> Vec<String> {
        let mut all = Vec::new();
        let opens = match &event.kind {
            Kind::PhaseBegan { phase: phase @ (Phase::Start | Phase::Build | Phase::Apply), about } => {
                Some(format!("::group::{} {about}", phase.word()))
            }
            _ => None,
        };
        if self.open && (opens.is_some() || closes(&event.kind)) {
            all.push("::endgroup::".to_owned());
            self.open = false;
        }
        if let Some(group) = opens {
            all.push(group);
            self.open = true;
        }
        match &event.kind {
            Kind::Mistaken { .. } => self.mistaken = true,
            // Each mistake has an annotation on its line already: the sentence that counts them would be one more.
            Kind::Failed { .. } if std::mem::take(&mut self.mistaken) => {
                self.errors.insert(String::new());
            }
            Kind::Failed { error, hint } => all.extend(self.error(None, &failed(error, hint.as_deref()))),
            Kind::Warned { text } => all.push(format!("::warning::{}", data(text))),
            Kind::Settled { service, verdict, .. } if !verdict.outcome.is_success() => {
                let title = format!("{service}: {}", verdict.outcome.word());
                self.services.entry(service.clone()).or_insert((title, verdict.outcome.sentence()));
            }
            Kind::Explained { service, cause } => self.explain(service, cause),
            Kind::Diagnosed { service, diagnosis } => {
                diagnosis.cause.iter().for_each(|cause| self.explain(service, cause));
            }
            Kind::Ended { exit, summary, .. } => all.extend(self.end(*exit, summary)),
            _ => {}
        }
        all
    }

    fn explain(&mut self, service: &ServiceKey, cause: &Cause) {
        let message = format!("{}\n{}", cause.cause, cause.remedy);
        match self.services.get_mut(service) {
            Some(known) => known.1 = message,
            None => drop(self.services.insert(service.clone(), (service.0.clone(), message))),
        }
    }

    /// What failed and is not annotated yet; the closing sentence, where nothing else was.
    fn end(&mut self, exit: ExitCode, summary: &str) -> Vec<String> {
        if matches!(exit, ExitCode::Done | ExitCode::ChangesPending) {
            return Vec::new();
        }
        let services = std::mem::take(&mut self.services).into_values();
        let mut all: Vec<_> = services.filter_map(|(title, text)| self.error(Some(&title), &text)).collect();
        if self.errors.is_empty() && exit != ExitCode::StillMoving {
            all.extend(self.error(None, summary));
        }
        all
    }

    fn error(&mut self, title: Option<&str>, message: &str) -> Option<String> {
        let title = title.map(|title| format!(" title={}", property(title))).unwrap_or_default();
        let command = format!("::error{title}::{}", data(message));
        self.errors.insert(command.clone()).then_some(command)
    }
}

/// A failure outside the record, of a command that prints one result.
pub fn failure(error: &str, hint: Option<&str>) -> String {
    format!("::error::{}", data(&failed(error, hint)))
}

fn failed(error: &str, hint: Option<&str>) -> String {
    hint.map_or_else(|| error.to_owned(), |hint| format!("{error}\n{hint}"))
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

/// A mistake in `deploy.toml` as an annotation of its lines.
pub fn finding(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let Finding { line, column, end_line, .. } = finding;
    let message = failed(&finding.message, finding.help.as_deref());
    format!(
        "::{level} file={},line={line},endLine={end_line},col={column},title={}::{}",
        property(&finding.file),
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
    use crate::event::Blame;
    use crate::rollout::{Diagnosis, Outcome, Verdict};

    fn event(kind: Kind) -> Event {
        Event { seq: 1, at_ms: 0, kind }
    }

    fn ended(exit: ExitCode) -> Event {
        let summary = "not deployed".to_owned();
        event(Kind::Ended { exit, summary, causes: Vec::new(), elapsed_ms: 1, reads: 1, writes: 0 })
    }

    fn all(kinds: Vec<Kind>, exit: ExitCode) -> Vec<String> {
        let mut log = Log::default();
        let events = kinds.into_iter().map(event).chain([ended(exit)]);
        events.flat_map(|event| log.commands(&event)).collect()
    }

    #[test]
    fn an_error_is_never_folded_away() {
        let mut log = Log::default();
        let build = Kind::PhaseBegan { phase: Phase::Build, about: "backend".to_owned() };
        assert_eq!(log.commands(&event(build)), ["::group::build backend"]);
        let failed = Kind::Failed { error: "no compiler".to_owned(), hint: Some("install one".to_owned()) };
        assert_eq!(log.commands(&event(failed)), ["::endgroup::", "::error::no compiler%0Ainstall one"]);
        assert!(!log.open);
    }

    #[test]
    fn one_failure_is_one_annotation() {
        let service = || ServiceKey("backend".to_owned());
        let settled = || Kind::Settled {
            service: service(),
            verdict: Verdict::new(Outcome::RolledBack, None),
            emptied: false,
            elapsed_ms: 1,
        };
        let cause = || {
            let (cause, remedy) = ("exits at start".to_owned(), "see its log".to_owned());
            Cause { code: "exits-at-start", cause, remedy, plain: true }
        };
        let diagnosed = |cause| Kind::Diagnosed {
            service: service(),
            diagnosis: Box::new(Diagnosis { cause, ..Diagnosis::default() }),
        };
        let failed = || Kind::Failed { error: "no".to_owned(), hint: None };
        let explained = || Kind::Explained { service: service(), cause: cause() };
        let known = ["::error title=backend%3A rolled back::exits at start%0Asee its log"];
        assert_eq!(all(vec![settled(), diagnosed(Some(cause()))], ExitCode::Failed), known);
        let unknown = all(vec![settled(), diagnosed(None)], ExitCode::Failed);
        assert_eq!(unknown.len(), 1);
        assert!(unknown[0].starts_with("::error title=backend%3A rolled back::"), "{unknown:?}");
        let early = all(vec![explained(), settled(), diagnosed(Some(cause()))], ExitCode::Failed);
        assert_eq!(early, ["::error title=backend::exits at start%0Asee its log"]);
        // The annotation is a line of the log too: the last line repeats no cause.
        let mut log = Log::default();
        log.lines(&event(explained()), Detail::Normal);
        let causes = vec![Blame { service: service(), cause: cause() }];
        let (exit, summary) = (ExitCode::Failed, "not deployed".to_owned());
        let end = Kind::Ended { exit, summary, causes, elapsed_ms: 1_000, reads: 1, writes: 0 };
        let (commands, text) = log.lines(&event(end), Detail::Normal);
        assert_eq!(commands, ["::error title=backend::exits at start%0Asee its log"]);
        assert_eq!(text.as_deref(), Some("not deployed (1.0 s, 1 reads, 0 writes)"));
        assert_eq!(all(vec![failed(), failed()], ExitCode::Failed), ["::error::no"]);
        let mistaken = vec![Kind::Mistaken { mistakes: Vec::new() }, failed()];
        assert_eq!(all(mistaken, ExitCode::Usage), [""; 0]);
        assert_eq!(all(Vec::new(), ExitCode::NotRecovered), ["::error::not deployed"]);
        assert_eq!(all(Vec::new(), ExitCode::StillMoving), [""; 0]);
        assert_eq!(all(vec![explained()], ExitCode::Done), [""; 0]);
    }

    #[test]
    fn text_cannot_become_a_command() {
        let text = "100 %\n::set-output name=x::y";
        let lines = Log::default().commands(&event(Kind::Warned { text: text.to_owned() }));
        assert_eq!(lines, ["::warning::100 %25%0A::set-output name=x::y"]);
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
