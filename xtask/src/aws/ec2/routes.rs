//! Where the packets of a VPC go: route tables, NAT gateways, endpoints.

use std::collections::BTreeMap;

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};
use deploy::doctor::{Endpoint, Route, RouteTable};

use super::items;
use crate::aws::call::Op;
use crate::aws::lite::text;
use crate::aws::{Aws, Error};

const TABLES: Op = Op::read("ec2", "DescribeRouteTables");
const NAT_GATEWAYS: Op = Op::read("ec2", "DescribeNatGateways");
const ENDPOINTS: Op = Op::read("ec2", "DescribeVpcEndpoints");

impl Aws {
    /// The route tables of a VPC.
    pub async fn describe_route_tables(&self, vpc: &str) -> Result<Vec<RouteTable>, Error> {
        self.describe(TABLES, "vpc-id", &[vpc], "routeTableSet", |table: &mut RouteTable, member, element| {
            match member {
                "routeTableId" => table.id = text(element)?,
                "associationSet" => {
                    for (subnet, main) in items(element, association)? {
                        table.main |= main;
                        table.subnets.extend(subnet);
                    }
                }
                "routeSet" => table.routes = items(element, route)?,
                _ => {}
            }
            Ok(())
        })
        .await
    }

    /// The states of a VPC's NAT gateways, by id. Deleted ones are among them for an hour.
    pub async fn describe_nat_gateways(&self, vpc: &str) -> Result<BTreeMap<String, String>, Error> {
        let values = [vpc];
        let found = self.describe(
            NAT_GATEWAYS,
            "vpc-id",
            &values,
            "natGatewaySet",
            |one: &mut (String, String), member, element| {
                match member {
                    "natGatewayId" => one.0 = text(element)?,
                    "state" => one.1 = text(element)?,
                    _ => {}
                }
                Ok(())
            },
        );
        Ok(found.await?.into_iter().collect())
    }

    /// The endpoints of a VPC.
    pub async fn describe_vpc_endpoints(&self, vpc: &str) -> Result<Vec<Endpoint>, Error> {
        self.describe(ENDPOINTS, "vpc-id", &[vpc], "vpcEndpointSet", |one: &mut Endpoint, member, element| {
            match member {
                "vpcEndpointId" => one.id = text(element)?,
                "serviceName" => one.service = text(element)?,
                "vpcEndpointType" => one.interface = text(element)? == "Interface",
                "state" => one.state = text(element)?,
                "privateDnsEnabled" => one.private_dns = text(element)? == "true",
                "routeTableIdSet" => one.tables = super::texts(element)?,
                "groupSet" => one.groups = super::members(element, "groupId")?,
                _ => {}
            }
            Ok(())
        })
        .await
    }
}

fn association(
    (subnet, main): &mut (Option<String>, bool),
    member: &str,
    element: &mut ScopedDecoder<'_, '_>,
) -> Result<(), XmlDecodeError> {
    match member {
        "subnetId" => *subnet = Some(text(element)?),
        "main" => *main = text(element)? == "true",
        _ => {}
    }
    Ok(())
}

fn route(route: &mut Route, member: &str, element: &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError> {
    match member {
        "destinationCidrBlock" => route.to = text(element)?,
        "state" => route.state = text(element)?,
        // Such as `gatewayId` (`local`, `igw-…`, `vgw-…`, `vpce-…`), `natGatewayId`, `transitGatewayId`, `networkInterfaceId`.
        member
            if member.ends_with("Id")
                && member != "instanceOwnerId"
                && member != "destinationPrefixListId" =>
        {
            route.target = text(element)?;
        }
        _ => {}
    }
    Ok(())
}
