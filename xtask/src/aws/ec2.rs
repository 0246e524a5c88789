//! Amazon EC2: what a network is called and where it is. Reads only.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use deploy::doctor::FirewallRule;

use super::call::Op;
use super::lite::{Api, children, read, text};
use super::{Aws, Error};

mod routes;

const VPCS: Op = Op::read("ec2", "DescribeVpcs");
const SUBNETS: Op = Op::read("ec2", "DescribeSubnets");
const GROUPS: Op = Op::read("ec2", "DescribeSecurityGroups");
const VERSION: &str = "2016-11-15";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vpc {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    pub vpc: String,
    pub zone: String,
    pub cidr: String,
    pub free_addresses: u64,
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    pub id: String,
    pub vpc: String,
    pub group_name: String,
    pub name: Option<String>,
    pub ingress: Vec<FirewallRule>,
    pub egress: Vec<FirewallRule>,
}

impl Aws {
    /// The VPCs that a filter such as `vpc-id` or `tag:Name` lets through; none is no error.
    pub async fn describe_vpcs(&self, filter: &str, values: &[&str]) -> Result<Vec<Vpc>, Error> {
        self.describe(VPCS, filter, values, "vpcSet", |vpc: &mut Vpc, member, element| {
            match member {
                "vpcId" => vpc.id = text(element)?,
                "tagSet" => vpc.name = name_tag(element)?,
                _ => {}
            }
            Ok(())
        })
        .await
    }

    /// The subnets that a filter such as `subnet-id` or `tag:Name` lets through; none is no error.
    pub async fn describe_subnets(&self, filter: &str, values: &[&str]) -> Result<Vec<Subnet>, Error> {
        self.describe(SUBNETS, filter, values, "subnetSet", |subnet: &mut Subnet, member, element| {
            match member {
                "subnetId" => subnet.id = text(element)?,
                "vpcId" => subnet.vpc = text(element)?,
                "availabilityZone" => subnet.zone = text(element)?,
                "cidrBlock" => subnet.cidr = text(element)?,
                "availableIpAddressCount" => {
                    subnet.free_addresses = text(element)?.parse().unwrap_or_default();
                }
                "tagSet" => subnet.name = name_tag(element)?,
                _ => {}
            }
            Ok(())
        })
        .await
    }

    /// The security groups that a filter such as `group-id`, `group-name` or `tag:Name` lets through; none is no error.
    pub async fn describe_security_groups(
        &self,
        filter: &str,
        values: &[&str],
    ) -> Result<Vec<SecurityGroup>, Error> {
        self.describe(
            GROUPS,
            filter,
            values,
            "securityGroupInfo",
            |group: &mut SecurityGroup, member, element| {
                match member {
                    "groupId" => group.id = text(element)?,
                    "vpcId" => group.vpc = text(element)?,
                    "groupName" => group.group_name = text(element)?,
                    "ipPermissions" => group.ingress = items(element, rule)?,
                    "ipPermissionsEgress" => group.egress = items(element, rule)?,
                    "tagSet" => group.name = name_tag(element)?,
                    _ => {}
                }
                Ok(())
            },
        )
        .await
    }

