//! The landing zone as data: the network and the roles that an operator brings, and that a deployment only looks up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an account is furnished with. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingZone {
    /// Where all of the rest is; without it there are only roles.
    pub vpc: Option<Named>,
    /// For tasks, and for load balancers.
    pub subnets: Vec<ZoneSubnet>,
    /// Firewalls; nothing here enforces them.
    pub security_groups: Vec<ZoneGroup>,
    /// Roles that tasks may assume.
    pub roles: Vec<Named>,
    pub certificates: Vec<ZoneCertificate>,
    /// Quotas in place of AWS's defaults, by their names.
    pub quotas: BTreeMap<String, u32>,
}

/// One thing as a person refers to it. Whatever the reference leaves open is made up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// An id, or a role's ARN.
    Id(String),
    /// A `Name` tag, or the own name of a role or security group.
    Name(String),
}

/// A subnet of 256 addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneSubnet {
    /// By its `Name` tag or its id.
    pub named: Named,
    /// For a load balancer that faces the internet; others are for tasks.
    pub public: bool,
    /// The letter of its availability zone. `None` takes one that no other subnet of the same purpose is in: a load
    /// balancer needs two zones, and takes one subnet of each.
    pub zone: Option<char>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneGroup {
    /// By its name or its id.
    pub named: Named,
    /// Ports that it lets in.
    pub ports: Vec<u16>,
    /// From anywhere; other groups let in the VPC only.
    pub public: bool,
}

/// A certificate that an account is furnished with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneCertificate {
    pub arn: String,
    /// The names that it is for; the first is its domain name.
    pub names: Vec<String>,
    /// `ISSUED`, `PENDING_VALIDATION`, `EXPIRED` and so on.
    pub status: String,
    /// Seconds since the Unix epoch; `None` is always in half a year.
    pub not_after: Option<u64>,
}

impl ZoneCertificate {
    /// One that is issued for these names.
    pub fn issued(arn: &str, names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { arn: arn.to_owned(), names, status: "ISSUED".to_owned(), not_after: None }
    }
}

impl Named {
    pub fn name(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl LandingZone {
    /// A small one for tests: two zones, a load balancer's group and one for the tasks of each of two services.
    pub(crate) fn example() -> Self {
        let subnet =
            |name: &str, public| ZoneSubnet { named: Named::name(name), public, zone: name.chars().last() };
        let group = |name: &str, ports: &[u16], public| ZoneGroup {
            named: Named::name(name),
            ports: ports.to_vec(),
            public,
        };
        Self {
            vpc: Some(Named::name("main")),
            subnets: vec![
                subnet("private-a", false),
                subnet("private-b", false),
                subnet("public-a", true),
                subnet("public-b", true),
            ],
            security_groups: vec![
                group("alb", &[80, 443], true),
                group("backend", &[8080], false),
                group("frontend", &[3000], false),
            ],
            roles: vec![Named::name("ecsTaskExecutionRole"), Named::name("taskRole")],
            ..Self::default()
        }
    }
}
