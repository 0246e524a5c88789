//! AWS Secrets Manager: secrets with staged versions, in memory. Rotation, replication and tags are not served.

mod content;
mod secrets;
mod store;
mod values;

pub(crate) use store::State;
pub(crate) use values::read;

use crate::account::Operations;

const INVALID: &str = "InvalidParameterException";

/// What is served, by name.
pub(crate) const OPERATIONS: Operations = &[
    ("CreateSecret", secrets::create),
    ("DeleteSecret", secrets::delete),
    ("GetSecretValue", |account, _, request| values::get(account, request)),
    ("PutSecretValue", values::put),
];

#[cfg(test)]
mod tests;
