//! An endpoint of Service Connect.

use super::configuration::Timeout;
use crate::ecs::key::ServiceKey;

/// An endpoint in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ecs) struct Endpoint {
    pub(in crate::ecs) namespace: String,
    pub(in crate::ecs) discovery_name: String,
    /// The alias that clients use: a lowercase name and a port.
    pub(in crate::ecs) dns_name: String,
    pub(in crate::ecs) port: u16,
    /// The service that answers, and the port name that it answers at.
    pub(in crate::ecs) service: ServiceKey,
    pub(in crate::ecs) port_name: String,
    /// Its port mapping has no `appProtocol`.
    pub(in crate::ecs) tcp: bool,
    pub(in crate::ecs) timeout: Timeout,
}

impl Endpoint {
    /// The id of the Cloud Map service that stands for it.
    pub(super) fn cloud_map_id(&self) -> String {
        format!("srv-{}-{}", self.service.service, self.discovery_name)
    }
}
