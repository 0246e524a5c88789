//! The Service Connect endpoints of an environment.

use super::place::Span;
use super::rules::Scope;

/// A name and port that clients in the namespace can use.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    /// The short name of the service behind it.
    pub(crate) service: &'a str,
    pub(crate) dns: &'a str,
    pub(crate) port: u16,
    /// Where the alias is written; of a derived one, the service's `connect` section.
    pub(crate) place: Option<Span>,
}

/// The endpoints of all services, as far as the file says enough to know them.
pub(crate) fn endpoints<'a>(scope: &Scope<'a>) -> Vec<Endpoint<'a>> {
    let known = scope.services().filter_map(|(service, at)| {
        let alias = &service.endpoint()?.alias;
        let place = at.key("connect.alias.dns").or(at.key("connect"));
        let known = !alias.dns.is_empty() && alias.port != 0;
        known.then_some(Endpoint { service: &service.key.0, dns: &alias.dns, port: alias.port, place })
    });
    known.collect()
}
