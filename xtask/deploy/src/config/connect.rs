//! The Service Connect endpoints of an environment, with the names and ports that the file leaves to be
//! derived.

use super::raw::{Service, Settings};
use super::setting::Span;

/// A name and port that clients in the namespace can use.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    /// The short name of the service behind it.
    pub(crate) service: &'a str,
    pub(crate) dns: String,
    pub(crate) port: u16,
    /// Where the alias is written; of a derived one, the service's `connect` section.
    pub(crate) place: Option<Span>,
}

/// The endpoints of all services, as far as the file says enough to know them.
pub(crate) fn endpoints(settings: &Settings) -> Vec<Endpoint<'_>> {
    let services = settings.service.iter();
    let known = services.filter_map(|(key, service)| {
        let connect = service.value.connect.as_ref()?;
        let written = connect.value.alias.value.dns.as_ref().and_then(|dns| dns.span.clone());
        let (dns, port) = (alias_dns(settings, &service.value)?, alias_port(&service.value)?);
        Some(Endpoint { service: &key.value, dns, port, place: written.or(connect.span.clone()) })
    });
    known.collect()
}

/// The port mapping's name: the container's unless it has its own.
pub(crate) fn port_name(service: &Service) -> Option<&str> {
    let container = &service.container.value;
    container.port_name.as_ref().or(container.name.as_ref()).map(|name| name.value.as_str())
}

/// The discovery name: the port's unless it has its own (as ECS does it).
pub(crate) fn discovery_name(service: &Service) -> Option<&str> {
    let own = service.connect.as_ref().and_then(|connect| connect.value.discovery_name.as_ref());
    own.map(|name| name.value.as_str()).or_else(|| port_name(service))
}

/// The name that clients use: `DISCOVERY-NAME.NAMESPACE` unless the file says otherwise (as ECS does it).
pub(crate) fn alias_dns(settings: &Settings, service: &Service) -> Option<String> {
    let alias = &service.connect.as_ref()?.value.alias.value;
    match &alias.dns {
        Some(dns) => Some(dns.value.clone()),
        None => Some(format!("{}.{}", discovery_name(service)?, settings.namespace.as_ref()?.value)),
    }
}

/// The port that clients use: the container's unless the file says otherwise.
pub(crate) fn alias_port(service: &Service) -> Option<u16> {
    let alias = &service.connect.as_ref()?.value.alias.value;
    alias.port.as_ref().or(service.container.value.port.as_ref()).map(|port| port.value)
}
