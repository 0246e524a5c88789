//! What CreateService and UpdateService refuse about a specification, in AWS's words.

use super::model::{AwsVpc, LoadBalancer};
use serde_json::Value;

use crate::ecs::errors::{client, invalid};
use crate::ecs::region::Region;
use crate::ecs::task_definition::spec::TaskSpec;
use crate::wire::ApiError;
use crate::{cloudmap, elb, identity};

/// The task definition can run on Fargate, if that is what the service asks for.
pub(in crate::ecs) fn launch_type(task: &TaskSpec, launch_type: Option<&str>) -> Result<(), ApiError> {
    match launch_type {
        Some("FARGATE") if !task.requires_compatibilities.iter().any(|what| what == "FARGATE") => {
            Err(invalid("Task definition does not support launch_type FARGATE."))
        }
        None | Some("FARGATE") => Ok(()),
        Some("EC2" | "EXTERNAL") => Err(invalid("No Container Instances were found in your cluster.")),
        Some(other) => Err(invalid(format!("Invalid launch type: {other}"))),
    }
}

/// A service that takes commands has a task role, whose rights the agent uses (aws/aws-toolkit-jetbrains#3649).
pub(super) fn task_role(task: &TaskSpec, takes_commands: bool, made: &str) -> Result<(), ApiError> {
    if !takes_commands || task.task_role_arn.is_some() {
        return Ok(());
    }
    Err(invalid(format!(
        "The service couldn't be {made} because a valid taskRoleArn is not being used. Specify a valid task role in your \
         task definition and try again."
    )))
}

/// Subnets and security groups: given, few enough, known, and of one VPC.
pub(in crate::ecs) fn network(
    region: &Region<'_>,
    task: &TaskSpec,
    network: Option<AwsVpc>,
) -> Result<AwsVpc, ApiError> {
    let awsvpc = task.network_mode.as_deref() == Some("awsvpc");
    let Some(network) = network else {
        if awsvpc {
            return Err(invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            ));
        }
        return Ok(AwsVpc::default());
    };
    if !awsvpc {
        return Err(invalid(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ));
    }
    if network.subnets.is_empty() {
        return Err(invalid("subnets can not be empty."));
    }
    if network.subnets.len() > 16 {
        return Err(invalid("subnets can have at most 16 items."));
    }
    if network.security_groups.len() > 5 {
        return Err(invalid("securityGroups can have at most 5 items."));
    }
    let mut vpcs = Vec::new();
    for id in &network.subnets {
        let subnet = identity::subnet(region.identity, id).ok_or_else(|| {
            invalid(format!(
                "Error retrieving subnet information for [{id}]: The subnet ID '{id}' does not exist \
                 (ErrorCode: InvalidSubnetID.NotFound)"
            ))
        })?;
        vpcs.push(&subnet.vpc_id);
    }
    for id in &network.security_groups {
        let group = identity::security_group(region.identity, id).ok_or_else(|| {
            invalid(format!(
                "Error retrieving security group information for [{id}]: The security group '{id}' does not \
                 exist (ErrorCode: InvalidGroup.NotFound)"
            ))
        })?;
        if vpcs.iter().any(|vpc| **vpc != group.vpc_id) {
            return Err(invalid(format!(
                "Security group {id} does not appear to belong to the same VPC as the input subnets."
            )));
        }
    }
    if vpcs.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(invalid("The subnets must all belong to one VPC."));
    }
    match network.assign_public_ip.as_deref() {
        None | Some("ENABLED" | "DISABLED") => {}
        Some(other) => return Err(invalid(format!("Invalid assignPublicIp: {other}"))),
    }
    let assign = network.assign_public_ip.unwrap_or_else(|| "DISABLED".to_owned());
    Ok(AwsVpc { assign_public_ip: Some(assign), ..network })
}

/// Every load balancer entry names a container port of the task definition and a target group that can take it.
pub(super) fn load_balancers(
    region: &Region<'_>,
    task: &TaskSpec,
    balancers: &[LoadBalancer],
) -> Result<(), ApiError> {
    if balancers.len() > 5 {
        return Err(invalid("load balancers can have at most 5 items."));
    }
    for balancer in balancers {
        container_port(task, balancer)?;
        target_group(region, task, balancer)?;
    }
    Ok(())
}

