//! Service Connect: a service's configuration, the endpoints that a deployment can see, and who answers.

mod configuration;
mod discovery;
mod endpoint;
mod lookup;

pub(super) use configuration::ConnectConfiguration;
pub(crate) use discovery::registered;
pub(super) use endpoint::{Endpoint, check_free, resources, visible};
#[cfg(test)]
pub(crate) use lookup::ConnectTimeouts;
pub(crate) use lookup::{ConnectLookup, ConnectTarget, connect_stream, connect_targets};
