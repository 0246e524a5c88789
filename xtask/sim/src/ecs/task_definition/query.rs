//! DescribeTaskDefinition, ListTaskDefinitions, ListTaskDefinitionFamilies, DeregisterTaskDefinition,
//! DeleteTaskDefinitions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::families::view;
use crate::clock::Millis;
use crate::ecs::errors::{client, invalid};
use crate::ecs::region::Region;
use crate::wire::{ApiRequest, Outcome, listing, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    task_definition: String,
    include: Vec<String>,
}

pub(in crate::ecs) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let definition = region
        .ecs
        .families
        .named(&asked.task_definition)
        .ok_or_else(|| client("Unable to describe task definition."))?;
    // Tags are beside the definition, never inside it, and only when asked for.
    let tags = asked.include.iter().any(|what| what == "TAGS").then(|| region.base.tags.of(&definition.arn));
    Ok(json!({ "taskDefinition": view(definition), "tags": tags }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    family_prefix: Option<String>,
    status: Option<String>,
    sort: Option<String>,
}

pub(in crate::ecs) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let status = asked.status.as_deref().unwrap_or("ACTIVE");
    if !["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"].contains(&status) {
        return Err(invalid(format!("Invalid status: {status}")));
    }
    let descending = match asked.sort.as_deref() {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(other) => return Err(invalid(format!("Invalid sort order: {other}"))),
    };
    // `familyPrefix` is the whole family name (API reference), in spite of what it is called.
    let wanted = region.ecs.families.all().filter(|definition| {
        definition.status() == status
            && asked.family_prefix.as_ref().is_none_or(|family| *family == definition.spec.family)
    });
    let mut arns: Vec<String> = wanted.map(|definition| definition.arn.clone()).collect();
    if descending {
        arns.reverse();
    }
    listing(request, "taskDefinitionArns", (100, 100), arns, Value::from)
}

/// Families by a prefix of their name. One with an ACTIVE revision is ACTIVE.
pub(in crate::ecs) fn list_families(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let wanted = match asked.status.as_deref() {
        None | Some("ALL") => None,
        Some("ACTIVE") => Some(true),
        Some("INACTIVE") => Some(false),
        Some(other) => return Err(invalid(format!("Invalid status: {other}"))),
    };
    let mut families: BTreeMap<&str, bool> = BTreeMap::new();
    for definition in region.ecs.families.all() {
        *families.entry(&definition.spec.family).or_default() |= definition.active;
    }
    let prefix = asked.family_prefix.as_deref().unwrap_or_default();
    families
        .retain(|family, active| family.starts_with(prefix) && wanted.is_none_or(|wanted| wanted == *active));
    listing(request, "families", (100, 100), families.into_keys().collect(), Value::from)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    task_definitions: Vec<String>,
}

/// Only INACTIVE revisions are deleted.
pub(in crate::ecs) fn delete(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Delete = params(request)?;
    if !(1..=10).contains(&asked.task_definitions.len()) {
        return Err(invalid("Task definitions must have between 1 and 10 items."));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for reference in &asked.task_definitions {
        if !names_a_revision(reference) {
            return Err(client("Revision is missing."));
        }
        let found =
            region.ecs.families.named(reference).map(|found| (found.spec.family.clone(), found.revision));
        let found = found.and_then(|(family, revision)| region.ecs.families.find_mut(&family, revision));
        let failure = |reason: &str| json!({ "arn": reference, "reason": reason });
        match found {
            None => failures.push(failure("The specified task definition does not exist. Specify a valid account, family, revision and try again.")),
            Some(found) if found.active => failures.push(failure(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            )),
            Some(found) => {
                found.delete_requested_at = found.delete_requested_at.or(Some(now));
                deleted.push(view(found));
            }
        }
    }
    Ok(json!({ "taskDefinitions": deleted, "failures": failures }))
}

fn names_a_revision(reference: &str) -> bool {
    reference.rsplit('/').next().is_some_and(|name| name.contains(':'))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Deregister {
    task_definition: String,
}

pub(in crate::ecs) fn deregister(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Deregister = params(request)?;
    if !names_a_revision(&asked.task_definition) {
        return Err(client("Revision is missing."));
    }
    let unknown = || client("Unable to describe task definition.");
    let found = region.ecs.families.named(&asked.task_definition).ok_or_else(unknown)?;
    let (family, revision) = (found.spec.family.clone(), found.revision);
    let definition = region.ecs.families.find_mut(&family, revision).ok_or_else(unknown)?;
    if definition.active {
        definition.active = false;
        definition.deregistered_at = Some(now);
    }
    Ok(json!({ "taskDefinition": view(definition) }))
}
