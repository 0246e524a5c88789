//! Estimates how long a roll will take: runs the plan's rolls beforehand, with the same code, on an embedded cloud with
//! virtual time.
//!
//! The rehearsal begins with the services that run, with the settings that they will have. Tasks take as long to start as those
//! that run took. How long the application takes until it listens is an assumption.

mod rehearsal;

use std::collections::BTreeMap;

use deploy::event::Forecast;
use deploy::model::{Environment, Kind, ServiceKey, Workload};
use futures_util::future::join_all;
use sim::Pace;

pub use rehearsal::{Rehearsal, rehearse};

use crate::aws::Aws;
use crate::release::Planned;

/// Assumed time until a small service listens: in a container of a quarter of a vCPU, and as a process.
const BOOT_MS: u64 = 1_000;
const BOOT_LOCAL_MS: u64 = 100;
/// Assumed time that an engine on a developer's machine takes for a task's containers and their sidecar.
const CONTAINERS_LOCAL_MS: u64 = 1_200;

/// Predicts a plan's rolls; `None` when it rolls nothing or the rehearsal fails, which is no reason to stop.
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
    let running = |state: &&deploy::model::ServiceState| state.is_active() && state.desired > 0;
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
    // In another thread: it blocks on a paused runtime, and tokio allows no runtime inside another.
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
