//! Roles, and who is trusted with them.

use serde_json::json;

use super::state::State;
use crate::wire::{ApiError, ApiRequest, Outcome, text};

pub(super) fn get_role(identity: &State, request: &ApiRequest) -> Outcome {
    let role_name = text(request, "RoleName")?;
    let role = identity.roles.iter().find(|role| role.name == role_name);
    let role = role.ok_or_else(|| no_such_role(&role_name))?;
    // `role/PATH/NAME`: the path of most roles is `/`.
    let path = role.arn.split_once(":role").map_or("/", |(_, path)| &path[..path.len() - role.name.len()]);
    Ok(json!({ "Role": {
        "Path": path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": "2024-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "MaxSessionDuration": 3600,
    } }))
}

pub(super) fn update_trust(identity: &mut State, request: &ApiRequest) -> Outcome {
    let name = text(request, "RoleName")?;
    let document = super::rights::document(request)?;
    let role = identity.roles.iter_mut().find(|role| role.name == name);
    role.ok_or_else(|| no_such_role(&name))?.trust = document.to_string();
    Ok(json!({}))
}

/// Percent-encoded, as IAM returns policy documents.
fn encoded(document: &str) -> String {
    form_urlencoded::byte_serialize(document.as_bytes()).collect::<String>().replace('+', "%20")
}

fn no_such_role(name: &str) -> ApiError {
    ApiError::new("NoSuchEntity", format!("The role with name {name} cannot be found.")).with_status(404)
}

/// Whether the role with this ARN is there. A bare name counts too, as ECS takes it for a role of the account.
pub(crate) fn role_exists(identity: &State, arn: &str) -> bool {
    identity.roles.iter().any(|role| role.arn == arn || role.name == arn)
}
