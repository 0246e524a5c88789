//! One event as one plain line (or a few), for logs and pipes.

use super::failure::{because, facts};
use super::rolling::moves;
use super::words::bare;
use super::{address, duration, plan_text, rolling, table};
use crate::event::{Availability, Blame, Event, Forecast, Kind, Miss, Share, UndoneService};
use crate::lease::Lease;
use crate::model::ServiceKey;
use crate::rollout::{Outcome, Verdict};
use crate::verify::{beside, got};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What a person wants to know.
    Normal,
    /// Also each step's beginning, each API call, each line of the compiler.
    Verbose,
}

/// The event's text without a newline at its end; `None` when it has none at this detail.
pub fn line(event: &Event, detail: Detail) -> Option<String> {
    let verbose = detail == Detail::Verbose;
    let text = match &event.kind {
        Kind::Began { command, environment, release, .. } => match release {
            Some(release) => {
                let to = if command == "deploy" { "to" } else { "in" };
                format!("{command} {to} {environment}, release {release}")
            }
            None => format!("{command} {environment}"),
        },
        // Shown when the file was read, each with its lines.
        Kind::Mistaken { .. } => return None,
        Kind::PhaseBegan { phase, about } => format!("{:<8} {about}", phase.word()),
        Kind::PhaseEnded { phase, result, elapsed_ms } => {
            format!("{:<8} {result} ({})", phase.word(), duration(*elapsed_ms))
        }
        Kind::BuildLine { service, line } => {
            let of = service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
            return verbose.then(|| format!("         {of}{line}"));
        }
        Kind::Built { service, digest, bytes, unchanged } => {
            let before = if *unchanged { ", unchanged: built from the same inputs" } else { "" };
            let size = match bytes {
                Some(bytes) => format!(" ({:.1} MB)", *bytes as f64 / 1e6),
                None => " (in the registry)".to_owned(),
            };
            format!("         {service}: sha256:{}{size}{before}", digest.short())
        }
        Kind::Planned { plan } => plan_text(plan).trim_end().to_owned(),
        Kind::LeaseHeld { lease } => {
            return verbose.then(|| format!("lease    {} for {}", lease.release, lease.holder));
        }
        Kind::LeaseTaken { from, reason } => {
            format!("warning: the lease of {from} is taken over: {reason}")
        }
        Kind::LeaseLost { to } => lost(to.as_ref()),
        Kind::StepBegan { lane, step } => {
            return verbose.then(|| format!("       · {lane}: {step}"));
        }
        Kind::StepEnded { step, result, elapsed_ms, .. } => {
            let arrow = if result.is_empty() { String::new() } else { format!(" → {result}") };
            format!("       ✓ {step}{arrow} ({})", duration(*elapsed_ms))
        }
        Kind::Pushing { service, done, of } => {
            let mb = |bytes: &u64| *bytes as f64 / 1e6;
            return verbose.then(|| format!("       · push {service}: {:.1} of {:.1} MB", mb(done), mb(of)));
        }
        Kind::StepFailed { step, error, .. } => format!("       ✗ {step}: {error}"),
        Kind::Called(call) => {
            let again = if call.attempt > 1 { format!(" (attempt {})", call.attempt) } else { String::new() };
            let shown = verbose || call.attempt > 1;
            return shown.then(|| {
                format!(
                    "       · {} {}: {}{again} in {} ms",
                    call.service, call.operation, call.outcome, call.elapsed_ms
                )
            });
        }
        Kind::Following { service, deployment, revision } => {
            format!("         {service}: {revision} rolls as {deployment}")
        }
        Kind::Rolling { changed, .. } => {
            let text = rolling(&event.kind).filter(|_| *changed);
            return text.map(|text| format!("         {text}"));
        }
        Kind::TasksMoved { service, tasks } => format!("         {service}: {}", moves(tasks)),
        Kind::ServiceSaid { service, message, times } => {
            let again = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            format!("         {service}: ECS: {}{again}", bare(message))
        }
        Kind::Printed { service, lines } => {
            let lines = lines.iter().map(|line| format!("         {service} | {line}"));
            lines.collect::<Vec<_>>().join("\n")
        }
        Kind::Settled { service, verdict, emptied, elapsed_ms } => {
            settled(service, verdict, *emptied, *elapsed_ms)
        }
        // A command prints a cause once, as its last lines: what restores the release would scroll it away.
        Kind::Explained { service, .. } => {
            format!("         {service}: cannot come up; the cause is named at the end")
        }
        Kind::Diagnosed { service, diagnosis } => facts(service, diagnosis),
        Kind::Undoing { services } => {
            let names: Vec<_> = services.iter().map(|key| key.0.as_str()).collect();
            let services = if names.is_empty() { "no service" } else { &names.join(" and ") };
            format!("undo     the release: restoring what it changed ({services})")
        }
        Kind::Undone { services } => services.iter().map(undone).collect::<Vec<_>>().join("\n"),
        Kind::Probed { url, passed, check, answer, attempts, .. } => {
            let tries = if *attempts > 1 { format!(" after {attempts} attempts") } else { String::new() };
            let from = check.from.as_ref().map(|from| format!(" from a task of {from}")).unwrap_or_default();
            match passed {
                true => format!("       ✓ GET {url}{from}: {}{tries}", got(answer)),
                false => format!("       ✗ GET {url}{from}: {}{tries}", beside(check, answer)),
            }
        }
        Kind::Availability(seen) => availability(seen),
        Kind::Forecast(forecast) => format!("forecast {}", self::forecast(forecast)),
        Kind::ForecastMet { predicted_ms, took_ms } => {
            let mark = if is_near(*predicted_ms, *took_ms) { "✓" } else { "-" };
            format!("       {mark} predicted {}, took {}", duration(*predicted_ms), duration(*took_ms))
        }
        Kind::Warned { text } => format!("warning: {text}"),
        Kind::Failed { error, hint } => match hint {
            Some(hint) => format!("error: {error}\n  help: {hint}"),
            None => format!("error: {error}"),
        },
        Kind::Table { rows, url, unasked } => {
            let url = url.as_ref().map(|url| format!("\n{}", address(url, unasked.as_deref())));
            format!("\n{}{}", table(rows), url.unwrap_or_default())
        }
        Kind::EvidenceKept { folder } => format!("evidence {folder}"),
        Kind::Ended { summary, causes, elapsed_ms, reads, writes, .. } => {
            let why = causes.iter().map(|Blame { service, cause }| because(service, cause) + "\n");
            let why = why.collect::<String>();
            format!("{why}{summary} ({}, {reads} reads, {writes} writes)", duration(*elapsed_ms))
        }
    };
    Some(text)
}

