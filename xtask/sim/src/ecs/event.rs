//! A service's events: what happened, newest first, at most a hundred.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::clock::Millis;
use crate::ids::Ids;

/// ECS shows a service's latest 100 events.
const MOST_EVENTS: usize = 100;

/// A text that repeats itself is said once in this time, in seconds (developer guide: up to 6 hours).
const SILENCE_SECS: u64 = 6 * 3600;

#[derive(Clone, Debug)]
struct Event {
    id: String,
    at: Millis,
    message: String,
}

/// The events of one service.
#[derive(Debug, Default)]
pub(super) struct Events(VecDeque<Event>);

impl Events {
    pub(super) fn push(&mut self, ids: &mut Ids, at: Millis, service: &str, what: &str) {
        let message = format!("(service {service}) {what}");
        self.0.push_front(Event { id: ids.uuid(), at, message });
        self.0.truncate(MOST_EVENTS);
    }

    /// Records what may happen again and again: not twice within six hours.
    pub(super) fn push_rarely(&mut self, ids: &mut Ids, at: Millis, service: &str, what: &str) {
        let message = format!("(service {service}) {what}");
        let lately = |event: &&Event| at.since(event.at) < SILENCE_SECS * 1000;
        if !self.0.iter().take_while(lately).any(|event| event.message == message) {
            self.push(ids, at, service, what);
        }
    }

    pub(super) fn view(&self) -> Value {
        let shown = self.0.iter().map(
            |event| json!({ "id": event.id, "createdAt": event.at.epoch_secs(), "message": event.message }),
        );
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(events: &Events) -> Vec<String> {
        events.0.iter().map(|event| event.message.clone()).collect()
    }

    #[test]
    fn events_are_newest_first_and_at_most_a_hundred() {
        let (mut events, mut ids) = (Events::default(), Ids::new(1));
        for n in 0..120u64 {
            events.push(&mut ids, Millis(n), "web", &format!("event {n}."));
        }
        let shown = messages(&events);
        assert_eq!(shown.len(), 100);
        assert_eq!(shown[0], "(service web) event 119.");
        assert_eq!(shown[99], "(service web) event 20.");
    }

    #[test]
    fn a_complaint_is_not_repeated_within_six_hours() {
        let (mut events, mut ids) = (Events::default(), Ids::new(1));
        for hour in [0, 1, 5, 7] {
            events.push_rarely(
                &mut ids,
                Millis(0).plus_secs(hour * 3600),
                "web",
                "was unable to place a task.",
            );
        }
        assert_eq!(messages(&events).len(), 2);
    }
}
