//! `[network]` and `[load-balancer]`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{LoadBalancerTables, Route};

/// Where tasks get their addresses. Everything here exists already: the tool looks it up and never changes
/// it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Network {
    /// The VPC: its id (`vpc-…`) or its Name tag.
    #[schemars(length(min = 1, max = 256))]
    pub vpc: Lookup,
    /// The subnets of the tasks: ids (`subnet-…`) or Name tags, 1 to 16 (ECS AwsVpcConfiguration).
    #[schemars(length(min = 1, max = 16))]
    pub subnets: Vec<Lookup>,
    /// Whether tasks get a public address. In a private subnet images come through a NAT gateway or VPC
    /// endpoints.
    pub assign_public_ip: bool,
}

/// The application load balancer that all services share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadBalancer {
    /// Its name; of an existing one, the name or the ARN.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// `true` selects a load balancer that is there already: the tool adds target groups, the listener and
    /// rules to it and changes nothing else; `scheme`, `subnets` and `security-groups` then have no effect.
    /// `false` creates it when it is missing.
    pub existing: bool,
    /// Whether the internet can reach it.
    pub scheme: Scheme,
    /// The public name, such as `app.example.com`: what browsers ask for and the certificate is issued for. Checks
    /// connect to the load balancer itself and ask by this name, whatever DNS says of it. HTTPS needs it.
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// From where smoke checks are asked. By default from here; of an internal load balancer from nowhere, as
    /// machines outside of its VPC do not reach it.
    pub smoke_from: Option<SmokeFrom>,
    /// Its subnets, in at least two availability zones: ids or Name tags.
    #[schemars(length(min = 1, max = 16))]
    pub subnets: Vec<Lookup>,
    /// Its security groups: ids or names.
    #[schemars(length(min = 1, max = 5))]
    pub security_groups: Vec<Lookup>,
    /// The listener whose rules route to the services.
    pub listener: Listener,
    /// Whether each service's health path gets an exact-path rule of its own. Without it the path
    /// patterns alone decide who answers a health path, and that may be another service.
    pub health_routes: bool,
    /// Rules that lead to no service: redirects and fixed responses.
    #[schemars(length(max = 100))]
    pub routes: Vec<Route>,
    /// What no other key says, in AWS's own words; also of a load balancer that is there already.
    pub aws: LoadBalancerTables,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            name: String::new(),
            existing: false,
            scheme: Scheme::InternetFacing,
            host: None,
            smoke_from: None,
            subnets: Vec::new(),
            security_groups: Vec::new(),
            listener: Listener::default(),
            health_routes: true,
            routes: Vec::new(),
            aws: LoadBalancerTables::default(),
        }
    }
}

/// Whether the internet can reach a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Its nodes have public addresses.
    InternetFacing,
    /// Its nodes have private addresses only.
    Internal,
}

/// The listener that routes to the services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Listener {
    /// The port that browsers use.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The protocol of the listener; `HTTPS` needs a `certificate`.
    pub protocol: Protocol,
    /// The ARN of a certificate in ACM, in the same region.
    pub certificate: Option<String>,
    /// Further certificates, for other names: a client gets the one for the name that it asks for.
    #[schemars(length(max = 25))]
    pub further_certificates: Vec<String>,
    /// TLS versions and ciphers, by the name of one of ELB's policies.
    pub ssl_policy: Option<String>,
    /// Whether a second listener on port 80 redirects to this one. By default it does for HTTPS on a load balancer
    /// that the tool creates.
    pub redirect_http: Option<bool>,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            port: 80,
            protocol: Protocol::Http,
            certificate: None,
            further_certificates: Vec::new(),
            ssl_policy: None,
            redirect_http: None,
        }
    }
}

/// From where smoke checks are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SmokeFrom {
    /// They are sent from the machine that deploys.
    Here,
    /// No machine: tasks, digests and targets are the whole proof.
    Nowhere,
}

impl Listener {
    /// The console's default, of TLS 1.2 and 1.3. The API's own is of 2016 and allows TLS 1.0 (Elastic Load Balancing user
    /// guide, "Security policies for your Application Load Balancer").
    pub const SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

    /// The port that browsers try first when no scheme is typed.
    pub const REDIRECT_PORT: u16 = 80;
}

/// The protocol that a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// HTTP without encryption, usually on port 80.
    Http,
    /// HTTP over TLS, usually on port 443.
    Https,
}

/// How a resource that the tool does not own is named: by id or ARN, or by name (its Name tag or own name).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", untagged)]
pub enum Lookup {
    /// `vpc-…`, `subnet-…`, `sg-…` or an ARN.
    Id(String),
    /// A security group's or role's name, or the value of a Name tag.
    Name(String),
}

impl Default for Lookup {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

impl From<String> for Lookup {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

/// In the file it is its text.
impl JsonSchema for Lookup {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Lookup".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

impl Lookup {
    /// The text as `deploy.toml` has it.
    pub fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
        }
    }

    /// Reads a reference: an ARN or an id with one of AWS's prefixes is an id, all else a name.
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
