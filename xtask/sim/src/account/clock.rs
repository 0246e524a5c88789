//! Time inside the account: milliseconds since the Unix epoch, and the queue of what is due when.

use std::collections::BTreeMap;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `secs` seconds after this one.
    pub fn plus_secs(self, secs: u64) -> Self {
        Self(self.0 + secs * 1000)
    }

    /// The moment `millis` milliseconds after this one.
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0 + millis)
    }

    /// Milliseconds from `earlier` to this moment, 0 when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The wire form of a timestamp in AWS's JSON protocols: epoch seconds as a float.
    pub(crate) fn epoch_secs(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

/// What is due when. Entries of the same moment leave in the order they came, so that a run replays.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    queue: BTreeMap<(Millis, u64), T>,
    sequence: u64,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), sequence: 0 }
    }
}

impl<T> Timers<T> {
    /// Makes `item` due at `at`.
    pub(crate) fn push(&mut self, at: Millis, item: T) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), item);
    }

    /// Takes the earliest entry that is due at `now`, with the moment it was due.
    pub(crate) fn pop_due(&mut self, now: Millis) -> Option<(Millis, T)> {
        let key = *self.queue.first_key_value()?.0;
        (key.0 <= now).then(|| self.queue.remove(&key).map(|item| (key.0, item)))?
    }

    /// When the earliest entry is due.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.queue.first_key_value().map(|(key, _)| key.0)
    }
}