    /// One describing operation with one filter, all its pages. Filters, unlike lists of ids, do not fail
    /// on what does not exist.
    async fn describe<T: Default>(
        &self,
        op: Op,
        filter: &str,
        values: &[&str],
        set: &str,
        member: impl Fn(&mut T, &str, &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let mut next = String::new();
        // Without a value there would be no filter, and every network of the account would be listed.
        while !values.is_empty() {
            let mut members = vec![("Filter.1.Name".to_owned(), filter.to_owned())];
            let numbered = values.iter().zip(1..);
            members.extend(numbered.map(|(value, n)| (format!("Filter.1.Value.{n}"), (*value).to_owned())));
            if !next.is_empty() {
                members.push(("NextToken".to_owned(), std::mem::take(&mut next)));
            }
            let body = self.call(op, || self.lite.query(Api::Ec2, op.name, VERSION, &members)).await?;
            let page = read(&body, |root| {
                children(root, |name, element| {
                    if name == "nextToken" {
                        next = text(element)?;
                    } else if name == set {
                        found.extend(items(element, &member)?);
                    }
                    Ok(())
                })
            });
            page.map_err(|why| Error::unreadable(op, &body, &why))?;
            if next.is_empty() {
                break;
            }
        }
        Ok(found)
    }
}

/// The `<item>`s of a set.
fn items<T: Default>(
    set: &mut ScopedDecoder<'_, '_>,
    member: impl Fn(&mut T, &str, &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<Vec<T>, XmlDecodeError> {
    let mut list = Vec::new();
    children(set, |_, element| {
        let mut item = T::default();
        children(element, |name, element| member(&mut item, name, element))?;
        list.push(item);
        Ok(())
    })?;
    Ok(list)
}

/// The texts of a set of `<item>`s without members.
fn texts(set: &mut ScopedDecoder<'_, '_>) -> Result<Vec<String>, XmlDecodeError> {
    let mut list = Vec::new();
    children(set, |_, element| {
        list.push(text(element)?);
        Ok(())
    })?;
    Ok(list)
}

/// One member of each `<item>` of a set.
fn members(set: &mut ScopedDecoder<'_, '_>, wanted: &str) -> Result<Vec<String>, XmlDecodeError> {
    items(set, |found: &mut String, name, element| {
        if name == wanted {
            *found = text(element)?;
        }
        Ok(())
    })
}

/// A member of `ipPermissions`. It has no ports where its protocol has none, or all of them are meant.
fn rule(
    rule: &mut FirewallRule,
    name: &str,
    element: &mut ScopedDecoder<'_, '_>,
) -> Result<(), XmlDecodeError> {
    let mut port = |from: bool| {
        let port = text(element)?.parse().unwrap_or(0);
        let (first, last) = rule.ports.unwrap_or((port, port));
        rule.ports = Some(if from { (port, last) } else { (first, port) });
        Ok(())
    };
    match name {
        "fromPort" => return port(true),
        "toPort" => return port(false),
        "ipProtocol" => rule.protocol = text(element)?,
        "groups" => rule.peers.extend(members(element, "groupId")?),
        "ipRanges" => rule.peers.extend(members(element, "cidrIp")?),
        "prefixListIds" => rule.peers.extend(members(element, "prefixListId")?),
        _ => {}
    }
    Ok(())
}

#[derive(Default)]
struct Tag {
    key: String,
    value: String,
}

fn name_tag(set: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let tags = items(set, |tag: &mut Tag, name, element| {
        match name {
            "key" => tag.key = text(element)?,
            "value" => tag.value = text(element)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(tags.into_iter().find(|tag| tag.key == "Name").map(|tag| tag.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_set_of_tags_is_read_and_unknown_members_are_passed_over() {
        let xml = br#"<DescribeSubnetsResponse xmlns="x"><requestId>r</requestId><subnetSet>
            <item><subnetId>subnet-1</subnetId><ipv6CidrBlockAssociationSet/><vpcId>vpc-1</vpcId>
              <tagSet><item><key>env</key><value>prod</value></item><item><key>Name</key><value>a &amp; b</value></item></tagSet></item>
            <item><subnetId>subnet-2</subnetId></item></subnetSet></DescribeSubnetsResponse>"#;
        let mut found: Vec<(String, Option<String>)> = Vec::new();
        read(xml, |root| {
            children(root, |name, element| {
                if name == "subnetSet" {
                    found = items(element, |item: &mut (String, Option<String>), name, element| {
                        match name {
                            "subnetId" => item.0 = text(element)?,
                            "tagSet" => item.1 = name_tag(element)?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                }
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(found, [("subnet-1".into(), Some("a & b".into())), ("subnet-2".into(), None)]);
    }
}
