//! Which health check fails, and what it met: from targets, events and stopped tasks.

use super::{Cause, Evidence, Known};
use crate::model::short_id;
use crate::model::spec::TargetGroupSpec;
use crate::rollout::{TargetSnapshot, TaskLog, TaskSnapshot};

pub(super) const CAUSES: &[Known] = &[
    ("container-health", container_health),
    ("health-status", health_status),
    ("health-timeout", health_timeout),
    ("health-refused", health_refused),
    ("health-failed", health_failed),
];

/// The container's own health check fails: `Task failed container health checks`.
///
/// Only where ECS stopped the newest such task for it: targets that the load balancer found unhealthy while the application
/// started are left over from that. Plain once ECS has stopped two tasks, each after its start and grace periods.
fn container_health(evidence: &Evidence) -> Option<Cause> {
    let by_container = |task: &TaskSnapshot| {
        task.stopped_reason.as_deref().is_some_and(|reason| reason.contains("failed container health checks"))
    };
    let health = evidence.stopped.iter().filter_map(|task| {
        let by_container = by_container(task);
        (by_container || by_check(task)).then_some((task, by_container))
    });
    let (newest, _) = health.clone().next().filter(|(_, by_container)| *by_container)?;
    let tasks = health.filter(|(_, by_container)| *by_container).count();
    let ill = newest.containers.iter().find(|container| container.health == "UNHEALTHY");
    let name = ill.map(|container| &container.name).or_else(|| evidence.health_commands.keys().next());
    let what = name.map_or_else(|| "its container".to_owned(), |name| format!("its container `{name}`"));
    let command = name.and_then(|name| evidence.health_commands.get(name)).map_or("", String::as_str);
    let small = ["curl", "wget"].into_iter().find(|program| runs(command, program));
    // Time does not bring a program, and whoever listens has started.
    let started = small.is_some() || said_to_listen(evidence, by_container).is_some();
    let slow = if started { "" } else { "; raise `start-period-secs` if the start is slow" };
    // What the command asks is mostly the same path, and the load balancer says what it met there. A 5xx may be left over from the
    // start.
    let met = said(evidence).find_map(|met| match met.split_once("codes: [") {
        Some((_, codes)) => {
            codes.starts_with('4').then(|| format!("answered with {}", codes.trim_end_matches([']', '.'])))
        }
        None => is_timeout(met).then(|| "not answered in time".to_owned()),
    });
    let asked = met.filter(|_| small.is_none()).map(|met| format!("{}, {met}", url(evidence)));
    let small = small.map(|program| format!(" (small images have no `{program}`)")).unwrap_or_default();
    let remedy = match &asked {
        Some(asked) => format!(
            "the command must exit with 0; where it asks the same as the load balancer, see why that ({asked}) does not pass"
        ),
        None => {
            format!("run that command in the image: its program must be there{small} and exit with 0{slow}")
        }
    };
    let command = if command.is_empty() { String::new() } else { format!(", `{command}`") };
    let text = format!("task {} failed the health check of {what}{command}", short_id(&newest.id));
    Some(Cause::open(text, remedy).plain_if(tasks >= 2 && !evidence.ever_healthy))
}

/// Whether a command has this program run: as its own, or by a shell.
fn runs(command: &str, program: &str) -> bool {
    let mut words = command.split(|c: char| c.is_whitespace() || "();&|\"'".contains(c));
    words.any(|word| word.rsplit('/').next() == Some(program) && !word.contains("://"))
}

/// The health check's path is answered with a status that does not pass: `Health checks failed with these codes: […]`.
///
/// Plain for 4xx once ECS has stopped a task for it: the grace period is over then, and a path that is not served will
/// not be served later. A 5xx may be a start that takes long.
fn health_status(evidence: &Evidence) -> Option<Cause> {
    let codes = said(evidence).find_map(|text| text.split_once("codes: [")?.1.split(']').next())?;
    let text = format!("the load balancer's health check, {}, was answered with {codes}", url(evidence));
    // The application answered well: what refuses the answer is the matcher alone.
    if codes.starts_with(['2', '3']) {
        let text = format!("{text}; `health.matcher` in deploy.toml wants {}", evidence.health_matcher);
        let remedy = "correct `target-group.health.matcher`, or what the path answers";
        return Some(Cause::open(text, remedy).plain_if(failed(evidence) > 0));
    }
    if !codes.starts_with('4') {
        let log = "the application answers but says that it is not healthy: its log says why";
        return Some(Cause::open(text, remedy(evidence, log)));
    }
    let remedy = if codes == "404" {
        "the application does not serve that path: correct `target-group.health.path` or the application"
    } else {
        "the path must be answered without credentials: correct `target-group.health.path` or the application"
    };
    Some(Cause::open(text, remedy).plain_if(failed(evidence) >= 1 && !evidence.ever_healthy))
}

