//! DescribeVpcs and DescribeSubnets, in the names of EC2's XML (`vpcSet`, `tagSet`).

use serde::Deserialize;
use serde_json::{Value, json};

use super::filters::{Filterable, Kind, select};
use super::state::State;
use super::state::{Subnet, Vpc};
use crate::base::Base;
use crate::wire::{ApiRequest, Outcome, list, params};

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default, rename = "VpcId", deserialize_with = "list")]
    vpc_ids: Vec<String>,
    #[serde(default, rename = "SubnetId", deserialize_with = "list")]
    subnet_ids: Vec<String>,
}

pub(super) fn describe_vpcs(base: &Base, identity: &State, request: &ApiRequest) -> Outcome {
    let named: Named = params(request)?;
    let kind = Kind {
        prefix: "vpc-",
        name: "vpc ID",
        malformed: "InvalidVpcId.Malformed",
        not_found: "InvalidVpcID.NotFound",
    };
    let found = select(request, &identity.vpcs, &named.vpc_ids, &kind)?;
    let items: Vec<Value> = found.into_iter().map(|vpc| vpc.describe(base)).collect();
    Ok(json!({ "vpcSet": items }))
}

pub(super) fn describe_subnets(base: &Base, identity: &State, request: &ApiRequest) -> Outcome {
    let named: Named = params(request)?;
    let kind = Kind {
        prefix: "subnet-",
        name: "subnet ID",
        malformed: "InvalidSubnetID.Malformed",
        not_found: "InvalidSubnetID.NotFound",
    };
    let found = select(request, &identity.subnets, &named.subnet_ids, &kind)?;
    let items: Vec<Value> = found.into_iter().map(|subnet| subnet.describe(base)).collect();
    Ok(json!({ "subnetSet": items }))
}

pub(super) fn name_tag(name: &str) -> Value {
    json!([{ "key": "Name", "value": name }])
}

/// The tag filters that all resources share; a resource's only tag is its `Name`.
pub(super) fn tag_fact(filter: &str, name: &str) -> Option<Vec<String>> {
    match filter {
        "tag:Name" => Some(vec![name.to_owned()]),
        "tag-key" => Some(vec!["Name".to_owned()]),
        _ => filter.starts_with("tag:").then(Vec::new),
    }
}

impl Filterable for Vpc {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(vec![match filter {
            "vpc-id" => self.id.clone(),
            "cidr" | "cidr-block-association.cidr-block" => self.cidr.clone(),
            "state" => "available".to_owned(),
            "is-default" | "isDefault" => "false".to_owned(),
            _ => return tag_fact(filter, &self.name),
        }])
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Vpc {
    fn describe(&self, base: &Base) -> Value {
        json!({
            "vpcId": self.id,
            "ownerId": base.settings.account,
            "state": "available",
            "cidrBlock": self.cidr,
            "cidrBlockAssociationSet": [{
                "associationId": self.id.replace("vpc-", "vpc-cidr-assoc-"),
                "cidrBlock": self.cidr,
                "cidrBlockState": { "state": "associated" },
            }],
            "ipv6CidrBlockAssociationSet": [],
            "dhcpOptionsId": self.id.replace("vpc-", "dopt-"),
            "instanceTenancy": "default",
            "isDefault": false,
            "tagSet": name_tag(&self.name),
        })
    }
}

impl Filterable for Subnet {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(vec![match filter {
            "subnet-id" => self.id.clone(),
            "vpc-id" => self.vpc_id.clone(),
            // Some filters have several names (DescribeSubnets, `Filters`).
            "cidr" | "cidr-block" | "cidrBlock" => self.cidr(),
            "availability-zone" | "availabilityZone" => self.zone.clone(),
            "map-public-ip-on-launch" => self.public.to_string(),
            "state" => "available".to_owned(),
            "default-for-az" | "defaultForAz" => "false".to_owned(),
            _ => return tag_fact(filter, &self.name),
        }])
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Subnet {
    fn describe(&self, base: &Base) -> Value {
        json!({
            "subnetId": self.id,
            "subnetArn": base.arn("ec2", &format!("subnet/{}", self.id)),
            "ownerId": base.settings.account,
            "vpcId": self.vpc_id,
            "state": "available",
            "cidrBlock": self.cidr(),
            "availabilityZone": self.zone,
            "availableIpAddressCount": self.free_addresses(),
            "ipv6CidrBlockAssociationSet": [],
            "enableDns64": false,
            "ipv6Native": false,
            "defaultForAz": false,
            "mapPublicIpOnLaunch": self.public,
            "assignIpv6AddressOnCreation": false,
            "tagSet": name_tag(&self.name),
        })
    }
}
