//! What was asked of the account, and the replies that a stale read repeats.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::clock::Millis;
use crate::fault::{Fault, Surface, is_write};
use crate::wire::{ApiRequest, Outcome};

/// A whole deployment makes some hundred calls; the daemon answers polls for days.
const MOST_CALLS: usize = 20_000;

/// Distinct reads that are remembered for stale answers.
const MOST_READS: usize = 500;

/// Different replies of one read that are remembered: some 16 s of a service that is polled every 2 s.
const MOST_REPLIES: usize = 8;

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

/// The last reply of a read, the last one that an earlier write count gave, and when it first gave which.
#[derive(Debug)]
struct Replies {
    latest: (u64, Arc<Outcome>),
    earlier: Option<Arc<Outcome>>,
    recent: VecDeque<(Millis, Arc<Outcome>)>,
}

impl Replies {
    fn before_last_write(&self, writes: u64) -> &Outcome {
        match &self.earlier {
            Some(earlier) if self.latest.0 == writes => earlier,
            _ => &self.latest.1,
        }
    }

    fn at(&self, moment: Millis) -> Option<&Outcome> {
        self.recent.iter().rev().find(|(since, _)| *since <= moment).map(|(_, outcome)| outcome.as_ref())
    }

    fn add(&mut self, now: Millis, outcome: Arc<Outcome>) {
        if self.recent.back().is_some_and(|(_, last)| *last == outcome) {
            return;
        }
        if self.recent.len() == MOST_REPLIES {
            self.recent.pop_front();
        }
        self.recent.push_back((now, outcome));
    }
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

    /// What `handle` answers; for a stale or lagging read what it answered earlier, where that is known.
    pub(super) fn answer(
        &mut self,
        now: Millis,
        request: &ApiRequest,
        fault: Option<&Fault>,
        handle: impl FnOnce() -> Outcome,
    ) -> Outcome {
        if is_write(Surface::Api(request.api), &request.operation) {
            self.writes += 1;
            return handle();
        }
        // Each session is a new one: no earlier reply leads to it.
        if request.operation == "ExecuteCommand" {
            return handle();
        }
        let key = format!("{:?} {:?} {} {}", request.region, request.api, request.operation, request.params);
        let replies = self.reads.get(&key);
        if let (Some(Fault::StaleRead), Some(replies)) = (fault, replies) {
            return replies.before_last_write(self.writes).clone();
        }
        let lagging = match fault {
            Some(Fault::LaggingRead(lag)) => {
                replies.and_then(|replies| replies.at(Millis(now.0.saturating_sub(*lag)))).cloned()
            }
            _ => None,
        };
        // Remembered also when another reply is sent: a replica that lags catches up, whoever asks it.
        let outcome = Arc::new(handle());
        self.remember(now, key, Arc::clone(&outcome));
        lagging.unwrap_or_else(|| outcome.as_ref().clone())
    }

    fn remember(&mut self, now: Millis, key: String, outcome: Arc<Outcome>) {
        let writes = self.writes;
        if let Some(replies) = self.reads.get_mut(&key) {
            replies.add(now, Arc::clone(&outcome));
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
        let recent = VecDeque::from([(now, Arc::clone(&outcome))]);
        self.reads.insert(key, Replies { latest: (writes, outcome), earlier: None, recent });
    }
}

/// Removes what has this name from the lists of a reply. Where a reply lists failures, it is one of them.
pub(super) fn leave_out(reply: &mut Value, name: &str) {
    let mut missing = Vec::new();
    for list in reply.as_object_mut().into_iter().flatten().filter_map(|(_, value)| value.as_array_mut()) {
        list.retain(|item| {
            let fields = item.as_object().into_iter().flatten();
            let mut texts = fields.filter_map(|(_, value)| value.as_str()).chain(item.as_str());
            let found = texts.any(|text| text == name || text.rsplit('/').next() == Some(name));
            if found {
                let arn = ["serviceArn", "clusterArn", "serviceDeploymentArn", "taskArn"];
                let arn = arn.into_iter().find_map(|member| item.get(member));
                missing.extend(arn.map(|arn| json!({ "arn": arn, "reason": "MISSING" })));
            }
            !found
        });
    }
    if let Some(failures) = reply.get_mut("failures").and_then(Value::as_array_mut) {
        failures.extend(missing);
    }
}

#[cfg(test)]
mod tests {
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
        let fault = stale.then_some(Fault::StaleRead);
        history.answer(Millis(0), &request(operation), fault.as_ref(), || Ok(json!(answer))).unwrap()
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
    fn lagging_reads_go_backwards_and_never_to_before_the_first_one() {
        let mut history = History::default();
        let mut read = |now: u64, lag: Option<u64>, answer: u64| {
            let fault = lag.map(Fault::LaggingRead);
            let reply = history
                .answer(Millis(now), &request("DescribeServices"), fault.as_ref(), || Ok(json!(answer)));
            reply.unwrap()
        };
        assert_eq!(read(1_000, Some(500), 1), json!(1));
        assert_eq!(read(2_000, None, 2), json!(2));
        assert_eq!(read(3_000, None, 2), json!(2));
        assert_eq!(read(4_000, None, 3), json!(3));
        assert_eq!(read(5_000, Some(2_000), 4), json!(2));
        assert_eq!(read(5_000, Some(1_000), 4), json!(3));
        assert_eq!(read(5_000, Some(3_500), 4), json!(1));
        assert_eq!(read(5_000, Some(4_500), 4), json!(4), "it was not asked then");
        for n in 5..50 {
            read(n * 1_000, None, n);
        }
        assert_eq!(read(50_000, Some(8_000), 50), json!(42));
        assert_eq!(read(50_000, Some(20_000), 50), json!(50), "too long ago to be remembered");
    }

    #[test]
    fn what_is_unseen_is_in_no_list_but_that_of_failures() {
        let arn = "arn:aws:ecs:r:1:service/prod/web";
        let mut reply = json!({
            "services": [{ "serviceArn": arn, "serviceName": "web" }, { "serviceName": "shop" }],
            "failures": [],
        });
        leave_out(&mut reply, "web");
        let expected = json!({
            "services": [{ "serviceName": "shop" }], "failures": [{ "arn": arn, "reason": "MISSING" }],
        });
        assert_eq!(reply, expected);
        let mut reply = json!({ "serviceArns": [arn, "arn:aws:ecs:r:1:service/prod/shop"] });
        leave_out(&mut reply, "web");
        assert_eq!(reply, json!({ "serviceArns": ["arn:aws:ecs:r:1:service/prod/shop"] }));
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
            history.answer(Millis(n), &read, None, || Ok(Value::Null)).unwrap();
        }
        assert_eq!(history.reads.len(), MOST_READS);
        assert_eq!(history.order.len(), MOST_READS);
    }
}
