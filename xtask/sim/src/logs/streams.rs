//! Log streams: create, describe, delete.

use serde::Deserialize;
use serde_json::{Value, json};

use super::groups::group_arn;
use super::store::State;
use super::store::{INVALID, Stream, group_name};
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
    log_stream_name: String,
}

pub(super) fn create(logs: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let Named { log_group_name, log_stream_name } = params(request)?;
    if log_stream_name.is_empty() || log_stream_name.len() > 512 || log_stream_name.contains([':', '*']) {
        let text = format!(
            "1 validation error detected: Value '{log_stream_name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*"
        );
        return Err(ApiError::new(INVALID, text));
    }
    let group = logs.group_mut(&log_group_name)?;
    if group.streams.contains_key(&log_stream_name) {
        return Err(ApiError::new(
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        ));
    }
    group.streams.insert(log_stream_name, Stream::new(now));
    Ok(Value::Null)
}

pub(super) fn delete(logs: &mut State, request: &ApiRequest) -> Outcome {
    let Named { log_group_name, log_stream_name } = params(request)?;
    let group = logs.group_mut(&log_group_name)?;
    group.stream(&log_stream_name)?;
    group.streams.remove(&log_stream_name);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
}

pub(super) fn describe(base: &Base, logs: &State, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let group_name = group_name(asked.log_group_name, asked.log_group_identifier)?;
    let by_time = match asked.order_by.as_deref() {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(other) => {
            let text = format!(
                "1 validation error detected: Value '{other}' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]"
            );
            return Err(ApiError::new(INVALID, text));
        }
    };
    if by_time && asked.log_stream_name_prefix.is_some() {
        return Err(ApiError::new(INVALID, "Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let prefix = asked.log_stream_name_prefix.unwrap_or_default();
    let group = logs.group(&group_name)?;
    let mut found: Vec<(&String, &Stream)> =
        group.streams.iter().filter(|(name, _)| name.starts_with(&prefix)).collect();
    if by_time {
        found.sort_by_key(|(_, stream)| stream.events.back().map(|event| event.at));
    }
    if asked.descending {
        found.reverse();
    }
    let group_arn = group_arn(base, &group_name);
    listing(request, "logStreams", (50, 50), found, |(name, stream)| stream.describe(name, &group_arn))
}

impl Stream {
    fn describe(&self, name: &str, group_arn: &str) -> Value {
        let last = self.events.back();
        json!({
            "logStreamName": name,
            "creationTime": self.created.0,
            "arn": format!("{group_arn}:log-stream:{name}"),
            "storedBytes": 0,
            "firstEventTimestamp": self.events.front().map(|first| first.at.0),
            "lastEventTimestamp": last.map(|last| last.at.0),
            "lastIngestionTime": last.map(|last| last.ingested.0),
            "uploadSequenceToken": last.map(|_| format!("{:056}", self.forgotten + self.events.len())),
        })
    }
}
