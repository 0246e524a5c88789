//! CloudWatch Logs: groups, streams and events. Filter patterns of terms are served, those over JSON are not.

mod events;
mod filter;
mod groups;
mod pattern;
mod store;
mod streams;

pub(crate) use store::State;

use crate::base::Handler;
use crate::tagging;
use crate::wire::Operations;

pub(crate) const OPERATIONS: Operations<Handler<State>> = &[
    ("CreateLogGroup", groups::create),
    ("CreateLogStream", |_, logs, now, request| streams::create(logs, now, request)),
    ("DeleteLogGroup", |base, logs, _, request| groups::delete(base, logs, request)),
    ("DeleteLogStream", |_, logs, _, request| streams::delete(logs, request)),
    ("DeleteRetentionPolicy", |_, logs, _, request| groups::delete_retention(logs, request)),
    ("DescribeLogGroups", |base, logs, _, request| groups::describe(base, logs, request)),
    ("DescribeLogStreams", |base, logs, _, request| streams::describe(base, logs, request)),
    ("FilterLogEvents", |_, logs, _, request| filter::filter(logs, request)),
    ("GetLogEvents", |_, logs, _, request| events::get(logs, request)),
    ("ListTagsForResource", |base, logs, _, request| {
        tagging::list(base, request, &|base, arn| groups::taggable(base, logs, arn))
    }),
    ("PutLogEvents", |_, logs, now, request| events::put(logs, now, request)),
    ("PutRetentionPolicy", |_, logs, _, request| groups::put_retention(logs, request)),
    ("TagResource", |base, logs, _, request| {
        tagging::tag(base, request, &|base, arn| groups::taggable(base, logs, arn))
    }),
    ("UntagResource", |base, logs, _, request| {
        tagging::untag(base, request, &|base, arn| groups::taggable(base, logs, arn))
    }),
];

#[cfg(test)]
mod tests;
