//! `[service.NAME.connect]`: what a service offers to others through Service Connect.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use serde_json::Value;

use super::named::named;
use super::spec::Members;
use super::{AwsTables, Service};

/// The Service Connect endpoint that makes a service reachable for others in the namespace. Without it
/// the service is a client only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Connect {
    /// Whether its tasks take part in Service Connect at all. With `false` they are no clients either.
    pub enable: bool,
    /// Whether `container.port` has an endpoint. With `false` only the further ones are offered.
    pub own_port: bool,
    /// Further endpoints, by name: of further ports, or of the same port by another alias.
    #[serde(rename = "endpoint", deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Endpoint>")]
    pub endpoints: Vec<Endpoint>,
    /// Of `container.port`, unless `own-port` is false.
    #[serde(flatten)]
    pub own: Offer,
}

impl Default for Connect {
    fn default() -> Self {
        Self { enable: true, own_port: true, endpoints: Vec::new(), own: Offer::default() }
    }
}

/// A further Service Connect endpoint of a service. ECS takes one alias for each endpoint, so a second name
/// of a port is an endpoint as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in the file, such as `grpc`.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    pub name: String,
    /// A further port that the service's own container listens on. When omitted, `port-name` says which port it leads to.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The name of the port mapping that it leads to: of `port`, or of one that another key makes. When omitted: the
    /// endpoint's name with `port`, and the name of `container.port` without.
    #[schemars(length(min = 1))]
    pub port_name: String,
    /// What is spoken on `port`. `http` when omitted; a service that runs keeps its own.
    pub app_protocol: Option<AppProtocol>,
    #[serde(flatten)]
    pub offer: Offer,
}

/// What an endpoint offers to clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Offer {
    /// Unique in the namespace. When omitted: the port's name, and of a further endpoint its own name.
    #[schemars(length(min = 1))]
    pub discovery_name: String,
    /// The name and port by which clients call it.
    pub alias: Alias,
    /// Seconds for a whole request: 15 unless it is given, also for requests from the load balancer. Streams and long polls
    /// need more; 0 sets no limit. There is none for `app-protocol = "tcp"`.
    #[schemars(range(min = 0, max = 86400))]
    pub request_timeout_secs: Option<u32>,
    /// Seconds for which a connection may be idle: 300, or 3600 for TCP, unless it is given; 0 sets no limit.
    #[schemars(range(min = 0, max = 86400))]
    pub idle_timeout_secs: Option<u32>,
    /// TLS between the proxies of clients and of this service; applications speak as before.
    pub tls: Option<ConnectTls>,
}

/// TLS of a Service Connect endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConnectTls {
    /// The ARN of a private certificate authority (AWS Private CA).
    #[schemars(length(min = 1, max = 2048))]
    pub issuer: String,
    /// The ARN of the KMS key that private keys are encrypted with; AWS's own when omitted.
    #[schemars(length(min = 1, max = 2048))]
    pub kms_key: Option<String>,
    /// The ARN of the role with which ECS issues and stores certificates.
    #[schemars(length(min = 1, max = 2048))]
    pub role: Option<String>,
}

/// What is spoken on a container's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AppProtocol {
    Http,
    Http2,
    Grpc,
    /// Any protocol: the proxy passes bytes.
    Tcp,
}

impl AppProtocol {
    /// The value on the wire; TCP is none.
    pub fn wire(self) -> Option<&'static str> {
        match self {
            Self::Http => Some("http"),
            Self::Http2 => Some("http2"),
            Self::Grpc => Some("grpc"),
            Self::Tcp => None,
        }
    }
}

/// What clients of a Service Connect endpoint use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Alias {
    /// The port that clients use. The container's port when omitted.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The name that clients use. `DISCOVERY-NAME.NAMESPACE` when omitted.
    #[schemars(length(min = 1))]
    pub dns: String,
}

/// An endpoint of a service, its own one or a further one.
#[derive(Clone, Debug)]
pub struct Offered<'a> {
    /// Its path below the service's, such as `connect.endpoint.grpc`.
    pub path: String,
    /// Where the name of its port is written, below the service's path.
    pub port_name_key: String,
    pub port_name: &'a str,
    pub offer: &'a Offer,
    /// What the file says of its protocol, where it says so beside its port.
    pub protocol: Option<AppProtocol>,
}

impl Service {
    /// What it offers to others through Service Connect, the endpoint of its own port first.
    pub fn endpoints(&self) -> impl Iterator<Item = Offered<'_>> {
        let connect = self.connect.iter().filter(|connect| connect.enable);
        connect.flat_map(|connect| {
            let own = connect.own_port.then(|| Offered {
                path: "connect".to_owned(),
                port_name_key: "container.port-name".to_owned(),
                port_name: &self.container.port_name,
                offer: &connect.own,
                protocol: self.container.app_protocol,
            });
            let further = connect.endpoints.iter().map(|endpoint| Offered {
                path: format!("connect.endpoint.{}", endpoint.name),
                port_name_key: format!("connect.endpoint.{}.port-name", endpoint.name),
                port_name: &endpoint.port_name,
                offer: &endpoint.offer,
                protocol: endpoint.app_protocol.or(self.protocol_of(&endpoint.port_name)),
            });
            own.into_iter().chain(further)
        })
    }

    /// What a port of the file is written to speak, by the port's name.
    fn protocol_of(&self, port_name: &str) -> Option<AppProtocol> {
        let own = self.containers().map(|(_, it)| (&it.port_name, it.app_protocol));
        let further = self.further_ports().map(|it| (&it.port_name, it.app_protocol));
        own.chain(further).find(|(name, _)| *name == port_name)?.1
    }

    /// The further endpoints that say which port they lead to.
    pub fn further_ports(&self) -> impl Iterator<Item = &Endpoint> {
        let connect = self.connect.iter().filter(|connect| connect.enable);
        connect.flat_map(|connect| &connect.endpoints).filter(|endpoint| endpoint.port != 0)
    }

    /// The ports of its tasks that have names, as the file says them.
    pub fn named_ports(&self) -> Vec<(String, u16)> {
        let own = self.containers().map(|(_, it)| (it.port_name.clone(), it.port));
        let further = self.further_ports().map(|it| (it.port_name.clone(), it.port));
        let AwsTables { container, task_definition, .. } = &self.aws;
        let beside = task_definition.get(&["containerDefinitions"]).and_then(Value::as_object);
        let beside = beside.into_iter().flat_map(|all| all.values()).map(|it| Members::of(it.clone()));
        let tables = [container.clone()].into_iter().chain(self.sidecars.iter().map(|it| it.aws.clone()));
        let mapped = tables.chain(beside).flat_map(|container| {
            let mappings = container.wire()["portMappings"].take();
            let named = |mapping: &Value| {
                let port = u16::try_from(mapping["containerPort"].as_u64()?).ok()?;
                Some((mapping["name"].as_str()?.to_owned(), port))
            };
            mappings.as_array().into_iter().flatten().filter_map(named).collect::<Vec<_>>()
        });
        let all = own.chain(further).chain(mapped);
        all.filter(|(name, port)| !name.is_empty() && *port != 0).collect()
    }

    /// Whether its tasks get Service Connect's proxy, as servers or as clients only.
    pub fn connects(&self) -> bool {
        self.connect.as_ref().is_none_or(|connect| connect.enable)
    }

    /// Whether its own port has an endpoint.
    pub fn offers_own_port(&self) -> bool {
        self.connect.as_ref().is_some_and(|connect| connect.enable && connect.own_port)
    }
}
