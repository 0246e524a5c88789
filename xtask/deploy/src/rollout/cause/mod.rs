//! Why a deployment failed, in one sentence of cause and one of remedy: a table of known causes, one file each.
//!
//! A cause recognises AWS's words by short parts of them. That is right for an explanation, and wrong for a verdict: none
//! depends on it. To add a cause: a file, and a line in the table at its place.

mod capacity;
mod container_health;
mod dependency_unreachable;
mod exec_format;
mod exits_at_start;
mod health;
mod health_failed;
mod health_refused;
mod health_status;
mod health_timeout;
mod image_denied;
mod image_not_found;
mod image_unreachable;
mod killed;
mod launch_failed;
mod log_group_missing;
mod network_interface;
mod never_started;
mod out_of_memory;
mod percent_deadlock;
mod readonly_root;
mod role_not_assumable;
mod secret_missing;
mod secret_unreachable;
mod segfault;
mod stopped_by_user;
#[cfg(test)]
mod tests;
mod throttled;
mod vcpu_limit;
mod wrong_platform;

use serde::Serialize;

use super::snapshot::{TargetSnapshot, TaskLog, TaskSnapshot};

/// What was captured about a failing deployment while it happened: ECS forgets stopped tasks after an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// This deployment's tasks that stopped, newest first.
    pub stopped: Vec<TaskSnapshot>,
    /// Targets of this deployment that were found unhealthy.
    pub targets: Vec<TargetSnapshot>,
    /// What ECS said about the service since the deployment was made, oldest first.
    pub events: Vec<String>,
    /// Whether a target of this deployment was ever healthy.
    pub ever_healthy: bool,
    /// The last lines that the newest stopped task printed.
    pub log_tail: Vec<String>,
    /// What stopped tasks printed, as far as it was read: of one or two of those that ended alike.
    pub logs: Vec<TaskLog>,
    /// The target group's health check path.
    pub health_path: String,
    /// The status codes that pass it.
    pub health_matcher: String,
    /// The container port.
    pub port: u16,
    /// The port that the target group's health check asks, as the targets show it.
    pub check_port: Option<u16>,
    /// The container's own health check, as one line.
    pub health_command: Option<String>,
    /// `healthCheckGracePeriodSeconds`.
    pub grace_secs: u32,
}

/// A cause and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its name in the table, such as `image-not-found`.
    pub code: &'static str,
    /// What went wrong, a sentence.
    pub cause: String,
    /// What to do, a sentence.
    pub remedy: String,
    /// Whether waiting longer cannot help.
    pub plain: bool,
}

impl Cause {
    /// A cause that waiting does not mend.
    fn plain(code: &'static str, cause: impl Into<String>, remedy: &str) -> Self {
        Self { code, cause: cause.into(), remedy: remedy.to_owned(), plain: true }
    }

    /// A cause that may pass.
    fn open(code: &'static str, cause: impl Into<String>, remedy: &str) -> Self {
        Self { plain: false, ..Self::plain(code, cause, remedy) }
    }
}

type Find = fn(&Evidence) -> Option<Cause>;

/// All causes. The first that is found explains: a task that never started cannot have failed a health check, an exit
/// explains the unhealthy target that follows from it, and what is special stands before what is general.
static CAUSES: [(&str, Find); 28] = [
    (image_not_found::CODE, image_not_found::find),
    (wrong_platform::CODE, wrong_platform::find),
    (image_denied::CODE, image_denied::find),
    (image_unreachable::CODE, image_unreachable::find),
    (secret_missing::CODE, secret_missing::find),
    (secret_unreachable::CODE, secret_unreachable::find),
    (log_group_missing::CODE, log_group_missing::find),
    (network_interface::CODE, network_interface::find),
    (role_not_assumable::CODE, role_not_assumable::find),
    (out_of_memory::CODE, out_of_memory::find),
    (exec_format::CODE, exec_format::find),
    (readonly_root::CODE, readonly_root::find),
    (segfault::CODE, segfault::find),
    (killed::CODE, killed::find),
    (dependency_unreachable::CODE, dependency_unreachable::find),
    (exits_at_start::CODE, exits_at_start::find),
    (container_health::CODE, container_health::find),
    (health_status::CODE, health_status::find),
    (health_timeout::CODE, health_timeout::find),
    (health_refused::CODE, health_refused::find),
    (health_failed::CODE, health_failed::find),
    (percent_deadlock::CODE, percent_deadlock::find),
    (vcpu_limit::CODE, vcpu_limit::find),
    (capacity::CODE, capacity::find),
    (throttled::CODE, throttled::find),
    (never_started::CODE, never_started::find),
    (launch_failed::CODE, launch_failed::find),
    (stopped_by_user::CODE, stopped_by_user::find),
];

/// The best explanation that the evidence supports; `None` when it supports none.
#[must_use]
pub fn explain(evidence: &Evidence) -> Option<Cause> {
    CAUSES.iter().find_map(|(_, find)| find(evidence))
}

/// Every cause's name, in the order in which they are tried.
pub fn causes() -> impl Iterator<Item = &'static str> {
    CAUSES.iter().map(|(code, _)| *code)
}

/// Why one of our tasks failed to start: with one of `kind` in its text and, unless that is empty, one of `detail`.
fn failed_to_start<'a>(evidence: &'a Evidence, kind: &[&str], detail: &[&str]) -> Option<&'a str> {
    let failed = |task: &&TaskSnapshot| task.stop_code.as_deref() == Some("TaskFailedToStart");
    let reasons = evidence.stopped.iter().filter(failed).filter_map(|task| task.stopped_reason.as_deref());
    pick(reasons, kind, detail)
}

/// What ECS said about the service: with one of `kind` in its text and, unless that is empty, one of `detail`.
fn said<'a>(evidence: &'a Evidence, kind: &[&str], detail: &[&str]) -> Option<&'a str> {
    pick(evidence.events.iter().map(String::as_str), kind, detail)
}

fn pick<'a>(mut texts: impl Iterator<Item = &'a str>, kind: &[&str], detail: &[&str]) -> Option<&'a str> {
    let holds = |text: &str, parts: &[&str]| parts.is_empty() || parts.iter().any(|part| text.contains(part));
    texts.find(|text| holds(text, kind) && holds(text, detail))
}

/// A container of one of our tasks that ended by itself.
struct Exit<'a> {
    /// Which, for a sentence.
    what: String,
    code: i32,
    reason: &'a str,
    /// How long its task ran.
    ran_ms: Option<u64>,
}

/// The containers that ended by themselves, newest first.
fn exits(evidence: &Evidence) -> impl Iterator<Item = Exit<'_>> {
    let exited = |task: &&TaskSnapshot| task.stop_code.as_deref() == Some("EssentialContainerExited");
    evidence.stopped.iter().filter(exited).filter_map(|task| {
        let container = task.containers.iter().find(|container| container.exit_code.is_some())?;
        Some(Exit {
            what: format!("container `{}` of task {}", container.name, short(&task.id)),
            code: container.exit_code?,
            reason: container.reason.as_deref().unwrap_or_default(),
            ran_ms: task.started_ms.zip(task.stopped_ms).map(|(from, to)| to.saturating_sub(from)),
        })
    })
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
