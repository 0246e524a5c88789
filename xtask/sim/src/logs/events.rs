//! PutLogEvents and GetLogEvents.

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::State;
use super::store::{Event, INVALID, group_name};
use crate::clock::Millis;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    timestamp: u64,
    message: String,
}

pub(super) fn put(logs: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Put = params(request)?;
    let stream = logs.group_mut(&asked.log_group_name)?.stream_mut(&asked.log_stream_name)?;
    if asked.log_events.is_empty() || asked.log_events.iter().any(|event| event.message.is_empty()) {
        return Err(ApiError::new(INVALID, "Log events and their messages must not be empty."));
    }
    if !asked.log_events.is_sorted_by_key(|event| event.timestamp) {
        let text = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(ApiError::new(INVALID, text));
    }
    for Input { timestamp, message } in asked.log_events {
        stream.push(Event { at: Millis(timestamp), ingested: now, message });
    }
    // Older clients send it back, and it is ignored (PutLogEvents, `sequenceToken`).
    Ok(json!({ "nextSequenceToken": format!("{:056}", stream.forgotten + stream.events.len()) }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<u64>,
    end_time: Option<u64>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

/// Events per page, at most (GetLogEvents, `limit`).
const MAX_PAGE: usize = 10_000;

/// A position in a stream and the way to read from it, in the shape of CloudWatch's tokens.
enum Cursor {
    Forward(usize),
    Backward(usize),
}

impl Cursor {
    fn parse(token: &str) -> Option<Self> {
        let (way, rest) = token.split_once('/')?;
        let position = rest.strip_suffix("/s")?.parse().ok()?;
        match way {
            "f" => Some(Self::Forward(position)),
            "b" => Some(Self::Backward(position)),
            _ => None,
        }
    }
}

/// Reads a page. At the end of the stream the forward token equals the one that was given: that is how a reader
/// knows, since a page can be empty before the end.
pub(super) fn get(logs: &State, request: &ApiRequest) -> Outcome {
    let asked: Get = params(request)?;
    let group = group_name(asked.log_group_name, asked.log_group_identifier)?;
    let stream = logs.group(&group)?.stream(&asked.log_stream_name)?;
    let limit = asked.limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let end = stream.forgotten + stream.events.len();
    let cursor = match &asked.next_token {
        Some(token) => Cursor::parse(token)
            .ok_or_else(|| ApiError::new(INVALID, "The specified nextToken is invalid."))?,
        None if asked.start_from_head => Cursor::Forward(0),
        None => Cursor::Backward(end),
    };
    let events = stream.between(asked.start_time, asked.end_time);
    let (position, page): (usize, Vec<(usize, &Event)>) = match cursor {
        Cursor::Forward(from) => (from, events.filter(|(at, _)| *at >= from).take(limit).collect()),
        Cursor::Backward(before) => {
            let mut page: Vec<_> = events.rev().filter(|(at, _)| *at < before).take(limit).collect();
            page.reverse();
            (before, page)
        }
    };
    let forward = page.last().map_or(position, |(at, _)| at + 1);
    let backward = page.first().map_or(position, |(at, _)| *at);
    let events: Vec<Value> = page
        .into_iter()
        .map(|(_, event)| {
            json!({ "timestamp": event.at.0, "message": event.message, "ingestionTime": event.ingested.0 })
        })
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{forward:056}/s"),
        "nextBackwardToken": format!("b/{backward:056}/s"),
    }))
}