/// The health check gets no answer in time: `Request timed out` (Target.Timeout). A security group that blocks
/// the way looks the same.
///
/// Plain once ECS has stopped two tasks for it, each after its grace period.
fn health_timeout(evidence: &Evidence) -> Option<Cause> {
    unanswered(evidence).filter(|met| is_timeout(met))?;
    let text = format!("the load balancer's health check, {}, got no answer in time", url(evidence));
    let remedy = remedy(
        evidence,
        if evidence.embedded {
            "the application takes the connection and does not answer: see what it waits for"
        } else {
            "let the load balancer's security group reach the tasks on the container port; and see whether the application hangs"
        },
    );
    Some(Cause::open(text, remedy).plain_if(failed(evidence) >= 2 && !evidence.ever_healthy))
}

/// Nobody listens where the health check asks: `Health checks failed` (Target.FailedHealthChecks).
///
/// Plain once ECS has stopped two tasks for it, each after its grace period.
fn health_refused(evidence: &Evidence) -> Option<Cause> {
    unanswered(evidence).filter(|met| is_refusal(met))?;
    let text = format!("the load balancer's health check, {}, found nobody listening", url(evidence));
    let listen = "the application must listen on 0.0.0.0 and on the container port of deploy.toml";
    let remedy = match (listens(evidence), short_life(evidence)) {
        (Some(line), _) => remedy(evidence, &format!("{listen}; it said: {line}")),
        (None, Some(life)) => remedy(evidence, &format!("{listen}; {life}")),
        (None, None) => remedy(evidence, listen),
    };
    Some(Cause::open(text, remedy).plain_if(failed(evidence) >= 2 && !evidence.ever_healthy))
}

/// ECS stopped a task for its load balancer's health check, and nothing says what the check met.
fn health_failed(evidence: &Evidence) -> Option<Cause> {
    (failed(evidence) > 0).then(|| {
        let text = format!("the load balancer's health check, {}, did not pass", url(evidence));
        Cause::open(
            text,
            remedy(evidence, "ask that URL from inside the VPC, and read the application's log"),
        )
    })
}

/// What the load balancer said of failing checks, newest first: what ECS stopped tasks for, then what targets met.
fn said(evidence: &Evidence) -> impl Iterator<Item = &str> {
    // `(service X) (task T) (port P) is unhealthy in (target-group G) due to (reason R).`
    let events = evidence.events.iter().filter_map(|text| text.split_once("due to (reason ")).map(|it| it.1);
    let unhealthy = evidence.targets.iter().filter(|target| target.state.starts_with("unhealthy"));
    let targets = unhealthy.filter_map(|target| target.description.as_deref().or(target.reason.as_deref()));
    events.rev().chain(targets.rev())
}

/// The newest check that got no answer.
fn unanswered(evidence: &Evidence) -> Option<&str> {
    said(evidence).find(|met| is_timeout(met) || is_refusal(met))
}

fn is_timeout(met: &str) -> bool {
    met.contains("timed out") || met == "Target.Timeout"
}

fn is_refusal(met: &str) -> bool {
    // The load balancer says so, without codes, when the connection was refused or the reply was no HTTP.
    met.contains("Health checks failed") || met == "Target.FailedHealthChecks"
}

/// That tasks which run fail a health check that was changed, and what it met.
pub fn changed_check(group: &TargetGroupSpec, target: &TargetSnapshot) -> String {
    let evidence = Evidence {
        health_path: group.health.path.clone(),
        port: target.port,
        check_port: target.check_port.or(group.health.port),
        ..Evidence::default()
    };
    let met = target.description.as_deref().or(target.reason.as_deref()).unwrap_or("no reason given");
    // ELBv2 puts the status into a sentence: "Health checks failed with these codes: [404]" (TargetHealth, Description).
    let met = match met.split_once("codes: [").and_then(|(_, rest)| rest.split(']').next()) {
        Some(code) => {
            format!("answered {code}; `health.matcher` in deploy.toml wants {}", group.health.matcher)
        }
        None if is_timeout(met) => format!("no answer in time ({met})"),
        None if is_refusal(met) => format!("nobody listens there ({met})"),
        None => met.to_owned(),
    };
    format!("tasks that run fail the changed health check of {}: {}: {met}", group.name, url(&evidence))
}

/// How many tasks ECS stopped because the load balancer found them unhealthy.
fn failed(evidence: &Evidence) -> usize {
    evidence.stopped.iter().filter(|task| by_check(task)).count()
}

