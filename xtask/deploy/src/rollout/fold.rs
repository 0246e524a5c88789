//! The fold: one service's snapshots in, progress or a verdict out.

use serde::Serialize;

use super::snapshot::{DeploymentSnapshot, ServiceDeploymentSnapshot, ServiceSnapshot};
use super::verdict::{Outcome, Verdict};
use super::vocabulary::CALM_BREAKER_STATUSES;

/// Follows one deployment of one service, by the id that CreateService or UpdateService answered with.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// Our deployment's id, `ecs-svc/<19 digits>`.
    deployment: String,
    /// The deployment was in an answer at least once. Until then its absence may be a stale read.
    seen: bool,
    /// What ECS last called our deployment a failure for.
    failure: Option<String>,
    /// The deployment that ECS started to put the previous revision back.
    rollback: Option<String>,
    /// We asked ECS to stop it ourselves.
    asked: bool,
    /// It was in progress already, and may be the rollback of another one.
    adopted: bool,
    /// When it was made, in milliseconds since the Unix epoch; 0 until it was seen.
    created_ms: u64,
    /// The ARN of the revision that it runs; empty until it was seen.
    revision: String,
    /// Reads in a row that show another deployment, or no service, in its place.
    displaced: u32,
}

/// So many reads in a row must say that ours was displaced. ECS is eventually consistent, also after a read that was
/// right (ECS API, "eventual consistency"): one reply of a lagging replica must not end a release.
const LOOKS: u32 = 3;
/// So many where the service itself is missing: after CreateService, reads may answer MISSING for seconds. Polls are at least
/// a second apart, so a service that is really gone is noticed ten seconds late.
const LOOKS_MISSING: u32 = 10;

/// What one snapshot shows of our deployment.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Progress {
    /// Not in the answer: the read is older than our write, or another one must say the same first.
    NotSeenYet,
    Moving {
        desired: u32,
        running: u32,
        pending: u32,
        failed: u32,
    },
    /// ECS gave our deployment up and is putting the previous revision back.
    RollingBack {
        reason: Option<String>,
    },
    Settled(Verdict),
}

impl Rollout {
    /// Follows the deployment with this id.
    pub fn new(deployment: impl Into<String>) -> Self {
        Self {
            deployment: deployment.into(),
            seen: false,
            failure: None,
            rollback: None,
            asked: false,
            adopted: false,
            created_ms: 0,
            revision: String::new(),
            displaced: 0,
        }
    }

    /// Follows a deployment that was in progress already. It may be ECS's rollback of another one, whose service deployment it
    /// then shares: its success is ROLLBACK_SUCCESSFUL.
    pub fn adopted(deployment: impl Into<String>) -> Self {
        Self { adopted: true, ..Self::new(deployment) }
    }

    /// The id of the deployment that is followed.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// Notes that we asked ECS to stop the deployment: its end is then not somebody else's doing.
    pub fn asked_to_stop(&mut self) {
        self.asked = true;
    }

    /// Takes one snapshot of the service and, when the endpoint gives it, of our service deployment.
    ///
    /// A service deployment distinguishes a stop by a person, a supersession and a rollback; without it `deployments[]`
    /// alone decides, and what that cannot distinguish is [`Outcome::Unknown`].
    pub fn fold(&mut self, service: &ServiceSnapshot, ours: Option<&ServiceDeploymentSnapshot>) -> Progress {
        let progress = self.read(service, ours);
        let displaced = matches!(
            &progress,
            Progress::Settled(Verdict { outcome: Outcome::Superseded { .. } | Outcome::Deleted, .. })
        );
        self.displaced = if displaced { self.displaced + 1 } else { 0 };
        let looks = if service.status == "MISSING" { LOOKS_MISSING } else { LOOKS };
        // Reads are not monotone (ECS API reference, RunTask): one answer from before our write looks like a supersession.
        if displaced && self.displaced < looks { Progress::NotSeenYet } else { progress }
    }

