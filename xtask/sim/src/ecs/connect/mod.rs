//! Service Connect: a service's configuration, the endpoints that a deployment can see, and who answers.

pub(super) mod configuration;
mod discovery;
pub(super) mod endpoint;
mod endpoints;
mod lookup;

pub(crate) use discovery::registered;
pub(super) use endpoints::{check_free, resources, visible};
#[cfg(test)]
pub(crate) use lookup::ConnectTimeouts;
pub(crate) use lookup::{ConnectLookup, ConnectTarget, connect_stream, connect_targets};
