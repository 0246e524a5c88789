//! The landing zone: network, roles and the caller's identity, as EC2, IAM and STS show them. Read only: a
//! deployment finds these things, it does not make them.

mod ec2;
mod filters;
mod landing_zone;
mod roles;
mod sessions;
mod state;

pub use landing_zone::{LandingZone, Named, ZoneGroup, ZoneSubnet};
pub(crate) use roles::role_exists;
pub(crate) use sessions::{caller_arn, is_expired};
pub(crate) use state::State;
pub(crate) use state::{SecurityGroup, Subnet};

use crate::account::{Account, Millis};
use crate::wire::{Api, ApiError, ApiRequest, Outcome};

/// The subnet with this id.
pub(crate) fn subnet<'a>(account: &'a Account, id: &str) -> Option<&'a Subnet> {
    account.identity.subnets.iter().find(|subnet| subnet.id == id)
}

/// The security group with this id.
pub(crate) fn security_group<'a>(account: &'a Account, id: &str) -> Option<&'a SecurityGroup> {
    account.identity.security_groups.iter().find(|group| group.id == id)
}

/// Answers the STS, EC2 and IAM calls that a deployment makes.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match (request.api, request.operation.as_str()) {
        (Api::Sts, "GetCallerIdentity") => Ok(sessions::caller_identity(account, request)),
        (Api::Sts, "AssumeRole" | "AssumeRoleWithWebIdentity") => {
            sessions::assume_role(account, now, request)
        }
        (Api::Iam, "GetRole") => roles::get_role(account, request),
        (Api::Ec2, "DescribeVpcs") => ec2::describe_vpcs(account, request),
        (Api::Ec2, "DescribeSubnets") => ec2::describe_subnets(account, request),
        (Api::Ec2, "DescribeSecurityGroups") => ec2::describe_security_groups(account, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
