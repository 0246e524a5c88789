//! Which health check fails, and what it met: from targets, events and stopped tasks.

use super::{Cause, Evidence, Known, short};

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
    const CONTAINER: &str = "failed container health checks";
    let health = evidence.stopped.iter().filter_map(|task| {
        let reason = task.stopped_reason.as_deref()?;
        let by_container = reason.contains(CONTAINER);
        (by_container || reason.contains("failed ELB health checks")).then_some((task, by_container))
    });
    let (newest, by_container) = health.clone().next()?;
    if !by_container {
        return None;
    }
    let tasks = health.filter(|(_, by_container)| *by_container).count();
    let ill = newest.containers.iter().find(|container| container.health == "UNHEALTHY");
    let name = ill.map(|container| &container.name).or_else(|| evidence.health_commands.keys().next());
    let what = name.map_or_else(|| "its container".to_owned(), |name| format!("its container `{name}`"));
    let command = name.and_then(|name| evidence.health_commands.get(name)).map_or("", String::as_str);
    let small = ["curl", "wget"].into_iter().find(|program| runs(command, program));
    let small = small.map(|program| format!(" (small images have no `{program}`)")).unwrap_or_default();
    let remedy = format!(
        "run that command in the image: its program must be there{small} and exit with 0; raise `start-period-secs` if the \
         start is slow"
    );
    let command = if command.is_empty() { String::new() } else { format!(", `{command}`") };
    let text = format!("task {} failed the health check of {what}{command}", short(&newest.id));
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
    said(evidence).find(|text| text.contains("timed out") || *text == "Target.Timeout")?;
    let text = format!("the load balancer's health check, {}, got no answer in time", url(evidence));
    let remedy = remedy(
        evidence,
        "let the load balancer's security group reach the tasks on the container port; and see whether the application hangs",
    );
    Some(Cause::open(text, remedy).plain_if(failed(evidence) >= 2 && !evidence.ever_healthy))
}

/// Nobody listens where the health check asks: `Health checks failed` (Target.FailedHealthChecks).
///
/// Plain once ECS has stopped two tasks for it, each after its grace period.
fn health_refused(evidence: &Evidence) -> Option<Cause> {
    said(evidence)
        .find(|text| text.contains("Health checks failed") || *text == "Target.FailedHealthChecks")?;
    let text = format!("the load balancer's health check, {}, found nobody listening", url(evidence));
    let remedy =
        remedy(evidence, "the application must listen on 0.0.0.0 and on the container port of deploy.toml");
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

/// What the load balancer said of a failing check, the targets' own words first.
fn said(evidence: &Evidence) -> impl Iterator<Item = &str> {
    let unhealthy = evidence.targets.iter().filter(|target| target.state.starts_with("unhealthy"));
    let targets = unhealthy.filter_map(|target| target.description.as_deref().or(target.reason.as_deref()));
    // `(service X) (task T) (port P) is unhealthy in (target-group G) due to (reason R).`
    let events = evidence.events.iter().filter_map(|text| text.split_once("due to (reason ")).map(|it| it.1);
    targets.chain(events)
}

/// How many tasks ECS stopped because the load balancer found them unhealthy.
fn failed(evidence: &Evidence) -> usize {
    let reasons = evidence.stopped.iter().filter_map(|task| task.stopped_reason.as_deref());
    reasons.filter(|reason| reason.contains("failed ELB health checks")).count()
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
            "let the load balancer ask the container's port (`aws elbv2 modify-target-group --health-check-port \
             traffic-port`), or let the application listen on {port} and open it to the load balancer"
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

/// Seconds until the last line that a task printed which was stopped for its health check, and a grace period that would
/// do: a quarter more, in tens. `None` where the last line came early: then waiting longer is no help.
fn slow_start(evidence: &Evidence) -> Option<(u64, u64)> {
    let by_check = |task: &str| {
        let stopped = evidence.stopped.iter().find(|stopped| stopped.id == task);
        let reason = stopped.and_then(|stopped| stopped.stopped_reason.as_deref());
        reason.is_some_and(|reason| reason.contains("failed ELB health checks"))
    };
    let last_ms =
        evidence.logs.iter().filter(|log| by_check(&log.task)).filter_map(|log| log.last_ms).max()?;
    let (last, grace) = (last_ms.div_ceil(1000), u64::from(evidence.grace_secs));
    let enough = (last.max(grace) * 5).div_ceil(4).next_multiple_of(10);
    (last * 2 > grace && last >= 10).then_some((last, enough))
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
