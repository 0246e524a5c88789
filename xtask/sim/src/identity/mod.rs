//! The landing zone: network, roles and the caller's identity, as EC2, IAM and STS show them. Read only: a
//! deployment finds these things, it does not make them.

mod ec2;
mod filters;
mod groups;
mod network;
mod rights;
mod roles;
mod sessions;
mod state;

pub(crate) use roles::role_exists;
pub(crate) use sessions::{caller_arn, is_expired};
pub(crate) use state::State;
pub(crate) use state::{SecurityGroup, Subnet};

use crate::base::Handler;
use crate::wire::Operations;

/// The subnet with this id.
pub(crate) fn subnet<'a>(identity: &'a State, id: &str) -> Option<&'a Subnet> {
    identity.subnets.iter().find(|subnet| subnet.id == id)
}

/// The security group with this id.
pub(crate) fn security_group<'a>(identity: &'a State, id: &str) -> Option<&'a SecurityGroup> {
    identity.security_groups.iter().find(|group| group.id == id)
}

pub(crate) const STS: Operations<Handler<State>> = &[
    ("AssumeRole", sessions::assume_role),
    ("AssumeRoleWithWebIdentity", sessions::assume_role),
    ("GetSessionToken", sessions::session_token),
    ("GetCallerIdentity", |base, identity, _, request| {
        Ok(sessions::caller_identity(base, identity, request))
    }),
];

pub(crate) const IAM: Operations<Handler<State>> = &[
    ("DeleteRolePolicy", |_, identity, _, request| rights::delete_policy(identity, request)),
    ("DeleteUserPolicy", |_, identity, _, request| rights::delete_policy(identity, request)),
    ("GetRole", |_, identity, _, request| roles::get_role(identity, request)),
    ("PutRolePolicy", |_, identity, _, request| rights::put_policy(identity, request)),
    ("PutUserPolicy", |_, identity, _, request| rights::put_policy(identity, request)),
    ("SimulatePrincipalPolicy", |_, identity, _, request| rights::simulate(identity, request)),
    ("UpdateAssumeRolePolicy", |_, identity, _, request| roles::update_trust(identity, request)),
];

pub(crate) const EC2: Operations<Handler<State>> = &[
    ("AuthorizeSecurityGroupIngress", |_, identity, _, request| groups::authorize(identity, request)),
    ("CreateRoute", |_, identity, _, request| network::create_route(identity, request)),
    ("CreateVpcEndpoint", |base, identity, _, request| network::create_endpoint(base, identity, request)),
    ("DeleteRoute", |_, identity, _, request| network::delete_route(identity, request)),
    ("DescribeNatGateways", |_, identity, _, request| network::describe_nat_gateways(identity, request)),
    ("DescribeRouteTables", |base, identity, _, request| {
        network::describe_route_tables(base, identity, request)
    }),
    ("DescribeSecurityGroups", |base, identity, _, request| groups::describe(base, identity, request)),
    ("DescribeSubnets", |base, identity, _, request| ec2::describe_subnets(base, identity, request)),
    ("DescribeVpcEndpoints", |_, identity, _, request| network::describe_endpoints(identity, request)),
    ("DescribeVpcs", |base, identity, _, request| ec2::describe_vpcs(base, identity, request)),
    ("RevokeSecurityGroupIngress", |_, identity, _, request| groups::revoke(identity, request)),
];

#[cfg(test)]
mod tests;