/// The part that a new task definition must still satisfy.
pub(super) fn container_port(task: &TaskSpec, balancer: &LoadBalancer) -> Result<(), ApiError> {
    let (Some(name), Some(port)) = (&balancer.container_name, balancer.container_port) else {
        return Err(invalid("containerName and containerPort must be given for a load balancer."));
    };
    let container = task
        .container(name)
        .ok_or_else(|| invalid(format!("The container {name} does not exist in the task definition.")))?;
    if !container.ports().contains(&port) {
        return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
    }
    Ok(())
}

fn target_group(region: &Region<'_>, task: &TaskSpec, balancer: &LoadBalancer) -> Result<(), ApiError> {
    let Some(arn) = &balancer.target_group_arn else {
        return Err(invalid("A targetGroupArn must be given for a load balancer."));
    };
    // ECS looks the group up with its service-linked role, and words a missing group as a problem of that role.
    let Some(group) = elb::target_group(region.elb, arn) else {
        return Err(invalid(
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service \
             role being passed has the proper permissions.",
        ));
    };
    if task.network_mode.as_deref() == Some("awsvpc") && group.target_type != "ip" {
        return Err(invalid(format!(
            "The provided target group {arn} has target type {}, which is incompatible with the awsvpc network \
             mode specified in the task definition.",
            group.target_type
        )));
    }
    // A group counts once a listener or rule leads to it: a first deploy makes the rule before the service.
    if !elb::has_load_balancer(region.elb, arn) {
        return Err(invalid(format!(
            "The target group with targetGroupArn {arn} does not have an associated load balancer."
        )));
    }
    Ok(())
}

/// Every registry is a service of Cloud Map, one per service (API reference of CreateService).
pub(super) fn registries(region: &Region<'_>, registries: &[Value]) -> Result<(), ApiError> {
    if registries.len() > 1 {
        return Err(invalid("service registries can have at most 1 items."));
    }
    for registry in registries {
        let arn = registry["registryArn"].as_str().unwrap_or_default();
        if cloudmap::registry(region.cloudmap, arn).is_none() {
            return Err(invalid(format!("The service registry {arn} does not exist.")));
        }
    }
    Ok(())
}

/// What may not change while a service lives: the operating system, and protocols of Service Connect's ports
/// (ECS API, PortMapping: delete and recreate the service).
pub(super) fn same_nature(old: &TaskSpec, new: &TaskSpec, connect: bool) -> Result<(), ApiError> {
    if old.platform().0 != new.platform().0 {
        return Err(invalid("The operating system family of a service cannot be changed."));
    }
    if !connect {
        return Ok(());
    }
    let mappings = |spec: &TaskSpec| -> Vec<(String, Option<String>, Option<String>)> {
        let all = spec.container_definitions.iter().flat_map(|container| container.port_mappings.clone());
        all.filter_map(|m| Some((m.name?, m.protocol, m.app_protocol))).collect()
    };
    let before = mappings(old);
    for (name, protocol, app_protocol) in mappings(new) {
        let clash = before.iter().any(|(other, old_protocol, old_app)| {
            // ECS takes tcp where nothing is written (ECS API, PortMapping), so that writing it is no change.
            let tcp = |given: &Option<String>| given.clone().unwrap_or_else(|| "tcp".to_owned());
            *other == name && (tcp(old_protocol) != tcp(&protocol) || *old_app != app_protocol)
        });
        if clash {
            return Err(client(format!(
                "The protocol and appProtocol of the port mapping {name} cannot be changed in a Service Connect \
                 service. Delete and recreate the service."
            )));
        }
    }
    Ok(())
}

/// Lets only the platform versions pass that there are.
pub(in crate::ecs) fn platform_version(given: Option<String>) -> Result<String, ApiError> {
    match given.as_deref() {
        None | Some("LATEST" | "1.4.0") => Ok("1.4.0".to_owned()),
        Some(other) => Err(ApiError::new(
            "PlatformUnknownException",
            format!("The specified platform version {other} is not available."),
        )),
    }
}
