//! The network, the roles and the caller of one account, and how a landing zone is brought into it.

use std::collections::BTreeSet;

use super::network::Network;
use super::rights::Rights;
use super::sessions::Sessions;
use crate::base::Settings;
use crate::base::{LandingZone, Named, ZoneGroup, ZoneSubnet};
use crate::ids::Ids;

#[derive(Debug)]
pub(crate) struct State {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) security_groups: Vec<SecurityGroup>,
    pub(super) network: Network,
    pub(super) roles: Vec<Role>,
    pub(super) rights: Rights,
    pub(super) user_id: String,
    pub(super) sessions: Sessions,
    ids: Ids,
}

/// A VPC; its name is its `Name` tag.
#[derive(Debug)]
pub(super) struct Vpc {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) cidr: String,
}

/// A subnet of 256 addresses; its name is its `Name` tag.
#[derive(Debug)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) zone: String,
    pub(super) name: String,
    /// The first three numbers of its addresses.
    pub(super) network: String,
    pub(super) public: bool,
    /// Last numbers of the addresses in use.
    taken: BTreeSet<u8>,
    /// The last number that was given out.
    last: u8,
}

/// A security group; its `Name` tag equals its name.
#[derive(Debug)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) name: String,
    /// Ports let in, and the CIDR block or the group that they are open to.
    pub(super) ingress: Vec<(u16, String)>,
    /// What the landing zone brought: it is not brought again once somebody took it away.
    furnished: Vec<(u16, String)>,
}

/// A role that ECS tasks may assume.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
    /// Who may assume it: a policy document.
    pub(super) trust: String,
}

/// Lets ECS assume a role for tasks; every role of a new account has it.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// EC2 keeps the first four addresses of a subnet and the last for itself.
const FIRST_FREE: u8 = 4;
const LAST_FREE: u8 = 254;

impl State {
    /// Nothing yet. Identifiers depend on the seed and on what was brought before.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut ids = Ids::new(settings.seed ^ 0x1a4d_1490);
        let user_id = format!("AIDA{}", ids.hex(17).to_uppercase());
        Self {
            vpcs: Vec::new(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
            network: Network::default(),
            roles: Vec::new(),
            rights: Rights::default(),
            user_id,
            sessions: Sessions::default(),
            ids,
        }
    }

    /// Brings what is missing. What is there stays as it is, but for the VPC of what the zone names by its id: an id is
    /// of one thing only, and that thing is where deploy.toml now says.
    pub(crate) fn furnish(&mut self, zone: &LandingZone, settings: &Settings) {
        for role in &zone.roles {
            self.add_role(role, &settings.account);
        }
        let Some(vpc) = &zone.vpc else { return };
        let (vpc, cidr) = self.vpc(vpc);
        for public in [false, true] {
            let wanted: Vec<_> = zone.subnets.iter().filter(|subnet| subnet.public == public).collect();
            self.add_subnets(&wanted, &vpc, &settings.region);
        }
        for group in &zone.security_groups {
            self.add_group(group, &vpc, &cidr);
        }
    }

    fn add_role(&mut self, named: &Named, account: &str) {
        let (name, arn) = match named {
            Named::Id(arn) => (arn.rsplit('/').next().unwrap_or_default().to_owned(), arn.clone()),
            Named::Name(name) => (name.clone(), format!("arn:aws:iam::{account}:role/{name}")),
        };
        let there = |role: &Role| match named {
            Named::Id(_) => role.arn == arn,
            // By name, a role with a path is found as well.
            Named::Name(_) => role.name == name,
        };
        if !self.roles.iter().any(there) {
            let id = format!("AROA{}", self.ids.hex(17).to_uppercase());
            self.roles.push(Role { name, arn, id, trust: TRUST.to_owned() });
        }
    }

    /// The id and the addresses of the VPC.
    fn vpc(&mut self, named: &Named) -> (String, String) {
        let there = |vpc: &&Vpc| named.is(&vpc.id, &vpc.name);
        if let Some(vpc) = self.vpcs.iter().find(there) {
            return (vpc.id.clone(), vpc.cidr.clone());
        }
        let (id, name) = self.id_and_name(named, "vpc-0");
        let cidr = format!("10.{}.0.0/16", self.vpcs.len());
        self.vpcs.push(Vpc { id: id.clone(), name, cidr: cidr.clone() });
        self.network.add_vpc(&id, &mut self.ids);
        (id, cidr)
    }

