//! The Service Connect endpoints of an environment.

use super::place::Span;
use super::rules::Scope;

/// A name and port that clients in the namespace can use.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    /// The short name of the service behind it.
    pub(crate) service: &'a str,
    /// Its path below the service's.
    pub(crate) path: String,
    pub(crate) dns: &'a str,
    pub(crate) port: u16,
    /// Where the alias is written; of a derived one, the endpoint's table.
    pub(crate) place: Option<Span>,
}

/// The endpoints of all services, as far as the file says enough to know them.
pub(crate) fn endpoints<'a>(scope: &Scope<'a>) -> Vec<Endpoint<'a>> {
    let offered = scope.services().flat_map(|(service, at)| {
        service.endpoints().map(move |offered| {
            let (alias, table) = (&offered.offer.alias, at.key(&offered.path));
            let place = table.key("alias.dns").or(table);
            Endpoint { service: &service.key.0, path: offered.path, dns: &alias.dns, port: alias.port, place }
        })
    });
    offered.filter(|endpoint| !endpoint.dns.is_empty() && endpoint.port != 0).collect()
}
