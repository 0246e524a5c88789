//! RunTask: tasks that belong to no service and are not replaced.

use serde::Deserialize;
use serde_json::{Value, json};

use super::launch::{self, Blueprint};
use super::model::Ran;
use super::overrides::Overrides;
use super::view::view;
use crate::base::{Millis, Tag, tags};
use crate::ecs::capacity;
use crate::ecs::errors::{client, invalid};
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::ecs::service::check;
use crate::ecs::service::create::{NetworkConfiguration, check_propagation};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, params};
use crate::workload::TaskId;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Run {
    cluster: Option<String>,
    task_definition: String,
    count: Option<u32>,
    launch_type: Option<String>,
    capacity_provider_strategy: Vec<capacity::Share>,
    platform_version: Option<String>,
    network_configuration: NetworkConfiguration,
    overrides: Overrides,
    started_by: Option<String>,
    group: Option<String>,
    enable_execute_command: bool,
    #[serde(rename = "enableECSManagedTags")]
    managed_tags: bool,
    propagate_tags: Option<String>,
    tags: Vec<Tag>,
    client_token: Option<String>,
}

/// How long a `clientToken` is remembered, in seconds.
const REMEMBERED: u64 = 86_400;

pub(in crate::ecs) fn run(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Run = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    region.ecs.ran.retain(|_, ran| now.since(ran.at) < REMEMBERED * 1000);
    if let Some(ran) = asked.client_token.as_ref().and_then(|token| region.ecs.ran.get(token)) {
        if ran.params != request.params {
            let text = "The client token was used by a request with other parameters.";
            return Err(ApiError::new("ConflictException", text));
        }
        return Ok(reply(region, &ran.tasks));
    }
    let count = asked.count.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(invalid("count must be between 1 and 10."));
    }
    tags::check(Api::Ecs, &asked.tags)?;
    check_names(&asked)?;
    let definition = region.ecs.families.resolve(&asked.task_definition)?;
    let (spec, size) = asked.overrides.apply(&definition.spec, definition.size)?;
    let (arn, family) = (definition.arn.clone(), definition.spec.family.clone());
    let strategy = capacity::settle(
        region.ecs.clusters.get(&cluster),
        asked.launch_type.as_deref(),
        asked.capacity_provider_strategy.clone(),
    )?;
    let launch_type = match (&asked.launch_type, strategy.is_empty()) {
        (None, true) => Some("EC2"),
        (None, false) => Some("FARGATE"),
        (Some(given), _) => Some(given.as_str()),
    };
    check::launch_type(&spec, launch_type)?;
    check::platform_version(asked.platform_version.clone())?;
    let network = asked.network_configuration.awsvpc_configuration.clone();
    let network = check::network(region, &spec, network)?;
    launch::check_roles(region, &spec).map_err(client)?;
    let mut own_tags = asked.tags.clone();
    if check_propagation(asked.propagate_tags.as_deref())? == "TASK_DEFINITION" {
        own_tags.extend(region.base.tags.of(&arn));
    }
    if asked.managed_tags {
        own_tags.push(Tag { key: "aws:ecs:clusterName".to_owned(), value: cluster.clone() });
    }
    let mut tasks: Vec<TaskId> = Vec::new();
    for _ in 0..count {
        let of = |provider: &str| {
            let provider_of = |id: &TaskId| region.ecs.tasks.get(id)?.capacity_provider.clone();
            tasks.iter().filter(|id| provider_of(id).as_deref() == Some(provider)).count() as u32
        };
        let blueprint = Blueprint {
            key: ServiceKey::new(&cluster, ""),
            group: asked.group.clone().unwrap_or_else(|| format!("family:{family}")),
            deployment: asked.started_by.clone().unwrap_or_default(),
            revision: String::new(),
            task_definition: arn.clone(),
            attempt: 0,
            launch_type: launch_type.map(str::to_owned),
            capacity_provider: capacity::next(&strategy, of),
            execute_command: asked.enable_execute_command,
            // Standalone tasks take no part in Service Connect.
            connect: false,
            subnets: network.subnets.clone(),
            targets: Vec::new(),
            tags: own_tags.clone(),
            overrides: (asked.overrides != Overrides::default()).then(|| asked.overrides.clone()),
            size,
        };
        tasks.push(launch::place(region, now, &spec, blueprint));
    }
    let answer = reply(region, &tasks);
    if let Some(token) = asked.client_token {
        region.ecs.ran.insert(token, Ran { at: now, params: request.params.clone(), tasks });
    }
    Ok(answer)
}

fn check_names(asked: &Run) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
    if asked.started_by.as_ref().is_some_and(|by| by.len() > 128 || !by.chars().all(fits)) {
        return Err(invalid(
            "startedBy can have up to 128 letters, numbers, hyphens, slashes and underscores.",
        ));
    }
    if asked.client_token.as_ref().is_some_and(|token| token.len() > 64) {
        return Err(invalid("clientToken can have up to 64 characters."));
    }
    // A service's own tasks are in this group.
    if asked.group.as_ref().is_some_and(|group| group.starts_with("service:")) {
        return Err(invalid("Invalid namespace for group."));
    }
    Ok(())
}

fn reply(region: &Region<'_>, tasks: &[TaskId]) -> Value {
    let known = tasks.iter().filter_map(|id| region.ecs.tasks.get(id));
    let views: Vec<Value> = known.map(|task| view(region, task, true)).collect();
    json!({ "tasks": views, "failures": [] })
}
