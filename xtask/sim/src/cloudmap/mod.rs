//! AWS Cloud Map: namespaces and the operations that make and remove them. The endpoints in a namespace are ECS's.

mod namespaces;
mod operations;

use std::collections::BTreeMap;

use self::namespaces::Namespace;
use self::operations::Operation;
use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};

pub(crate) use self::operations::{Due, due};

/// All Cloud Map state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By id.
    namespaces: BTreeMap<String, Namespace>,
    /// By id.
    operations: BTreeMap<String, Operation>,
}

/// The code of every refusal of a parameter.
const INVALID: &str = "InvalidInput";

/// Answers a Cloud Map call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "CreateHttpNamespace" => namespaces::create(account, now, request, "HTTP"),
        "CreatePrivateDnsNamespace" => namespaces::create(account, now, request, "DNS_PRIVATE"),
        "DeleteNamespace" => namespaces::delete(account, now, request),
        "GetNamespace" => namespaces::get(account, request),
        "GetOperation" => operations::get(account, request),
        "ListNamespaces" => namespaces::list(account, request),
        "ListTagsForResource" => tagging::list(account, request, namespaces::taggable),
        "TagResource" => tagging::tag(account, request, namespaces::taggable),
        "UntagResource" => tagging::untag(account, request, namespaces::taggable),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

/// The namespace with this name or ARN, once its operation has succeeded.
pub(crate) fn namespace<'a>(account: &'a Account, name_or_arn: &str) -> Option<&'a Namespace> {
    account.cloudmap.namespaces.values().find(|own| own.arn == name_or_arn || own.name == name_or_arn)
}

#[cfg(test)]
mod tests;
