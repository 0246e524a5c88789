//! GetTaskProtection and UpdateTaskProtection: tasks that neither scaling nor a deployment stops for a while.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use super::params::{short_name, task_id};
use super::task::model::{Task, TaskStatus};
use crate::clock::Millis;
use crate::ecs::region::Region;
use crate::wire::{ApiRequest, Outcome, params};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    cluster: String,
    #[serde(default)]
    tasks: Vec<String>,
    protection_enabled: Option<bool>,
    expires_in_minutes: Option<u64>,
}

/// Two hours and two days (API reference of UpdateTaskProtection).
const DEFAULT_MINUTES: u64 = 120;
const MOST_MINUTES: u64 = 2880;

pub(super) fn get(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let mut asked: Asked = params(request)?;
    let cluster = region.ecs.active_cluster(Some(&asked.cluster))?;
    if asked.tasks.len() > 100 {
        return Err(invalid("Tasks count is limited to 100."));
    }
    if asked.tasks.is_empty() {
        let own = region.ecs.live().filter(|task| task.service.cluster == cluster && is_protected(task, now));
        asked.tasks = own.map(|task| task.id.clone()).collect();
    }
    Ok(reply(region, now, &cluster, &asked.tasks))
}

pub(super) fn update(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let cluster = region.ecs.active_cluster(Some(&asked.cluster))?;
    if !(1..=10).contains(&asked.tasks.len()) {
        return Err(invalid("Tasks must have between 1 and 10 items."));
    }
    let enabled = asked.protection_enabled.ok_or_else(|| invalid("protectionEnabled can not be null."))?;
    let minutes = asked.expires_in_minutes.unwrap_or(DEFAULT_MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(invalid(format!("expiresInMinutes must be between 1 and {MOST_MINUTES}.")));
    }
    for reference in &asked.tasks {
        let task = region.ecs.tasks.get_mut(task_id(reference)?);
        if let Some(task) = task.filter(|task| task.service.cluster == cluster && may_be_protected(task)) {
            task.protected_until = enabled.then(|| now.plus_secs(minutes * 60));
        }
    }
    Ok(reply(region, now, &cluster, &asked.tasks))
}

/// Whether scaling and deployments leave the task alone now.
pub(super) fn is_protected(task: &Task, now: Millis) -> bool {
    task.protected_until.is_some_and(|until| until > now)
}

/// Only tasks of a service are scaled in.
fn may_be_protected(task: &Task) -> bool {
    !task.service.service.is_empty() && task.desired_running && task.status <= TaskStatus::Running
}

fn reply(region: &Region<'_>, now: Millis, cluster: &str, references: &[String]) -> Value {
    let (mut protected, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        let id = short_name(reference);
        let arn = region.base.arn("ecs", &format!("task/{cluster}/{id}"));
        match region.ecs.tasks.get(id).filter(|task| task.service.cluster == cluster) {
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            Some(task) if !may_be_protected(task) => {
                failures.push(json!({ "arn": arn, "reason": "TASK_NOT_VALID" }));
            }
            Some(task) => protected.push(json!({
                "taskArn": arn,
                "protectionEnabled": is_protected(task, now),
                "expirationDate": task.protected_until.filter(|until| *until > now).map(Millis::epoch_secs),
            })),
        }
    }
    json!({ "protectedTasks": protected, "failures": failures })
}
