//! `serviceConnectConfiguration`: its shape, its defaults and what ECS refuses.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cloudmap;
use crate::ecs::errors::{invalid, namespace_not_found};
use crate::ecs::task_definition::spec::TaskSpec;
use crate::wire::ApiError;

/// As a request gives it, and as a deployment shows it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct ConnectConfiguration {
    pub(in crate::ecs) enabled: bool,
    pub(in crate::ecs) namespace: Option<String>,
    #[serde(default)]
    pub(in crate::ecs) services: Vec<ConnectService>,
    pub(in crate::ecs) log_configuration: Option<Value>,
    pub(in crate::ecs) access_log_configuration: Option<Value>,
    /// Members that nothing here reads.
    #[serde(flatten)]
    pub(in crate::ecs) rest: Map<String, Value>,
}

/// An endpoint that the service offers.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct ConnectService {
    pub(in crate::ecs) port_name: String,
    pub(in crate::ecs) discovery_name: Option<String>,
    #[serde(default)]
    pub(in crate::ecs) client_aliases: Vec<ClientAlias>,
    pub(in crate::ecs) ingress_port_override: Option<u16>,
    pub(in crate::ecs) timeout: Option<Timeout>,
    pub(in crate::ecs) tls: Option<Value>,
    /// Members that nothing here reads.
    #[serde(flatten)]
    pub(in crate::ecs) rest: Map<String, Value>,
}

/// `timeout`, in seconds; 0 is none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct Timeout {
    pub(in crate::ecs) idle_timeout_seconds: Option<u32>,
    pub(in crate::ecs) per_request_timeout_seconds: Option<u32>,
}

/// The name and port under which clients reach an endpoint.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::ecs) struct ClientAlias {
    pub(in crate::ecs) port: u16,
    pub(in crate::ecs) dns_name: Option<String>,
    /// Members that nothing here reads.
    #[serde(flatten)]
    pub(in crate::ecs) rest: Map<String, Value>,
}

impl ConnectService {
    /// The discovery name; the port name where none is given.
    pub(in crate::ecs) fn discovery_name(&self) -> &str {
        self.discovery_name.as_deref().unwrap_or(&self.port_name)
    }
}

impl ConnectConfiguration {
    /// The configuration that counts: an enabled one.
    pub(in crate::ecs) fn enabled(configuration: Option<&Self>) -> Option<&Self> {
        configuration.filter(|configuration| configuration.enabled)
    }

    /// Fills in the cluster's `default` namespace where none is given, and refuses what ECS refuses.
    pub(in crate::ecs) fn settle(
        mut self,
        cloudmap: &cloudmap::State,
        default: Option<String>,
        task: &TaskSpec,
    ) -> Result<Self, ApiError> {
        if !self.enabled {
            return Ok(self);
        }
        if self.namespace.is_none() {
            self.namespace = Some(default.ok_or_else(|| {
                invalid("Service Connect requires a namespace: give one, or set the cluster's default.")
            })?);
        }
        // A service never creates its namespace; only a cluster's default is created.
        let wanted = self.namespace.as_deref().unwrap_or_default();
        if cloudmap::namespace(cloudmap, wanted).is_none() {
            return Err(namespace_not_found(wanted));
        }
        let mut names = Vec::new();
        for service in &self.services {
            check_service(service, task)?;
            if names.contains(&service.discovery_name()) {
                return Err(invalid(format!("discoveryName({}) is not unique.", service.discovery_name())));
            }
            names.push(service.discovery_name());
        }
        Ok(self)
    }
}

fn check_service(service: &ConnectService, task: &TaskSpec) -> Result<(), ApiError> {
    if task.named_port(&service.port_name).is_none() {
        return Err(invalid(format!(
            "portName({}) does not refer to any named PortMapping in the container definitions",
            service.port_name
        )));
    }
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let name = service.discovery_name();
    if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.chars().all(lower) {
        return Err(invalid(format!("discoveryName({name}) contains invalid characters.")));
    }
    let protocol = task.app_protocol(&service.port_name);
    if protocol.is_none() && service.timeout.is_some_and(|given| given.per_request_timeout_seconds.is_some())
    {
        return Err(invalid(format!(
            "A perRequestTimeout cannot be set for portName({}): its port mapping has no appProtocol, which means TCP.",
            service.port_name
        )));
    }
    if let Some(tls) = &service.tls {
        let authority = tls["issuerCertificateAuthority"]["awsPcaAuthorityArn"].as_str().unwrap_or_default();
        if !authority.starts_with("arn:aws:acm-pca:") {
            return Err(invalid(
                "TLS for Service Connect requires the ARN of an AWS Private Certificate Authority.",
            ));
        }
    }
    // The API takes a list, of exactly one alias (API reference; words: hashicorp/terraform-provider-aws#44027).
    if service.client_aliases.len() != 1 {
        return Err(invalid("clientAliases must have 1 element."));
    }
    for alias in &service.client_aliases {
        let Some(dns) = &alias.dns_name else { continue };
        if dns.is_empty() || dns.len() > 127 || !dns.chars().all(|c| lower(c) || c == '.') {
            return Err(invalid(format!("dnsName({dns}) contains invalid characters.")));
        }
    }
    Ok(())
}
