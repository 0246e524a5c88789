//! AWS Secrets Manager: secrets with staged versions, in memory. Rotation and replication are not served.

mod content;
mod listing;
mod secrets;
mod store;
mod values;

pub(crate) use store::State;
pub(crate) use values::read;

use crate::account::Operations;
use crate::tagging;

const INVALID: &str = "InvalidParameterException";

pub(crate) const OPERATIONS: Operations = &[
    ("CreateSecret", secrets::create),
    ("DescribeSecret", |account, _, request| listing::describe(account, request)),
    ("ListSecretVersionIds", |account, _, request| listing::versions(account, request)),
    ("ListSecrets", |account, _, request| listing::list(account, request)),
    ("RestoreSecret", listing::restore),
    ("TagResource", |account, _, request| tagging::tag(account, request, listing::taggable)),
    ("UntagResource", |account, _, request| tagging::untag(account, request, listing::taggable)),
    ("UpdateSecret", values::update),
    ("DeleteSecret", secrets::delete),
    ("GetSecretValue", |account, _, request| values::get(account, request)),
    ("PutSecretValue", values::put),
];

#[cfg(test)]
mod tests;