    fn read(&mut self, service: &ServiceSnapshot, ours: Option<&ServiceDeploymentSnapshot>) -> Progress {
        let listed = service.deployments.iter().find(|deployment| deployment.id == self.deployment);
        self.seen |= listed.is_some();
        // ECS drops a replaced deployment from the list soon: what was read of it before is kept, because it shows whether a
        // PRIMARY deployment is older or newer.
        self.created_ms = listed.map_or(self.created_ms, |listed| listed.created_ms);
        if let Some(listed) = listed {
            self.revision.clone_from(&listed.task_definition);
        }
        // An early read may be older than our write: absence counts once the deployment was listed.
        if !self.seen {
            return Progress::NotSeenYet;
        }
        match service.status.as_str() {
            "ACTIVE" => {}
            // A service that is deleted is DRAINING, and then INACTIVE for an hour: MISSING is what a lagging replica says. Its
            // service deployment, where that goes on, says that it is there.
            "MISSING" if ours.is_some_and(goes_on) => return Progress::NotSeenYet,
            "MISSING" | "INACTIVE" | "DRAINING" => {
                return settled(Outcome::Deleted, Some(&service.status));
            }
            other => return settled(Outcome::Unknown, Some(other)),
        }
        let primary = service.primary();
        match (listed, primary) {
            (Some(listed), Some(primary)) if listed.id == primary.id => self.as_primary(listed, ours),
            (listed, Some(primary)) => self.replaced(listed, primary, ours),
            (_, None) => settled(Outcome::Unknown, Some("no PRIMARY deployment")),
        }
    }

    fn as_primary(
        &mut self,
        listed: &DeploymentSnapshot,
        ours: Option<&ServiceDeploymentSnapshot>,
    ) -> Progress {
        let reason = listed.rollout_reason.as_deref();
        match (listed.rollout_state.as_deref(), ours.map(|ours| ours.status.as_str())) {
            // `None` where the endpoint gives no service deployment: COMPLETED of our own id is then the best evidence there
            // is.
            (Some("COMPLETED"), None | Some("SUCCESSFUL")) => settled(Outcome::Succeeded, reason),
            (Some("COMPLETED"), Some("ROLLBACK_SUCCESSFUL")) if self.adopted => {
                settled(Outcome::Succeeded, reason)
            }
            // The two views are read one after the other: the service deployment ends a moment later. Only its end contradicts.
            (
                Some("COMPLETED"),
                Some(
                    "PENDING"
                    | "IN_PROGRESS"
                    | "STOP_REQUESTED"
                    | "ROLLBACK_REQUESTED"
                    | "ROLLBACK_IN_PROGRESS",
                ),
            )
            // Without a circuit breaker ECS leaves it IN_PROGRESS for ever, however many tasks fail (ECS API, Deployment): only
            // the caller's deadline ends that.
            | (Some("IN_PROGRESS") | None, _) => moving(listed, ours),
            // Still PRIMARY and FAILED: the breaker tripped without a rollback, or the rollback's deployment is not listed yet.
            (Some("FAILED"), _) => {
                self.failure = reason.map(str::to_owned);
                match ours.map(|ours| ours.status.as_str()) {
                    // The breaker tripped and the rollback's deployment is not PRIMARY yet.
                    Some(
                        "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" | "IN_PROGRESS" | "STOP_REQUESTED",
                    ) => Progress::RollingBack { reason: self.failure.clone() },
                    Some("STOPPED") if self.by_somebody(ours) => {
                        settled(Outcome::Stopped { back: false }, self.why(ours))
                    }
                    // ServiceDeploymentStatus has no FAILED: a breaker without rollback ends STOPPED as well.
                    _ => settled(Outcome::Failed, reason),
                }
            }
            // The service deployment wins where the two disagree for good: a word that is new is never a success.
            (Some("COMPLETED"), Some(other)) => settled(Outcome::Unknown, Some(other)),
            (Some(other), _) => settled(Outcome::Unknown, Some(other)),
        }
    }

