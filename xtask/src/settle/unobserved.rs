//! How long no reply has shown a deployment: what is not observed is not judged.

use std::time::Duration;

use crate::aws::Error;
use crate::host::{Clock, Mark};

/// How long a deployment may stay unobserved after its deadline before the wait ends. An endpoint that answers with an
/// old view, or not at all, for a minute is not a failed release.
const PATIENCE: Duration = Duration::from_secs(120);

/// Since when a deployment is unobserved, if it is.
#[derive(Debug)]
pub(super) struct Unobserved {
    since: Option<Mark>,
    /// Why the last poll showed nothing, where it failed.
    why: Option<String>,
    /// The deadline has passed and was extended once.
    overtime: bool,
}

impl Unobserved {
    pub(super) fn new(began: Mark) -> Self {
        // Unobserved from the start: until a poll has shown it, nobody knows what runs.
        Self { since: Some(began), why: None, overtime: false }
    }

    pub(super) fn poll_missed(&mut self, clock: &Clock, why: Option<&Error>) {
        self.since.get_or_insert_with(|| clock.mark());
        self.why = why.map(ToString::to_string);
    }

    /// The last poll's error, or how long none has succeeded.
    pub(super) fn why(&self) -> String {
        self.why.clone().unwrap_or_else(|| "none has for two minutes".to_owned())
    }

    /// A poll showed it. Returns whether the deadline had passed meanwhile.
    pub(super) fn poll_succeeded(&mut self) -> bool {
        self.since = None;
        std::mem::take(&mut self.overtime)
    }

    /// The deadline has passed. Returns until when a reply is waited for; `None` when it is observed.
    pub(super) fn extend_deadline(&mut self) -> Option<Mark> {
        let since = self.since?;
        self.overtime = true;
        Some(since.after(PATIENCE))
    }
}