/// What the load balancer asks.
fn url(evidence: &Evidence) -> String {
    let (path, container) = (&evidence.health_path, evidence.port);
    match other_port(evidence) {
        Some(port) => format!("GET {path} on port {port} (the container's port is {container})"),
        None => format!("GET {path} on port {container}"),
    }
}

/// The port of the target group's health check, where it is not the container's.
fn other_port(evidence: &Evidence) -> Option<u16> {
    evidence.check_port.filter(|port| *port != evidence.port)
}

/// What to do: about the health check's port or a slow start where the evidence shows one, `otherwise` this.
fn remedy(evidence: &Evidence, otherwise: &str) -> String {
    if let Some(port) = other_port(evidence) {
        return format!(
            "leave `target-group.health.port` out of deploy.toml, so that the check asks the container's port, or let the \
             application listen on {port} and open it to the load balancer"
        );
    }
    match slow_start(evidence) {
        Some((last_secs, enough)) => format!(
            "raise `health-check-grace-secs` to {enough} (it is {}): the application printed its last line {last_secs} s \
             after the start",
            evidence.grace_secs
        ),
        None => otherwise.to_owned(),
    }
}

/// Whether ECS stopped a task because the load balancer found it unhealthy.
fn by_check(task: &TaskSnapshot) -> bool {
    task.stopped_reason.as_deref().is_some_and(|reason| reason.contains("failed ELB health checks"))
}

/// What tasks printed that were stopped for their health check.
fn logs(evidence: &Evidence) -> impl Iterator<Item = &TaskLog> {
    logs_of(evidence, by_check)
}

fn logs_of(evidence: &Evidence, meant: impl Fn(&TaskSnapshot) -> bool) -> impl Iterator<Item = &TaskLog> {
    let stopped =
        move |log: &&TaskLog| evidence.stopped.iter().any(|task| task.id == log.task && meant(task));
    evidence.logs.iter().filter(stopped)
}

/// Seconds until the last line that a task printed which was stopped for its health check, and a grace period that would
/// do: a quarter more, in tens. `None` where the last line came early: then it may listen elsewhere.
fn slow_start(evidence: &Evidence) -> Option<(u64, u64)> {
    let last_ms = logs(evidence).filter_map(|log| log.last_ms).max()?;
    let (last, grace) = (last_ms.div_ceil(1000), u64::from(evidence.grace_secs));
    (last * 2 > grace && last >= 10).then(|| (last, enough(last.max(grace))))
}

fn enough(secs: u64) -> u64 {
    (secs * 5).div_ceil(4).next_multiple_of(10)
}

/// The line that says that the application listens.
fn listens(evidence: &Evidence) -> Option<&str> {
    said_to_listen(evidence, by_check)
}

fn said_to_listen(evidence: &Evidence, by: impl Fn(&TaskSnapshot) -> bool) -> Option<&str> {
    const SAYS: [&str; 5] = ["listening", "started on", "serving on", "running on", "started server"];
    let line = logs_of(evidence, by).flat_map(|log| log.lines.iter().rev()).find(|line| {
        let line = line.to_ascii_lowercase();
        SAYS.iter().any(|says| line.contains(says))
    })?;
    Some(line.trim())
}

/// What the short life of tasks may mean that never printed that they listen, with the number to write: a slow start and an
/// application that listens elsewhere look the same.
fn short_life(evidence: &Evidence) -> Option<String> {
    let ran = |task: &TaskSnapshot| Some(task.stopped_ms?.saturating_sub(task.started_ms?).div_ceil(1000));
    let lived = evidence.stopped.iter().filter(|task| by_check(task)).filter_map(ran).max()?;
    let printed = match logs(evidence).filter_map(|log| log.last_ms).max() {
        Some(last) => format!("printed its last line after {} s and", last.div_ceil(1000)),
        None => "printed nothing and".to_owned(),
    };
    let grace = evidence.grace_secs;
    let enough = enough(lived.max(grace.into())).max(60);
    Some(format!(
        "or, if its start takes longer, raise `health-check-grace-secs` to {enough} (it is {grace}): a task {printed} was stopped \
         after {lived} s"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_the_command_runs_is_named() {
        for (command, curl) in [
            ("curl -f http://localhost/", true),
            ("/usr/bin/curl -f http://localhost/", true),
            ("sh -c 'test -f /up && curl -f http://localhost/'", true),
            ("/app/backend nonsense", false),
            ("/app/backend http://localhost/curl", false),
            ("", false),
        ] {
            assert_eq!(runs(command, "curl"), curl, "{command}");
        }
    }
}
