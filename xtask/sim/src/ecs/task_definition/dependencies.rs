//! What RegisterTaskDefinition refuses about `dependsOn`, and about containers that need one another.
//!
//! The texts on essential containers and FireLens are quoted by users (boto3#2436, amazon-cloudwatch-logs-for-fluent-bit#20,
//! fabfuel/ecs-deploy#164); the others are worded after them.

use super::spec::{ContainerSpec, Dependency, TaskSpec};
use crate::ecs::errors::client;
use crate::wire::ApiError;

/// Also has containers wait for the log router that gets their lines, as ECS's agent does by itself.
pub(super) fn check(spec: &mut TaskSpec) -> Result<(), ApiError> {
    for container in &spec.container_definitions {
        for on in &container.depends_on {
            let Some(other) = spec.container(&on.container_name).filter(|other| other.name != container.name)
            else {
                return Err(client(format!(
                    "Container '{}' depends on container '{}', which is not another container of the task definition.",
                    container.name, on.container_name
                )));
            };
            check_condition(&container.name, &on.condition, other)?;
        }
    }
    let names = spec.container_definitions.iter().map(|container| &*container.name);
    if names.clone().any(|name| reaches(spec, name, name, &mut Vec::new())) {
        return Err(client("Container dependencies should not have a cycle."));
    }
    check_log_router(spec)?;
    await_log_router(spec);
    Ok(())
}

fn await_log_router(spec: &mut TaskSpec) {
    let router =
        spec.container_definitions.iter().find(|container| container.firelens_configuration.is_some());
    let Some(router) = router.map(|router| router.name.clone()) else { return };
    let waits = |container: &ContainerSpec| {
        container.routed().is_some() && !reaches(spec, &router, &container.name, &mut Vec::new())
    };
    let waiting: Vec<bool> = spec.container_definitions.iter().map(waits).collect();
    for (container, _) in spec.container_definitions.iter_mut().zip(waiting).filter(|(_, waits)| *waits) {
        container
            .depends_on
            .push(Dependency { container_name: router.clone(), condition: "START".to_owned() });
    }
}

fn check_condition(name: &str, condition: &str, other: &ContainerSpec) -> Result<(), ApiError> {
    match condition {
        "START" => Ok(()),
        "COMPLETE" | "SUCCESS" if other.is_essential() => Err(client(
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        )),
        "COMPLETE" | "SUCCESS" => Ok(()),
        "HEALTHY" if other.health_check.is_none() => {
            Err(client("A dependency container with HEALTHY condition must have a health check"))
        }
        "HEALTHY" => Ok(()),
        _ => Err(client(format!(
            "Invalid 'dependsOn' setting for container '{name}': the condition must be one of START, COMPLETE, SUCCESS, \
             HEALTHY."
        ))),
    }
}

/// Whether `from` depends on `to`, directly or through others.
fn reaches<'a>(spec: &'a TaskSpec, from: &str, to: &str, seen: &mut Vec<&'a str>) -> bool {
    let dependencies = spec.container(from).map_or(&[][..], |container| &container.depends_on);
    dependencies.iter().any(|on| {
        let known = seen.contains(&&*on.container_name);
        seen.push(&on.container_name);
        on.container_name == to || (!known && reaches(spec, &on.container_name, to, seen))
    })
}

/// A log router and containers that log through it come together.
fn check_log_router(spec: &TaskSpec) -> Result<(), ApiError> {
    let containers = &spec.container_definitions;
    let routers = containers.iter().filter(|container| container.firelens_configuration.is_some()).count();
    let routed = containers.iter().any(|container| container.routed().is_some());
    match (routers, routed) {
        (0, true) => Err(client(
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be \
             configured in one of the containers.",
        )),
        (1, false) => Err(client(
            "When a firelensConfiguration object is specified, at least one container has to be configured with the \
             awsfirelens log driver.",
        )),
        (0 | 1, _) => Ok(()),
        _ => Err(client("Only one container of a task definition can have a firelensConfiguration object.")),
    }
}
