//! The step summary: what became of the release, on one screen.

use super::timeline::timeline;
use crate::event::{Event, Kind, ProbeAnswer, ServiceRow};
use crate::rollout::Diagnosis;
use crate::view::duration;

/// Markdown for the file that `GITHUB_STEP_SUMMARY` names; empty for a command that began nothing.
#[must_use]
pub fn summary(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        match &event.kind {
            Kind::Began { command, environment, release } => {
                let release =
                    release.as_ref().map(|release| format!(", release `{release}`")).unwrap_or_default();
                text.push_str(&format!("## {command}: {}{release}\n\n", inline(environment)));
            }
            Kind::Ended { summary, elapsed_ms, reads, writes, .. } if !text.is_empty() => {
                let took = duration(*elapsed_ms);
                text.push_str(&format!(
                    "**{}** in {took}, {reads} reads, {writes} writes\n\n",
                    inline(summary)
                ));
            }
            _ => {}
        }
    }
    if text.is_empty() {
        return text;
    }
    for event in events {
        match &event.kind {
            Kind::Diagnosed { service, diagnosis } => text.push_str(&diagnosed(&service.0, diagnosis)),
            Kind::Failed { error, .. } => text.push_str(&format!("> [!CAUTION]\n> {}\n\n", inline(error))),
            Kind::Table { rows, .. } => text.push_str(&services(rows)),
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

/// Log lines of a stopped task that are shown.
const LOG_LINES: usize = 12;

fn diagnosed(service: &str, diagnosis: &Diagnosis) -> String {
    let (cause, remedy) = match &diagnosis.cause {
        Some(cause) => (inline(&cause.cause), inline(&cause.remedy)),
        None => ("failed for a cause that this tool does not know".to_owned(), "see the log".to_owned()),
    };
    let mut text = format!("> [!CAUTION]\n> **{}**: {cause}\n>\n> {remedy}\n\n", inline(service));
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
fn inline(text: &str) -> String {
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
    use crate::event::{Availability, ExitCode, Phase};
    use crate::model::{ImageDigest, ServiceKey};
    use crate::rollout::{Cause, Outcome, StoppedTasks, TaskLog, Verdict};
    use crate::view::github::outputs;

    fn release() -> Vec<Event> {
        let key = ServiceKey("backend".to_owned());
        let row = ServiceRow {
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

    #[test]
    fn later_steps_get_the_release_its_digests_and_its_address() {
        insta::assert_snapshot!(outputs(&release()));
    }
}
