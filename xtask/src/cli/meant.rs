//! The services that a command line names, by their keys in deploy.toml or by their names on AWS.

use deploy::model::{Environment, Service};

use super::Failure;

/// The services of these names; all where none is named.
pub(super) fn services<'a>(
    environment: &'a Environment,
    names: &[String],
) -> Result<Vec<&'a Service>, Failure> {
    if names.is_empty() {
        return Ok(environment.services.iter().collect());
    }
    names.iter().map(|name| service(environment, name)).collect()
}

pub(super) fn service<'a>(environment: &'a Environment, name: &str) -> Result<&'a Service, Failure> {
    let meant = |service: &&Service| service.key.0 == name || service.name == name;
    environment.services.iter().find(meant).ok_or_else(|| {
        let known: Vec<_> = environment.services.iter().map(|service| service.key.0.as_str()).collect();
        Failure::usage(format!("deploy.toml has no service `{name}`; it has {}", known.join(", ")))
    })
}
