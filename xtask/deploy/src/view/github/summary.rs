//! The step summary: what became of the release, on one screen.

use std::collections::BTreeSet;

use super::changes::{counts, table};
use super::timeline::timeline;
use crate::config::{Finding, Severity};
use crate::event::{Event, ExitCode, Kind, ProbeAnswer, ServiceRow};
use crate::plan::Plan;
use crate::redact;
use crate::rollout::Diagnosis;
use crate::view::{self, duration};

/// Markdown for the file that `GITHUB_STEP_SUMMARY` names, and of a plan the body of a comment; empty for a command that began
/// nothing and did not fail.
pub fn summary(events: &[Event]) -> String {
    let mut text = heading(events);
    if text.is_empty() {
        return text;
    }
    let listed = events.iter().any(|event| match &event.kind {
        Kind::Planned { plan } => !plan.refusals.is_empty(),
        kind => matches!(kind, Kind::Mistaken { .. }),
    });
    let mut said = BTreeSet::new();
    for event in events {
        match &event.kind {
            Kind::Planned { plan } => text.push_str(&planned(plan, is_plan(events))),
            Kind::Mistaken { mistakes } => text.push_str(&self::mistakes(mistakes)),
            Kind::Diagnosed { service, diagnosis } => text.push_str(&diagnosed(&service.0, diagnosis)),
            // The last lines of a command repeat what failed; refusals and mistakes are listed already.
            Kind::Failed { error, hint } if !listed && said.insert((error, hint)) => {
                text.push_str(&caution(&inline(error), hint.as_deref()));
            }
            Kind::Table { rows, .. } => text.push_str(&services(rows)),
            Kind::Forecast(forecast) if is_plan(events) => {
                text.push_str(&format!("Forecast: {}\n\n", inline(&view::forecast(forecast))));
            }
            Kind::Availability(seen) => text.push_str(&format!(
                "From outside: {} requests, **{} failed**, slowest {} ms\n\n",
                seen.requests, seen.failed, seen.slowest_ms
            )),
            Kind::ForecastMet { predicted_ms, took_ms } => text.push_str(&format!(
                "Predicted {}, took {}\n\n",
                duration(*predicted_ms),
                duration(*took_ms)
            )),
            _ => {}
        }
    }
    text.push_str(&checks(events));
    if let Some(chart) = timeline(events) {
        text.push_str(&format!("```mermaid\n{chart}```\n"));
    }
    text
}

/// Whether it worked, where and from what, and the closing sentence.
fn heading(events: &[Event]) -> String {
    let ended = events.iter().rev().find_map(|event| match &event.kind {
        Kind::Ended { exit, summary, elapsed_ms, reads, writes, .. } => {
            let took = duration(*elapsed_ms);
            Some((*exit, format!("**{}** in {took}, {reads} reads, {writes} writes\n\n", inline(summary))))
        }
        _ => None,
    });
    let failed = events.iter().find_map(|event| match &event.kind {
        Kind::Failed { error, .. } => Some(inline(error)),
        _ => None,
    });
    let began = events.iter().find_map(|event| match &event.kind {
        Kind::Began { command, environment, release, commit } => {
            Some((command, environment, release, commit))
        }
        _ => None,
    });
    let good = matches!(&ended, Some((ExitCode::Done | ExitCode::ChangesPending, _)));
    let mark = if good { "✓" } else { "✗" };
    // A command that failed before it began, such as for a mistake of deploy.toml, has no environment to name: its error is the
    // title.
    let (title, facts) = match (began, failed) {
        (Some((command, environment, release, commit)), _) => {
            let url = events.iter().rev().find_map(|event| match &event.kind {
                Kind::Table { url, .. } => url.clone(),
                _ => None,
            });
            let commit = commit.as_ref().map(|commit| {
                let dirty = if commit.ends_with('+') { " with changes" } else { "" };
                format!("commit `{}`{dirty}", commit.get(..12).unwrap_or(commit))
            });
            let release = release.as_ref().map(|release| format!("release `{release}`"));
            let facts: Vec<String> = [url, commit, release].into_iter().flatten().collect();
            (format!("{command}: {}", inline(environment)), facts.join(" · "))
        }
        (None, Some(error)) => (error, String::new()),
        (None, None) => return String::new(),
    };
    let facts = if facts.is_empty() { facts } else { format!("{facts}\n\n") };
    format!("## {mark} {title}\n\n{facts}{}", ended.map(|(_, sentence)| sentence).unwrap_or_default())
}

