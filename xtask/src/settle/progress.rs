//! Reports a deployment while it rolls: each thing once, when it changes.

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::event::Kind;
use deploy::model::{ServiceKey, arn_name, short_id};
use deploy::rollout::{Pace, Sightings, View, Waiting, waiting};

use super::poll::Seen;
use super::target::Target;
use crate::host::Mark;
use crate::report::Recorder;

/// What was reported of one deployment so far.
pub(super) struct ProgressReporter {
    service: ServiceKey,
    deployment: String,
    revision: String,
    pace: Pace,
    balanced: bool,
    checked: bool,
    began: Mark,
    sightings: Sightings,
    /// The last report: desired, running, pending and failed tasks, and what it waited for.
    last: Option<([u32; 4], Waiting)>,
    /// Ids of the service events that were seen, and the texts that were passed on.
    said: BTreeSet<String>,
    /// How often each state was reported, numbers that run by themselves aside.
    reported: Vec<([u32; 4], Waiting, u32)>,
}

/// Until the next look at something that may be over at any moment: one look is about six calls.
const SOON: Duration = Duration::from_secs(1);

/// A state that comes and goes, as with targets that pass and fail in turn, is reported so often.
const SAME_STATE: u32 = 3;

impl ProgressReporter {
    /// Reports that the deployment is followed from `began` on.
    pub(super) fn begin(target: &Target, began: Mark, events: &Recorder) -> Self {
        let reporter = Self {
            service: target.key.clone(),
            deployment: target.deployed.deployment.clone(),
            revision: short(&target.deployed.revision),
            pace: target.pace,
            balanced: target.target_group.is_some(),
            checked: !target.health_commands.is_empty(),
            began,
            sightings: Sightings::default(),
            last: None,
            said: BTreeSet::new(),
            reported: Vec::new(),
        };
        events.emit(Kind::Following {
            service: reporter.service.clone(),
            deployment: reporter.deployment.clone(),
            revision: reporter.revision.clone(),
        });
        reporter
    }

    /// Reports what a poll shows for the first time: ECS's messages, and the tasks that changed.
    pub(super) fn news(&mut self, seen: &Seen, events: &Recorder) {
        self.say(seen, events);
        self.killed(seen, events);
        let now_ms = self.began.elapsed_ms();
        let tasks = self.sightings.see(now_ms, &self.deployment, &seen.tasks, &seen.targets);
        if !tasks.is_empty() {
            events.emit(Kind::TasksMoved { service: self.service.clone(), tasks });
        }
    }

    /// Reports the state when it differs from the last one; and, for a live view, when only a running number does.
    pub(super) fn progress(&mut self, seen: &Seen, events: &Recorder) {
        let entry = seen.service.deployments.iter().find(|entry| entry.id == self.deployment);
        let entry = entry.cloned().unwrap_or_default();
        let view = View {
            deployment: &self.deployment,
            service: &seen.service,
            tasks: &seen.tasks,
            targets: self.balanced.then_some(&seen.targets),
            checked: self.checked,
        };
        let waiting = waiting(view, self.pace, &self.sightings, self.began.elapsed_ms());
        let counts = [entry.desired, entry.running, entry.pending, entry.failed];
        let [desired, running, pending, failed] = counts;
        let now = (counts, waiting.clone());
        let changed = match &self.last {
            Some(last) if *last == now => return,
            Some((last, waited)) => *last != counts || !waited.is_like(&waiting),
            None => true,
        };
        let changed = changed && self.is_news(counts, &waiting);
        self.last = Some(now);
        let (service, revision) = (self.service.clone(), self.revision.clone());
        events.emit(Kind::Rolling { service, revision, desired, running, pending, failed, waiting, changed });
    }

    /// Counts a report of a state. Returns whether it may be made.
    fn is_news(&mut self, counts: [u32; 4], waiting: &Waiting) -> bool {
        let same = |known: &&mut ([u32; 4], Waiting, u32)| known.0 == counts && known.1.is_like(waiting);
        match self.reported.iter_mut().find(same) {
            Some((_, _, times)) => {
                *times += 1;
                *times <= SAME_STATE
            }
            None => {
                self.reported.push((counts, waiting.clone(), 1));
                true
            }
        }
    }

    /// Whether the new tasks were all healthy in the last report.
    pub(super) fn is_finishing(&self) -> bool {
        matches!(&self.last, Some((_, Waiting::Draining { .. } | Waiting::Completion | Waiting::NoTasks)))
    }

    /// When the next thing is due, where that is known: ECS calls a deployment complete within moments, and an old task leaves
    /// at the end of its time.
    pub(super) fn due(&self) -> Option<Duration> {
        match &self.last.as_ref()?.1 {
            Waiting::Completion | Waiting::NoTasks => Some(SOON),
            Waiting::Draining { leaving: Some(leaving), .. } => {
                Some(Duration::from_secs(leaving.of_secs.saturating_sub(leaving.secs)).max(SOON))
            }
            _ => None,
        }
    }

    /// Warns of old tasks that ignored SIGTERM until SIGKILL: what they were answering was cut off.
    fn killed(&self, seen: &Seen, events: &Recorder) {
        let killed = self.sightings.killed(&self.deployment, &seen.tasks);
        if killed.is_empty() {
            return;
        }
        let noun = if killed.len() == 1 { "task" } else { "tasks" };
        let tasks = killed.iter().map(|id| short_id(id)).collect::<Vec<_>>().join(" and ");
        let (service, secs) = (&self.service, self.pace.stop_timeout_secs);
        let text = format!(
            "{service}: old {noun} {tasks} got SIGKILL, {secs} s after SIGTERM: what was still being answered was cut off"
        );
        events.emit(Kind::Warned { text });
    }

    /// Passes on what ECS said since our deployment was made, oldest first. A text that was passed on before is no news:
    /// a task that crashes for the twentieth time registers and deregisters its target for the twentieth time.
    fn say(&mut self, seen: &Seen, events: &Recorder) {
        let ours = seen.service.deployments.iter().find(|entry| entry.id == self.deployment);
        let Some(since) = ours.map(|entry| entry.created_ms) else { return };
        let mut fresh: Vec<(&str, usize)> = Vec::new();
        for event in seen.service.events.iter().rev().filter(|event| event.at_ms >= since) {
            if self.said.insert(event.id.clone()) {
                match fresh.iter_mut().find(|(message, _)| *message == event.message) {
                    Some((_, times)) => *times += 1,
                    None => fresh.push((&event.message, 1)),
                }
            }
        }
        fresh.retain(|(message, _)| self.said.insert((*message).to_owned()));
        for (message, times) in fresh {
            let (service, message) = (self.service.clone(), message.to_owned());
            events.emit(Kind::ServiceSaid { service, message, times });
        }
    }
}

/// `family:revision` of a revision's ARN.
pub(super) fn short(arn: &str) -> String {
    arn_name(arn).to_owned()
}
