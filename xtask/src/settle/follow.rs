//! The loop: poll, fold, tell what changed, until every deployment is over or the deadline passes.

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::ServiceKey;
use deploy::rollout::{Evidence, Progress, Rollout, Verdict, explain, waiting};

use super::poll::{self, Seen};
use super::target::Target;
use super::{evidence, stop};
use crate::aws::Aws;
use crate::host::{Halt, Mark};
use crate::report::Recorder;

/// A rollback starts as many tasks as the release did, and drains as many.
const BACK_DEADLINE: Duration = Duration::from_secs(900);

/// How a deployment stood when the waiting ended; no verdict means that the deadline came first.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The service's short name.
    pub key: ServiceKey,
    /// The verdict.
    pub verdict: Option<Verdict>,
}

impl Settled {
    /// Whether the new revision runs and is complete.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.outcome.is_success())
    }

    /// The exit code that it asks for.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        self.verdict.as_ref().map_or(ExitCode::StillMoving, |verdict| ExitCode::of(&verdict.outcome))
    }
}

struct Follow {
    target: Target,
    rollout: Rollout,
    service_deployment: Option<String>,
    evidence: Evidence,
    told: Option<Kind>,
    said: BTreeSet<String>,
    verdict: Option<Verdict>,
}

/// Follows the deployments until all are over or `deadline` passes. When a stop is asked for, ECS is asked to put the
/// previous revisions back, and that is followed to its end.
pub async fn settle(
    aws: &Aws,
    events: &Recorder,
    cluster: &str,
    targets: Vec<Target>,
    every: Duration,
    deadline: Mark,
    halt: &Halt,
) -> Vec<Settled> {
    let began = events.clock().mark();
    let mut follows: Vec<Follow> = targets.into_iter().map(|target| Follow::new(target, events)).collect();
    let mut gaps = poll::Gaps::default();
    let (mut deadline, mut stopping) = (deadline, false);
    loop {
        if halt.asked() && !stopping {
            stopping = true;
            deadline = events.clock().mark().after(BACK_DEADLINE);
            for follow in follows.iter().filter(|follow| follow.verdict.is_none()) {
                stop::ask(aws, events, &follow.target.key, follow.service_deployment.as_deref()).await;
            }
        }
        let open: Vec<_> =
            follows.iter().filter(|follow| follow.verdict.is_none()).map(Follow::asks).collect();
        if open.is_empty() || deadline.remaining().is_zero() {
            break;
        }
        let seen = poll::all(aws, events, cluster, &open, &mut gaps).await;
        for follow in follows.iter_mut().filter(|follow| follow.verdict.is_none()) {
            let Some(seen) = seen.iter().find(|seen| seen.service.name == follow.target.service) else {
                continue;
            };
            follow.take(seen, events);
            if let Some(verdict) = follow.verdict.clone() {
                follow.close(aws, events, &verdict, began.elapsed_ms()).await;
            }
        }
        if follows.iter().any(|follow| follow.verdict.is_none()) {
            let sleep = events.clock().sleep(every.min(deadline.remaining()));
            tokio::select! {
                biased;
                () = halt.wait(), if !stopping => {}
                () = sleep => {}
            }
        }
    }
    for follow in follows.iter().filter(|follow| follow.verdict.is_none()) {
        follow.explain(aws, events).await;
    }
    follows.into_iter().map(|follow| Settled { key: follow.target.key, verdict: follow.verdict }).collect()
}

impl Follow {
    fn new(target: Target, events: &Recorder) -> Self {
        let revision = short(&target.deployed.revision);
        let deployment = target.deployed.deployment.clone();
        events.emit(Kind::Following {
            service: target.key.clone(),
            deployment: deployment.clone(),
            revision,
        });
        Self {
            rollout: Rollout::new(deployment),
            service_deployment: None,
            evidence: Evidence {
                health_path: target.health_path.clone(),
                port: target.port,
                ..Evidence::default()
            },
            told: None,
            said: BTreeSet::new(),
            verdict: None,
            target,
        }
    }

    /// What the next poll should read for it.
    fn asks(&self) -> poll::Ask {
        poll::Ask {
            service: self.target.service.clone(),
            service_deployment: self.service_deployment.clone(),
            target_group: self.target.target_group.clone(),
        }
    }

    fn take(&mut self, seen: &Seen, events: &Recorder) {
        let ours = self.rollout.deployment().to_owned();
        let primary =
            seen.service.deployments.iter().any(|entry| entry.id == ours && entry.status == "PRIMARY");
        let current = &seen.service.service_deployment;
        // Right after the write the service may still name the service deployment before ours.
        if primary && self.service_deployment.is_none() && *current != self.target.deployed.before {
            self.service_deployment.clone_from(current);
        }
        self.say(seen, events);
        evidence::collect(&mut self.evidence, &ours, seen);
        match self.rollout.fold(&seen.service, seen.deployment.as_ref()) {
            Progress::Settled(verdict) => self.verdict = Some(verdict),
            Progress::NotSeenYet | Progress::Moving { .. } | Progress::RollingBack { .. } => {
                self.tell(seen, events)
            }
        }
    }

    /// Tells how it stands, when it stands differently than before.
    fn tell(&mut self, seen: &Seen, events: &Recorder) {
        let ours = self.rollout.deployment();
        let entry =
            seen.service.deployments.iter().find(|entry| entry.id == ours).cloned().unwrap_or_default();
        let kind = Kind::Rolling {
            service: self.target.key.clone(),
            revision: short(&self.target.deployed.revision),
            desired: entry.desired,
            running: entry.running,
            pending: entry.pending,
            failed: entry.failed,
            waiting: waiting(ours, &seen.service, &seen.tasks, &seen.targets),
        };
        if self.told.as_ref() != Some(&kind) {
            events.emit(kind.clone());
            self.told = Some(kind);
        }
    }

    /// Passes on what ECS said since our deployment was made, oldest first.
    fn say(&mut self, seen: &Seen, events: &Recorder) {
        let ours = self.rollout.deployment();
        let Some(since) =
            seen.service.deployments.iter().find(|entry| entry.id == ours).map(|entry| entry.created_ms)
        else {
            return;
        };
        for event in seen.service.events.iter().rev().filter(|event| event.at_ms >= since) {
            if self.said.insert(event.id.clone()) {
                let kind =
                    Kind::ServiceSaid { service: self.target.key.clone(), message: event.message.clone() };
                events.emit(kind);
            }
        }
    }

    async fn close(&self, aws: &Aws, events: &Recorder, verdict: &Verdict, elapsed_ms: u64) {
        let service = self.target.key.clone();
        events.emit(Kind::Settled { service, verdict: verdict.clone(), elapsed_ms });
        if !verdict.outcome.is_success() {
            self.explain(aws, events).await;
        }
    }

    /// Tells the cause that the evidence supports, with the last lines of a stopped task.
    async fn explain(&self, aws: &Aws, events: &Recorder) {
        let mut evidence = self.evidence.clone();
        evidence.log_tail = evidence::log_tail(aws, events, &self.target, &evidence).await;
        if let Some(cause) = explain(&evidence) {
            events.emit(Kind::Explained {
                service: self.target.key.clone(),
                cause,
                log_tail: evidence.log_tail,
            });
        }
    }
}

/// `family:revision` of a revision's ARN.
fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
