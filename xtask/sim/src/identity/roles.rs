//! GetRole.

use serde_json::json;

use crate::account::Account;
use crate::wire::{ApiError, ApiRequest, Outcome, text};

pub(super) fn get_role(account: &Account, request: &ApiRequest) -> Outcome {
    let role_name = text(request, "RoleName")?;
    let role = account.identity.roles.iter().find(|role| role.name == role_name).ok_or_else(|| {
        ApiError::new("NoSuchEntity", format!("The role with name {role_name} cannot be found."))
            .with_status(404)
    })?;
    // `role/PATH/NAME`: the path of most roles is `/`.
    let path = role.arn.split_once(":role").map_or("/", |(_, path)| &path[..path.len() - role.name.len()]);
    Ok(json!({ "Role": {
        "Path": path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": "2024-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": TRUST,
        "MaxSessionDuration": 3600,
    } }))
}

/// Trust in `ecs-tasks.amazonaws.com`, percent-encoded as IAM returns policy documents.
const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
     %22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole\
     %22%7D%5D%7D";

/// Whether the role with this ARN is there. A bare name counts too, as ECS takes it for a role of the account.
pub(crate) fn role_exists(account: &Account, arn: &str) -> bool {
    account.identity.roles.iter().any(|role| role.arn == arn || role.name == arn)
}
