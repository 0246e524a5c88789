//! CloudWatch Logs: groups, streams and events. Filter patterns of terms are served, those over JSON are not.

mod events;
mod filter;
mod groups;
mod pattern;
mod store;
mod streams;

pub(crate) use store::State;

use crate::account::Operations;
use crate::tagging;

/// The code of every refusal of a parameter.
const INVALID: &str = "InvalidParameterException";

pub(crate) const OPERATIONS: Operations = &[
    ("CreateLogGroup", groups::create),
    ("CreateLogStream", streams::create),
    ("DeleteLogGroup", |account, _, request| groups::delete(account, request)),
    ("DeleteLogStream", |account, _, request| streams::delete(account, request)),
    ("DeleteRetentionPolicy", |account, _, request| groups::delete_retention(account, request)),
    ("DescribeLogGroups", |account, _, request| groups::describe(account, request)),
    ("DescribeLogStreams", |account, _, request| streams::describe(account, request)),
    ("FilterLogEvents", |account, _, request| filter::filter(account, request)),
    ("GetLogEvents", |account, _, request| events::get(account, request)),
    ("ListTagsForResource", |account, _, request| tagging::list(account, request, groups::taggable)),
    ("PutLogEvents", events::put),
    ("PutRetentionPolicy", |account, _, request| groups::put_retention(account, request)),
    ("TagResource", |account, _, request| tagging::tag(account, request, groups::taggable)),
    ("UntagResource", |account, _, request| tagging::untag(account, request, groups::taggable)),
];

#[cfg(test)]
mod tests;
