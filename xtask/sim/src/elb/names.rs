//! What a load balancer or a target group may be called.

use super::error::invalid;
use crate::wire::ApiError;

/// Refuses a name, in the API's words; `kind` is `Target group` or `Load balancer`.
pub(super) fn check(kind: &str, name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(invalid(format!("{kind} name cannot be empty")));
    }
    if name.chars().count() > 32 {
        return Err(invalid(format!("{kind} name '{name}' cannot be longer than '32' characters")));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(invalid(format!(
            "{kind} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{kind} name '{name}' cannot begin or end with '-'")));
    }
    if kind == "Load balancer" && name.starts_with("internal-") {
        return Err(invalid(format!("{kind} name '{name}' cannot begin with 'internal-'")));
    }
    Ok(())
}
