//! The metrics that there are: what ECS and the load balancers measure every minute, and what PutMetricData brings.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Millis;

/// A metric's name in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: BTreeMap<String, String>,
}

impl Metric {
    pub(crate) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(owned).collect(),
        }
    }
}

/// What was measured in a minute, or in several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Samples {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

impl Samples {
    pub(crate) fn one(value: f64) -> Self {
        Self { count: 1.0, sum: value, minimum: value, maximum: value }
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// `None` for a statistic that is not kept, such as a percentile.
    pub(super) fn statistic(self, name: &str) -> Option<f64> {
        Some(match name {
            "SampleCount" => self.count,
            "Average" => self.sum / self.count,
            "Sum" => self.sum,
            "Minimum" => self.minimum,
            "Maximum" => self.maximum,
            _ => return None,
        })
    }
}

/// Minutes that are kept: what `ListMetrics --recently-active PT3H` asks for. CloudWatch keeps 15 days.
const KEPT: u64 = 180;

pub(crate) const MINUTE: u64 = 60_000;

/// Every metric's minutes, numbered from the epoch, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Metrics(BTreeMap<Metric, VecDeque<(u64, Samples)>>);

impl Metrics {
    /// Adds to what is known of the minute that `at` is in.
    pub(crate) fn add(&mut self, at: Millis, metric: Metric, samples: Samples) {
        let minute = at.0 / MINUTE;
        let minutes = self.0.entry(metric).or_default();
        match minutes.iter_mut().find(|(own, _)| *own == minute) {
            Some((_, own)) => *own = own.with(samples),
            None => {
                let place = minutes.iter().take_while(|(own, _)| *own < minute).count();
                minutes.insert(place, (minute, samples));
            }
        }
        while minutes.front().is_some_and(|(own, _)| own + KEPT < minute) {
            minutes.pop_front();
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Metric> {
        self.0.keys()
    }

    pub(super) fn knows(&self, metric: &Metric) -> bool {
        self.0.contains_key(metric)
    }

    /// Whether anything was measured since.
    pub(super) fn measured_since(&self, since: Millis) -> bool {
        self.0
            .values()
            .any(|minutes| minutes.back().is_some_and(|(minute, _)| (minute + 1) * MINUTE > since.0))
    }

    /// What was measured from a moment on and before another one.
    pub(super) fn within(&self, metric: &Metric, from: Millis, until: Millis) -> Option<Samples> {
        let minutes = self.0.get(metric)?.iter();
        let inside = minutes.filter(|(minute, _)| (from.0..until.0).contains(&(minute * MINUTE)));
        inside.map(|(_, samples)| *samples).reduce(Samples::with)
    }

    /// The same by periods of so many seconds, which begin at multiples of them; without those in which nothing was measured.
    pub(super) fn periods(
        &self,
        metric: &Metric,
        (from, until): (Millis, Millis),
        period_secs: u64,
    ) -> Vec<(Millis, Samples)> {
        let period = period_secs.max(60) * 1000;
        let mut periods: BTreeMap<u64, Samples> = BTreeMap::new();
        for (minute, samples) in self.0.get(metric).into_iter().flatten() {
            let at = minute * MINUTE;
            if (from.0..until.0).contains(&at) {
                let slot = periods.entry(at / period * period);
                slot.and_modify(|own| *own = own.with(*samples)).or_insert(*samples);
            }
        }
        periods.into_iter().map(|(at, samples)| (Millis(at), samples)).collect()
    }
}
