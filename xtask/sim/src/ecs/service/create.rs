//! CreateService.

use serde::Deserialize;
use serde_json::{Value, json};

use super::configuration::DeploymentConfiguration;
use super::model::{AwsVpc, Knobs, LoadBalancer, Service, ServiceStatus, Spec, Steady};
use super::{check, view};
use crate::base::{Millis, Tag, tags};
use crate::ecs::capacity::{self, Share};
use crate::ecs::connect;
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::deployment;
use crate::ecs::errors::{invalid, unsupported};
use crate::ecs::event::Events;
use crate::ecs::key::ServiceKey;
use crate::ecs::reference::service_arn;
use crate::ecs::region::Region;
use crate::identity::caller_arn;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Create {
    cluster: Option<String>,
    service_name: String,
    task_definition: Option<String>,
    load_balancers: Vec<LoadBalancer>,
    service_registries: Vec<Value>,
    desired_count: Option<i64>,
    client_token: Option<String>,
    launch_type: Option<String>,
    capacity_provider_strategy: Vec<Share>,
    platform_version: Option<String>,
    deployment_configuration: DeploymentConfiguration,
    network_configuration: NetworkConfiguration,
    health_check_grace_period_seconds: Option<u32>,
    scheduling_strategy: Option<String>,
    deployment_controller: Option<Controller>,
    tags: Vec<Tag>,
    #[serde(rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    propagate_tags: Option<String>,
    enable_execute_command: bool,
    service_connect_configuration: Option<ConnectConfiguration>,
    volume_configurations: Vec<Value>,
    vpc_lattice_configurations: Vec<Value>,
    availability_zone_rebalancing: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct NetworkConfiguration {
    pub(in crate::ecs) awsvpc_configuration: Option<AwsVpc>,
}

#[derive(Deserialize)]
pub(super) struct Controller {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// Creates the service and its first deployment. A repetition of the request that made it changes nothing.
pub(in crate::ecs) fn create(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    check_name(&asked.service_name)?;
    if asked.client_token.as_ref().is_some_and(|token| token.len() > 36) {
        return Err(invalid("The request contains an idempotency token longer than 36 characters."));
    }
    tags::check(Api::Ecs, &asked.tags)?;
    let key = ServiceKey { cluster, service: asked.service_name.clone() };
    match region.ecs.services.get(&key).map(|service| (service.status, service.creation == request.params)) {
        // AWS's idempotency: the same parameters succeed and do nothing, with or without a clientToken.
        Some((ServiceStatus::Active, true)) => {
            return Ok(json!({ "service": view::view(region, &key, true) }));
        }
        Some((ServiceStatus::Active, false)) => {
            return Err(invalid("Creation of service was not idempotent."));
        }
        Some((ServiceStatus::Draining, _)) => {
            return Err(invalid("Unable to Start a service that is still Draining."));
        }
        // The name of an INACTIVE service is free: the new one shares nothing with it.
        Some((ServiceStatus::Inactive, _)) | None => {}
    }
    let desired = check_scheduling(&asked)?;
    let knobs = knobs(region, &key.cluster, &asked)?;
    let spec = spec(region, &key, &asked)?;
    let arn = service_arn(region.base, &key);
    let made = deployment::first(region, now, &key, spec, &knobs.deployment, knobs.launch_type.as_deref());
    let service = Service {
        arn: arn.clone(),
        key: key.clone(),
        status: ServiceStatus::Active,
        desired,
        created_at: now,
        created_by: caller_arn(region.base, region.identity, request.access_key.as_deref()),
        knobs,
        primary: made.deployment,
        older: Vec::new(),
        service_deployments: vec![made.service_deployment],
        revisions: vec![made.revision],
        events: Events::default(),
        current_service_deployment: None,
        creation: request.params.clone(),
        steady: Steady::Moving,
        wake_at: None,
    };
    region.ecs.services.insert(service);
    region.base.tags.forget(&arn);
    region.base.tags.put(&arn, asked.tags);
    Ok(json!({ "service": view::view(region, &key, true) }))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(invalid("Service name can not be blank."));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 255 || !name.chars().all(fits) {
        return Err(invalid("Invalid service name."));
    }
    Ok(())
}

fn check_scheduling(asked: &Create) -> Result<u32, ApiError> {
    match asked.scheduling_strategy.as_deref() {
        None | Some("REPLICA") => {}
        Some(other) => return Err(unsupported(&format!("Scheduling strategy {other}"))),
    }
    if let Some(controller) = &asked.deployment_controller
        && controller.kind != "ECS"
    {
        return Err(unsupported(&format!("Deployment controller {}", controller.kind)));
    }
    let desired = asked.desired_count.ok_or_else(|| invalid("Desired count can not be null."))?;
    u32::try_from(desired).map_err(|_| invalid("Desired count can not be negative."))
}

fn knobs(region: &Region<'_>, cluster: &str, asked: &Create) -> Result<Knobs, ApiError> {
    let (launch_type, strategy) = (asked.launch_type.as_deref(), asked.capacity_provider_strategy.clone());
    let capacity_provider_strategy =
        capacity::settle(region.ecs.clusters.get(cluster), launch_type, strategy)?;
    let deployment = DeploymentConfiguration::for_new_service(asked.deployment_configuration.clone());
    deployment.check()?;
    let az_rebalancing = match asked.availability_zone_rebalancing.as_deref() {
        Some("DISABLED") => false,
        Some("ENABLED") if deployment.most_percent() <= 100 => return Err(rebalancing_needs_room()),
        Some("ENABLED") => true,
        // Enabled by default for new services, where maximumPercent leaves room for it.
        None => deployment.most_percent() > 100,
        Some(other) => return Err(invalid(format!("Invalid availabilityZoneRebalancing: {other}"))),
    };
    Ok(Knobs {
        launch_type: asked.launch_type.clone(),
        capacity_provider_strategy,
        deployment,
        health_check_grace_period: asked.health_check_grace_period_seconds,
        az_rebalancing,
        execute_command: asked.enable_execute_command,
        managed_tags: asked.enable_ecs_managed_tags,
        propagate_tags: check_propagation(asked.propagate_tags.as_deref())?,
    })
}

/// Rebalancing starts a task before it stops one.
pub(super) fn rebalancing_needs_room() -> ApiError {
    invalid("Availability Zone rebalancing does not support a maximumPercent of 100 or less.")
}

pub(in crate::ecs) fn check_propagation(given: Option<&str>) -> Result<String, ApiError> {
    match given {
        None => Ok("NONE".to_owned()),
        Some(known @ ("NONE" | "SERVICE" | "TASK_DEFINITION")) => Ok(known.to_owned()),
        Some(other) => Err(invalid(format!("Invalid propagateTags: {other}"))),
    }
}

fn spec(region: &Region<'_>, key: &ServiceKey, asked: &Create) -> Result<Spec, ApiError> {
    let reference = asked.task_definition.as_deref().filter(|reference| !reference.is_empty());
    let reference = reference.ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let definition = region.ecs.families.resolve(reference)?;
    let fargate = (!asked.capacity_provider_strategy.is_empty()).then_some("FARGATE");
    let default =
        region.ecs.clusters.get(&key.cluster).filter(|cluster| !cluster.default_strategy.is_empty());
    let fargate = fargate.or(default.map(|_| "FARGATE"));
    // AWS takes EC2 where nothing is said (API reference of CreateService).
    check::launch_type(&definition.spec, asked.launch_type.as_deref().or(fargate).or(Some("EC2")))?;
    check::task_role(&definition.spec, asked.enable_execute_command, "created")?;
    let network =
        check::network(region, &definition.spec, asked.network_configuration.awsvpc_configuration.clone())?;
    check::load_balancers(region, &definition.spec, &asked.load_balancers)?;
    check::registries(region, &asked.service_registries)?;
    let connect = match asked.service_connect_configuration.clone() {
        Some(given) => Some(given.settle(
            region.cloudmap,
            region.ecs.default_namespace(&key.cluster),
            &definition.spec,
        )?),
        None => None,
    };
    if let Some(configuration) = ConnectConfiguration::enabled(connect.as_ref()) {
        connect::check_free(region, key, configuration, &definition.arn)?;
    }
    Ok(Spec {
        task_definition: definition.arn.clone(),
        platform_version: check::platform_version(asked.platform_version.clone())?,
        network,
        load_balancers: asked.load_balancers.clone(),
        service_registries: asked.service_registries.clone(),
        connect,
        volumes: asked.volume_configurations.clone(),
        vpc_lattice: asked.vpc_lattice_configurations.clone(),
    })
}