/// Whether a prediction was a help: half as much again, or some polls, is what tasks differ by.
fn is_near(predicted_ms: u64, took_ms: u64) -> bool {
    predicted_ms.abs_diff(took_ms) <= (predicted_ms / 2).max(5_000)
}

fn lost(to: Option<&Lease>) -> String {
    let who = match to {
        Some(Lease { holder, release, taken, .. }) => {
            let why = taken.as_ref().map(|taken| format!(": {taken}")).unwrap_or_default();
            format!("{holder} has it for release {release}{why}")
        }
        None => "its tag was taken away".to_owned(),
    };
    format!("warning: the lease is lost: {who}; no further stage is started")
}

fn undone(undone: &UndoneService) -> String {
    let service = &undone.service;
    let tasks = undone.tasks.map(|(running, desired)| format!(", {running}/{desired} tasks"));
    let tasks = tasks.unwrap_or_default();
    match (&undone.before, undone.back) {
        (Some(before), true) => {
            let why = undone.instead.as_deref().unwrap_or("as before");
            format!("       ✓ {service}: runs {before} {why}{tasks}")
        }
        (Some(before), false) => match &undone.runs {
            Some(runs) if runs == before => {
                format!("       ✗ {service}: runs {before}, and not all of it is restored{tasks}")
            }
            Some(runs) => format!("       ✗ {service}: runs {runs}, not {before} as before{tasks}"),
            None => format!("       ✗ {service}: not confirmed to run {before} again{tasks}"),
        },
        (None, _) => {
            format!("       ✗ {service}: has no earlier revision to restore")
        }
    }
}

/// The outcome; for one that is no success also what it means, and ECS's own words.
fn settled(service: &ServiceKey, verdict: &Verdict, emptied: bool, elapsed_ms: u64) -> String {
    let Verdict { outcome, reason } = verdict;
    match outcome {
        Outcome::NoChange => format!("       ✓ {service}: {}", outcome.word()),
        Outcome::Succeeded => {
            let without = if emptied { " without a task: it is scaled to 0" } else { "" };
            format!("       ✓ {service}: {}{without} ({})", outcome.word(), duration(elapsed_ms))
        }
        _ => {
            let mut text = format!("       ✗ {service}: {} ({})", outcome.word(), duration(elapsed_ms));
            text.push_str(&format!("\n         {}", outcome.sentence()));
            if let Some(reason) = reason {
                text.push_str(&format!("\n         ECS says: {reason}"));
            }
            text
        }
    }
}

/// `about 1 min 20 s, of which 30 s draining (…); tasks start in 15 s, as those that run did`.
pub fn forecast(forecast: &Forecast) -> String {
    let mut text = format!("about {}", duration(forecast.total_ms));
    if let Some(Share { part, ms }) = forecast.longest {
        let (words, setting) = part.words();
        let setting = setting.map(|setting| format!(" (`{setting}`)")).unwrap_or_default();
        text.push_str(&format!(", of which {} {words}{setting}", duration(ms)));
    }
    let as_what = if forecast.start_seen { "as those that run did" } else { "as is usual" };
    text.push_str(&format!("; tasks start in {}, {as_what}", duration(forecast.start_ms)));
    text
}

