//! Security groups and what they let in. Nothing here enforces them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ec2::{name_tag, tag_fact};
use super::filters::{Filterable, Kind, select};
use super::state::SecurityGroup;
use super::state::State;
use crate::base::Base;
use crate::wire::{ApiError, ApiRequest, Outcome, leaf, list, params, text};

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default, rename = "GroupId", deserialize_with = "list")]
    group_ids: Vec<String>,
    #[serde(default, rename = "GroupName", deserialize_with = "list")]
    group_names: Vec<String>,
}

pub(super) fn describe(base: &Base, identity: &State, request: &ApiRequest) -> Outcome {
    let named: Named = params(request)?;
    if let Some(name) = named.group_names.first() {
        // Names are only valid in a default VPC, which the landing zone does not have; callers use the filter.
        let text = format!("The security group '{name}' does not exist in default VPC");
        return Err(ApiError::new("InvalidGroup.NotFound", text));
    }
    let kind = Kind {
        prefix: "sg-",
        name: "security group",
        malformed: "InvalidGroupId.Malformed",
        not_found: "InvalidGroup.NotFound",
    };
    let found = select(request, &identity.security_groups, &named.group_ids, &kind)?;
    let items: Vec<Value> = found.into_iter().map(|group| group.describe(base)).collect();
    Ok(json!({ "securityGroupInfo": items }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Permission {
    ip_protocol: String,
    #[serde(default, deserialize_with = "leaf")]
    from_port: Option<u16>,
    #[serde(default, deserialize_with = "leaf")]
    to_port: Option<u16>,
    #[serde(default, deserialize_with = "list")]
    ip_ranges: Vec<Range>,
    #[serde(default, deserialize_with = "list")]
    groups: Vec<Peer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    cidr_ip: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Peer {
    group_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ingress {
    #[serde(default, deserialize_with = "list")]
    ip_permissions: Vec<Permission>,
}

/// Single ports, and who is let in.
type Ports = Vec<(u16, String)>;

/// The group of a request, and what it is about.
fn asked<'a>(
    identity: &'a mut State,
    request: &ApiRequest,
) -> Result<(&'a mut SecurityGroup, Ports), ApiError> {
    let id = text(request, "GroupId")?;
    let Ingress { ip_permissions } = params(request)?;
    let mut ports = Vec::new();
    for permission in ip_permissions {
        let Some(port) = permission.from_port.filter(|port| {
            permission.to_port.is_none_or(|to| to == *port) && permission.ip_protocol == "tcp"
        }) else {
            let text = "the embedded cloud knows rules of TCP and one port";
            return Err(ApiError::new("InvalidParameterValue", text));
        };
        ports.extend(permission.ip_ranges.into_iter().map(|range| (port, range.cidr_ip)));
        ports.extend(permission.groups.into_iter().map(|peer| (port, peer.group_id)));
    }
    let absent =
        || ApiError::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"));
    let group = identity.security_groups.iter_mut().find(|group| group.id == id).ok_or_else(absent)?;
    Ok((group, ports))
}

pub(super) fn authorize(identity: &mut State, request: &ApiRequest) -> Outcome {
    let (group, ports) = asked(identity, request)?;
    if ports.iter().any(|port| group.ingress.contains(port)) {
        let text = "the specified rule already exists";
        return Err(ApiError::new("InvalidPermission.Duplicate", text));
    }
    group.ingress.extend(ports);
    Ok(json!({ "return": true }))
}

pub(super) fn revoke(identity: &mut State, request: &ApiRequest) -> Outcome {
    let (group, ports) = asked(identity, request)?;
    if ports.iter().any(|port| !group.ingress.contains(port)) {
        let text = "The specified rule does not exist in this security group.";
        return Err(ApiError::new("InvalidPermission.NotFound", text));
    }
    group.ingress.retain(|port| !ports.contains(port));
    Ok(json!({ "return": true }))
}

impl Filterable for SecurityGroup {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(vec![match filter {
            "group-id" => self.id.clone(),
            "group-name" => self.name.clone(),
            "vpc-id" => self.vpc_id.clone(),
            _ => return tag_fact(filter, &self.name),
        }])
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl SecurityGroup {
    fn describe(&self, base: &Base) -> Value {
        let owner = &base.settings.account;
        let rule = |(port, source): &(u16, String)| {
            let of = if source.starts_with("sg-") {
                json!({ "groups": [{ "groupId": source, "userId": owner }] })
            } else {
                json!({ "ipRanges": [{ "cidrIp": source }] })
            };
            let mut rule = json!({ "ipProtocol": "tcp", "fromPort": port, "toPort": port });
            if let (Value::Object(rule), Value::Object(of)) = (&mut rule, of) {
                rule.extend(of);
            }
            rule
        };
        let ingress: Vec<Value> = self.ingress.iter().map(rule).collect();
        json!({
            "groupId": self.id,
            "groupName": self.name,
            "groupDescription": self.name,
            "securityGroupArn": base.arn("ec2", &format!("security-group/{}", self.id)),
            "ownerId": owner,
            "vpcId": self.vpc_id,
            "ipPermissions": ingress,
            "ipPermissionsEgress": [{ "ipProtocol": "-1", "ipRanges": [{ "cidrIp": "0.0.0.0/0" }] }],
            "tagSet": name_tag(&self.name),
        })
    }
}
