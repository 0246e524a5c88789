//! What was asked of the account, and the replies that a stale read repeats.

use std::collections::{BTreeMap, VecDeque};

use crate::account::Millis;
use crate::fault::{Surface, is_write};
use crate::wire::{ApiRequest, Outcome};

/// A whole deployment makes some hundred calls; the daemon answers polls for days.
const MOST_CALLS: usize = 20_000;

/// Distinct reads that are remembered for stale answers.
const MOST_READS: usize = 500;

/// One call, as the account's record has it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// When it was carried out.
    pub at: Millis,
    /// What it was for; compares with [`crate::wire::Api`].
    pub api: Surface,
    /// The operation's name, such as `CreateService`; in the registry the method and the kind, such as `PUT manifests`;
    /// for what could not be read, the method and the path.
    pub operation: String,
    /// The access key id that signed it.
    pub access_key: Option<String>,
    /// `ok`, the error's code, or what became of the connection.
    pub outcome: String,
    /// Whether the operation may change anything.
    pub write: bool,
}

/// The calls, oldest first, and what reads last answered.
#[derive(Debug, Default)]
pub(super) struct History {
    calls: VecDeque<CallRecord>,
    /// How many writes there were: the age of a reply.
    writes: u64,
    reads: BTreeMap<String, Replies>,
    order: VecDeque<String>,
}

/// The last reply of a read, and the last one that an earlier write count gave.
#[derive(Debug)]
struct Replies {
    latest: (u64, Outcome),
    earlier: Option<Outcome>,
}

impl History {
    pub(super) fn record(&mut self, call: CallRecord) {
        if self.calls.len() == MOST_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub(super) fn calls(&self) -> Vec<CallRecord> {
        self.calls.iter().cloned().collect()
    }

    /// What `handle` answers; for a stale read what it answered before the last write, where that is known.
    pub(super) fn answer(
        &mut self,
        request: &ApiRequest,
        stale: bool,
        handle: impl FnOnce() -> Outcome,
    ) -> Outcome {
        if is_write(Surface::Api(request.api), &request.operation) {
            self.writes += 1;
            return handle();
        }
        let key = format!("{:?} {} {}", request.api, request.operation, request.params);
        if stale && let Some(replies) = self.reads.get(&key) {
            return match &replies.earlier {
                Some(earlier) if replies.latest.0 == self.writes => earlier.clone(),
                _ => replies.latest.1.clone(),
            };
        }
        let outcome = handle();
        self.remember(key, outcome.clone());
        outcome
    }

    fn remember(&mut self, key: String, outcome: Outcome) {
        let writes = self.writes;
        if let Some(replies) = self.reads.get_mut(&key) {
            let (age, previous) = std::mem::replace(&mut replies.latest, (writes, outcome));
            if age < writes {
                replies.earlier = Some(previous);
            }
            return;
        }
        if self.order.len() == MOST_READS
            && let Some(oldest) = self.order.pop_front()
        {
            self.reads.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.reads.insert(key, Replies { latest: (writes, outcome), earlier: None });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::Api;

    fn request(operation: &str) -> ApiRequest {
        ApiRequest {
            api: Api::Ecs,
            operation: operation.to_owned(),
            params: json!({}),
            access_key: None,
            region: None,
        }
    }

    fn ask(history: &mut History, operation: &str, stale: bool, answer: u64) -> Value {
        history.answer(&request(operation), stale, || Ok(json!(answer))).unwrap()
    }

    #[test]
    fn a_stale_read_shows_what_was_seen_before_the_last_write_however_often_it_was_read_since() {
        let mut history = History::default();
        assert_eq!(ask(&mut history, "DescribeServices", false, 1), json!(1));
        ask(&mut history, "CreateService", false, 0);
        assert_eq!(ask(&mut history, "DescribeServices", true, 2), json!(1));
        assert_eq!(ask(&mut history, "DescribeServices", false, 2), json!(2));
        assert_eq!(ask(&mut history, "DescribeServices", false, 3), json!(3));
        assert_eq!(ask(&mut history, "DescribeServices", true, 4), json!(1));
        ask(&mut history, "UpdateService", false, 0);
        assert_eq!(ask(&mut history, "DescribeServices", true, 5), json!(3));
    }

    #[test]
    fn a_read_that_was_never_asked_before_cannot_be_stale() {
        assert_eq!(ask(&mut History::default(), "ListTasks", true, 7), json!(7));
    }

    #[test]
    fn a_daemon_that_is_polled_for_days_does_not_grow() {
        let mut history = History::default();
        for n in 0..MOST_READS as u64 + 10 {
            let mut read = request("DescribeTasks");
            read.params = json!({ "tasks": [n] });
            history.answer(&read, false, || Ok(Value::Null)).unwrap();
        }
        assert_eq!(history.reads.len(), MOST_READS);
        assert_eq!(history.order.len(), MOST_READS);
    }
}
