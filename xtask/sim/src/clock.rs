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

/// When a timer is due. Of several at the same time the one with the lower number goes first, so that a run replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) at: Millis,
    number: u64,
}

/// Numbers moments in the order in which timers are set.
#[derive(Debug, Default)]
pub(crate) struct Sequence(u64);

impl Sequence {
    pub(crate) fn next(&mut self, at: Millis) -> Moment {
        self.0 += 1;
        Moment { at, number: self.0 }
    }
}

/// What is due, in the order of its moments; of one moment, in the order in which it was arranged.
#[derive(Debug)]
pub(crate) struct Timers<T>(BTreeMap<Moment, T>);

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Timers<T> {
    pub(crate) fn push(&mut self, moment: Moment, item: T) {
        self.0.insert(moment, item);
    }

    /// When the earliest entry is due.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.0.first_key_value().map(|(moment, _)| *moment)
    }

    /// Takes the entry of this very moment.
    pub(crate) fn take(&mut self, moment: Moment) -> Option<T> {
        self.0.remove(&moment)
    }
}
