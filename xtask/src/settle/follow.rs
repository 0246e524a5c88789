//! One deployment until its verdict: what each poll shows of it, and what is done at its deadline.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::evidence::DeploymentRecord;
use deploy::model::ServiceKey;
use deploy::rollout::{Evidence, Outcome, Progress, Rollout, Verdict};

use super::poll::{self, Seen};
use super::progress::{ProgressReporter, short};
use super::target::{Target, Watch};
use super::unobserved::Unobserved;
use super::{evidence, stop};
use crate::aws::Error;
use crate::host::Mark;
use crate::report::Recorder;

/// The state of a deployment when the wait ended.
#[derive(Clone, Debug)]
pub struct Settled {
    pub key: ServiceKey,
    /// The ARN of the revision that it rolled out; `None` when nothing was rolled out.
    pub revision: Option<String>,
    pub verdict: Verdict,
    /// Since when all its tasks are healthy, as far as that was seen.
    pub healthy: Option<Healthy>,
}

/// The moment at which all new tasks were healthy for the first time: from it on they have to stay so.
#[derive(Clone, Debug)]
pub struct Healthy {
    pub since: Mark,
    /// Ids of the tasks that had failed by then.
    pub failed: Vec<String>,
}

impl Settled {
    /// A service that needed no deployment.
    pub fn unchanged(key: ServiceKey) -> Self {
        Self { key, revision: None, verdict: Verdict::new(Outcome::NoChange, None), healthy: None }
    }

    /// Whether the new revision runs and is complete.
    pub fn is_success(&self) -> bool {
        self.verdict.outcome.is_success()
    }

    /// The exit code that it asks for.
    pub fn exit(&self) -> ExitCode {
        ExitCode::of(&self.verdict.outcome)
    }
}

/// A deployment and its service deployment are made within this.
const SAME_MOMENT_MS: u64 = 2_000;

/// What is added to ECS's words for the end of a deployment that this tool asked to stop.
const ASKED: &str = " (This tool requested the stop.)";

/// The part of a deployment that the deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The new revision gets complete.
    Roll,
    /// Its tasks are healthy; the old ones are leaving.
    Finish,
    /// ECS rolls back to the previous revision.
    Rollback,
}

pub(super) struct Follow {
    pub(super) target: Target,
    began: Mark,
    pub(super) part: Part,
    /// A stop is due, and the ARN of its service deployment is not known yet.
    to_stop: bool,
    deadline: Mark,
    rollout: Rollout,
    service_deployment: Option<String>,
    pub(super) evidence: Evidence,
    pub(super) record: DeploymentRecord,
    /// A plain cause was emitted.
    pub(super) explained: bool,
    pub(super) unobserved: Unobserved,
    reporter: ProgressReporter,
    /// ECS accepted our request to stop it.
    accepted: bool,
    healthy: Option<Healthy>,
    /// The last poll shows it scaled to 0.
    emptied: bool,
    verdict: Option<Verdict>,
}

impl Follow {
    pub(super) fn new(target: Target, events: &Recorder) -> Self {
        let began = events.clock().mark();
        let deployment = target.deployed.deployment.clone();
        Self {
            began,
            part: Part::Roll,
            to_stop: false,
            deadline: began.after(Duration::from_secs(target.patience.roll_secs)),
            rollout: if target.deployed.adopted {
                Rollout::adopted(deployment)
            } else {
                Rollout::new(deployment)
            },
            service_deployment: None,
            record: DeploymentRecord::of(target.key.clone(), &target.deployed.deployment),
            evidence: Evidence {
                health_path: target.health_path.clone(),
                health_matcher: target.health_matcher.clone(),
                port: target.port,
                health_commands: target.health_commands.clone(),
                grace_secs: u32::try_from(target.pace.grace_secs).unwrap_or(u32::MAX),
                embedded: target.embedded,
                ..Evidence::default()
            },
            explained: false,
            unobserved: Unobserved::new(began),
            reporter: ProgressReporter::begin(&target, began, events),
            accepted: false,
            healthy: None,
            emptied: false,
            verdict: None,
            target,
        }
    }

    /// Whether there is no verdict yet.
    pub(super) fn is_open(&self) -> bool {
        self.verdict.is_none()
    }

    pub(super) fn service(&self) -> &str {
        &self.target.service
    }

    pub(super) fn remaining(&self) -> Duration {
        self.deadline.remaining()
    }