/// `312 requests, 0 failed, slowest 84 ms`, and each failed one with the last event of the roll before it.
fn availability(seen: &Availability) -> String {
    if seen.requests == 0 && seen.unsent > 0 {
        return format!("       - from outside: cannot be reached from this machine ({} tries)", seen.unsent);
    }
    let mark = if seen.failed == 0 { "✓" } else { "✗" };
    let noun = if seen.requests == 1 { "request" } else { "requests" };
    let mut text = format!(
        "       {mark} from outside: {} {noun}, {} failed, slowest {} ms",
        seen.requests, seen.failed, seen.slowest_ms
    );
    if seen.unsent > 0 {
        text.push_str(&format!("; {} more could not be sent from this machine", seen.unsent));
    }
    let mut groups: Vec<(&Miss, u64, u32)> = Vec::new();
    for miss in &seen.misses {
        let same =
            |(first, ..): &&mut (&Miss, u64, u32)| first.url == miss.url && first.answer == miss.answer;
        match groups.iter_mut().find(same) {
            Some((_, last_ms, times)) => (*last_ms, *times) = (miss.at_ms, *times + 1),
            None => groups.push((miss, miss.at_ms, 1)),
        }
    }
    for (miss, last_ms, times) in groups {
        let (mut at, mut often) = (duration(miss.at_ms), String::new());
        if times > 1 {
            at.push_str(&format!(" to {}", duration(last_ms)));
            often = format!(" ({times} times)");
        }
        text.push_str(&format!("\n         at {at} GET {}: {}{often}", miss.url, got(&miss.answer)));
        if let Some((what, before_ms)) = &miss.after {
            let first = if times > 1 { "the first " } else { "" };
            text.push_str(&format!("\n           {first}{} after: {what}", duration(*before_ms)));
        }
    }
    // The first misses are kept; an outage of minutes would fill the screen.
    let more = seen.failed as usize - seen.misses.len();
    if more > 0 {
        text.push_str(&format!("\n         and {more} more"));
    }
    text
}

/// What a probe was answered, as a clause.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProbeAnswer;

    #[test]
    fn failures_that_are_alike_are_one_line_and_a_tick_is_for_a_prediction_that_held() {
        let mut seen = Availability::default();
        let status = |status| ProbeAnswer::Status { status, body: String::new() };
        for (at_ms, code) in [(1_000, 503), (1_100, 404), (1_200, 503), (9_000, 503)] {
            seen.count(&ServiceKey("backend".to_owned()), "http://alb/x", at_ms, 1, status(code));
        }
        seen.misses[0].after = Some(("stops".to_owned(), 500));
        let text = availability(&seen);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        assert_eq!(
            lines[1..],
            [
                "at 1.0 s to 9.0 s GET http://alb/x: 503 (3 times)",
                "the first 0.5 s after: stops",
                "at 1.1 s GET http://alb/x: 404",
            ]
        );
        for (took_ms, near) in [(2_000, true), (7_600, true), (13_000, false)] {
            assert_eq!(is_near(2_600, took_ms), near, "{took_ms}");
        }
        assert!(is_near(80_000, 110_000) && !is_near(80_000, 180_000));
    }

    #[test]
    fn what_runs_after_an_undo_is_named_where_it_is_known() {
        let shows = |back, runs: Option<&str>| {
            let (before, runs) = (Some("web:1".to_owned()), runs.map(str::to_owned));
            let service = ServiceKey("web".to_owned());
            undone(&UndoneService { service, back, before, instead: None, runs, tasks: Some((2, 2)) })
        };
        for (back, runs, text) in [
            (true, Some("web:1"), "✓ web: runs web:1 as before, 2/2 tasks"),
            (false, Some("web:1"), "✗ web: runs web:1, and not all of it is restored, 2/2 tasks"),
            (false, Some("web:2"), "✗ web: runs web:2, not web:1 as before, 2/2 tasks"),
            (false, None, "✗ web: not confirmed to run web:1 again, 2/2 tasks"),
        ] {
            assert_eq!(shows(back, runs).trim(), text);
        }
    }

    #[test]
    fn an_outcome_is_one_sentence_and_ecs_s_own_reason() {
        let superseded = Outcome::Superseded {
            by: "ecs-svc/2".to_owned(),
            task_definition: "arn:aws:ecs:r:a:task-definition/ielts-backend:8".to_owned(),
            who: Some("ana@laptop".to_owned()),
            release: None,
            forced: false,
        };
        let outcomes = [
            Verdict::new(Outcome::NoChange, None),
            Verdict::new(Outcome::Succeeded, Some("Deployment completed.")),
            Verdict::new(
                Outcome::RolledBack,
                Some("Deployment rolled back because the circuit breaker threshold was exceeded."),
            ),
            Verdict::new(superseded, None),
        ];
        let key = ServiceKey("backend".to_owned());
        let lines: Vec<_> = outcomes.iter().map(|verdict| settled(&key, verdict, false, 72_000)).collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert_eq!(
            settled(&key, &Verdict::new(Outcome::Succeeded, None), true, 72_000),
            "       ✓ backend: completed without a task: it is scaled to 0 (1 min 12 s)"
        );
    }
}