    /// Ours was seen and another deployment is PRIMARY now: a rollback of ours, or somebody else's.
    fn replaced(
        &mut self,
        listed: Option<&DeploymentSnapshot>,
        primary: &DeploymentSnapshot,
        ours: Option<&ServiceDeploymentSnapshot>,
    ) -> Progress {
        if let Some(listed) = listed.filter(|listed| listed.rollout_state.as_deref() == Some("FAILED")) {
            let reason = listed.rollout_reason.clone().unwrap_or_else(|| "ECS deployment failed.".to_owned());
            self.failure = Some(reason);
            // ECS's rollback is a deployment with an id of its own. The first one after the failure is it; a later PRIMARY is
            // somebody's new deployment.
            self.rollback.get_or_insert_with(|| primary.id.clone());
        }
        let superseded = |reason| {
            // The read is older than our deployment: what is PRIMARY there is what ours replaced.
            if primary.created_ms < self.created_ms {
                return Progress::NotSeenYet;
            }
            let (by, task_definition) = (primary.id.clone(), primary.task_definition.clone());
            // `--force-new-deployment` starts another deployment of the same revision: the release serves, under another id.
            let forced = task_definition == self.revision;
            settled(Outcome::Superseded { by, task_definition, who: None, release: None, forced }, reason)
        };
        match ours.map(|ours| ours.status.as_str()) {
            Some("ROLLBACK_SUCCESSFUL") if self.by_somebody(ours) => {
                settled(Outcome::Stopped { back: true }, self.why(ours))
            }
            Some("ROLLBACK_SUCCESSFUL") => settled(Outcome::RolledBack, self.why(ours)),
            Some("ROLLBACK_FAILED") => settled(Outcome::Failed, self.why(ours)),
            Some("ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS") => {
                Progress::RollingBack { reason: self.why(ours).map(str::to_owned) }
            }
            // Ours succeeded before the newer one began: that stays the verdict.
            Some("SUCCESSFUL") => settled(Outcome::Succeeded, None),
            // UpdateService during a roll ends the older service deployment as STOPPED too: without a rollback that is what it
            // was.
            Some("STOPPED" | "STOP_REQUESTED") if self.rollback.is_none() => superseded(self.why(ours)),
            // Stopped, and a deployment of the previous revision follows: only its end shows whether that serves again.
            Some("STOPPED" | "STOP_REQUESTED") => match primary.rollout_state.as_deref() {
                Some("COMPLETED") if self.asked => settled(Outcome::RolledBack, self.why(ours)),
                Some("FAILED") if self.asked => settled(Outcome::Failed, self.why(ours)),
                Some("COMPLETED") => settled(Outcome::Stopped { back: true }, self.why(ours)),
                Some("FAILED") => settled(Outcome::Stopped { back: false }, self.why(ours)),
                _ => Progress::RollingBack { reason: self.why(ours).map(str::to_owned) },
            },
            // One of the two views is older than the other: the next poll decides.
            Some("PENDING" | "IN_PROGRESS") if self.rollback.is_none() => Progress::NotSeenYet,
            Some("PENDING" | "IN_PROGRESS") | None => {
                self.without_service_deployment(primary, superseded(None))
            }
            Some(other) => settled(Outcome::Unknown, Some(other)),
        }
    }

    /// Only `deployments[]` to go by: a failed deployment's successor is its rollback,
    /// any other successor superseded it.
    fn without_service_deployment(&self, primary: &DeploymentSnapshot, superseded: Progress) -> Progress {
        match &self.rollback {
            None => superseded,
            Some(rollback) if *rollback != primary.id => superseded,
            Some(_) => match primary.rollout_state.as_deref() {
                Some("COMPLETED") => settled(Outcome::RolledBack, self.failure.as_deref()),
                Some("FAILED") => settled(Outcome::Failed, self.failure.as_deref()),
                Some("IN_PROGRESS") | None => Progress::RollingBack { reason: self.failure.clone() },
                Some(other) => settled(Outcome::Unknown, Some(other)),
            },
        }
    }

    /// Whether a deployment that was stopped was stopped by a person: neither the circuit breaker nor an alarm did it,
    /// nor did we ask. Where the endpoint reports no state of the breaker, or one that this tool does not know, nobody is blamed.
    fn by_somebody(&self, ours: Option<&ServiceDeploymentSnapshot>) -> bool {
        let Some(ours) = ours.filter(|_| !self.asked) else { return false };
        let calm =
            ours.breaker_status.as_deref().is_some_and(|status| CALM_BREAKER_STATUSES.contains(&status));
        calm && ours.alarms.is_empty()
    }

    fn why<'a>(&'a self, ours: Option<&'a ServiceDeploymentSnapshot>) -> Option<&'a str> {
        ours.and_then(|ours| ours.rollback_reason.as_deref().or(ours.reason.as_deref()))
            .or(self.failure.as_deref())
    }
}

/// Whether a service deployment is not over, or ended well.
fn goes_on(ours: &ServiceDeploymentSnapshot) -> bool {
    matches!(
        ours.status.as_str(),
        "PENDING"
            | "IN_PROGRESS"
            | "SUCCESSFUL"
            | "STOP_REQUESTED"
            | "ROLLBACK_REQUESTED"
            | "ROLLBACK_IN_PROGRESS"
    )
}

fn moving(listed: &DeploymentSnapshot, ours: Option<&ServiceDeploymentSnapshot>) -> Progress {
    match ours.map(|ours| ours.status.as_str()) {
        Some("ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS") => {
            Progress::RollingBack { reason: ours.and_then(|ours| ours.reason.clone()) }
        }
        _ => Progress::Moving {
            desired: listed.desired,
            running: listed.running,
            pending: listed.pending,
            failed: listed.failed,
        },
    }
}

fn settled(outcome: Outcome, reason: Option<&str>) -> Progress {
    Progress::Settled(Verdict::new(outcome, reason))
}

#[cfg(test)]
mod tests;