/// Whether the record is of `plan`: what would change is all that there is to see.
fn is_plan(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(&event.kind, Kind::Began { command, .. } if command == "plan"))
}

/// What changes; folded below the counts where it was carried out.
fn planned(plan: &Plan, open: bool) -> String {
    let refusals = plan.refusals.iter().map(|it| caution(&inline(&it.what), Some(&it.remedy)));
    let mut text: String = refusals.collect();
    let table = table(plan);
    text.push_str(&match (table.is_empty(), open) {
        (true, _) if plan.refusals.is_empty() => "Nothing to change\n\n".to_owned(),
        (true, _) => String::new(),
        (false, true) => table,
        (false, false) => {
            format!("<details><summary>{}</summary>\n\n{table}</details>\n\n", counts(plan))
        }
    });
    for note in &plan.notes {
        text.push_str(&format!("> [!NOTE]\n> {}\n\n", inline(&redact::text(note))));
    }
    text
}

fn mistakes(mistakes: &[Finding]) -> String {
    let mut text = "| line | mistake | what to do |\n|---|---|---|\n".to_owned();
    for Finding { severity, file, line, message, help, .. } in mistakes.iter().take(MISTAKES) {
        let warning = if *severity == Severity::Warning { "warning: " } else { "" };
        let help = inline(help.as_deref().unwrap_or_default());
        text.push_str(&format!("| {}:{line} | {warning}{} | {help} |\n", inline(file), inline(message)));
    }
    text.push('\n');
    if mistakes.len() > MISTAKES {
        text.push_str(&format!("and {} more: see the log\n\n", mistakes.len() - MISTAKES));
    }
    text
}

/// Mistakes that are listed; a file with more has one cause for most of them.
const MISTAKES: usize = 50;

fn caution(what: &str, remedy: Option<&str>) -> String {
    let remedy = remedy.map(|remedy| format!(">\n> {}\n", inline(remedy))).unwrap_or_default();
    format!("> [!CAUTION]\n> {what}\n{remedy}\n")
}

/// Log lines of a stopped task that are shown.
const LOG_LINES: usize = 12;

fn diagnosed(service: &str, diagnosis: &Diagnosis) -> String {
    let (cause, remedy) = match &diagnosis.cause {
        Some(cause) => (inline(&cause.cause), cause.remedy.as_str()),
        None => ("failed for a cause that this tool does not know".to_owned(), "see the log"),
    };
    let mut text = caution(&format!("**{}**: {cause}", inline(service)), Some(remedy));
    let logs = diagnosis.stopped.iter().filter_map(|group| group.log.as_ref());
    if let Some(log) = logs.into_iter().find(|log| !log.lines.is_empty()) {
        // Four spaces make it code whatever the lines hold, a fence among them too.
        let from = log.lines.len().saturating_sub(LOG_LINES);
        let lines: Vec<String> = log.lines[from..].iter().map(|line| format!("    {line}\n")).collect();
        text.push_str(&format!("Its last words:\n\n{}\n", lines.concat()));
    }
    text
}

