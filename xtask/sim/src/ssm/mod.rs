//! SSM Parameter Store: parameters with their versions, in memory. Labels, policies and the advanced tier are not served.

mod name;
mod parameters;
mod store;

pub(crate) use parameters::value;
pub(crate) use store::State;

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// Answers a Systems Manager call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "DeleteParameter" => parameters::delete(account, request),
        "GetParameter" => parameters::get(account, request),
        "GetParameters" => parameters::get_many(account, request),
        "PutParameter" => parameters::put(account, now, request),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
