//! FilterLogEvents: events of all streams of a group, in order of time.

use serde::Deserialize;
use serde_json::json;

use super::pattern::Pattern;
use super::store::State;
use super::store::{Event, INVALID, group_name, no_stream};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    #[serde(default)]
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    filter_pattern: Option<String>,
}

pub(super) fn filter(logs: &State, request: &ApiRequest) -> Outcome {
    let asked: Filter = params(request)?;
    let group = logs.group(&group_name(asked.log_group_name, asked.log_group_identifier)?)?;
    if !asked.log_stream_names.is_empty() && asked.log_stream_name_prefix.is_some() {
        let text = "logStreamNames and logStreamNamePrefix cannot be specified at the same time.";
        return Err(ApiError::new(INVALID, text));
    }
    if asked.log_stream_names.iter().any(|name| !group.streams.contains_key(name)) {
        return Err(no_stream());
    }
    let pattern = Pattern::parse(asked.filter_pattern.as_deref().unwrap_or_default())
        .ok_or_else(|| ApiError::new(INVALID, "Invalid filter pattern: only patterns of terms are served"))?;
    let prefix = asked.log_stream_name_prefix.unwrap_or_default();
    let mut found: Vec<(&str, usize, &Event)> = group
        .streams
        .iter()
        .filter(|(name, _)| asked.log_stream_names.is_empty() || asked.log_stream_names.contains(name))
        .filter(|(name, _)| name.starts_with(&prefix))
        .flat_map(|(name, stream)| {
            stream
                .between(asked.start_time, asked.end_time)
                .map(move |(at, event)| (name.as_str(), at, event))
        })
        .filter(|(_, _, event)| pattern.matches(&event.message))
        .collect();
    found.sort_by_key(|(_, _, event)| event.at);
    let mut reply = listing(request, "events", (10_000, 10_000), found, |(stream, position, event)| {
        json!({
            "logStreamName": stream,
            "timestamp": event.at.0,
            "message": event.message,
            "ingestionTime": event.ingested.0,
            "eventId": format!("{:028}{position:028}", event.at.0),
        })
    })?;
    // AWS leaves it empty since 2020 (FilterLogEvents, `searchedLogStreams`).
    reply["searchedLogStreams"] = json!([]);
    Ok(reply)
}
