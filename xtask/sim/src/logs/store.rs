//! Groups with their streams, streams with their events.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Millis;
use crate::wire::ApiError;

/// The code of every refusal of a parameter.
pub(super) const INVALID: &str = "InvalidParameterException";

/// All log state of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) groups: BTreeMap<String, Group>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) created: Millis,
    pub(super) retention_days: Option<u32>,
    pub(super) streams: BTreeMap<String, Stream>,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) created: Millis,
    /// How many events were forgotten: the position of the first that is kept.
    pub(super) forgotten: usize,
    pub(super) events: VecDeque<Event>,
}

/// An event; its position in the stream is its place in the order of arrival, counted from 0.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: Millis,
    pub(super) ingested: Millis,
    pub(super) message: String,
}

/// Events that a stream keeps. CloudWatch keeps all; a daemon that runs for weeks must not grow without end.
const MAX_EVENTS: usize = 50_000;

impl State {
    /// Whether the log group is there.
    pub(crate) fn group_exists(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    /// Appends a line to a stream, which is made when missing; drops it when the group is missing. Empty lines are no
    /// events, as with the `awslogs` driver.
    pub(crate) fn append(&mut self, now: Millis, group: &str, stream: &str, line: String) {
        if let Some(group) = self.groups.get_mut(group).filter(|_| !line.is_empty()) {
            let stream = group.streams.entry(stream.to_owned()).or_insert_with(|| Stream::new(now));
            stream.push(Event { at: now, ingested: now, message: line });
        }
    }

    pub(super) fn group(&self, name: &str) -> Result<&Group, ApiError> {
        self.groups.get(name).ok_or_else(no_group)
    }

    pub(super) fn group_mut(&mut self, name: &str) -> Result<&mut Group, ApiError> {
        self.groups.get_mut(name).ok_or_else(no_group)
    }
}

fn no_group() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

impl Group {
    pub(super) fn stream(&self, name: &str) -> Result<&Stream, ApiError> {
        self.streams.get(name).ok_or_else(no_stream)
    }

    pub(super) fn stream_mut(&mut self, name: &str) -> Result<&mut Stream, ApiError> {
        self.streams.get_mut(name).ok_or_else(no_stream)
    }
}

pub(super) fn no_stream() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

impl Stream {
    pub(super) fn new(now: Millis) -> Self {
        Self { created: now, forgotten: 0, events: VecDeque::new() }
    }

    pub(super) fn push(&mut self, event: Event) {
        self.events.push_back(event);
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
            self.forgotten += 1;
        }
    }

    /// The events of a time range (`from` included, `to` not) with their positions.
    pub(super) fn between(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> impl DoubleEndedIterator<Item = (usize, &Event)> {
        let range = from.unwrap_or(0)..to.unwrap_or(u64::MAX);
        let events = self.events.iter().enumerate().map(|(index, event)| (self.forgotten + index, event));
        events.filter(move |(_, event)| range.contains(&event.at.0))
    }
}

/// The group of a request that names it by `logGroupName` or by `logGroupIdentifier` (a name or an ARN).
pub(super) fn group_name(name: Option<String>, identifier: Option<String>) -> Result<String, ApiError> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => Ok(match identifier.split_once(":log-group:") {
            Some((_, name)) => name.trim_end_matches(":*").to_owned(),
            None => identifier,
        }),
        _ => Err(ApiError::new(
            INVALID,
            "Exactly one of logGroupName and logGroupIdentifier must be specified",
        )),
    }
}
