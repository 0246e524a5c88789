//! Endpoints of Service Connect, and the ports that they lead to, by their keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Search;
use crate::model::spec::ServiceSpec;
use crate::model::{AppProtocol, Service, ServiceState};
use crate::plan::keys::{ENDPOINT, differing, key_of, typed};

/// A port of the running definition's own container.
#[derive(Clone, Debug)]
pub(super) struct EndpointPort {
    port: u16,
    protocol: Option<String>,
}

/// The ports of the own container that endpoints lead to, as far as keys can say all of them.
pub(super) fn ports(service: &Service, running: &ServiceState) -> BTreeMap<String, EndpointPort> {
    let offered = running.spec.connect.iter().flat_map(|connect| &connect.services);
    let mappings = running.task_definition.spec.of_container(&service.container.name, "portMappings");
    let mappings: Vec<_> = mappings.and_then(Value::as_object).into_iter().flatten().collect();
    let port = |name: &String| {
        let (port, mapping) = mappings.iter().find(|(_, it)| it["name"] == name.as_str())?;
        let mut rest = mapping.as_object()?.clone();
        rest.retain(|member, value| {
            !["name", "appProtocol"].contains(&member.as_str()) && !is_usual(port, member, value)
        });
        let protocol = mapping["appProtocol"].as_str().map(str::to_owned);
        rest.is_empty().then_some(EndpointPort { port: port.parse().ok()?, protocol })
    };
    offered.filter_map(|it| Some((it.name.clone(), port(&it.name)?))).collect()
}

/// The names of ports that several endpoints of a running service lead to.
pub(super) fn shared(running: &ServiceState) -> BTreeSet<String> {
    let offered = running.spec.connect.iter().flat_map(|connect| &connect.services);
    let mut seen = BTreeSet::new();
    offered.map(|it| it.name.clone()).filter(|name| !seen.insert(name.clone())).collect()
}

/// What ECS writes out in network mode awsvpc, or has by default (ECS API, PortMapping).
fn is_usual(port: &str, member: &str, value: &Value) -> bool {
    member == "protocol" && value == "tcp"
        || member == "hostPort" && [port, "0"].contains(&value.to_string().as_str())
}

