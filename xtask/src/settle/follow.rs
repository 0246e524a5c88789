//! One deployment on its way to its verdict: what each poll shows of it, and what is done when its time is over.

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::evidence::Remains;
use deploy::model::ServiceKey;
use deploy::rollout::{Evidence, Outcome, Progress, Rollout, Sightings, Verdict, View, Waiting, waiting};

use super::darkness::Darkness;
use super::poll::{self, Seen};
use super::target::Target;
use super::watch::Watch;
use super::{evidence, stop};
use crate::host::Mark;
use crate::report::Recorder;

/// How a deployment stood when the waiting ended.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The service's short name.
    pub key: ServiceKey,
    /// The ARN of the revision that it rolled out; `None` when nothing was rolled out.
    pub revision: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Settled {
    /// A service that needed no deployment.
    #[must_use]
    pub fn unchanged(key: ServiceKey) -> Self {
        Self { key, revision: None, verdict: Verdict::new(Outcome::NoChange, None) }
    }

    /// Whether the new revision runs and is complete.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.verdict.outcome.is_success()
    }

    /// The exit code that it asks for.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        ExitCode::of(&self.verdict.outcome)
    }
}

/// What a deployment's time is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The new revision gets complete.
    Roll,
    /// Its tasks are healthy; the old ones are leaving.
    Finish,
    /// The previous revision is put back.
    Back,
}

pub(super) struct Follow {
    pub(super) target: Target,
    began: Mark,
    pub(super) part: Part,
    /// It shall be stopped, and its service deployment is not known yet.
    to_stop: bool,
    deadline: Mark,
    rollout: Rollout,
    service_deployment: Option<String>,
    pub(super) evidence: Evidence,
    pub(super) remains: Remains,
    /// A plain cause was told.
    pub(super) explained: bool,
    sightings: Sightings,
    pub(super) darkness: Darkness,
    /// How it stood when that was told last: desired, running, pending and failed tasks, and what it waited for.
    told: Option<([u32; 4], Waiting)>,
    said: BTreeSet<String>,
    verdict: Option<Verdict>,
}