fn services(rows: &[ServiceRow]) -> String {
    let mut text =
        "| service | tasks | deployments | revision | digest | targets |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let name = match &row.console {
            Some(console) => format!("[{}]({console})", inline(&row.service)),
            None => inline(&row.service),
        };
        let digest =
            row.digest.as_ref().map_or_else(|| "-".to_owned(), |digest| format!("`{}`", digest.short()));
        text.push_str(&format!(
            "| {name} | {}/{} | {} {} | {} | {digest} | {} |\n",
            row.running,
            row.desired,
            row.deployments,
            inline(&row.rollout),
            inline(&row.revision),
            inline(&row.targets)
        ));
    }
    text.push('\n');
    text
}

fn checks(events: &[Event]) -> String {
    let probed = events.iter().filter_map(|event| match &event.kind {
        Kind::Probed { url, passed, answer, .. } => {
            let mark = if *passed { "✓" } else { "✗" };
            let answer = match answer {
                ProbeAnswer::Right { .. } => String::new(),
                ProbeAnswer::Status { status, .. } => format!(": {status}"),
                ProbeAnswer::WrongService { .. } => ": another service answered".to_owned(),
                ProbeAnswer::NoAnswer { error } | ProbeAnswer::Unreachable { error } => {
                    format!(": {}", inline(error))
                }
            };
            Some(format!("- {mark} `{url}`{answer}\n"))
        }
        _ => None,
    });
    let text: String = probed.collect();
    if text.is_empty() { text } else { format!("{text}\n") }
}