impl Search<'_> {
    /// The discovery names of the own port's endpoint: as it runs, and as the file has it.
    pub(super) fn own_endpoint(&self, running: &ServiceSpec) -> (Option<String>, Option<String>) {
        let container = &self.service.container;
        let offered: Vec<_> = self.service.endpoints().collect();
        let own = offered.iter().find(|it| it.path == "connect");
        if own.is_none() && self.service.connect.as_ref().is_some_and(|it| it.enable) {
            return (None, None);
        }
        let found: Vec<_> = running.connect.iter().flat_map(|connect| &connect.services).collect();
        let named = |name: &str| found.iter().find(|it| it.discovery_name == name);
        let is_further =
            |name: &str| offered.iter().any(|it| it.path != "connect" && it.offer.discovery_name == name);
        let of_own_port = |name: &String| {
            *name == container.port_name || self.ports.get(name).is_some_and(|it| it.port == container.port)
        };
        let free = || found.iter().filter(|it| !is_further(&it.discovery_name));
        let same = own.and_then(|own| named(&own.offer.discovery_name));
        let same = same.or_else(|| free().find(|it| of_own_port(&it.name)));
        let same = same.or_else(|| free().next().filter(|_| found.len() == 1 && own.is_some()));
        (same.map(|it| it.discovery_name.clone()), own.map(|own| own.offer.discovery_name.clone()))
    }

    /// Whether a mapping of the own container's further ports is said by the keys of an endpoint.
    pub(super) fn mapping(&mut self, port: &str, member: &[&str], value: &Value) -> bool {
        let typed = self.service.further_ports().find(|it| it.port.to_string() == port);
        if let (Some(endpoint), [member]) = (typed, member) {
            let key = match *member {
                "name" => "port-name",
                "appProtocol" => "app-protocol",
                _ => return false,
            };
            let name = endpoint.name.clone();
            self.key(
                &format!("connect.endpoint.{name}.{key}"),
                &["connect", "endpoint", &name, key],
                value.clone(),
            );
            return true;
        }
        let own = self.service.container.port;
        self.ports.values().any(|it| it.port.to_string() == port && it.port != own)
    }

    /// An endpoint by its discovery name, `@` the own one, or a member of it.
    pub(super) fn endpoint(&mut self, discovery: &str, member: &[&str], value: Value) {
        if member.is_empty() {
            self.lines.names.push(format!("connect.endpoint.{discovery}"));
            let mut all = Vec::new();
            differing(&mut Vec::new(), &value, &json!({}), &mut all);
            let port_name = value["portName"].as_str().unwrap_or_default();
            // So that the table is there also where everything in it is as it would be derived.
            self.lines.key(&["connect", "endpoint", discovery], Value::Object(Map::new()));
            for (path, value) in all {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                self.endpoint_member(discovery, discovery, port_name, &path, value);
            }
            return;
        }
        let offered = self.service.endpoints().find(|it| it.offer.discovery_name == discovery);
        let (table, port_name) = match &offered {
            Some(it) => (it.path.rsplit('.').next().unwrap_or(discovery).to_owned(), it.port_name.to_owned()),
            None => (discovery.to_owned(), self.service.container.port_name.clone()),
        };
        let name = format!("serviceConnectConfiguration.services.{discovery}.{}", member.join("."));
        if self.endpoint_member(discovery, &table, &port_name, member, value) {
            self.lines.names.push(name);
        }
    }

    /// False where deploy.toml decides it.
    fn endpoint_member(
        &mut self,
        discovery: &str,
        table: &str,
        port_name: &str,
        member: &[&str],
        value: Value,
    ) -> bool {
        let key = key_of(&format!("{ENDPOINT}{}", member.join(".")));
        match (member, key) {
            (["portName"], _) => self.port(table, value.as_str().unwrap_or_default()),
            (["discoveryName"], _) if discovery == table => {}
            (_, Some(key)) => {
                let key = key.strip_prefix("connect.").unwrap_or(key);
                let path =
                    [&["connect", "endpoint", table][..], &key.split('.').collect::<Vec<_>>()].concat();
                if self.decided(&path.join(".")) {
                    return false;
                }
                self.lines.key(&path, typed(&format!("connect.{key}"), value));
            }
            (_, None) => {
                let discovery = if discovery == "@" { self.own.clone() } else { discovery.to_owned() };
                let shared = self.shared.contains(port_name);
                let entry = ["services", if shared { &discovery } else { port_name }];
                let mut put = |path: &[&str], value| {
                    self.lines.aws("connect", &[&entry[..], path].concat(), value);
                };
                put(&["portName"], json!(port_name));
                if shared {
                    put(&["discoveryName"], json!(discovery));
                }
                put(member, value);
            }
        }
        true
    }

    /// The port that a further endpoint leads to.
    fn port(&mut self, table: &str, name: &str) {
        let container = &self.service.container;
        let mut put = |key, value| self.lines.key(&["connect", "endpoint", table, key], value);
        match self.ports.get(name) {
            Some(own) if own.port == container.port => {
                if container.port_name != name {
                    self.lines.key(&["container", "port-name"], json!(name));
                }
            }
            Some(EndpointPort { port, protocol }) => {
                // Another endpoint says the port: it is said once.
                let twice = self.service.further_ports().any(|it| it.port == *port);
                let said = twice || self.said.contains(name);
                if !said {
                    put("port", json!(port));
                    let http = protocol.as_deref() == AppProtocol::Http.wire();
                    if !http {
                        put("app-protocol", json!(protocol.as_deref().unwrap_or("tcp")));
                    }
                }
                if said || table != name {
                    put("port-name", json!(name));
                }
                self.said.insert(name.to_owned());
            }
            None => put("port-name", json!(name)),
        }
    }
}
