//! Target groups: create, describe, modify, delete. Only HTTP groups of type `ip`, which is what Fargate needs.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::attributes;
use super::error::{VALIDATION, invalid};
use super::health_check::{HealthCheck, HealthCheckParams, in_range};
use super::names;
use super::state::State;
use super::target_health::Registered;
use crate::base::{Base, Tag, tags};
use crate::identity;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, leaf, list, listing, params, text};

#[derive(Debug, Clone)]
pub(crate) struct TargetGroup {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    pub(crate) protocol_version: String,
    pub(crate) vpc_id: String,
    pub(crate) target_type: String,
    pub(crate) health_check: HealthCheck,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(super) targets: Vec<Registered>,
    /// Requests of the running minute.
    pub(super) requests: Cell<u64>,
    /// Whether a listener or rule forwards here; targets of an unused group are not checked.
    pub(super) in_use: bool,
}

impl TargetGroup {
    /// `deregistration_delay.timeout_seconds`: 0 to 3600, 300 when never set.
    pub(crate) fn deregistration_delay_secs(&self) -> u64 {
        self.attributes
            .get(attributes::DEREGISTRATION_DELAY)
            .and_then(|value| value.parse().ok())
            .unwrap_or(300)
    }

    /// How long a client keeps its target, where it does.
    pub(super) fn sticky_secs(&self) -> Option<u64> {
        let on = self.attributes.get(attributes::STICKY).is_some_and(|value| value == "true");
        self.attributes.get(attributes::STICKY_SECS).filter(|_| on)?.parse().ok()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    protocol: Option<String>,
    protocol_version: Option<String>,
    #[serde(default, deserialize_with = "leaf")]
    port: Option<u16>,
    vpc_id: Option<String>,
    target_type: Option<String>,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

pub(super) fn create(
    base: &mut Base,
    elb: &mut State,
    identity: &identity::State,
    request: &ApiRequest,
) -> Outcome {
    let asked: Create = params(request)?;
    let health_check: HealthCheckParams = params(request)?;
    names::check("Target group", &asked.name)?;
    tags::check(Api::Elb, &asked.tags)?;
    // AWS's default, and the usual mistake: ECS refuses it for tasks of `awsvpc`.
    let target_type = asked.target_type.unwrap_or_else(|| "instance".to_owned());
    if !matches!(target_type.as_str(), "instance" | "ip") {
        return Err(invalid(format!("Target type '{target_type}' is not served: use 'ip' or 'instance'")));
    }
    let protocol = asked.protocol.ok_or_else(|| invalid("A protocol must be specified"))?;
    if !matches!(protocol.as_str(), "HTTP" | "HTTPS") {
        return Err(invalid(format!(
            "Target group protocol '{protocol}' is not served: use 'HTTP' or 'HTTPS'"
        )));
    }
    let protocol_version = asked.protocol_version.unwrap_or_else(|| "HTTP1".to_owned());
    let health_check = health_check.apply(&HealthCheck::of_version(&protocol_version)?)?;
    let port = asked.port.ok_or_else(|| invalid("A port must be specified"))?;
    in_range("port", u64::from(port), 1, 65535)?;
    let vpc_id = asked.vpc_id.ok_or_else(|| invalid("A VPC ID must be specified"))?;
    if !identity.has_vpc(&vpc_id) {
        return Err(invalid(format!("The VPC ID '{vpc_id}' is not found")));
    }
    let group = TargetGroup {
        arn: String::new(),
        name: asked.name,
        port,
        protocol,
        protocol_version,
        vpc_id,
        target_type,
        health_check,
        attributes: attributes::target_group_defaults(),
        requests: Cell::default(),
        targets: Vec::new(),
        in_use: false,
    };
    if let Some(existing) = elb.target_groups.values().find(|own| own.name == group.name) {
        // The same settings again is no error: a retried creation finds what the first one made.
        return if existing.same_settings(&group) {
            Ok(json!({ "TargetGroups": [describe(elb, existing)] }))
        } else {
            let text = format!(
                "A target group with the same name '{}' exists, but with different settings",
                group.name
            );
            Err(ApiError::new("DuplicateTargetGroupName", text))
        };
    }
    let path = format!("targetgroup/{}/{}", group.name, base.ids.hex(16));
    let group = TargetGroup { arn: base.arn("elasticloadbalancing", &path), ..group };
    base.tags.put(&group.arn, asked.tags);
    let description = describe(elb, &group);
    elb.target_groups.insert(group.arn.clone(), group);
    Ok(json!({ "TargetGroups": [description] }))
}

impl TargetGroup {
    fn same_settings(&self, other: &Self) -> bool {
        (
            &self.protocol,
            &self.protocol_version,
            self.port,
            &self.vpc_id,
            &self.target_type,
            &self.health_check,
        ) == (
            &other.protocol,
            &other.protocol_version,
            other.port,
            &other.vpc_id,
            &other.target_type,
            &other.health_check,
        )
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    load_balancer_arn: Option<String>,
    #[serde(default, deserialize_with = "list")]
    target_group_arns: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    names: Vec<String>,
}

pub(super) fn describe_all(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let state = elb;
    let kinds =
        [!asked.names.is_empty(), !asked.target_group_arns.is_empty(), asked.load_balancer_arn.is_some()];
    if kinds.into_iter().filter(|given| *given).count() > 1 {
        return Err(invalid(
            "Target group names, ARNs and a load balancer ARN cannot be specified at the same time",
        ));
    }
    let not_found = || ApiError::new("TargetGroupNotFound", "One or more target groups not found");
    let mut found: Vec<&TargetGroup> = Vec::new();
    for arn in &asked.target_group_arns {
        found.push(
            state
                .target_group(arn)
                .map_err(|error| if error.code == VALIDATION { error } else { not_found() })?,
        );
    }
    for name in &asked.names {
        found.push(state.target_groups.values().find(|group| group.name == *name).ok_or_else(not_found)?);
    }
    if let Some(arn) = &asked.load_balancer_arn {
        state.load_balancer(arn)?;
        found.extend(
            state.target_groups.values().filter(|group| state.load_balancers_of(&group.arn).contains(&**arn)),
        );
    } else if asked.names.is_empty() && asked.target_group_arns.is_empty() {
        found.extend(state.target_groups.values());
    }
    listing(request, "TargetGroups", (400, 400), found, |group| describe(state, group))
}

pub(super) fn modify(elb: &mut State, request: &ApiRequest) -> Outcome {
    let arn = text(request, "TargetGroupArn")?;
    let changes: HealthCheckParams = params(request)?;
    let group = elb.target_group_mut(&arn)?;
    group.health_check = changes.apply(&group.health_check)?;
    let group = elb.target_group(&arn)?;
    Ok(json!({ "TargetGroups": [describe(elb, group)] }))
}

/// Deleting what is not there succeeds, as on AWS.
pub(super) fn delete(base: &mut Base, elb: &mut State, request: &ApiRequest) -> Outcome {
    let arn = text(request, "TargetGroupArn")?;
    match elb.target_group(&arn) {
        Err(error) if error.code == VALIDATION => return Err(error),
        Err(_) => return Ok(Value::Null),
        Ok(_) => {}
    }
    if !elb.load_balancers_of(&arn).is_empty() {
        let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(ApiError::new("ResourceInUse", text));
    }
    elb.target_groups.remove(&arn);
    base.tags.forget(&arn);
    Ok(Value::Null)
}

fn describe(state: &State, group: &TargetGroup) -> Value {
    let mut description = group.health_check.describe();
    description["TargetGroupArn"] = json!(group.arn);
    description["TargetGroupName"] = json!(group.name);
    description["Protocol"] = json!(group.protocol);
    description["ProtocolVersion"] = json!(group.protocol_version);
    description["Port"] = json!(group.port);
    description["VpcId"] = json!(group.vpc_id);
    description["LoadBalancerArns"] = json!(state.load_balancers_of(&group.arn));
    description["TargetType"] = json!(group.target_type);
    description["IpAddressType"] = json!("ipv4");
    description
}
