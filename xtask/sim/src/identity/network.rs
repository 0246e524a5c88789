//! Where packets go: route tables, NAT gateways and endpoints. Nothing here carries packets.
//!
//! A VPC begins with an internet gateway, a table for its public subnets, and a main table that leads to a NAT gateway.

use serde::Deserialize;
use serde_json::{Value, json};

use super::filters::{Filterable, Kind, select};
use super::state::State;
use crate::base::Base;
use crate::ids::Ids;
use crate::wire::{ApiError, ApiRequest, Outcome, list, params, text};

const ANYWHERE: &str = "0.0.0.0/0";

#[derive(Debug, Default)]
pub(super) struct Network {
    tables: Vec<RouteTable>,
    gateways: Vec<NatGateway>,
    endpoints: Vec<Endpoint>,
}

#[derive(Debug)]
struct RouteTable {
    id: String,
    vpc: String,
    /// The table of subnets that no other one names.
    main: bool,
    subnets: Vec<String>,
    /// Destination and target of routes besides the local one.
    routes: Vec<(String, String)>,
}

#[derive(Debug)]
struct NatGateway {
    id: String,
    vpc: String,
}

#[derive(Debug)]
struct Endpoint {
    id: String,
    vpc: String,
    asked: CreateEndpoint,
}

impl Network {
    pub(super) fn add_vpc(&mut self, vpc: &str, ids: &mut Ids) {
        let mut id = |prefix: &str| format!("{prefix}-0{}", ids.hex(16));
        let nat = id("nat");
        let mut table = |main, target: String| RouteTable {
            id: id("rtb"),
            vpc: vpc.to_owned(),
            main,
            subnets: Vec::new(),
            routes: vec![(ANYWHERE.to_owned(), target)],
        };
        self.tables.push(table(true, nat.clone()));
        self.tables.push(table(false, vpc.replace("vpc-", "igw-")));
        self.gateways.push(NatGateway { id: nat, vpc: vpc.to_owned() });
    }

    /// Puts a subnet on the table that leads to the internet gateway.
    pub(super) fn make_public(&mut self, vpc: &str, subnet: &str) {
        if let Some(table) = self.tables.iter_mut().find(|table| table.vpc == vpc && !table.main) {
            table.subnets.push(subnet.to_owned());
        }
    }
}

