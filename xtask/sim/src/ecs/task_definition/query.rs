//! DescribeTaskDefinition, ListTaskDefinitions, DeregisterTaskDefinition.

use serde::Deserialize;
use serde_json::{Value, json};

use super::families::{find, view};
use crate::account::{Account, Millis};
use crate::ecs::errors::{client, invalid};
use crate::wire::{ApiRequest, Outcome, listing, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    task_definition: String,
    include: Vec<String>,
}

pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let definition =
        find(account, &asked.task_definition).ok_or_else(|| client("Unable to describe task definition."))?;
    // Tags are beside the definition, never inside it, and only when asked for.
    let tags = asked.include.iter().any(|what| what == "TAGS").then(|| account.tags.of(&definition.arn));
    Ok(json!({ "taskDefinition": view(definition), "tags": tags }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    family_prefix: Option<String>,
    status: Option<String>,
    sort: Option<String>,
}

pub(in crate::ecs) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let active = match asked.status.as_deref() {
        None | Some("ACTIVE") => true,
        Some("INACTIVE" | "DELETE_IN_PROGRESS") => false,
        Some(other) => return Err(invalid(format!("Invalid status: {other}"))),
    };
    let descending = match asked.sort.as_deref() {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(other) => return Err(invalid(format!("Invalid sort order: {other}"))),
    };
    // `familyPrefix` is the whole family name (API reference), in spite of what it is called.
    let wanted = account.ecs.families.all().filter(|definition| {
        definition.active == active
            && asked.family_prefix.as_ref().is_none_or(|family| *family == definition.spec.family)
    });
    let mut arns: Vec<String> = wanted.map(|definition| definition.arn.clone()).collect();
    if descending {
        arns.reverse();
    }
    listing(request, "taskDefinitionArns", (100, 100), arns, Value::from)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Deregister {
    task_definition: String,
}

pub(in crate::ecs) fn deregister(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Deregister = params(request)?;
    if !asked.task_definition.rsplit('/').next().is_some_and(|name| name.contains(':')) {
        return Err(client("Revision is missing."));
    }
    let unknown = || client("Unable to describe task definition.");
    let found = find(account, &asked.task_definition).ok_or_else(unknown)?;
    let (family, revision) = (found.spec.family.clone(), found.revision);
    let definition = account.ecs.families.find_mut(&family, revision).ok_or_else(unknown)?;
    if definition.active {
        definition.active = false;
        definition.deregistered_at = Some(now);
    }
    Ok(json!({ "taskDefinition": view(definition) }))
}
