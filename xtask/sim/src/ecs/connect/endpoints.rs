//! The endpoints of a namespace, and which of them a deployment's clients know.
//!
//! A client's proxy knows the endpoints that existed when its *deployment* was made, and no later one: that
//! is why a server has to be deployed before its clients.

use serde_json::{Value, json};

use super::configuration::{ConnectConfiguration, ConnectService};
use super::endpoint::Endpoint;
use crate::cloudmap;
use crate::ecs::errors::invalid;
use crate::ecs::key::ServiceKey;
use crate::ecs::region::Region;
use crate::wire::ApiError;

/// The endpoints that a configuration offers. Without an alias the port is the container's own.
fn offered(
    region: &Region<'_>,
    key: &ServiceKey,
    configuration: &ConnectConfiguration,
    task_definition: &str,
) -> Vec<Endpoint> {
    let Some(namespace) =
        configuration.namespace.as_deref().and_then(|name| cloudmap::namespace(region.cloudmap, name))
    else {
        return Vec::new();
    };
    let definition = region.ecs.families.by_arn(task_definition);
    let endpoint = |service: &ConnectService| {
        let alias = service.client_aliases.first();
        let own_port = definition.and_then(|definition| definition.spec.named_port(&service.port_name));
        let discovery_name = service.discovery_name().to_owned();
        let dns_name = alias.and_then(|alias| alias.dns_name.clone());
        Some(Endpoint {
            namespace: namespace.arn.clone(),
            dns_name: dns_name.unwrap_or_else(|| format!("{discovery_name}.{}", namespace.name)),
            port: alias.map(|alias| alias.port).or(own_port)?,
            discovery_name,
            service: key.clone(),
            tcp: definition.is_some_and(|it| it.spec.app_protocol(&service.port_name).is_none()),
            timeout: service.timeout.unwrap_or_default(),
            port_name: service.port_name.clone(),
        })
    };
    configuration.services.iter().filter_map(endpoint).collect()
}

/// All endpoints that services of the account offer now, `except` one service's.
pub(super) fn existing(region: &Region<'_>, except: Option<&ServiceKey>) -> Vec<Endpoint> {
    let others =
        region.ecs.services.values().filter(|service| service.is_active() && Some(&service.key) != except);
    others
        .filter_map(|service| {
            let spec = &service.primary.spec;
            let configuration = ConnectConfiguration::enabled(spec.connect.as_ref())?;
            Some(offered(region, &service.key, configuration, &spec.task_definition))
        })
        .flatten()
        .collect()
}

/// What a deployment made now lets its tasks see: the namespace's endpoints, its own included.
pub(in crate::ecs) fn visible(
    region: &Region<'_>,
    key: &ServiceKey,
    configuration: Option<&ConnectConfiguration>,
    task_definition: &str,
) -> Vec<Endpoint> {
    let Some(configuration) = ConnectConfiguration::enabled(configuration) else { return Vec::new() };
    let Some(namespace) =
        configuration.namespace.as_deref().and_then(|name| cloudmap::namespace(region.cloudmap, name))
    else {
        return Vec::new();
    };
    let mut endpoints = existing(region, Some(key));
    endpoints.retain(|endpoint| endpoint.namespace == namespace.arn);
    endpoints.extend(offered(region, key, configuration, task_definition));
    endpoints
}

/// Refuses names that another service of the namespace has: a discovery name, or an alias with its port.
pub(in crate::ecs) fn check_free(
    region: &Region<'_>,
    key: &ServiceKey,
    configuration: &ConnectConfiguration,
    task_definition: &str,
) -> Result<(), ApiError> {
    let others = existing(region, Some(key));
    for mine in offered(region, key, configuration, task_definition) {
        let clash = others.iter().find(|other| {
            other.namespace == mine.namespace
                && (other.discovery_name == mine.discovery_name
                    || (other.dns_name == mine.dns_name && other.port == mine.port))
        });
        if let Some(other) = clash {
            return Err(invalid(format!(
                "{} SC service is already used by {}",
                mine.discovery_name, other.namespace
            )));
        }
    }
    Ok(())
}

pub(in crate::ecs) fn resources(region: &Region<'_>, key: &ServiceKey, endpoints: &[Endpoint]) -> Value {
    let own = endpoints.iter().filter(|endpoint| endpoint.service == *key);
    own.map(|endpoint| {
        let id = endpoint.cloud_map_id();
        json!({
            "discoveryName": endpoint.discovery_name,
            "discoveryArn": region.base.arn("servicediscovery", &format!("service/{id}")),
        })
    })
    .collect()
}
