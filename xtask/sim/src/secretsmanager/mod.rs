//! AWS Secrets Manager: secrets with staged versions, in memory. Rotation and replication are not served.

mod content;
mod listing;
mod secrets;
mod store;
mod values;

pub(crate) use store::State;
pub(crate) use values::read;

use crate::base::Handler;
use crate::tagging;
use crate::wire::Operations;

pub(crate) const OPERATIONS: Operations<Handler<State>> = &[
    ("CreateSecret", secrets::create),
    ("DescribeSecret", |base, secrets_manager, _, request| listing::describe(base, secrets_manager, request)),
    ("ListSecretVersionIds", |_, secrets_manager, _, request| listing::versions(secrets_manager, request)),
    ("ListSecrets", |base, secrets_manager, _, request| listing::list(base, secrets_manager, request)),
    ("RestoreSecret", |_, secrets_manager, _, request| listing::restore(secrets_manager, request)),
    ("TagResource", |base, secrets_manager, _, request| {
        tagging::tag(base, request, &|_, arn| listing::taggable(secrets_manager, arn))
    }),
    ("UntagResource", |base, secrets_manager, _, request| {
        tagging::untag(base, request, &|_, arn| listing::taggable(secrets_manager, arn))
    }),
    ("UpdateSecret", values::update),
    ("DeleteSecret", secrets::delete),
    ("GetSecretValue", |_, secrets_manager, _, request| values::get(secrets_manager, request)),
    ("PutSecretValue", values::put),
];

#[cfg(test)]
mod tests;
