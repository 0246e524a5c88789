//! What `doctor` reads. `None` is what was not asked: there is nothing to ask about, or what it hangs on is missing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::Quota;

/// Something that was asked for.
pub type Fact<T> = Result<T, Unread>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Such as `not allowed to read route tables (ec2:DescribeRouteTables)`.
    pub why: String,
    pub remedy: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Account and ARN of the caller.
    pub caller: Option<Fact<(String, String)>>,
    /// Seconds by which this machine's clock is ahead of AWS's.
    pub clock_ahead_secs: Option<Fact<i64>>,
    /// What the caller may do of the printed policy, by statement.
    pub rights: Option<Fact<Vec<Vec<Decision>>>>,
    pub landing: Option<Fact<Landing>>,
    /// By id, of those that deploy.toml names.
    pub subnets: Option<Fact<BTreeMap<String, Subnet>>>,
    pub security_groups: Option<Fact<BTreeMap<String, SecurityGroup>>>,
    /// All of the VPC: a subnet that names none uses the main one.
    pub route_tables: Option<Fact<Vec<RouteTable>>>,
    /// States of the VPC's NAT gateways by id.
    pub nat_gateways: Option<Fact<BTreeMap<String, String>>>,
    pub endpoints: Option<Fact<Vec<Endpoint>>>,
    /// The cluster's status; `None` where there is no such cluster.
    pub cluster: Option<Fact<Option<String>>>,
    pub namespace: Option<Fact<bool>>,
    /// Names of those that deploy.toml names and that are there.
    pub repositories: Option<Fact<Vec<String>>>,
    pub log_groups: Option<Fact<Vec<String>>>,
    pub balancer: Option<Fact<Option<Balancer>>>,
    /// The protocol of the listener on the wanted port.
    pub listener: Option<Fact<Option<String>>>,
    /// Of tasks, by the text that deploy.toml has for them.
    pub roles: BTreeMap<String, Fact<Option<TaskRole>>>,
    /// The key of KMS that each secret is encrypted with, by the secret's id; `None` when there is no such secret.
    pub secrets: BTreeMap<String, Fact<Option<Option<String>>>>,
    pub certificates: BTreeMap<String, Fact<Option<Certificate>>>,
    pub names: Option<Fact<Names>>,
    pub quotas: Option<Fact<BTreeMap<Quota, f64>>>,
    pub target_groups: Option<Fact<TargetGroups>>,
    /// The engine that builds Dockerfiles, asked only where a service has one.
    pub engine: Option<Fact<String>>,
}

/// One action on one resource, simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub action: String,
    pub resource: String,
    pub allowed: bool,
}

/// What deploy.toml refers to, by id.
#[derive(Clone, Debug, Default)]
pub struct Landing {
    /// By the text that deploy.toml has for them.
    pub ids: BTreeMap<String, String>,
    pub missing: Vec<MissingThing>,
}

#[derive(Clone, Debug)]
pub struct MissingThing {
    /// Such as `subnet private-a`.
    pub what: String,
    pub problem: String,
    pub hint: String,
}

#[derive(Clone, Debug, Default)]
pub struct Subnet {
    pub zone: String,
    pub cidr: String,
    pub free_addresses: u64,
}

#[derive(Clone, Debug, Default)]
pub struct SecurityGroup {
    pub name: String,
    pub ingress: Vec<FirewallRule>,
    pub egress: Vec<FirewallRule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirewallRule {
    /// `tcp`, `udp`, a number, or `-1` for all.
    pub protocol: String,
    /// All ports when `None`.
    pub ports: Option<(u16, u16)>,
    /// CIDR blocks, and ids of groups and prefix lists.
    pub peers: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    pub id: String,
    /// Of subnets that no other table names.
    pub main: bool,
    pub subnets: Vec<String>,
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug, Default)]
pub struct Route {
    pub to: String,
    /// Such as `nat-…`, `igw-…`, `tgw-…`.
    pub target: String,
    /// `active`, or `blackhole` when the target is gone.
    pub state: String,
}

#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    pub id: String,
    /// Such as `com.amazonaws.eu-west-1.ecr.api`.
    pub service: String,
    pub interface: bool,
    pub state: String,
    pub private_dns: bool,
    /// Route tables of a gateway endpoint.
    pub tables: Vec<String>,
    pub groups: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Balancer {
    pub dns_name: String,
    pub vpc: String,
    pub status: String,
    pub application: bool,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct TaskRole {
    /// Who may assume it: a policy document.
    pub trust: Value,
    /// What it may do of what its tasks need, by statement; `None` where they need nothing.
    pub rights: Option<Fact<Vec<Vec<Decision>>>>,
}

#[derive(Clone, Debug, Default)]
pub struct Certificate {
    pub status: String,
    pub names: Vec<String>,
    pub not_after_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Names {
    /// Addresses of the public name; empty when there is no such name.
    pub host: Vec<IpAddr>,
    pub balancer: Vec<IpAddr>,
}

/// Target groups of the region.
#[derive(Clone, Debug, Default)]
pub struct TargetGroups {
    pub names: Vec<String>,
    /// How many the load balancer has.
    pub of_balancer: usize,
}
