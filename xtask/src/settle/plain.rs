//! Reports why a deployment fails, and ends the wait early where waiting cannot fix it, such as a missing image.

use deploy::event::Kind;
use deploy::model::OnPlainCause;
use deploy::rollout::{Outcome, diagnose, explain};

use super::evidence;
use super::follow::{Follow, Part};
use super::target::Watch;

impl Follow {
    /// Reports a plain cause as soon as the evidence shows one and, unless deploy.toml says to wait for the circuit breaker, asks
    /// ECS to roll back. The verdict is still read from the deployment.
    pub(super) async fn look_for_plain_cause(&mut self, watch: &Watch<'_>) {
        if self.part != Part::Roll || self.explained {
            return;
        }
        if !explain(&self.evidence).is_some_and(|cause| cause.plain) {
            return;
        }
        // The log may name a more specific cause, so the evidence is judged again with it.
        let log = (&self.target.log, self.target.container.as_str());
        evidence::read_logs(watch.aws, watch.events, log, &mut self.evidence).await;
        let Some(cause) = explain(&self.evidence) else { return };
        self.explained = true;
        watch.events.emit(Kind::Explained { service: self.target.key.clone(), cause });
        if watch.roll_back && self.target.on_plain_cause == OnPlainCause::RollBack {
            // Where ECS refuses, the circuit breaker still decides.
            let _asked = self.ask_to_roll_back(watch).await;
        }
    }

    /// Emits all that is known of a deployment that did not succeed. One that was ended from outside, by a newer deployment,
    /// by somebody or by Ctrl-C, is diagnosed only where it would have failed by itself.
    pub(super) async fn diagnose(&mut self, watch: &Watch<'_>, outcome: &Outcome) {
        let log = (&self.target.log, self.target.container.as_str());
        evidence::read_logs(watch.aws, watch.events, log, &mut self.evidence).await;
        self.record.logs.clone_from(&self.evidence.logs);
        watch.events.keep(&self.record);
        let diagnosis = diagnose(&self.evidence);
        let by_itself = matches!(
            outcome,
            Outcome::RolledBack
                | Outcome::Failed
                | Outcome::StillMoving
                | Outcome::Unknown
                | Outcome::Unseen { .. }
        );
        if diagnosis.cause.is_some() || (by_itself && !watch.halt.asked()) {
            let service = self.target.key.clone();
            watch.events.emit(Kind::Diagnosed { service, diagnosis: Box::new(diagnosis) });
        }
    }
}
