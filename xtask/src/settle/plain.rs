//! Ends the wait early where the cause is plain: no time mends an image that is not there.

use deploy::event::Kind;
use deploy::model::OnPlainCause;
use deploy::rollout::{Cause, explain};

use super::evidence;
use super::follow::{Follow, Part};
use super::watch::Watch;

impl Follow {
    /// Names a plain cause as soon as the evidence shows one and, unless it was asked to wait for the circuit breaker, asks
    /// ECS to put the previous revision back. The verdict is still what becomes of the deployment.
    pub(super) async fn look_for_plain_cause(&mut self, watch: &Watch<'_>) {
        if self.part != Part::Roll || self.explained.is_some() {
            return;
        }
        if !explain(&self.evidence).is_some_and(|cause| cause.plain) {
            return;
        }
        self.explain(watch).await;
        if watch.put_back && self.target.on_plain_cause == OnPlainCause::RollBack {
            self.put_back(watch).await;
        }
    }

    /// Tells the cause that the evidence supports, with the last lines of a stopped task; the same one only once.
    pub(super) async fn explain(&mut self, watch: &Watch<'_>) {
        let lines = evidence::log_tail(watch.aws, watch.events, &self.target, &self.evidence).await;
        self.evidence.log_tail = lines;
        let Some(cause) = explain(&self.evidence) else { return };
        let Cause { code, .. } = cause;
        if self.explained.replace(code) == Some(code) {
            return;
        }
        watch.events.emit(Kind::Explained {
            service: self.target.key.clone(),
            cause,
            log_tail: self.evidence.log_tail.clone(),
        });
    }
}
