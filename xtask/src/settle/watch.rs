//! The loop: poll, fold, tell what changed, until every deployment is over or nobody waits any longer.

use std::time::Duration;

use super::follow::{Follow, Settled};
use super::poll;
use super::target::Target;
use crate::aws::Aws;
use crate::host::Halt;
use crate::report::Recorder;

/// How deployments are watched.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// The account.
    pub aws: &'a Aws,
    /// The record.
    pub events: &'a Recorder,
    /// The cluster's name.
    pub cluster: &'a str,
    /// Between two polls.
    pub every: Duration,
    /// Whether a stop was asked for.
    pub halt: &'a Halt,
    /// Whether ECS is asked to put the previous revision back when a deployment's time is over.
    pub put_back: bool,
}

/// Follows the deployments until all are over. When a stop is asked for, or a deployment's time is over, ECS is asked to
/// put the previous revision back, and that is followed to its end, for as long as that may take.
pub async fn settle(watch: &Watch<'_>, targets: Vec<Target>) -> Vec<Settled> {
    let Watch { aws, events, cluster, every, halt, .. } = *watch;
    let mut follows: Vec<Follow> = targets.into_iter().map(|target| Follow::new(target, events)).collect();
    let mut gaps = poll::Gaps::default();
    let mut stopping = false;
    loop {
        if halt.asked() && !stopping {
            stopping = true;
            for follow in follows.iter_mut().filter(|follow| follow.is_open()) {
                follow.go_back(watch).await;
            }
        }
        let open: Vec<_> = follows.iter().filter(|follow| follow.is_open()).map(Follow::asks).collect();
        if open.is_empty() {
            break;
        }
        let seen = poll::all(aws, events, cluster, &open, &mut gaps).await;
        for follow in follows.iter_mut().filter(|follow| follow.is_open()) {
            match seen.iter().find(|seen| seen.service.name == follow.service()) {
                Some(seen) => follow.take(watch, seen).await,
                None => follow.darkness.falls(events.clock()),
            }
            if follow.is_open() && follow.is_overdue() {
                follow.overdue(watch).await;
            }
        }
        let remaining = follows.iter().filter(|follow| follow.is_open()).map(Follow::remaining).min();
        if let Some(remaining) = remaining {
            let sleep = events.clock().sleep(every.min(remaining));
            tokio::select! {
                biased;
                () = halt.wait(), if !stopping => {}
                () = sleep => {}
            }
        }
    }
    follows.into_iter().filter_map(Follow::settled).collect()
}
