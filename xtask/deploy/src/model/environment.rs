//! What `deploy.toml` says of one environment, with every default filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Service, ServiceKey};

/// One environment, complete: nothing is left for AWS to default.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Environment {
    /// The environment's name in `deploy.toml`, such as `prod`.
    pub name: String,
    /// The application's name; the value of the `app` tag on what the tool creates.
    pub app: String,
    /// Where it runs.
    pub kind: Kind,
    /// What tasks run as on the embedded cloud.
    pub workload: Workload,
    /// The AWS region.
    pub region: String,
    /// The only account that may be touched (12 digits); `None` accepts the caller's.
    pub account: Option<String>,
    /// Whether a deploy asks before it writes.
    pub confirm: bool,
    /// The ECS cluster's name.
    pub cluster: String,
    /// The Cloud Map namespace for Service Connect.
    pub namespace: String,
    /// Where tasks get their addresses.
    pub network: Network,
    /// The load balancer, created or selected.
    pub load_balancer: LoadBalancer,
    /// The services; each comes after those it depends on.
    pub services: Vec<Service>,
    /// What goes back when a service of a release fails.
    pub undo: Undo,
    /// Requests a second to the public paths while services roll, 0.1 to 10; `None` asks nothing.
    pub availability: Option<f64>,
    /// How long the tool waits for what.
    pub timeouts: Timeouts,
}

/// What goes back when one service of a release fails, or the release is not proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Every service that the release moved.
    #[default]
    Release,
    /// The failed service alone, by ECS's own rollback.
    Service,
}

impl Environment {
    /// The service called `key`, if the environment has it.
    #[must_use]
    pub fn service(&self, key: &ServiceKey) -> Option<&Service> {
        self.services.iter().find(|service| service.key == *key)
    }
}

/// Where an environment runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// On the embedded cloud, started when needed.
    Local,
    /// On AWS, or on whatever `AWS_ENDPOINT_URL` names.
    #[default]
    Aws,
}

/// What the embedded cloud runs tasks as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// As processes where every entry point is an executable that needs nothing beside itself; else as containers.
    #[default]
    Auto,
    /// Processes of this machine: no engine is needed, and nothing is isolated.
    Processes,
    /// Containers of Docker or Podman.
    Containers,
}

impl Workload {
    /// As `deploy.toml` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Processes => "processes",
            Self::Containers => "containers",
        }
    }
}

/// How a resource that the tool does not own is named: by id or ARN, or by name (its Name tag or own name).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Lookup {
    /// `vpc-…`, `subnet-…`, `sg-…` or an ARN.
    Id(String),
    /// A security group's or role's name, or the value of a Name tag.
    Name(String),
}

impl Lookup {
    /// The text as `deploy.toml` has it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
        }
    }

    /// Reads a reference: an ARN or an id with one of AWS's prefixes is an id, all else a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let id = ["arn:", "vpc-", "subnet-", "sg-"].iter().any(|prefix| text.starts_with(prefix));
        // `sg-backend` is a legal Name tag: ids are hexadecimal after the prefix.
        let hex = text
            .rsplit('-')
            .next()
            .is_some_and(|tail| tail.len() >= 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if id && (text.starts_with("arn:") || hex) {
            Self::Id(text.to_owned())
        } else {
            Self::Name(text.to_owned())
        }
    }
}

/// Where tasks get their addresses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Network {
    /// The VPC.
    pub vpc: Lookup,
    /// The subnets of the tasks, 1 to 16.
    pub subnets: Vec<Lookup>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
}

/// The application load balancer that the services share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadBalancer {
    /// Created by the tool, or selected.
    pub source: LoadBalancerSource,
    /// The name that the public asks for; `None` is the load balancer's own.
    pub host: Option<String>,
    /// From where smoke checks are asked; `None` leaves it to the load balancer's scheme.
    pub smoke_from: Option<SmokeFrom>,
    /// The listener that routes to the services.
    pub listener: Listener,
}

/// From where smoke checks are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SmokeFrom {
    /// The machine that deploys.
    Here,
    /// No machine: tasks, digests and targets are the whole proof.
    Nowhere,
}

/// Whether the tool makes the load balancer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadBalancerSource {
    /// The tool creates it under this name when it is missing.
    Create {
        /// Its name: 1 to 32 letters, digits and hyphens.
        name: String,
        /// Subnets in at least two availability zones.
        subnets: Vec<Lookup>,
        /// Its security groups.
        security_groups: Vec<Lookup>,
        /// `internal` instead of `internet-facing`.
        internal: bool,
    },
    /// An existing one, by name or ARN; the tool adds target groups and rules and touches nothing else of it.
    Select {
        /// Name or ARN.
        reference: String,
    },
}

impl LoadBalancerSource {
    /// The name or ARN as `deploy.toml` has it.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::Create { name, .. } => name,
            Self::Select { reference } => reference,
        }
    }
}

/// The listener that routes to the services.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listener {
    /// 1 to 65535.
    pub port: u16,
    /// HTTP, or HTTPS with a certificate.
    pub protocol: Protocol,
    /// The ARN of the default certificate, for HTTPS.
    pub certificate: Option<String>,
    /// ARNs of further certificates, which clients get that ask for their names.
    pub further_certificates: Vec<String>,
    /// ELB's policy of TLS versions and ciphers, for HTTPS.
    pub ssl_policy: Option<String>,
    /// Whether port 80 redirects here.
    pub redirect_http: bool,
}

impl Listener {
    /// The port that browsers try first when no scheme is typed.
    pub const REDIRECT_PORT: u16 = 80;
}

/// A listener's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// How long the tool waits, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    /// For the smoke checks to pass once everything has settled.
    pub smoke_secs: u64,
    /// Between two polls while rolling.
    pub poll_secs: u64,
}
