//! `[network]` and `[load-balancer]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::setting::Setting;
use crate::model::{Protocol, SmokeFrom};

/// Where tasks get their addresses. Everything here exists already: the tool looks it up and never changes
/// it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Network {
    /// The VPC: its id (`vpc-…`) or its Name tag.
    #[schemars(length(min = 1, max = 256))]
    pub(crate) vpc: Option<Setting<String>>,
    /// The subnets of the tasks: ids (`subnet-…`) or Name tags, 1 to 16 (ECS AwsVpcConfiguration).
    #[schemars(length(min = 1, max = 16))]
    pub(crate) subnets: Option<Setting<Vec<Setting<String>>>>,
    /// Whether tasks get a public address. In a private subnet images come through a NAT gateway or VPC
    /// endpoints.
    pub(crate) assign_public_ip: Setting<bool>,
}

/// The application load balancer that all services share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LoadBalancer {
    /// Its name; of an existing one, the name or the ARN.
    #[schemars(length(min = 1, max = 256))]
    pub(crate) name: Option<Setting<String>>,
    /// `true` selects a load balancer that is there already: the tool adds target groups, the listener and
    /// rules to it and changes nothing else; `scheme`, `subnets` and `security-groups` then have no effect.
    /// `false` creates it when it is missing.
    pub(crate) existing: Setting<bool>,
    /// Whether the internet can reach it.
    pub(crate) scheme: Setting<Scheme>,
    /// The public name, such as `app.example.com`: what browsers ask for and the certificate is issued for. Checks
    /// connect to the load balancer itself and ask by this name, whatever DNS says of it. HTTPS needs it.
    #[schemars(length(min = 1, max = 253))]
    pub(crate) host: Option<Setting<String>>,
    /// From where smoke checks are asked. By default from here; of an internal load balancer from nowhere, as
    /// machines outside of its VPC do not reach it.
    pub(crate) smoke_from: Option<Setting<SmokeFrom>>,
    /// Its subnets, in at least two availability zones: ids or Name tags.
    #[schemars(length(min = 1, max = 16))]
    pub(crate) subnets: Option<Setting<Vec<Setting<String>>>>,
    /// Its security groups: ids or names.
    #[schemars(length(min = 1, max = 5))]
    pub(crate) security_groups: Option<Setting<Vec<Setting<String>>>>,
    /// The listener whose rules route to the services.
    pub(crate) listener: Setting<Listener>,
    /// Whether each service's health path gets an exact-path rule of its own. Without it the path
    /// patterns alone decide who answers a health path, and that may be another service.
    pub(crate) health_routes: Setting<bool>,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            name: None,
            existing: false.into(),
            scheme: Scheme::InternetFacing.into(),
            host: None,
            smoke_from: None,
            subnets: None,
            security_groups: None,
            listener: Setting::default(),
            health_routes: true.into(),
        }
    }
}

/// Whether the internet can reach a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    /// Public addresses.
    InternetFacing,
    /// Private addresses only.
    Internal,
}

/// The listener that routes to the services.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Listener {
    /// The port that browsers use.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Setting<u16>,
    /// `HTTPS` needs a `certificate`.
    pub(crate) protocol: Setting<Protocol>,
    /// The ARN of a certificate in ACM, in the same region.
    pub(crate) certificate: Option<Setting<String>>,
    /// Further certificates, for other names: a client gets the one for the name that it asks for.
    #[schemars(length(max = 25))]
    pub(crate) further_certificates: Setting<Vec<Setting<String>>>,
    /// TLS versions and ciphers, by the name of one of ELB's policies.
    pub(crate) ssl_policy: Option<Setting<String>>,
    /// Whether a second listener on port 80 redirects to this one. By default it does for HTTPS on a load balancer
    /// that the tool creates.
    pub(crate) redirect_http: Option<Setting<bool>>,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            port: 80.into(),
            protocol: Protocol::Http.into(),
            certificate: None,
            further_certificates: Setting::default(),
            ssl_policy: None,
            redirect_http: None,
        }
    }
}
