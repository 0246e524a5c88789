//! AWS Secrets Manager: secrets with staged versions, in memory. Rotation, replication and tags are not served.

mod content;
mod secrets;
mod store;
mod values;

pub(crate) use store::State;
pub(crate) use values::read;

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

const INVALID: &str = "InvalidParameterException";

/// Answers a Secrets Manager call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    account.secrets_manager.forget_deleted(now);
    match request.operation.as_str() {
        "CreateSecret" => secrets::create(account, now, request),
        "DeleteSecret" => secrets::delete(account, now, request),
        "GetSecretValue" => values::get(account, request),
        "PutSecretValue" => values::put(account, now, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
