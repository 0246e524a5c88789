//! The load balancer, its listener, rules and target groups.

use serde::{Deserialize, Serialize};

/// An application load balancer that the tool creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadBalancerSpec {
    /// Its name.
    pub name: String,
    /// Subnet ids, sorted.
    pub subnets: Vec<String>,
    /// Security group ids, sorted.
    pub security_groups: Vec<String>,
    /// `internal` instead of `internet-facing`.
    pub internal: bool,
}

/// A listener. Its default action is a redirect, or else a fixed 404, so that only rules lead to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerSpec {
    /// The load balancer's name.
    pub load_balancer: String,
    /// 1 to 65535.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
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

/// A rule that forwards one path pattern to one target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSpec {
    /// 1 to 50000, unique on the listener.
    pub priority: u32,
    /// The path pattern.
    pub path: String,
    /// The target group's name.
    pub target_group: String,
}

/// A target group of type `ip`, protocol HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupSpec {
    /// Its name.
    pub name: String,
    /// The VPC's id. Immutable.
    pub vpc: String,
    /// The targets' port. Immutable.
    pub port: u16,
    /// `ip`, as Fargate needs. Immutable.
    pub target_type: String,
    /// `HTTP`. Immutable.
    pub protocol: String,
    /// Its health check.
    pub health: HealthCheckSpec,
    /// `deregistration_delay.timeout_seconds`.
    pub deregistration_delay_secs: u32,
}

/// A target group's health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheckSpec {
    /// The path.
    pub path: String,
    /// HTTP codes that pass.
    pub matcher: String,
    /// Seconds.
    pub interval_secs: u32,
    /// Seconds.
    pub timeout_secs: u32,
    /// Passes in a row.
    pub healthy_threshold: u32,
    /// Failures in a row.
    pub unhealthy_threshold: u32,
}
