//! AWS Cloud Map: namespaces and their operations.

use crate::account::{Account, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome};

/// All Cloud Map state of the account.
#[derive(Debug, Default)]
pub struct State {}

/// What can be due.
#[derive(Debug)]
pub(crate) enum Due {}

/// A namespace.
#[derive(Debug, Clone)]
pub(crate) struct Namespace {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
}

pub(crate) fn handle(_account: &mut Account, _now: Millis, _request: &ApiRequest) -> Outcome {
    Err(ApiError::new("UnknownOperationException", ""))
}

pub(crate) fn due(_account: &mut Account, _at: Millis, due: Due) {
    match due {}
}

/// The namespace with this name or ARN.
pub(crate) fn namespace<'a>(_account: &'a Account, _name_or_arn: &str) -> Option<&'a Namespace> {
    None
}
