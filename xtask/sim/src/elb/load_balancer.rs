//! Load balancers: create, describe, delete, and where they stand. Only application load balancers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{VALIDATION, invalid};
use super::state::Due;
use super::state::State;
use super::{associations, attributes, names};
use crate::base::{Base, Millis, Tag, tags};
use crate::identity;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, iso8601, list, listing, params, text};

#[derive(Debug)]
pub(crate) struct LoadBalancer {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) dns_name: String,
    scheme: String,
    vpc_id: String,
    /// `(availability zone, subnet id)`.
    zones: Vec<(String, String)>,
    security_groups: Vec<String>,
    created: Millis,
    pub(super) active: bool,
    /// Why it could not be set up, when it could not.
    pub(super) failed: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
}

/// A new load balancer is `provisioning` for about two minutes on AWS; not at all where someone waits.
const PROVISIONING_MS: u64 = 120_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    #[serde(default, deserialize_with = "list")]
    security_groups: Vec<String>,
    scheme: Option<String>,
    r#type: Option<String>,
    ip_address_type: Option<String>,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SubnetMapping {
    subnet_id: String,
}

/// The subnets of a request, in either way that it may name them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subnets {
    #[serde(default, deserialize_with = "list")]
    subnets: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    subnet_mappings: Vec<SubnetMapping>,
}

pub(super) fn create(
    base: &mut Base,
    elb: &mut State,
    identity: &identity::State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let asked: Create = params(request)?;
    names::check("Load balancer", &asked.name)?;
    tags::check(Api::Elb, &asked.tags)?;
    if asked.r#type.as_deref().is_some_and(|kind| kind != "application") {
        return Err(ApiError::new("OperationNotPermitted", "Only application load balancers are served"));
    }
    if asked.ip_address_type.as_deref().is_some_and(|kind| kind != "ipv4") {
        return Err(ApiError::new("InvalidConfigurationRequest", "The VPC has no IPv6 CIDR block"));
    }
    let scheme = asked.scheme.unwrap_or_else(|| "internet-facing".to_owned());
    if !matches!(scheme.as_str(), "internet-facing" | "internal") {
        return Err(ApiError::new("InvalidScheme", format!("The scheme '{scheme}' is not valid")));
    }
    let (vpc_id, zones) = place(identity, request)?;
    check_security_groups(identity, &vpc_id, &asked.security_groups)?;
    if let Some(existing) = elb.load_balancers.values().find(|own| own.name == asked.name) {
        let same = existing.scheme == scheme
            && existing.zones == zones
            && existing.security_groups == sorted(&asked.security_groups);
        return if same {
            Ok(json!({ "LoadBalancers": [existing.describe()] }))
        } else {
            let text = format!(
                "A load balancer with the same name '{}' exists, but with different settings",
                asked.name
            );
            Err(ApiError::new("DuplicateLoadBalancerName", text))
        };
    }
    let name = asked.name;
    let path = format!("loadbalancer/app/{name}/{}", base.ids.hex(16));
    let prefix = if scheme == "internal" { "internal-" } else { "" };
    let brisk = base.settings.pace.first_checks_ms.is_some();
    let balancer = LoadBalancer {
        arn: base.arn("elasticloadbalancing", &path),
        dns_name: format!(
            "{prefix}{name}-{}.{}.elb.amazonaws.com",
            base.ids.digits(10),
            base.settings.region
        ),
        name,
        scheme,
        vpc_id,
        zones,
        security_groups: sorted(&asked.security_groups),
        created: now,
        active: false,
        failed: None,
        attributes: attributes::load_balancer_defaults(),
    };
    base.tags.put(&balancer.arn, asked.tags);
    let active = Due::Active { load_balancer: balancer.arn.clone() };
    let provisioned = if brisk { now } else { now.plus_millis(PROVISIONING_MS) };
    elb.timers.push(base.moment(provisioned), active);
    let description = balancer.describe();
    elb.load_balancers.insert(balancer.arn.clone(), balancer);
    Ok(json!({ "LoadBalancers": [description] }))
}