/// Text that Markdown leaves as it is, on one line.
pub(super) fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Availability, Phase};
    use crate::model::spec::Change;
    use crate::model::{ImageDigest, ServiceKey};
    use crate::plan::{Action, Lane, Refusal, Stage, Step, Why};
    use crate::rollout::{Cause, Outcome, StoppedTasks, TaskLog, Verdict};
    use crate::view::github::outputs;

    fn release() -> Vec<Event> {
        let key = ServiceKey("backend".to_owned());
        let row = ServiceRow {
            key: key.clone(),
            service: "ielts-backend-service".to_owned(),
            running: 2,
            desired: 2,
            deployments: 1,
            rollout: "COMPLETED".to_owned(),
            revision: "ielts-backend:1".to_owned(),
            digest: Some(ImageDigest(format!("sha256:{}", "a1".repeat(32)))),
            targets: "2/2 healthy".to_owned(),
            console: Some("https://ap-southeast-1.console.aws.amazon.com/x".to_owned()),
            ..ServiceRow::default()
        };
        let cause = Cause {
            code: "exits-at-start",
            cause: "the container exited with code 1".to_owned(),
            remedy: "see its last words".to_owned(),
            plain: true,
        };
        let log = TaskLog { lines: vec!["no <DATABASE_URL>".into()], ..TaskLog::default() };
        let stopped = StoppedTasks { count: 1, log: Some(log), ..StoppedTasks::default() };
        let diagnosis = Diagnosis { stopped: vec![stopped], cause: Some(cause), ..Diagnosis::default() };
        let kinds = [
            (
                0,
                Kind::Began {
                    command: "deploy".into(),
                    environment: "prod".into(),
                    release: Some("r-1".into()),
                    commit: Some(format!("{}+", "3f".repeat(20))),
                },
            ),
            (10, Kind::PhaseBegan { phase: Phase::Apply, about: "roll backend".into() }),
            (900, Kind::PhaseBegan { phase: Phase::Settle, about: "backend".into() }),
            (
                1_000,
                Kind::Following {
                    service: key.clone(),
                    deployment: "ecs-svc/1".into(),
                    revision: "ielts-backend:2".into(),
                },
            ),
            (61_000, Kind::Diagnosed { service: key.clone(), diagnosis: Box::new(diagnosis) }),
            (
                72_000,
                Kind::Settled {
                    emptied: false,
                    service: key,
                    verdict: Verdict::new(Outcome::RolledBack, None),
                    elapsed_ms: 71_000,
                },
            ),
            (
                72_050,
                Kind::Availability(Availability {
                    unsent: 0,
                    requests: 72,
                    failed: 0,
                    slowest_ms: 84,
                    misses: Vec::new(),
                }),
            ),
            (72_100, Kind::Table { rows: vec![row], url: Some("http://alb".into()), unasked: None }),
            (
                72_200,
                Kind::Ended {
                    exit: ExitCode::Failed,
                    summary: "not deployed; the previous release serves".into(),
                    causes: Vec::new(),
                    elapsed_ms: 72_200,
                    reads: 90,
                    writes: 4,
                },
            ),
        ];
        kinds.into_iter().zip(1..).map(|((at_ms, kind), seq)| Event { seq, at_ms, kind }).collect()
    }

    #[test]
    fn a_failed_release_shows_on_one_screen_why_and_what_runs() {
        insta::assert_snapshot!(summary(&release()));
    }

    fn events(kinds: Vec<Kind>) -> Vec<Event> {
        (1..).zip(kinds).map(|(seq, kind)| Event { seq, at_ms: seq, kind }).collect()
    }

    fn ended(exit: ExitCode, summary: &str) -> Kind {
        let summary = summary.to_owned();
        Kind::Ended { exit, summary, causes: Vec::new(), elapsed_ms: 1_200, reads: 40, writes: 0 }
    }

    #[test]
    fn a_plan_opens_with_what_would_change_and_lists_it() {
        let change =
            Change { field: "cpu".into(), from: Some("256".into()), to: Some("512".into()), public: false };
        let step = Step {
            action: Action::DeregisterTaskDefinition { revision: "web:1".into() },
            why: Why::Changed(vec![change]),
        };
        let lane = Lane { name: "web".into(), steps: vec![step] };
        let stage = Stage { name: "roll web".into(), lanes: vec![lane], settle: Vec::new() };
        let plan = Plan { stages: vec![stage], notes: vec!["a note".into()], ..Plan::default() };
        let began = || Kind::Began {
            command: "plan".into(),
            environment: "prod".into(),
            release: Some("r-2".into()),
            commit: Some("3f".repeat(20)),
        };
        let counts = counts(&plan);
        let changes = vec![
            began(),
            Kind::PhaseBegan { phase: Phase::Observe, about: "prod".into() },
            Kind::Planned { plan: Box::new(plan) },
            ended(ExitCode::ChangesPending, &counts),
        ];
        insta::assert_snapshot!(summary(&events(changes)));
        let refusal = Refusal { what: "it is somebody else's".into(), remedy: "choose another name".into() };
        let plan = Plan { refusals: vec![refusal.clone(), refusal], ..Plan::default() };
        let failed = Kind::Failed { error: "it is somebody else's (and 1 more)".into(), hint: None };
        let refused =
            vec![began(), Kind::Planned { plan: Box::new(plan) }, failed, ended(ExitCode::Usage, "refused")];
        let text = summary(&events(refused));
        assert!(text.starts_with("## ✗ plan: prod\n"), "{text}");
        assert_eq!(text.matches("[!CAUTION]").count(), 2, "{text}");
    }

    #[test]
    fn mistakes_of_the_file_are_a_summary_of_their_own() {
        let loaded = crate::config::load("deploy.toml", "default-env = \"local\"\nclutser = \"x\"\n", None);
        let mistakes: Vec<Finding> = loaded.unwrap_err().findings().take(2).collect();
        let error = "deploy.toml has 2 mistakes; nothing was done".to_owned();
        let failed = vec![
            Kind::Mistaken { mistakes },
            Kind::Failed { error, hint: None },
            ended(ExitCode::Usage, "failed with exit code 2"),
        ];
        insta::assert_snapshot!(summary(&events(failed)));
        assert_eq!(summary(&events(vec![ended(ExitCode::Done, "done")])), "");
    }

    #[test]
    fn later_steps_get_the_release_its_digests_and_its_address() {
        insta::assert_snapshot!(outputs(&release()));
    }
}
