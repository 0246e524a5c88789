//! ListTasks, DescribeTasks, StopTask.

use serde::Deserialize;
use serde_json::json;

use super::model::Task;
use super::stopping::{self, Stop};
use super::view::view;
use crate::clock::Millis;
use crate::ecs::errors::invalid;
use crate::ecs::params::{described, short_name, task_id};
use crate::ecs::region::Region;
use crate::ecs::task_definition::families::revision_of;
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
pub(in crate::ecs) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    let service = match &asked.service_name {
        Some(name) => Some(region.ecs.service_key(Some(&cluster), name)?),
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
    let mut tasks: Vec<&Task> = region
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

pub(in crate::ecs) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
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
        let task = region.ecs.tasks.get(id).filter(|task| task.service.cluster == cluster);
        task.map(|task| view(region, task, with_tags))
            .ok_or_else(|| region.base.arn("ecs", &format!("task/{cluster}/{id}")))
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct StopTask {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

pub(in crate::ecs) fn stop(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: StopTask = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    let id = task_id(&asked.task)?.to_owned();
    if region.ecs.tasks.get(&id).is_none_or(|task| task.service.cluster != cluster) {
        return Err(invalid("The referenced task was not found."));
    }
    let reason = asked.reason.unwrap_or_else(|| "Task stopped by user".to_owned());
    stopping::begin(region, now, &id, &Stop { code: "UserInitiated", reason });
    let task = region.ecs.tasks.get(&id).map(|task| view(region, task, false));
    Ok(json!({ "task": task }))
}
