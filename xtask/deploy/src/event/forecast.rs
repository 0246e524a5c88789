//! How long a roll will take, and what of it takes longest.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Event, Kind};
use crate::model::ServiceKey;
use crate::rollout::{Leave, Leaving, Waiting};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Forecast {
    /// From the first step to the last verdict, in milliseconds.
    pub total_ms: u64,
    pub longest: Option<Share>,
    /// Milliseconds from a task's creation to its containers' start that were assumed, for the slowest service.
    pub start_ms: u64,
    /// Whether that is how the running tasks started; otherwise it is what is usual.
    pub start_seen: bool,
}

/// A part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Share {
    pub part: Part,
    pub ms: u64,
}

/// What a roll waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Start,
    /// New targets pass their checks.
    Checks,
    /// Old targets keep their connections.
    Draining,
    /// Old tasks get the stop signal, and stop.
    Stopping,
    /// ECS looks on before it calls the deployment complete.
    Completion,
}

impl Part {
    /// In words, and the setting of `deploy.toml` that it depends on.
    pub fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Start => ("starting tasks", None),
            Self::Checks => ("health checks", Some("target-group.health")),
            Self::Draining => ("draining", Some("target-group.deregistration-delay-secs")),
            Self::Stopping => ("stopping old tasks", Some("container.stop-timeout-secs")),
            Self::Completion => ("until ECS calls it complete", None),
        }
    }

    fn of(waiting: &Waiting) -> Option<Self> {
        Some(match waiting {
            Waiting::FirstSight | Waiting::Tasks => Self::Start,
            Waiting::Targets { .. } | Waiting::Checks { .. } => Self::Checks,
            Waiting::Draining { leaving: Some(Leaving { step: Leave::Stopping, .. }), .. } => Self::Stopping,
            Waiting::Draining { .. } => Self::Draining,
            Waiting::Completion | Waiting::NoTasks => Self::Completion,
            Waiting::Rollback => return None,
        })
    }
}

/// What a roll waited for and how long, by the record of it: of the service that settled last, as the
/// others wait for nothing longer.
pub fn shares(events: &[Event]) -> BTreeMap<Part, u64> {
    let mut shares = BTreeMap::new();
    let settled = |event: &Event| match &event.kind {
        Kind::Settled { service, .. } => Some((event.at_ms, service.clone())),
        _ => None,
    };
    let Some((end, last)) = events.iter().filter_map(settled).max_by_key(|(at_ms, _)| *at_ms) else {
        return shares;
    };
    let mut since: Option<(Part, u64)> = None;
    for (at_ms, part) in events.iter().filter_map(|event| moved(event, &last)).chain([(end, None)]) {
        if let Some((before, from)) = since {
            *shares.entry(before).or_insert(0) += at_ms.saturating_sub(from);
        }
        since = part.map(|part| (part, at_ms));
    }
    shares
}

fn moved(event: &Event, key: &ServiceKey) -> Option<(u64, Option<Part>)> {
    match &event.kind {
        Kind::Following { service, .. } if service == key => Some((event.at_ms, Some(Part::Start))),
        Kind::Rolling { service, waiting, .. } if service == key => Some((event.at_ms, Part::of(waiting))),
        _ => None,
    }
}
