//! SSM Parameter Store: parameters with their versions, in memory. Labels, policies and the advanced tier are not served.

mod name;
mod parameters;
mod store;

pub(crate) use parameters::value;
pub(crate) use store::State;

use crate::account::Operations;

/// What is served, by name.
pub(crate) const OPERATIONS: Operations = &[
    ("DeleteParameter", |account, _, request| parameters::delete(account, request)),
    ("GetParameter", |account, _, request| parameters::get(account, request)),
    ("GetParameters", |account, _, request| parameters::get_many(account, request)),
    ("PutParameter", parameters::put),
];

#[cfg(test)]
mod tests;