/// The VPC and the zones of the subnets that a request names.
fn place(
    identity: &identity::State,
    request: &ApiRequest,
) -> Result<(String, Vec<(String, String)>), ApiError> {
    let Subnets { subnets, subnet_mappings } = params(request)?;
    let mut zones = Vec::new();
    let mut vpc_id = None;
    for id in subnets.iter().chain(subnet_mappings.iter().map(|mapping| &mapping.subnet_id)) {
        let subnet = identity::subnet(identity, id)
            .ok_or_else(|| ApiError::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist")))?;
        if vpc_id.get_or_insert_with(|| subnet.vpc_id.clone()) != &subnet.vpc_id {
            let text = "All subnets must belong to the same VPC";
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
        if zones.iter().any(|(zone, _)| *zone == subnet.zone) {
            let text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
        zones.push((subnet.zone.clone(), id.clone()));
    }
    match vpc_id {
        // An application load balancer has at least two zones, and one subnet in each (CreateLoadBalancer, `Subnets`).
        Some(vpc_id) if zones.len() >= 2 => {
            zones.sort();
            Ok((vpc_id, zones))
        }
        _ => Err(invalid("At least two subnets in two different Availability Zones must be specified")),
    }
}

fn check_security_groups(
    identity: &identity::State,
    vpc_id: &str,
    groups: &[String],
) -> Result<(), ApiError> {
    for id in groups {
        if identity::security_group(identity, id).is_none_or(|group| group.vpc_id != vpc_id) {
            let text = "One or more security groups are invalid";
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
    }
    Ok(())
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    ids
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default, deserialize_with = "list")]
    load_balancer_arns: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    names: Vec<String>,
}

pub(super) fn describe_all(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let state = elb;
    if !asked.names.is_empty() && !asked.load_balancer_arns.is_empty() {
        return Err(invalid(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    }
    let mut found: Vec<&LoadBalancer> = Vec::new();
    for arn in &asked.load_balancer_arns {
        found.push(state.load_balancer(arn).map_err(|error| match error.code {
            VALIDATION => error,
            code => ApiError::new(code, "One or more load balancers not found"),
        })?);
    }
    for name in &asked.names {
        found.push(state.load_balancers.values().find(|own| own.name == *name).ok_or_else(|| {
            ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found"))
        })?);
    }
    if asked.names.is_empty() && asked.load_balancer_arns.is_empty() {
        found.extend(state.load_balancers.values());
    }
    listing(request, "LoadBalancers", (400, 400), found, LoadBalancer::describe)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    load_balancer_arn: String,
    #[serde(default, deserialize_with = "list")]
    security_groups: Vec<String>,
}

/// From now on the load balancer of this name is one that AWS could not set up: it routes nothing and checks no target.
pub(crate) fn fail(base: &mut Base, elb: &mut State, now: Millis, name: &str, reason: &str) {
    let balancers = elb.load_balancers.values_mut().filter(|own| own.name == name);
    balancers.for_each(|own| own.failed = Some(reason.to_owned()));
    associations::refresh(base, elb, now);
}

/// Deletes a load balancer with its listeners and rules. Deleting what is not there succeeds, as on AWS.
pub(super) fn delete(base: &mut Base, elb: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let arn = text(request, "LoadBalancerArn")?;
    match elb.load_balancer(&arn) {
        Err(error) if error.code == VALIDATION => return Err(error),
        Err(_) => return Ok(Value::Null),
        Ok(balancer)
            if balancer.attributes.get(attributes::DELETION_PROTECTION).is_some_and(|on| on == "true") =>
        {
            let text =
                format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
            return Err(ApiError::new("OperationNotPermitted", text));
        }
        Ok(_) => {}
    }
    elb.load_balancers.remove(&arn);
    let own = elb.listeners.values().filter(|own| own.load_balancer == arn);
    for listener in own.map(|own| own.arn.clone()).collect::<Vec<_>>() {
        super::listener::remove(base, elb, &listener);
    }
    base.tags.forget(&arn);
    associations::refresh(base, elb, now);
    Ok(Value::Null)
}

pub(super) fn set_security_groups(
    elb: &mut State,
    identity: &identity::State,
    request: &ApiRequest,
) -> Outcome {
    let asked: Set = params(request)?;
    let vpc_id = elb.load_balancer(&asked.load_balancer_arn)?.vpc_id.clone();
    if asked.security_groups.is_empty() {
        return Err(invalid("At least one security group must be specified"));
    }
    check_security_groups(identity, &vpc_id, &asked.security_groups)?;
    let balancer = elb.load_balancer_mut(&asked.load_balancer_arn)?;
    balancer.security_groups = sorted(&asked.security_groups);
    Ok(json!({ "SecurityGroupIds": balancer.security_groups }))
}

pub(super) fn set_subnets(elb: &mut State, identity: &identity::State, request: &ApiRequest) -> Outcome {
    let asked: Set = params(request)?;
    let vpc_id = elb.load_balancer(&asked.load_balancer_arn)?.vpc_id.clone();
    let (new_vpc, zones) = place(identity, request)?;
    if new_vpc != vpc_id {
        return Err(ApiError::new("InvalidSubnet", "All subnets must belong to the load balancer's VPC"));
    }
    let balancer = elb.load_balancer_mut(&asked.load_balancer_arn)?;
    balancer.zones = zones;
    Ok(json!({ "AvailabilityZones": balancer.describe_zones(), "IpAddressType": "ipv4" }))
}

impl LoadBalancer {
    fn describe(&self) -> Value {
        json!({
            "LoadBalancerArn": self.arn,
            "DNSName": self.dns_name,
            "CanonicalHostedZoneId": "Z1LMS91P8CMLE5",
            "CreatedTime": iso8601(self.created),
            "LoadBalancerName": self.name,
            "Scheme": self.scheme,
            "VpcId": self.vpc_id,
            "State": self.describe_state(),
            "Type": "application",
            "AvailabilityZones": self.describe_zones(),
            "SecurityGroups": self.security_groups,
            "IpAddressType": "ipv4",
        })
    }

    fn describe_state(&self) -> Value {
        match &self.failed {
            Some(reason) => json!({ "Code": "failed", "Reason": reason }),
            None => json!({ "Code": if self.active { "active" } else { "provisioning" } }),
        }
    }

    fn describe_zones(&self) -> Value {
        let zones = self.zones.iter();
        zones
            .map(
                |(zone, subnet)| json!({ "ZoneName": zone, "SubnetId": subnet, "LoadBalancerAddresses": [] }),
            )
            .collect()
    }
}
