//! What befalls the tool's calls, and nobody else's.

use sim::fault::{Call, Fault, On, Rule};
use xtask::host::Rng;

/// Calls whose answers decide something, beside "any".
const OPERATIONS: [&str; 14] = [
    "DescribeServices",
    "DescribeServiceDeployments",
    "ListServiceDeployments",
    "ListTasks",
    "DescribeTasks",
    "DescribeTargetHealth",
    "DescribeTaskDefinition",
    "UpdateService",
    "CreateService",
    "RegisterTaskDefinition",
    "StopServiceDeployment",
    "RegisterScalableTarget",
    "TagResource",
    "ListTagsForResource",
];

/// A stretch of calls, and what befalls them.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    on: On,
    /// Whom it befalls.
    key: &'static str,
}

impl Trouble {
    pub(super) fn draw(rng: &Rng) -> Self {
        let (on, first) = match rng.below(6) {
            0 => (On::any(), rng.below(300)),
            1 => (On::any().reads(), rng.below(250)),
            2 => (On::any().writes(), rng.below(40)),
            _ => {
                let operation = OPERATIONS[rng.below(OPERATIONS.len() as u64) as usize];
                (On::operation(operation), rng.below(30))
            }
        };
        let length = [1, 2, 4, 12, 40][rng.below(5) as usize];
        let what = match rng.below(12) {
            0 | 1 => Fault::Throttle,
            2 => Fault::ServerError(if rng.below(2) == 0 { 500 } else { 503 }),
            3 => Fault::Delay(200 + rng.below(20_000)),
            4 => Fault::Refuse,
            5 | 6 => Fault::LoseRequest,
            7 | 8 => Fault::LoseReply,
            9 | 10 => Fault::StaleRead,
            _ => page(["", "{}", "<html>502 Bad Gateway</html>"][rng.below(3) as usize]),
        };
        Self { on: on.nth(first + 1..=first + length).then(what), key: "release" }
    }
}

impl Rule for Trouble {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        let key = call.request.and_then(|request| request.access_key.as_deref());
        // The registry's calls carry no access key.
        if key.is_none_or(|key| key == self.key) { self.on.on_call(call) } else { None }
    }
}

fn page(body: &str) -> Fault {
    let content_type = if body.starts_with('<') { "text/html" } else { "application/x-amz-json-1.1" };
    Fault::Status { code: 200, body: body.to_owned(), content_type: content_type.to_owned() }
}

/// Reads of the services that follow a creation and do not show what was made.
pub(crate) fn not_seen_yet(reads: u64) -> impl Rule {
    let mut left = 0;
    move |call: &Call<'_>| {
        if call.operation == "CreateService" {
            left = reads;
        }
        if call.operation != "DescribeServices" || left == 0 {
            return None;
        }
        left -= 1;
        Some(page(r#"{"services":[],"failures":[{"arn":"arn:aws:ecs:x","reason":"MISSING"}]}"#))
    }
}
