//! The load balancer, its listener, rules and target groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LoadBalancerSpec {
    pub name: String,
    /// Ids, sorted: AWS returns them in no fixed order.
    pub subnets: Vec<String>,
    /// Ids, sorted: AWS returns them in no fixed order.
    pub security_groups: Vec<String>,
    /// `internal` instead of `internet-facing`.
    pub internal: bool,
    /// By AWS's names: of what is wanted, those that deploy.toml sets; of what is found, all.
    pub attributes: BTreeMap<String, String>,
}

/// A listener. Its default action is a redirect, or else a fixed 404, so that only rules lead to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ListenerSpec {
    pub load_balancer: String,
    pub port: u16,
    pub protocol: String,
    /// The default certificate's ARN, for HTTPS.
    pub certificate: Option<String>,
    /// ARNs of the other certificates, sorted.
    pub further_certificates: Vec<String>,
    /// ELB's policy of TLS versions and ciphers, for HTTPS.
    pub ssl_policy: Option<String>,
    /// The HTTPS port that every request is redirected to.
    pub redirect_to: Option<u16>,
}

/// A target group of type `ip`, protocol HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TargetGroupSpec {
    pub name: String,
    pub vpc: String,
    pub port: u16,
    /// `ip`, as Fargate needs. Immutable.
    pub target_type: String,
    /// `HTTP`. Immutable.
    pub protocol: String,
    /// `HTTP1`, `HTTP2` or `GRPC`. Immutable.
    pub protocol_version: String,
    pub health: HealthCheckSpec,
    /// By AWS's names: of what is wanted, those that deploy.toml sets; of what is found, all.
    pub attributes: BTreeMap<String, String>,
}

impl TargetGroupSpec {
    /// Seconds that a leaving target keeps its connections. AWS's default of 300 makes each deploy five minutes longer.
    pub const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

    /// The same with some attributes changed.
    pub fn with(&self, attributes: &BTreeMap<String, String>) -> Self {
        let mut group = self.clone();
        group.attributes.extend(attributes.clone());
        group
    }
}

/// A target group's health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HealthCheckSpec {
    pub path: String,
    /// The port; `None` is the one that the target gets its traffic on.
    pub port: Option<u16>,
    /// HTTP codes that pass; of a `GRPC` group, gRPC's.
    pub matcher: String,
    pub interval_secs: u32,
    pub timeout_secs: u32,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}
