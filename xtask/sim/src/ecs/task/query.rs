//! ListTasks, DescribeTasks, StopTask.

use serde::Deserialize;
use serde_json::json;

use super::model::Task;
use super::stopping::{self, Stop};
use super::view::view;
use crate::account::Account;
use crate::clock::Millis;
use crate::ecs::errors::invalid;
use crate::ecs::params::{described, short_name, task_id};
use crate::ecs::state::{active_cluster, service_key};
use crate::ecs::task_definition::revision_of;
use crate::wire::{ApiRequest, Outcome, listing, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    cluster: Option<String>,
    family: Option<String>,
    service_name: Option<String>,
    started_by: Option<String>,
    desired_status: Option<String>,
    launch_type: Option<String>,
}

/// Tasks by *desired* status, RUNNING unless asked otherwise; PENDING never finds any.
pub(in crate::ecs) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    let service = match &asked.service_name {
        Some(name) => Some(service_key(account, Some(&cluster), name)?),
        None => None,
    };
    let running = match asked.desired_status.as_deref() {
        None | Some("RUNNING") => Some(true),
        Some("STOPPED") => Some(false),
        // No task has that desired status (ECS API, ListTasks).
        Some("PENDING") => None,
        Some(other) => return Err(invalid(format!("Invalid desired status: {other}"))),
    };
    let family = |task: &Task| {
        revision_of(&task.task_definition).rsplit_once(':').map(|(family, _)| family.to_owned())
    };
    let mut tasks: Vec<&Task> = account
        .ecs
        .tasks
        .values()
        .filter(|task| {
            task.service.cluster == cluster
                && Some(task.desired_running) == running
                && service.as_ref().is_none_or(|key| task.service == *key)
                && asked.started_by.as_ref().is_none_or(|id| task.deployment == *id)
                && (asked.family.is_none() || asked.family == family(task))
                && (asked.launch_type.is_none() || asked.launch_type == task.launch_type)
        })
        .collect();
    tasks.sort_by_key(|task| task.sequence);
    listing(request, "taskArns", (100, 100), tasks, |task| json!(task.arn))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    cluster: Option<String>,
    tasks: Vec<String>,
    include: Vec<String>,
}

pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    if asked.tasks.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if asked.tasks.len() > 100 {
        return Err(invalid("Tasks count is limited to 100."));
    }
    for reference in &asked.tasks {
        task_id(reference)?;
    }
    let with_tags = asked.include.iter().any(|what| what == "TAGS");
    described("tasks", &asked.tasks, |reference| {
        let id = short_name(reference);
        let task = account.ecs.tasks.get(id).filter(|task| task.service.cluster == cluster);
        task.map(|task| view(account, task, with_tags))
            .ok_or_else(|| account.base.arn("ecs", &format!("task/{cluster}/{id}")))
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct StopTask {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

pub(in crate::ecs) fn stop(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: StopTask = params(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    let id = task_id(&asked.task)?.to_owned();
    if account.ecs.tasks.get(&id).is_none_or(|task| task.service.cluster != cluster) {
        return Err(invalid("The referenced task was not found."));
    }
    let reason = asked.reason.unwrap_or_else(|| "Task stopped by user".to_owned());
    stopping::begin(account, now, &id, &Stop { code: "UserInitiated", reason });
    let task = account.ecs.tasks.get(&id).map(|task| view(account, task, false));
    Ok(json!({ "task": task }))
}
