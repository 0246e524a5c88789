//! What every service of an account works with: settings, identifiers, tags, the order of timers, and what is asked of the workload.

mod landing_zone;
mod pace;
mod settings;
pub(crate) mod tags;

pub use landing_zone::{LandingZone, Named, ZoneCertificate, ZoneGroup, ZoneSubnet};
pub use pace::Pace;
pub use settings::Settings;

pub(crate) use self::tags::Tag;
use self::tags::Tags;
pub(crate) use crate::clock::Millis;
use crate::clock::{Moment, Sequence};
use crate::ids::Ids;
use crate::wire::{ApiRequest, Outcome};
use crate::workload::Effect;

/// What the services of one account in one region share. It knows none of them.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) settings: Settings,
    pub(crate) ids: Ids,
    pub(crate) tags: Tags,
    pub(crate) effects: Vec<Effect>,
    sequence: Sequence,
}

/// Carries out an operation of a service that needs nothing of the others.
pub(crate) type Handler<S> = fn(&mut Base, &mut S, Millis, &ApiRequest) -> Outcome;

impl Base {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            ids: Ids::new(settings.seed),
            tags: Tags::default(),
            effects: Vec::new(),
            sequence: Sequence::default(),
            settings,
        }
    }

    /// An ARN of this account and region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.settings.region, self.settings.account)
    }

    /// A timer's moment. Each service has its own timers; of those that are due at the same time the one that was set first goes
    /// first, whichever service set it.
    pub(crate) fn moment(&mut self, at: Millis) -> Moment {
        self.sequence.next(at)
    }
}