impl Follow {
    pub(super) fn new(target: Target, events: &Recorder) -> Self {
        let began = events.clock().mark();
        let revision = short(&target.deployed.revision);
        let deployment = target.deployed.deployment.clone();
        events.emit(Kind::Following {
            service: target.key.clone(),
            deployment: deployment.clone(),
            revision,
        });
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
            remains: Remains::of(target.key.clone(), &target.deployed.deployment),
            evidence: Evidence {
                health_path: target.health_path.clone(),
                port: target.port,
                ..Evidence::default()
            },
            explained: false,
            sightings: Sightings::default(),
            darkness: Darkness::new(began),
            told: None,
            said: BTreeSet::new(),
            verdict: None,
            target,
        }
    }

    /// Whether there is no verdict yet.
    pub(super) fn is_open(&self) -> bool {
        self.verdict.is_none()
    }

    /// The service's name.
    pub(super) fn service(&self) -> &str {
        &self.target.service
    }

    /// How long until its time is over.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.remaining()
    }

    /// Whether its time is over.
    pub(super) fn is_overdue(&self) -> bool {
        self.remaining().is_zero()
    }

    /// What became of it, once there is a verdict.
    pub(super) fn settled(self) -> Option<Settled> {
        Some(Settled {
            key: self.target.key,
            revision: Some(self.target.deployed.revision),
            verdict: self.verdict?,
        })
    }

    /// What the next poll should read for it.
    pub(super) fn asks(&self) -> poll::Ask {
        poll::Ask {
            service: self.target.service.clone(),
            service_deployment: self.service_deployment.clone(),
            target_group: self.target.target_group.clone(),
        }
    }

    /// Takes what a poll shows of it.
    pub(super) async fn take(&mut self, watch: &Watch<'_>, seen: &Seen) {
        let events = watch.events;
        let ours = self.rollout.deployment().to_owned();
        let primary =
            seen.service.deployments.iter().any(|entry| entry.id == ours && entry.status == "PRIMARY");
        let current = &seen.service.service_deployment;
        // Right after the write the service may still name the service deployment before ours.
        if primary && self.service_deployment.is_none() && *current != self.target.deployed.before {
            self.service_deployment.clone_from(current);
        }
        self.say(seen, events);
        self.tell_killed(seen, events);
        let tasks = self.sightings.see(self.began.elapsed_ms(), &ours, &seen.tasks, &seen.targets);
        if !tasks.is_empty() {
            events.emit(Kind::TasksMoved { service: self.target.key.clone(), tasks });
        }
        self.remains.see(&seen.service, seen.deployment.as_ref(), &seen.tasks, &seen.targets);
        events.keep(&self.remains);
        evidence::collect(&mut self.evidence, &ours, seen);
        let progress = self.rollout.fold(&seen.service, seen.deployment.as_ref());
        if progress == Progress::NotSeenYet {
            self.darkness.falls(events.clock());
        } else if self.darkness.lifts() {
            self.deadline = events.clock().mark();
        }
        match progress {
            Progress::Settled(verdict) => self.close(watch, verdict).await,
            Progress::RollingBack { .. } => {
                // The time of the rollback begins with it, whoever asked for it.
                if self.part != Part::Back {
                    self.count(Part::Back, self.target.patience.back_secs);
                }
                self.tell(seen, events);
            }
            Progress::NotSeenYet | Progress::Moving { .. } => {
                self.tell(seen, events);
                if self.to_stop {
                    self.go_back(watch).await;
                }
                self.look_for_plain_cause(watch).await;
            }
        }
    }

    fn count(&mut self, part: Part, secs: u64) {
        self.part = part;
        self.deadline = self.began.after(self.began.elapsed() + Duration::from_secs(secs));
    }

    /// Its time is over. New tasks that are all healthy are not undone because old ones leave slowly; anything else goes
    /// back where that is wanted and possible, and what then still moves is left as it is. What cannot be seen is not touched.
    pub(super) async fn overdue(&mut self, watch: &Watch<'_>) {
        let about = format!("{}: not complete after {} s", self.target.key, self.began.elapsed().as_secs());
        let warn = |text: &str| watch.events.emit(Kind::Warned { text: format!("{about}{text}") });
        if let Some(until) = self.darkness.waits() {
            if !until.remaining().is_zero() {
                self.deadline = until;
                return;
            }
            warn(", and not to be seen: what became of it is not known");
            return self.close(watch, Verdict::new(Outcome::Unknown, None)).await;
        }
        match self.part {
            Part::Roll if self.is_finishing() => {
                warn(", but its tasks are healthy: waiting for the old ones to leave");
                self.count(Part::Finish, self.target.patience.finish_secs);
            }
            Part::Roll if watch.put_back => {
                warn("");
                self.go_back(watch).await;
            }
            Part::Roll | Part::Finish | Part::Back => {
                self.close(watch, Verdict::new(Outcome::StillMoving, None)).await;
            }
        }
    }

    fn is_finishing(&self) -> bool {
        matches!(&self.told, Some((_, Waiting::Draining { .. } | Waiting::Completion)))
    }

    /// Has the previous revision put back. Where ECS refuses, the deployment is left as it is.
    pub(super) async fn go_back(&mut self, watch: &Watch<'_>) {
        if !self.put_back(watch).await {
            self.close(watch, Verdict::new(Outcome::StillMoving, None)).await;
        }
    }

    /// Asks ECS to put the previous revision back, as soon as a poll has named the service deployment. Returns false, and
    /// goes on as before, where ECS refuses.
    pub(super) async fn put_back(&mut self, watch: &Watch<'_>) -> bool {
        self.to_stop = self.service_deployment.is_none();
        if let Some(arn) = self.service_deployment.clone()
            && !stop::ask(watch.aws, watch.events, &self.target.key, &arn).await
        {
            return false;
        }
        if !self.to_stop {
            self.rollout.asked_to_stop();
        }
        if self.part != Part::Back {
            self.count(Part::Back, self.target.patience.back_secs);
        }
        true
    }

    /// Tells how it stands, when it stands differently than before; and, for a view that moves, when only a running number
    /// does.
    fn tell(&mut self, seen: &Seen, events: &Recorder) {
        let ours = self.rollout.deployment();
        let entry =
            seen.service.deployments.iter().find(|entry| entry.id == ours).cloned().unwrap_or_default();
        let view =
            View { deployment: ours, service: &seen.service, tasks: &seen.tasks, targets: &seen.targets };
        let waiting = waiting(view, self.target.pace, &self.sightings, self.began.elapsed_ms());
        let counts = [entry.desired, entry.running, entry.pending, entry.failed];
        let [desired, running, pending, failed] = counts;
        let standing = (counts, waiting.clone());
        let changed = match &self.told {
            Some(told) if *told == standing => return,
            Some((told, waited)) => *told != counts || !waited.is_like(&waiting),
            None => true,
        };
        self.told = Some(standing);
        let (service, revision) = (self.target.key.clone(), short(&self.target.deployed.revision));
        events.emit(Kind::Rolling { service, revision, desired, running, pending, failed, waiting, changed });
    }

    /// Says of old tasks that they did not heed SIGTERM: what they were answering was cut off.
    fn tell_killed(&self, seen: &Seen, events: &Recorder) {
        let killed = self.sightings.killed(self.rollout.deployment(), &seen.tasks);
        if !killed.is_empty() {
            let (service, secs) = (&self.target.key, self.target.pace.stop_timeout_secs);
            let tasks = killed.iter().map(|id| id.get(..8).unwrap_or(id)).collect::<Vec<_>>().join(" and ");
            let text = format!(
                "{service}: old task {tasks} did not end within {secs} s of SIGTERM and was killed with what it was answering"
            );
            events.emit(Kind::Warned { text });
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
        let mut fresh: Vec<(&str, usize)> = Vec::new();
        for event in seen.service.events.iter().rev().filter(|event| event.at_ms >= since) {
            if self.said.insert(event.id.clone()) {
                match fresh.iter_mut().find(|(message, _)| *message == event.message) {
                    Some((_, times)) => *times += 1,
                    None => fresh.push((&event.message, 1)),
                }
            }
        }
        for (message, times) in fresh {
            let (service, message) = (self.target.key.clone(), message.to_owned());
            events.emit(Kind::ServiceSaid { service, message, times });
        }
    }

    async fn close(&mut self, watch: &Watch<'_>, mut verdict: Verdict) {
        if let Outcome::Superseded { task_definition, who, release, .. } = &mut verdict.outcome {
            (*who, *release) = registered_by(watch, task_definition).await;
        }
        let (service, elapsed_ms) = (self.target.key.clone(), self.began.elapsed_ms());
        watch.events.emit(Kind::Settled { service, verdict: verdict.clone(), elapsed_ms });
        if !verdict.outcome.is_success() {
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

/// `family:revision` of a revision's ARN.
fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
