//! The recorder: numbers events, stamps them, counts calls, and passes each to the screen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deploy::event::{Call, Event, Kind};
use deploy::evidence::DeploymentRecord;
use deploy::rollout::Outcome;

use super::Screen;
use crate::host::{Clock, Mark};

/// Takes events from every lane of a command. Clones share one record.
#[derive(Clone, Debug)]
pub struct Recorder {
    clock: Clock,
    began: Mark,
    inner: Arc<Mutex<Inner>>,
}

const NOTES: [&str; 2] = ["TagResource", "UntagResource"];

#[derive(Debug)]
struct Inner {
    screen: Screen,
    events: Vec<Event>,
    records: Vec<DeploymentRecord>,
    late: Vec<Kind>,
    reads: u32,
    writes: u32,
    noted: bool,
    /// When something last changed that users could notice.
    changed_at_ms: Option<u64>,
}

impl Recorder {
    pub fn new(clock: Clock, screen: Screen) -> Self {
        let began = clock.mark();
        Self {
            clock,
            began,
            inner: Arc::new(Mutex::new(Inner {
                screen,
                events: Vec::new(),
                records: Vec::new(),
                late: Vec::new(),
                reads: 0,
                writes: 0,
                noted: false,
                changed_at_ms: None,
            })),
        }
    }

    /// A panic while an event was taken leaves a record that is short of one event, which is still a record.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn emit(&self, kind: Kind) {
        let mut inner = self.inner();
        match &kind {
            Kind::Called(Call { write: false, .. }) => inner.reads += 1,
            Kind::Called(Call { operation, .. }) if NOTES.contains(&operation.as_str()) => inner.noted = true,
            Kind::Called(_) => inner.writes += 1,
            _ => {}
        }
        if matches!(kind, Kind::StepEnded { .. } | Kind::TasksMoved { .. }) {
            inner.changed_at_ms = Some(self.began.elapsed_ms());
        }
        let event = Event { seq: inner.events.len() as u64 + 1, at_ms: self.began.elapsed_ms(), kind };
        inner.screen.show(&event);
        inner.events.push(event);
    }

    /// Emits it as one of the last events of the command, by [`Recorder::emit_late`]: what went wrong stands below the lines of the
    /// undo that follows from it. What is deferred twice is emitted once.
    pub fn defer(&self, kind: Kind) {
        let late = &mut self.inner().late;
        if !late.contains(&kind) {
            late.push(kind);
        }
    }

    pub fn emit_late(&self) {
        let late = std::mem::take(&mut self.inner().late);
        late.into_iter().for_each(|kind| self.emit(kind));
    }

    /// An error as the end of a sentence, in two words where no roll could be followed for the same one: that is said of them all.
    pub fn reason(&self, error: &impl ToString) -> String {
        let text = error.to_string();
        let same = |event: &Event| match &event.kind {
            Kind::Settled { verdict, .. } => {
                matches!(&verdict.outcome, Outcome::Unseen { why } if *why == text)
            }
            _ => false,
        };
        if self.inner().events.iter().any(same) { "the same error".to_owned() } else { text }
    }

    /// Keeps the record of a deployment in place of its earlier one. It is no event and is not shown.
    pub fn keep(&self, record: &DeploymentRecord) {
        let kept = &mut self.inner().records;
        let same = |known: &&mut DeploymentRecord| {
            known.service == record.service && known.deployment == record.deployment
        };
        match kept.iter_mut().find(same) {
            Some(known) => known.clone_from(record),
            None => kept.push(record.clone()),
        }
    }

    /// What was kept of each deployment, in the order in which they were followed.
    pub fn records(&self) -> Vec<DeploymentRecord> {
        self.inner().records.clone()
    }

    /// Milliseconds since the command began.
    pub fn elapsed_ms(&self) -> u64 {
        self.began.elapsed_ms()
    }

    /// Milliseconds since a step was carried out or a task changed its state; `None` before the first.
    pub fn since_change_ms(&self) -> Option<u64> {
        let changed = self.inner().changed_at_ms?;
        Some(self.began.elapsed_ms().saturating_sub(changed))
    }

    /// API calls so far, each attempt counted: those that changed something, or may have, are the second. Tags of ECS are not
    /// among them: this tool writes its notes there (the lease, what an undo restores, what was proven), and nothing else.
    pub fn calls(&self) -> (u32, u32) {
        let inner = self.inner();
        (inner.reads, inner.writes)
    }

    /// Whether a note was written, or may have been.
    pub fn noted(&self) -> bool {
        self.inner().noted
    }

    /// `: WHY`, or nothing where a warning or an error of this command has said so: the same reason in each line is read in none.
    pub fn because(&self, why: &str) -> String {
        let says = |event: &Event| match &event.kind {
            Kind::Warned { text } => text.contains(why),
            Kind::Failed { error, .. } => error.contains(why),
            _ => false,
        };
        if self.inner().events.iter().any(says) { String::new() } else { format!(": {why}") }
    }

    /// Everything that happened so far.
    pub fn events(&self) -> Vec<Event> {
        self.inner().events.clone()
    }

    /// The clock that stamps the events.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes the live view off the terminal. What is emitted from now on is recorded and not shown.
    pub fn silence(&self) {
        let mut inner = self.inner();
        inner.screen.pause();
        inner.screen = Screen::silent();
    }

    /// Takes the live view off the terminal, so that a question can be asked or a child can print.
    pub fn pause(&self) {
        self.inner().screen.pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_no_writes_and_a_reason_is_given_once() {
        let recorder = Recorder::new(Clock::virtual_from(0), Screen::silent());
        let called =
            |operation: &str, write| Call { operation: operation.to_owned(), write, ..Call::default() };
        for (operation, write) in
            [("DescribeServices", false), ("TagResource", true), ("UntagResource", true)]
        {
            recorder.emit(Kind::Called(called(operation, write)));
        }
        assert_eq!((recorder.calls(), recorder.noted()), ((1, 0), true));
        recorder.emit(Kind::Called(called("UpdateService", true)));
        assert_eq!(recorder.calls(), (1, 1));
        assert_eq!(recorder.because("the credentials have expired"), ": the credentials have expired");
        recorder.emit(Kind::Warned {
            text: "cannot read: the credentials have expired; asking again".to_owned(),
        });
        assert_eq!(recorder.because("the credentials have expired"), "");
    }
}