    /// Until the next look at it, at most: its deadline, or the moment when something is due.
    pub(super) fn due(&self) -> Duration {
        self.reporter.due().unwrap_or(Duration::MAX).min(self.remaining())
    }

    /// Whether the deadline has passed.
    pub(super) fn is_overdue(&self) -> bool {
        self.remaining().is_zero()
    }

    /// What became of it, once there is a verdict.
    pub(super) fn settled(self) -> Option<Settled> {
        Some(Settled {
            key: self.target.key,
            revision: Some(self.target.deployed.revision),
            verdict: self.verdict?,
            healthy: self.healthy,
        })
    }

    /// What the next poll should read for it.
    pub(super) fn asks(&self) -> poll::Ask {
        poll::Ask {
            service: self.target.service.clone(),
            deployment: self.target.deployed.deployment.clone(),
            revision: self.target.deployed.revision.clone(),
            service_deployment: self.service_deployment.clone(),
            target_group: self.target.target_group.clone(),
        }
    }

    /// Takes what a poll shows of it.
    pub(super) async fn take(&mut self, watch: &Watch<'_>, seen: &Seen) {
        let events = watch.events;
        let ours = self.rollout.deployment().to_owned();
        // Only while ours is PRIMARY: after that the service names the service deployment of whatever replaced it.
        let primary =
            seen.service.deployments.iter().any(|entry| entry.id == ours && entry.status == "PRIMARY");
        let current = &seen.service.service_deployment;
        // Right after the write the service may still name the service deployment before ours.
        if primary && self.service_deployment.is_none() && *current != self.target.deployed.before {
            self.service_deployment.clone_from(current);
            if current.is_none() {
                self.list_service_deployment(watch, seen).await;
            }
        }
        self.emptied = seen.service.desired == 0;
        self.reporter.news(seen, events);
        self.record.see(&seen.service, seen.deployment.as_ref(), &seen.tasks, &seen.targets);
        // At every poll, not at the end: ECS forgets stopped tasks after about an hour, and this process may be killed.
        events.keep(&self.record);
        evidence::collect(&mut self.evidence, &ours, seen);
        let progress = self.rollout.fold(&seen.service, seen.deployment.as_ref());
        if progress == Progress::NotSeenYet {
            self.unobserved.poll_missed(events.clock(), None);
        } else if self.unobserved.poll_succeeded() {
            self.deadline = events.clock().mark();
        }
        match progress {
            Progress::Settled(verdict) => self.close(watch, verdict).await,
            Progress::RollingBack { .. } => {
                // The time of the rollback begins with it, whoever asked for it.
                if self.part != Part::Rollback {
                    self.count(Part::Rollback, self.target.patience.back_secs);
                }
                self.reporter.progress(seen, events);
            }
            Progress::NotSeenYet | Progress::Moving { .. } => {
                self.reporter.progress(seen, events);
                if self.reporter.is_finishing() {
                    self.is_healthy(events);
                }
                // The stop was asked for before a poll had named the service deployment that it needs.
                if self.to_stop {
                    self.roll_back(watch).await;
                }
                self.look_for_plain_cause(watch).await;
            }
        }
    }

    /// Some endpoints leave `currentServiceDeployment` out: ours is then the newest that is listed, if it is
    /// as young as our deployment.
    async fn list_service_deployment(&mut self, watch: &Watch<'_>, seen: &Seen) {
        let ours = seen.service.deployments.iter().find(|entry| entry.id == self.rollout.deployment());
        let Some(created_ms) = ours.map(|ours| ours.created_ms) else { return };
        // An error leaves it unknown, as before: `deployments[]` decides.
        let listed = watch.aws.list_service_deployments(watch.cluster, &self.target.service, &[]).await;
        // Newest first, as `list_service_deployments` sorts them.
        let newest = listed.unwrap_or_default().into_iter().next();
        let young = newest.filter(|newest| newest.created_ms.saturating_add(SAME_MOMENT_MS) >= created_ms);
        self.service_deployment =
            young.map(|newest| newest.arn).filter(|arn| Some(arn) != self.target.deployed.before.as_ref());
    }

    /// Reads have been refused for too long: the verdict is unknown, and polling ends. Returns the revision.
    pub(super) fn give_up(&mut self, events: &Recorder, error: &Error) -> String {
        let verdict = Verdict::new(Outcome::Unseen { why: error.to_string() }, None);
        let (service, elapsed_ms) = (self.target.key.clone(), self.began.elapsed_ms());
        events.emit(Kind::Settled { service, verdict: verdict.clone(), emptied: false, elapsed_ms });
        self.verdict = Some(verdict);
        short(&self.target.deployed.revision)
    }

