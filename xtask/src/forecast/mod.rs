//! How long a roll will take: the plan's rolls carried out beforehand, by the same code, on an embedded cloud whose time is
//! virtual.
//!
//! The rehearsal begins with the services as they run, with the settings that they will have. What it cannot know is how
//! long the application takes to listen; how long its tasks take to start is what those that run took.

mod rehearsal;

use std::collections::BTreeMap;

use deploy::event::Forecast;
use deploy::model::{Environment, Kind, ServiceKey, Workload};
use futures_util::future::join_all;
use sim::Pace;

pub use rehearsal::{Rehearsal, rehearse};

use crate::aws::Aws;
use crate::release::Planned;

/// Until a small service listens, where nobody has said: in a container of a quarter of a vCPU, and as a process.
const BOOT_MS: u64 = 1_000;
const BOOT_LOCAL_MS: u64 = 100;
/// What an engine on a developer's machine takes for a task's containers and their sidecar, where nobody has said.
const CONTAINERS_LOCAL_MS: u64 = 1_200;

/// Predicts a plan's rolls; `None` when it rolls nothing, or the rehearsal does not go well: what cannot be predicted is
/// left unsaid, and stops nothing.
pub async fn predict(aws: &Aws, environment: &Environment, planned: &Planned) -> Option<Forecast> {
    let rolls: Vec<Vec<ServiceKey>> = planned
        .plan
        .stages
        .iter()
        .map(|stage| stage.settle.clone())
        .filter(|keys| !keys.is_empty())
        .collect();
    if rolls.is_empty() {
        return None;
    }
    let running = |state: &&deploy::model::ServiceState| state.status == "ACTIVE" && state.desired > 0;
    let live: BTreeMap<ServiceKey, u32> = planned
        .observed
        .services
        .iter()
        .filter(|(_, state)| running(state))
        .map(|(key, state)| (key.clone(), state.desired))
        .collect();
    let (pace, boot_ms) = match environment.kind {
        Kind::Aws => (Pace::default(), BOOT_MS),
        Kind::Local if in_containers(environment) => {
            (Pace { pulling_ms: CONTAINERS_LOCAL_MS, ..Pace::local() }, BOOT_MS)
        }
        Kind::Local => (Pace::local(), BOOT_LOCAL_MS),
    };
    let starts = starts(aws, environment, &live).await;
    let rehearsal = Rehearsal { environment: environment.clone(), live, rolls, starts, boot_ms, pace };
    tokio::task::spawn_blocking(move || rehearse(&rehearsal)).await.ok()?
}

/// Whether the embedded cloud will have containers to start, as far as that is known beforehand.
fn in_containers(environment: &Environment) -> bool {
    let foreign =
        |service: &deploy::model::Service| service.build.dockerfile.is_some() || service.image.is_some();
    match environment.workload {
        Workload::Auto => environment.services.iter().any(foreign),
        Workload::Processes => false,
        Workload::Containers => true,
    }
}

/// How long the running tasks of each service took from their creation to their start, in milliseconds: the slowest of each.
async fn starts(
    aws: &Aws,
    environment: &Environment,
    live: &BTreeMap<ServiceKey, u32>,
) -> BTreeMap<ServiceKey, u64> {
    let services = environment.services.iter().filter(|service| live.contains_key(&service.key));
    let read = services.map(|service| async move {
        let tasks = aws.service_tasks(&environment.cluster, &service.name, false).await.ok()?;
        let took = |task: &deploy::rollout::TaskSnapshot| task.started_ms?.checked_sub(task.created_ms);
        Some((service.key.clone(), tasks.iter().filter_map(took).max()?))
    });
    join_all(read).await.into_iter().flatten().collect()
}
