//! Why a deployment failed, in one sentence of cause and one of remedy: tables of known causes, by when they show.
//!
//! A cause recognises AWS's words by short parts of them. That is right for an explanation, and wrong for a verdict: none
//! depends on it. To add a cause: an entry in a table, at its place.

mod chain;
mod exit;
mod health;
mod overdue;
mod service;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use chain::{excerpt, first_error};
pub use health::changed_check;
pub use overdue::overdue;

use super::snapshot::{TargetSnapshot, TaskLog, TaskSnapshot};
use crate::model::short_id;

/// What was captured about a failing deployment while it happened: ECS forgets stopped tasks after an hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Evidence {
    /// This deployment's tasks that stopped, newest first.
    pub stopped: Vec<TaskSnapshot>,
    /// Targets of this deployment that were found unhealthy.
    pub targets: Vec<TargetSnapshot>,
    /// What ECS said about the service since the deployment was made, oldest first.
    pub events: Vec<String>,
    /// The alarms that failed the deployment.
    pub alarms: Vec<String>,
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
    pub port: u16,
    /// The port that the target group's health check asks, as the targets show it.
    pub check_port: Option<u16>,
    /// The health checks of its essential containers, each as one line.
    pub health_commands: BTreeMap<String, String>,
    pub grace_secs: u32,
    /// Whether it is of the embedded cloud, which has no security groups and may run tasks as processes.
    pub embedded: bool,
}

/// A cause and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
    /// A cause that waiting cannot fix.
    fn plain(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::open(cause, remedy).plain_if(true)
    }

    /// A cause that may pass.
    fn open(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: "", cause: cause.into(), remedy: remedy.into(), plain: false }
    }

    fn plain_if(self, plain: bool) -> Self {
        Self { plain, ..self }
    }
}

/// A cause's name, and the cause where the evidence shows it.
type Known = (&'static str, fn(&Evidence) -> Option<Cause>);

/// All causes. The first that is found explains: a task that never started cannot have failed a health check, an exit
/// explains the unhealthy target that follows from it, and what is special comes before what is general.
static CAUSES: [&[Known]; 4] = [start::CAUSES, exit::CAUSES, health::CAUSES, service::CAUSES];

/// The best explanation that the evidence supports; `None` when it supports none.
pub fn explain(evidence: &Evidence) -> Option<Cause> {
    let mut known = CAUSES.into_iter().flatten();
    known.find_map(|(code, find)| find(evidence).map(|cause| Cause { code, ..cause }))
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
        let container = task.ended_first()?;
        Some(Exit {
            what: format!("container `{}` of task {}", container.name, short_id(&task.id)),
            code: container.exit_code?,
            reason: container.reason.as_deref().unwrap_or_default(),
            ran_ms: task.started_ms.zip(task.stopped_ms).map(|(from, to)| to.saturating_sub(from)),
        })
    })
}
