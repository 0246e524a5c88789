//! What befalls the tool's calls, and nobody else's.

use sim::fault::{Call, Fault, Lateness, On, Rule};
use xtask::host::Rng;

use crate::world::World;

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

/// What befalls them.
#[derive(Clone, Debug)]
pub(super) struct Network {
    troubles: Vec<On>,
    /// Milliseconds for which what was just made or deleted is not known everywhere.
    late_ms: u64,
    /// Draws how far each lagging read lags.
    lag: Rng,
}

impl Network {
    pub(super) fn draw(rng: &Rng) -> Self {
        let troubles = if rng.below(2) == 0 { 0 } else { 1 + rng.below(4) };
        Self {
            troubles: (0..troubles).map(|_| trouble(rng)).collect(),
            late_ms: [0, 0, 0, 2_000, 12_000][rng.below(5) as usize],
            lag: rng.stream("lag"),
        }
    }

    pub(super) fn is_well(&self) -> bool {
        self.troubles.is_empty() && self.late_ms == 0
    }

    /// Milliseconds by which its slowest call is late.
    pub(super) fn slowest_ms(&self) -> u64 {
        let delays = self.troubles.iter().filter_map(|on| match on.fault() {
            Fault::Delay(ms) => Some(*ms),
            _ => None,
        });
        delays.max().unwrap_or(0)
    }

    /// Befalls the calls of `world`'s tool from now on.
    pub(super) fn befall(&self, world: &World) {
        let lag = self.lag.clone();
        for mut on in self.troubles.iter().cloned() {
            let lag = lag.clone();
            let varied = move |call: &Call<'_>| match on.on_call(call)? {
                Fault::LaggingRead(most) => Some(Fault::LaggingRead(lag.below(most))),
                fault => Some(fault),
            };
            world.cloud.add_rule(of_the_tool(varied));
        }
        if self.late_ms > 0 {
            let clock = world.cloud.clock().clone();
            world.cloud.add_rule(of_the_tool(Lateness::new(clock, self.late_ms)));
        }
    }
}

/// A stretch of calls, and what befalls them.
fn trouble(rng: &Rng) -> On {
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
    let fault = match rng.below(14) {
        0 | 1 => Fault::Throttle,
        2 => Fault::ServerError(if rng.below(2) == 0 { 500 } else { 503 }),
        3 => Fault::Delay(200 + rng.below(20_000)),
        4 => Fault::Refuse,
        5 | 6 => Fault::LoseRequest,
        7 | 8 => Fault::LoseReply,
        9 | 10 => Fault::StaleRead,
        11 | 12 => Fault::LaggingRead(1_000 + rng.below(20_000)),
        _ => page(["", "{}", "<html>502 Bad Gateway</html>"][rng.below(3) as usize]),
    };
    on.nth(first + 1..=first + length).then(fault)
}

fn page(body: &str) -> Fault {
    let content_type = if body.starts_with('<') { "text/html" } else { "application/x-amz-json-1.1" };
    Fault::Status { code: 200, body: body.to_owned(), content_type: content_type.to_owned() }
}

/// The same rule, for the calls of the tool that is judged.
fn of_the_tool(mut rule: impl Rule) -> impl Rule {
    move |call: &Call<'_>| {
        let key = call.request.and_then(|request| request.access_key.as_deref());
        // The registry's calls carry no access key.
        if key.is_none_or(|key| key == "release") { rule.on_call(call) } else { None }
    }
}
