//! UpdateService: changes what it is given, keeps the rest, and starts a deployment only where the change
//! needs one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::configuration::DeploymentConfiguration;
use super::create::{Controller, NetworkConfiguration, check_propagation, rebalancing_needs_room};
use super::model::{LoadBalancer, Service, Spec};
use super::view;
use crate::clock::Millis;
use crate::ecs::capacity::{self, Share};
use crate::ecs::connect;
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::deployment;
use crate::ecs::errors::{invalid, service_not_active, service_not_found, unsupported};
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

/// The members of an update. `launchType`, `schedulingStrategy` and `tags` are none of them.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Update {
    cluster: Option<String>,
    service: String,
    desired_count: Option<i64>,
    task_definition: Option<String>,
    capacity_provider_strategy: Option<Vec<Share>>,
    deployment_configuration: Option<DeploymentConfiguration>,
    availability_zone_rebalancing: Option<String>,
    network_configuration: Option<NetworkConfiguration>,
    platform_version: Option<String>,
    force_new_deployment: bool,
    health_check_grace_period_seconds: Option<u32>,
    deployment_controller: Option<Controller>,
    enable_execute_command: Option<bool>,
    #[serde(rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: Option<bool>,
    load_balancers: Option<Vec<LoadBalancer>>,
    propagate_tags: Option<String>,
    service_registries: Option<Vec<Value>>,
    service_connect_configuration: Option<ConnectConfiguration>,
    volume_configurations: Option<Vec<Value>>,
    vpc_lattice_configurations: Option<Vec<Value>>,
}

pub(in crate::ecs) fn update(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Update = params(request)?;
    let key = region.ecs.service_key(asked.cluster.as_deref(), &asked.service)?;
    let service = region.ecs.services.get(&key).ok_or_else(service_not_found)?;
    if !service.is_active() {
        return Err(service_not_active());
    }
    let spec = changed_spec(region, service, &asked)?;
    let differs = spec != service.primary.spec;
    let desired = match asked.desired_count {
        Some(count) => Some(u32::try_from(count).map_err(|_| invalid("Desired count can not be negative."))?),
        None => None,
    };
    let strategy = match asked.capacity_provider_strategy.clone() {
        Some(given) if !given.is_empty() => {
            Some(capacity::settle(region.ecs.clusters.get(&key.cluster), None, given)?)
        }
        given => given,
    };
    let service = region.ecs.services.get_mut(&key).ok_or_else(service_not_found)?;
    turn_knobs(service, &asked, strategy)?;
    if let Some(desired) = desired {
        service.desired = desired;
    }
    // An UpdateService that changes nothing starts no deployment, so a repeated one is harmless unless it is forced.
    if differs || asked.force_new_deployment {
        deployment::next(region, now, &key, spec);
    }
    Ok(json!({ "service": view::view(region, &key, true) }))
}

fn changed_spec(region: &Region<'_>, service: &Service, asked: &Update) -> Result<Spec, ApiError> {
    let mut spec = service.primary.spec.clone();
    let old = region.ecs.families.by_arn(&spec.task_definition);
    if let Some(reference) = &asked.task_definition {
        spec.task_definition = region.ecs.families.resolve(reference)?.arn.clone();
    }
    let definition = region
        .ecs
        .families
        .by_arn(&spec.task_definition)
        .ok_or_else(|| invalid("TaskDefinition not found."))?;
    let task = &definition.spec;
    if asked.task_definition.is_some() {
        check::launch_type(task, service.knobs.launch_type.as_deref())?;
    }
    let takes_commands = asked.enable_execute_command.unwrap_or(service.knobs.execute_command);
    check::task_role(task, takes_commands, "updated")?;
    if let Some(old) = old {
        let connected = ConnectConfiguration::enabled(spec.connect.as_ref()).is_some();
        check::same_nature(&old.spec, task, connected)?;
    }
    if let Some(network) = &asked.network_configuration {
        spec.network = check::network(region, task, network.awsvpc_configuration.clone())?;
    }
    match &asked.load_balancers {
        Some(balancers) => {
            check::load_balancers(region, task, balancers)?;
            spec.load_balancers.clone_from(balancers);
        }
        // "The container … did not have a container port …": also of a new revision with unchanged load balancers.
        None => spec.load_balancers.iter().try_for_each(|balancer| check::container_port(task, balancer))?,
    }
    if let Some(version) = &asked.platform_version {
        spec.platform_version = check::platform_version(Some(version.clone()))?;
    }
    check::registries(region, asked.service_registries.as_deref().unwrap_or_default())?;
    settle_connect(region, &service.key, asked, &mut spec)?;
    let keep = |slot: &mut Vec<Value>, given: &Option<Vec<Value>>| {
        if let Some(given) = given {
            slot.clone_from(given);
        }
    };
    keep(&mut spec.service_registries, &asked.service_registries);
    keep(&mut spec.volumes, &asked.volume_configurations);
    keep(&mut spec.vpc_lattice, &asked.vpc_lattice_configurations);
    Ok(spec)
}

/// A new task definition must still have the ports that the service offers.
fn settle_connect(
    region: &Region<'_>,
    key: &ServiceKey,
    asked: &Update,
    spec: &mut Spec,
) -> Result<(), ApiError> {
    let given = asked.service_connect_configuration.clone();
    let Some(configuration) = given.or_else(|| spec.connect.clone()) else { return Ok(()) };
    let Some(definition) = region.ecs.families.by_arn(&spec.task_definition) else { return Ok(()) };
    let settled = configuration.settle(
        region.cloudmap,
        region.ecs.default_namespace(&key.cluster),
        &definition.spec,
    )?;
    if settled.enabled {
        connect::check_free(region, key, &settled, &spec.task_definition)?;
    }
    spec.connect = Some(settled);
    Ok(())
}

/// The settings that start no deployment. All are checked before any is changed.
fn turn_knobs(service: &mut Service, asked: &Update, strategy: Option<Vec<Share>>) -> Result<(), ApiError> {
    if let Some(controller) = &asked.deployment_controller
        && controller.kind != "ECS"
    {
        return Err(unsupported(&format!("Deployment controller {}", controller.kind)));
    }
    let mut knobs = service.knobs.clone();
    if let Some(given) = &asked.deployment_configuration {
        // Members that are left out keep their values, inside the configuration too.
        knobs.deployment.merge(given.clone());
        knobs.deployment.check()?;
    }
    match asked.availability_zone_rebalancing.as_deref() {
        None => {}
        Some("ENABLED") => knobs.az_rebalancing = true,
        Some("DISABLED") => knobs.az_rebalancing = false,
        Some(other) => return Err(invalid(format!("Invalid availabilityZoneRebalancing: {other}"))),
    }
    if knobs.az_rebalancing && knobs.deployment.most_percent() <= 100 {
        return Err(rebalancing_needs_room());
    }
    if let Some(strategy) = strategy {
        if strategy.is_empty() && knobs.launch_type.is_none() {
            return Err(invalid("The service was not created with a launch type that it could return to."));
        }
        knobs.capacity_provider_strategy = strategy;
    }
    if let Some(seconds) = asked.health_check_grace_period_seconds {
        knobs.health_check_grace_period = Some(seconds);
    }
    if let Some(given) = asked.propagate_tags.as_deref() {
        knobs.propagate_tags = check_propagation(Some(given))?;
    }
    knobs.execute_command = asked.enable_execute_command.unwrap_or(knobs.execute_command);
    knobs.managed_tags = asked.enable_ecs_managed_tags.unwrap_or(knobs.managed_tags);
    service.knobs = knobs;
    Ok(())
}