    fn add_subnets(&mut self, wanted: &[&ZoneSubnet], vpc: &str, region: &str) {
        for subnet in &mut self.subnets {
            if wanted.iter().any(|wanted| wanted.named == Named::Id(subnet.id.clone())) {
                vpc.clone_into(&mut subnet.vpc_id);
            }
        }
        let find = |own: &[Subnet], named: &Named| {
            own.iter()
                .find(|own| own.vpc_id == vpc && named.is(&own.id, &own.name))
                .map(|own| own.zone.clone())
        };
        let mut zones: Vec<String> =
            wanted.iter().filter_map(|wanted| find(&self.subnets, &wanted.named)).collect();
        for wanted in wanted {
            if find(&self.subnets, &wanted.named).is_some() {
                continue;
            }
            let free = ('a'..='f').find(|letter| !zones.contains(&format!("{region}{letter}")));
            let zone = format!("{region}{}", wanted.zone.or(free).unwrap_or('a'));
            zones.push(zone.clone());
            let (id, name) = self.id_and_name(&wanted.named, "subnet-0");
            if wanted.public {
                self.network.make_public(vpc, &id);
            }
            self.subnets.push(Subnet {
                id,
                vpc_id: vpc.to_owned(),
                zone,
                name,
                network: format!("10.{}.{}", self.vpcs.len() - 1, self.subnets.len() + 1),
                public: wanted.public,
                taken: BTreeSet::new(),
                last: FIRST_FREE - 1,
            });
        }
    }

    fn add_group(&mut self, wanted: &ZoneGroup, vpc: &str, cidr: &str) {
        let source = if wanted.public { "0.0.0.0/0" } else { cidr };
        let named = &wanted.named;
        let there = |own: &&mut SecurityGroup| match named {
            Named::Id(id) => own.id == *id,
            Named::Name(name) => own.vpc_id == vpc && own.name == *name,
        };
        let mut ports = wanted.ports.iter().map(|port| (*port, source.to_owned()));
        if let Some(own) = self.security_groups.iter_mut().find(there) {
            vpc.clone_into(&mut own.vpc_id);
            let new: Vec<_> = ports.filter(|port| !own.furnished.contains(port)).collect();
            own.ingress.extend(new.clone());
            own.furnished.extend(new);
            return;
        }
        let ingress: Vec<_> = ports.by_ref().collect();
        let (id, name) = self.id_and_name(named, "sg-0");
        let furnished = ingress.clone();
        self.security_groups.push(SecurityGroup { id, vpc_id: vpc.to_owned(), name, ingress, furnished });
    }

    /// What a new thing is called: one that is referred to by its id is named like it.
    fn id_and_name(&mut self, named: &Named, prefix: &str) -> (String, String) {
        match named {
            Named::Id(id) => (id.clone(), id.clone()),
            Named::Name(name) => (format!("{prefix}{}", self.ids.hex(16)), name.clone()),
        }
    }

    /// Draws a free private address of the subnet, not the one just given back: caches of the old holder
    /// must not meet the new one. `None` when the subnet is unknown or full.
    pub(crate) fn next_ip(&mut self, subnet: &str) -> Option<String> {
        let subnet = self.subnets.iter_mut().find(|own| own.id == subnet)?;
        let later = subnet.last.saturating_add(1)..=LAST_FREE;
        let free = later.chain(FIRST_FREE..=subnet.last).find(|host| !subnet.taken.contains(host))?;
        subnet.taken.insert(free);
        subnet.last = free;
        Some(format!("{}.{free}", subnet.network))
    }

    /// Whether the account has this VPC.
    pub(crate) fn has_vpc(&self, id: &str) -> bool {
        self.vpcs.iter().any(|vpc| vpc.id == id)
    }

    /// The availability zone of the subnet that an address belongs to.
    pub(crate) fn zone_of(&self, ip: &str) -> Option<&str> {
        let network = ip.rsplit_once('.')?.0;
        self.subnets.iter().find(|subnet| subnet.network == network).map(|subnet| subnet.zone.as_str())
    }

    pub(crate) fn release_ip(&mut self, ip: &str) {
        let Some((network, host)) = ip.rsplit_once('.') else { return };
        if let (Some(subnet), Ok(host)) =
            (self.subnets.iter_mut().find(|subnet| subnet.network == network), host.parse())
        {
            subnet.taken.remove(&host);
        }
    }
}

impl Named {
    /// Whether it refers to what has this id and this name.
    fn is(&self, id: &str, name: &str) -> bool {
        match self {
            Self::Id(own) => own == id,
            Self::Name(own) => own == name,
        }
    }
}

impl Subnet {
    pub(super) fn cidr(&self) -> String {
        format!("{}.0/24", self.network)
    }

    pub(super) fn free_addresses(&self) -> usize {
        usize::from(LAST_FREE - FIRST_FREE) + 1 - self.taken.len()
    }
}
