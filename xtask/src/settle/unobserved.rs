//! How long no answer has shown a deployment: what cannot be seen is not judged.

use std::time::Duration;

use crate::host::{Clock, Mark};

/// How long a deployment whose time is over may stay unseen before nobody waits for an answer any longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Since when a deployment is not to be seen, if it is not.
#[derive(Debug)]
pub(super) struct Unobserved {
    since: Option<Mark>,
    /// Its time was over, and is going on for an answer.
    overtime: bool,
}

impl Unobserved {
    pub(super) fn new(began: Mark) -> Self {
        Self { since: Some(began), overtime: false }
    }

    /// A poll did not show it.
    pub(super) fn poll_missed(&mut self, clock: &Clock) {
        self.since.get_or_insert_with(|| clock.mark());
    }

    /// A poll showed it. Returns whether its time was over meanwhile.
    pub(super) fn poll_succeeded(&mut self) -> bool {
        self.since = None;
        std::mem::take(&mut self.overtime)
    }

    /// Its time is over: until when an answer is waited for; `None` when it can be seen.
    pub(super) fn extend_deadline(&mut self) -> Option<Mark> {
        let since = self.since?;
        self.overtime = true;
        Some(since.after(PATIENCE))
    }
}
