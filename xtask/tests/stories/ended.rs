//! How a deploy of a story ended.

use std::collections::BTreeMap;

use deploy::event::{Event, ExitCode, Kind};
use deploy::rollout::Verdict;

/// How a deploy of a story ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: ExitCode,
    /// The closing sentence.
    pub(crate) summary: String,
    pub(crate) events: Vec<Kind>,
    /// The same with their times.
    pub(crate) record: Vec<Event>,
    /// Calls that wrote something, as the cloud carried them out.
    pub(crate) writes: Vec<String>,
    /// What the evidence folder would hold, by path.
    pub(crate) files: BTreeMap<String, String>,
    /// Virtual seconds that it took.
    pub(crate) secs: u64,
}

impl Ended {
    /// The sentence of the cause that was reported for a service.
    pub(crate) fn cause(&self, service: &str) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Kind::Diagnosed { service: of, diagnosis } if of.0 == service => {
                diagnosis.cause.as_ref().map(|cause| cause.cause.as_str())
            }
            _ => None,
        })
    }

    /// What became of a service's first deployment.
    pub(crate) fn verdict(&self, service: &str) -> Option<&Verdict> {
        self.events.iter().find_map(|event| match event {
            Kind::Settled { service: of, verdict, .. } if of.0 == service => Some(verdict),
            _ => None,
        })
    }

    /// The services whose deployments were followed, in order.
    pub(crate) fn rolled(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Kind::Following { service, .. } => Some(service.0.as_str()),
                _ => None,
            })
            .collect()
    }
}
