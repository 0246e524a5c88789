//! CloudWatch Logs: groups, streams and events. Filter patterns of terms are served, those over JSON are not.

mod events;
mod filter;
mod groups;
mod pattern;
mod store;
mod streams;

pub(crate) use store::State;

use crate::account::{Account, Millis};
use crate::tagging;
use crate::wire::{ApiError, ApiRequest, Outcome};

/// The code of every refusal of a parameter.
const INVALID: &str = "InvalidParameterException";

/// Answers a CloudWatch Logs call.
pub(crate) fn handle(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    match request.operation.as_str() {
        "CreateLogGroup" => groups::create(account, now, request),
        "CreateLogStream" => streams::create(account, now, request),
        "DeleteLogGroup" => groups::delete(account, request),
        "DeleteLogStream" => streams::delete(account, request),
        "DeleteRetentionPolicy" => groups::delete_retention(account, request),
        "DescribeLogGroups" => groups::describe(account, request),
        "DescribeLogStreams" => streams::describe(account, request),
        "FilterLogEvents" => filter::filter(account, request),
        "GetLogEvents" => events::get(account, request),
        "ListTagsForResource" => tagging::list(account, request, groups::taggable),
        "PutLogEvents" => events::put(account, now, request),
        "PutRetentionPolicy" => groups::put_retention(account, request),
        "TagResource" => tagging::tag(account, request, groups::taggable),
        "UntagResource" => tagging::untag(account, request, groups::taggable),
        _ => Err(ApiError::unknown_operation(request)),
    }
}

#[cfg(test)]
mod tests;