impl Filterable for RouteTable {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(match filter {
            "route-table-id" => vec![self.id.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "association.main" => vec![self.main.to_string()],
            "association.subnet-id" => self.subnets.clone(),
            _ => return None,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Filterable for NatGateway {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(match filter {
            "nat-gateway-id" => vec![self.id.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "state" => vec!["available".to_owned()],
            _ => return None,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Filterable for Endpoint {
    fn facts(&self, filter: &str) -> Option<Vec<String>> {
        Some(match filter {
            "vpc-endpoint-id" => vec![self.id.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "service-name" => vec![self.asked.service_name.clone()],
            "vpc-endpoint-type" => vec![self.asked.kind.clone()],
            "vpc-endpoint-state" => vec!["available".to_owned()],
            _ => return None,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default, rename = "RouteTableId", deserialize_with = "list")]
    tables: Vec<String>,
    #[serde(default, rename = "NatGatewayId", deserialize_with = "list")]
    gateways: Vec<String>,
    #[serde(default, rename = "VpcEndpointId", deserialize_with = "list")]
    endpoints: Vec<String>,
}

pub(super) fn describe_route_tables(base: &Base, identity: &State, request: &ApiRequest) -> Outcome {
    let Named { tables, .. } = params(request)?;
    let kind = Kind {
        prefix: "rtb-",
        name: "routeTable ID",
        malformed: "InvalidRouteTableId.Malformed",
        not_found: "InvalidRouteTableID.NotFound",
    };
    let found = select(request, &identity.network.tables, &tables, &kind)?;
    let view = |table: &RouteTable| {
        let route = |(to, target): &(String, String)| {
            let member = if target.starts_with("nat-") { "natGatewayId" } else { "gatewayId" };
            json!({ "destinationCidrBlock": to, member: target, "state": "active", "origin": "CreateRoute" })
        };
        let id = |n: usize| table.id.replace("rtb-", &format!("rtbassoc-{n}"));
        let of = |(n, subnet): (usize, &String)| json!({ "routeTableAssociationId": id(n), "routeTableId": table.id, "subnetId": subnet, "main": false });
        let mut associations: Vec<Value> = table.subnets.iter().enumerate().map(of).collect();
        if table.main {
            associations
                .push(json!({ "routeTableAssociationId": id(0), "routeTableId": table.id, "main": true }));
        }
        json!({
            "routeTableId": table.id,
            "vpcId": table.vpc,
            "ownerId": base.settings.account,
            "associationSet": associations,
            "routeSet": table.routes.iter().map(route).collect::<Vec<_>>(),
        })
    };
    Ok(json!({ "routeTableSet": found.into_iter().map(view).collect::<Vec<_>>() }))
}

pub(super) fn describe_nat_gateways(identity: &State, request: &ApiRequest) -> Outcome {
    let Named { gateways, .. } = params(request)?;
    let kind = Kind {
        prefix: "nat-",
        name: "Nat Gateway",
        malformed: "NatGatewayMalformed",
        not_found: "NatGatewayNotFound",
    };
    let found = select(request, &identity.network.gateways, &gateways, &kind)?;
    let view = |gateway: &NatGateway| json!({ "natGatewayId": gateway.id, "vpcId": gateway.vpc, "state": "available", "connectivityType": "public" });
    Ok(json!({ "natGatewaySet": found.into_iter().map(view).collect::<Vec<_>>() }))
}

pub(super) fn describe_endpoints(identity: &State, request: &ApiRequest) -> Outcome {
    let Named { endpoints, .. } = params(request)?;
    let kind = Kind {
        prefix: "vpce-",
        name: "Vpc Endpoint Id",
        malformed: "InvalidVpcEndpointId.Malformed",
        not_found: "InvalidVpcEndpointId.NotFound",
    };
    let found = select(request, &identity.network.endpoints, &endpoints, &kind)?;
    Ok(json!({ "vpcEndpointSet": found.into_iter().map(Endpoint::view).collect::<Vec<_>>() }))
}

impl Endpoint {
    fn view(&self) -> Value {
        let groups = self.asked.security_group_ids.iter().map(|id| json!({ "groupId": id }));
        json!({
            "vpcEndpointId": self.id,
            "vpcId": self.vpc,
            "vpcEndpointType": self.asked.kind,
            "serviceName": self.asked.service_name,
            "state": "available",
            "privateDnsEnabled": self.asked.kind == "Interface" && self.asked.private_dns_enabled != "false",
            "subnetIdSet": self.asked.subnet_ids,
            "routeTableIdSet": self.asked.route_table_ids,
            "groupSet": groups.collect::<Vec<_>>(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateEndpoint {
    vpc_id: String,
    service_name: String,
    #[serde(default = "gateway", rename = "VpcEndpointType")]
    kind: String,
    #[serde(default, rename = "SubnetId", deserialize_with = "list")]
    subnet_ids: Vec<String>,
    #[serde(default, rename = "SecurityGroupId", deserialize_with = "list")]
    security_group_ids: Vec<String>,
    #[serde(default, rename = "RouteTableId", deserialize_with = "list")]
    route_table_ids: Vec<String>,
    #[serde(default)]
    private_dns_enabled: String,
}

/// CreateVpcEndpoint makes a gateway endpoint unless it is asked for another type.
fn gateway() -> String {
    "Gateway".to_owned()
}

pub(super) fn create_endpoint(base: &mut Base, identity: &mut State, request: &ApiRequest) -> Outcome {
    let asked: CreateEndpoint = params(request)?;
    if !identity.has_vpc(&asked.vpc_id) {
        let text = format!("The Vpc Id {} does not exist", asked.vpc_id);
        return Err(ApiError::new("InvalidVpcId.NotFound", text));
    }
    let (id, vpc) = (format!("vpce-0{}", base.ids.hex(16)), asked.vpc_id.clone());
    let made = Endpoint { id, vpc, asked };
    let view = made.view();
    identity.network.endpoints.push(made);
    Ok(json!({ "vpcEndpoint": view }))
}

fn table<'a>(
    identity: &'a mut State,
    request: &ApiRequest,
) -> Result<(&'a mut RouteTable, String), ApiError> {
    let id = text(request, "RouteTableId")?;
    let absent =
        || ApiError::new("InvalidRouteTableID.NotFound", format!("The routeTable ID '{id}' does not exist"));
    let table = identity.network.tables.iter_mut().find(|table| table.id == id).ok_or_else(absent)?;
    Ok((table, text(request, "DestinationCidrBlock")?))
}

pub(super) fn create_route(identity: &mut State, request: &ApiRequest) -> Outcome {
    let target = text(request, "NatGatewayId").or_else(|_| text(request, "GatewayId"))?;
    let (table, to) = table(identity, request)?;
    if table.routes.iter().any(|(own, _)| *own == to) {
        let text = format!("The route identified by {to} already exists.");
        return Err(ApiError::new("RouteAlreadyExists", text));
    }
    table.routes.push((to, target));
    Ok(json!({ "return": true }))
}

pub(super) fn delete_route(identity: &mut State, request: &ApiRequest) -> Outcome {
    let (table, to) = table(identity, request)?;
    let before = table.routes.len();
    table.routes.retain(|(own, _)| *own != to);
    if table.routes.len() == before {
        let text = format!("no route with destination-cidr-block {to} in route table {}", table.id);
        return Err(ApiError::new("InvalidRoute.NotFound", text));
    }
    Ok(json!({ "return": true }))
}