    fn is_healthy(&mut self, events: &Recorder) {
        let failed = self.evidence.stopped.iter().map(|task| task.id.clone());
        self.healthy
            .get_or_insert_with(|| Healthy { since: events.clock().mark(), failed: failed.collect() });
    }

    fn count(&mut self, part: Part, secs: u64) {
        self.part = part;
        // From now on: the parts before it have had their own time.
        self.deadline = self.began.after(self.began.elapsed() + Duration::from_secs(secs));
    }

    /// The deadline has passed. New tasks that are all healthy are not rolled back because old ones stop slowly; anything else
    /// is, where that is wanted and possible. A rollback that is late itself is left alone, and so is what ECS does not show.
    pub(super) async fn overdue(&mut self, watch: &Watch<'_>) {
        let about = format!("{}: not complete after {} s", self.target.key, self.began.elapsed().as_secs());
        let warn = |text: &str| watch.events.emit(Kind::Warned { text: format!("{about}{text}") });
        if let Some(until) = self.unobserved.extend_deadline() {
            if !until.remaining().is_zero() {
                self.deadline = until;
                return;
            }
            let why = self.unobserved.why();
            warn(&format!(", and no reply of ECS shows it: {why}"));
            return self.close(watch, Verdict::new(Outcome::Unseen { why }, None)).await;
        }
        match self.part {
            Part::Roll if self.reporter.is_finishing() => {
                warn(", but its tasks are healthy: waiting for the old ones to stop");
                self.count(Part::Finish, self.target.patience.finish_secs);
            }
            Part::Roll if watch.roll_back => {
                warn("");
                self.roll_back(watch).await;
            }
            Part::Roll | Part::Finish | Part::Rollback => {
                self.close(watch, Verdict::new(Outcome::StillMoving, None)).await;
            }
        }
    }

    /// Rolls back to the previous revision. Where ECS refuses, the deployment is left as it is.
    pub(super) async fn roll_back(&mut self, watch: &Watch<'_>) {
        if !self.ask_to_roll_back(watch).await {
            self.close(watch, Verdict::new(Outcome::StillMoving, None)).await;
        }
    }

    /// Asks ECS to roll back, as soon as a poll has named the service deployment. If ECS refuses, it returns false and
    /// following continues as before.
    pub(super) async fn ask_to_roll_back(&mut self, watch: &Watch<'_>) -> bool {
        self.to_stop = self.service_deployment.is_none();
        if let Some(arn) = self.service_deployment.clone() {
            match stop::ask(watch.aws, watch.events, &self.target.key, &arn).await {
                stop::Asked::Accepted => self.accepted = true,
                stop::Asked::TooLate => {}
                stop::Asked::Refused => return false,
            }
        }
        if !self.to_stop {
            self.rollout.asked_to_stop();
        }
        if self.part != Part::Rollback {
            self.count(Part::Rollback, self.target.patience.back_secs);
        }
        true
    }

    async fn close(&mut self, watch: &Watch<'_>, mut verdict: Verdict) {
        if let Outcome::Superseded { task_definition, who, release, forced: false, .. } = &mut verdict.outcome
        {
            // The tags of its revision are the only record of who: UpdateService leaves none of its caller.
            (*who, *release) = registered_by(watch, task_definition).await;
        }
        // ECS calls whoever asks for a stop a user.
        if let Some(reason) = verdict.reason.as_mut().filter(|_| self.accepted) {
            reason.push_str(ASKED);
        }
        let (service, elapsed_ms) = (self.target.key.clone(), self.began.elapsed_ms());
        let emptied = self.emptied;
        watch.events.emit(Kind::Settled { service, verdict: verdict.clone(), emptied, elapsed_ms });
        if verdict.outcome.is_success() {
            self.is_healthy(watch.events);
        } else {
            self.diagnose(watch, &verdict.outcome).await;
        }
        self.verdict = Some(verdict);
    }
}

/// Who registered a revision, and for which release, by its tags.
async fn registered_by(watch: &Watch<'_>, revision: &str) -> (Option<String>, Option<String>) {
    match watch.aws.describe_task_definition(revision).await {
        Ok(found) => (found.tags.get("actor").cloned(), found.tags.get("release").cloned()),
        Err(error) => {
            let text = format!("the tags of {} could not be read: {error}", short(revision));
            watch.events.emit(Kind::Warned { text });
            (None, None)
        }
    }
}
