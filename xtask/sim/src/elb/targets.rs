//! RegisterTargets, DeregisterTargets and DescribeTargetHealth.

use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::State;
use super::target_health::{self, Target, TargetHealth};
use crate::base::{Base, Millis};
use crate::identity;
use crate::wire::{ApiError, ApiRequest, Outcome, leaf, list, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    target_group_arn: String,
    #[serde(default, deserialize_with = "list")]
    targets: Vec<Description>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    id: String,
    #[serde(default, deserialize_with = "leaf")]
    port: Option<u16>,
}

/// Registers addresses. No task is behind them, so that they never become healthy: tasks are registered by ECS.
pub(super) fn register(
    base: &mut Base,
    elb: &mut State,
    identity: &identity::State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let asked: Targets = params(request)?;
    let group = elb.target_group(&asked.target_group_arn)?;
    let (default_port, by_address) = (group.port, group.target_type == "ip");
    for target in &asked.targets {
        let reachable = target.id.parse::<Ipv4Addr>().is_ok() && identity.zone_of(&target.id).is_some();
        if !by_address {
            let text = format!(
                "The following targets are not in a running state and cannot be registered: '{}'",
                target.id
            );
            return Err(ApiError::new("InvalidTarget", text));
        }
        if !reachable {
            let text =
                format!("The IP address '{}' is not within a subnet of the target group's VPC", target.id);
            return Err(ApiError::new("InvalidTarget", text));
        }
    }
    for Description { id, port } in asked.targets {
        let target = Target { ip: id, port: port.unwrap_or(default_port), task: String::new() };
        target_health::register(base, elb, now, &asked.target_group_arn, target);
    }
    Ok(Value::Null)
}

pub(super) fn deregister(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Targets = params(request)?;
    elb.target_group(&asked.target_group_arn)?;
    for (ip, port) in chosen(elb, &asked) {
        target_health::deregister(base, elb, now, &asked.target_group_arn, &ip, port);
    }
    Ok(Value::Null)
}

pub(super) fn describe_health(elb: &State, identity: &identity::State, request: &ApiRequest) -> Outcome {
    let asked: Targets = params(request)?;
    let group = elb.target_group(&asked.target_group_arn)?;
    let chosen = match asked.targets.as_slice() {
        [] => group.targets.iter().map(|own| (own.target.ip.clone(), own.target.port)).collect(),
        _ => chosen(elb, &asked),
    };
    let descriptions: Vec<Value> = chosen
        .into_iter()
        .map(|(ip, port)| {
            let TargetHealth { state, reason, description } =
                target_health::health(elb, &asked.target_group_arn, &ip, port);
            let health_check_port =
                Some(&group.health_check.port).filter(|port| *port != "traffic-port").cloned();
            json!({
                "Target": { "Id": ip, "Port": port, "AvailabilityZone": identity.zone_of(&ip) },
                "HealthCheckPort": health_check_port.unwrap_or_else(|| port.to_string()),
                "TargetHealth": { "State": state, "Reason": reason, "Description": description },
                "AdministrativeOverride": {
                    "State": "no_override",
                    "Reason": "AdministrativeOverride.NoOverride",
                    "Description": "No override is currently active on target",
                },
            })
        })
        .collect();
    Ok(json!({ "TargetHealthDescriptions": descriptions }))
}

/// The addresses and ports that a request names; without a port, all ports at which the address is registered, or the
/// group's own when it is not.
fn chosen(elb: &State, asked: &Targets) -> Vec<(String, u16)> {
    let Ok(group) = elb.target_group(&asked.target_group_arn) else { return Vec::new() };
    let mut chosen = Vec::new();
    for Description { id, port } in &asked.targets {
        let ports: Vec<u16> = match port {
            Some(port) => vec![*port],
            None => {
                group.targets.iter().filter(|own| own.target.ip == *id).map(|own| own.target.port).collect()
            }
        };
        // An unregistered target is shown as `unused` with Target.NotRegistered, and is no error.
        let ports = if ports.is_empty() { vec![group.port] } else { ports };
        chosen.extend(ports.into_iter().map(|port| (id.clone(), port)));
    }
    chosen
}
