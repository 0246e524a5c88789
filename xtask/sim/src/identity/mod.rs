//! The landing zone: network, roles and the caller's identity, as EC2, IAM and STS show them. Read only: a
//! deployment finds these things, it does not make them.

mod ec2;
mod filters;
mod groups;
mod landing_zone;
mod network;
mod rights;
mod roles;
mod sessions;
mod state;

pub use landing_zone::{LandingZone, Named, ZoneGroup, ZoneSubnet};
pub(crate) use roles::role_exists;
pub(crate) use sessions::{caller_arn, is_expired};
pub(crate) use state::State;
pub(crate) use state::{SecurityGroup, Subnet};

use crate::account::{Account, Operations};

/// The subnet with this id.
pub(crate) fn subnet<'a>(account: &'a Account, id: &str) -> Option<&'a Subnet> {
    account.identity.subnets.iter().find(|subnet| subnet.id == id)
}

/// The security group with this id.
pub(crate) fn security_group<'a>(account: &'a Account, id: &str) -> Option<&'a SecurityGroup> {
    account.identity.security_groups.iter().find(|group| group.id == id)
}

pub(crate) const STS: Operations = &[
    ("AssumeRole", sessions::assume_role),
    ("AssumeRoleWithWebIdentity", sessions::assume_role),
    ("GetSessionToken", sessions::session_token),
    ("GetCallerIdentity", |account, _, request| Ok(sessions::caller_identity(account, request))),
];

pub(crate) const IAM: Operations = &[
    ("DeleteRolePolicy", |account, _, request| rights::delete_policy(account, request)),
    ("DeleteUserPolicy", |account, _, request| rights::delete_policy(account, request)),
    ("GetRole", |account, _, request| roles::get_role(account, request)),
    ("PutRolePolicy", |account, _, request| rights::put_policy(account, request)),
    ("PutUserPolicy", |account, _, request| rights::put_policy(account, request)),
    ("SimulatePrincipalPolicy", |account, _, request| rights::simulate(account, request)),
    ("UpdateAssumeRolePolicy", |account, _, request| roles::update_trust(account, request)),
];

pub(crate) const EC2: Operations = &[
    ("AuthorizeSecurityGroupIngress", |account, _, request| groups::authorize(account, request)),
    ("CreateRoute", |account, _, request| network::create_route(account, request)),
    ("CreateVpcEndpoint", |account, _, request| network::create_endpoint(account, request)),
    ("DeleteRoute", |account, _, request| network::delete_route(account, request)),
    ("DescribeNatGateways", |account, _, request| network::describe_nat_gateways(account, request)),
    ("DescribeRouteTables", |account, _, request| network::describe_route_tables(account, request)),
    ("DescribeSecurityGroups", |account, _, request| groups::describe(account, request)),
    ("DescribeSubnets", |account, _, request| ec2::describe_subnets(account, request)),
    ("DescribeVpcEndpoints", |account, _, request| network::describe_endpoints(account, request)),
    ("DescribeVpcs", |account, _, request| ec2::describe_vpcs(account, request)),
    ("RevokeSecurityGroupIngress", |account, _, request| groups::revoke(account, request)),
];

#[cfg(test)]
mod tests;
