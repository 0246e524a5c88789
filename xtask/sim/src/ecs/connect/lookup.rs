//! The tasks that answer when a task calls a Service Connect name, as its proxy looks them up.

use std::time::Duration;

use super::endpoint::Endpoint;
use crate::ecs::state::State;
use crate::ecs::task::model::{HealthStatus, Task, TaskStatus};
use crate::workload::TaskId;

/// A task that answers at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectTarget {
    pub task: TaskId,
    /// The container port of the endpoint's port name in that task's definition.
    pub port: u16,
}

/// What a name resolves to for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectLookup {
    /// The name and port are no endpoint that this client's deployment knows.
    Unknown,
    /// The endpoint's tasks that take calls now, oldest first; empty when there is none.
    Targets(Vec<ConnectTarget>, ConnectTimeouts),
}

/// How long the proxy waits; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectTimeouts {
    /// For the beginning of a reply.
    pub(crate) per_request: Option<Duration>,
    /// Time to wait for the next byte.
    pub idle: Option<Duration>,
}

impl ConnectTimeouts {
    /// What an endpoint gives, or Service Connect's defaults: 15 seconds for a request and 5 minutes of silence; over TCP
    /// an hour of silence and nothing else.
    fn of(endpoint: &Endpoint) -> Self {
        // Per request and idle, in seconds (developer guide, Service Connect timeouts).
        let (request, idle) = if endpoint.tcp { (0, 3600) } else { (15, 300) };
        let given = endpoint.timeout;
        let limit = |secs: u32| (secs > 0).then(|| Duration::from_secs(secs.into()));
        Self {
            per_request: limit(given.per_request_timeout_seconds.unwrap_or(request)),
            idle: limit(given.idle_timeout_seconds.unwrap_or(idle)),
        }
    }
}

/// Resolves `host` and `port` as the proxy of `client` does. Tasks that are being stopped get no new
/// calls; a task with a container health check gets its first call once it is HEALTHY.
pub(crate) fn connect_targets(ecs: &State, client: &TaskId, host: &str, port: u16) -> ConnectLookup {
    let host = host.to_ascii_lowercase();
    let mut known = endpoints(ecs, client).iter();
    match known.find(|endpoint| endpoint.dns_name == host && endpoint.port == port) {
        Some(endpoint) => targets(ecs, endpoint),
        None => ConnectLookup::Unknown,
    }
}

/// Resolves a TCP connection to `port`, which names no host: `None` unless one TCP endpoint alone has the port.
pub(crate) fn connect_stream(ecs: &State, client: &TaskId, port: u16) -> Option<ConnectLookup> {
    let mut known = endpoints(ecs, client).iter().filter(|endpoint| endpoint.port == port);
    let only = known.next().filter(|only| known.next().is_none() && only.tcp)?;
    Some(targets(ecs, only))
}

fn targets(ecs: &State, endpoint: &Endpoint) -> ConnectLookup {
    let tasks = ecs.tasks.live_of(&endpoint.service);
    let answering = tasks.filter(|task| takes_calls(task)).filter_map(|task| {
        let definition = ecs.families.by_arn(&task.task_definition)?;
        let port = definition.spec.named_port(&endpoint.port_name)?;
        Some(ConnectTarget { task: task.id.clone(), port })
    });
    ConnectLookup::Targets(answering.collect(), ConnectTimeouts::of(endpoint))
}

/// What a task's deployment knows.
fn endpoints<'a>(ecs: &'a State, client: &TaskId) -> &'a [Endpoint] {
    let task = ecs.tasks.get(client);
    let deployment = task.and_then(|task| ecs.services.get(&task.service)?.deployment(&task.deployment));
    deployment.map_or(&[], |deployment| &deployment.endpoints)
}

fn takes_calls(task: &Task) -> bool {
    let well = !task.has_health_check() || task.health() == HealthStatus::Healthy;
    task.status == TaskStatus::Running && task.desired_running && well
}
