//! Application Auto Scaling: scalable targets and policies of ECS services.

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All scaling state of the account.
#[derive(Debug, Default)]
pub struct State {}

pub(crate) fn handle(_account: &mut Account, _now: Millis, _request: &ApiRequest) -> Outcome {
    Err(ApiError::new("UnknownOperationException", ""))
}
