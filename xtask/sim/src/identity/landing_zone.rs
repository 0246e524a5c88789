//! What a new account has: one VPC over two zones, the security groups and the roles of a small production set-up.

use std::collections::BTreeSet;

use super::sessions::Sessions;
use crate::account::{Ids, Settings};

/// Network, roles and identity.
#[derive(Debug)]
pub struct State {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) security_groups: Vec<SecurityGroup>,
    pub(super) roles: Vec<Role>,
    pub(super) user_id: String,
    pub(super) sessions: Sessions,
}

/// A VPC; its name is its `Name` tag.
#[derive(Debug)]
pub(super) struct Vpc {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) cidr: &'static str,
}

/// A subnet of 256 addresses; its name is its `Name` tag.
#[derive(Debug)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    /// The availability zone's name.
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
    pub(crate) name: &'static str,
    pub(super) description: &'static str,
    /// Ports let in, and from where: a CIDR block or the id of a security group.
    pub(super) ingress: Vec<(u16, String)>,
}

/// A role that ECS tasks may assume.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) arn: String,
    pub(super) id: String,
}

/// EC2 keeps the first four addresses of a subnet and the last for itself.
const FIRST_FREE: u8 = 4;
const LAST_FREE: u8 = 254;

impl State {
    /// The landing zone, or nothing, as `settings` say. Its identifiers depend on the seed alone.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut ids = Ids::new(settings.seed ^ 0x1a4d_1490);
        let user_id = format!("AIDA{}", ids.hex(17).to_uppercase());
        let mut state = Self {
            vpcs: Vec::new(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
            roles: Vec::new(),
            user_id,
            sessions: Sessions::default(),
        };
        if settings.landing_zone {
            let vpc_id = format!("vpc-0{}", ids.hex(16));
            state.subnets = subnets(&mut ids, &vpc_id, &settings.region);
            state.security_groups = security_groups(&mut ids, &vpc_id);
            state.roles = ["ecsTaskExecutionRole", "ielts-prod-task-role"]
                .map(|name| Role {
                    name,
                    arn: format!("arn:aws:iam::{}:role/{name}", settings.account),
                    id: format!("AROA{}", ids.hex(17).to_uppercase()),
                })
                .into();
            state.vpcs.push(Vpc { id: vpc_id, name: "ielts-prod-vpc", cidr: "10.0.0.0/16" });
        }
        state
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

    /// Gives an address back.
    pub(crate) fn release_ip(&mut self, ip: &str) {
        let Some((network, host)) = ip.rsplit_once('.') else { return };
        if let (Some(subnet), Ok(host)) =
            (self.subnets.iter_mut().find(|subnet| subnet.network == network), host.parse())
        {
            subnet.taken.remove(&host);
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

fn subnets(ids: &mut Ids, vpc_id: &str, region: &str) -> Vec<Subnet> {
    let mut subnet = |name: &str, zone: &str, third: u8, public: bool| Subnet {
        id: format!("subnet-0{}", ids.hex(16)),
        vpc_id: vpc_id.to_owned(),
        zone: format!("{region}{zone}"),
        name: format!("ielts-prod-{name}-1{zone}"),
        network: format!("10.0.{third}"),
        public,
        taken: BTreeSet::new(),
        last: FIRST_FREE - 1,
    };
    vec![
        subnet("private-app", "a", 1, false),
        subnet("private-app", "b", 2, false),
        subnet("public", "a", 101, true),
        subnet("public", "b", 102, true),
    ]
}

fn security_groups(ids: &mut Ids, vpc_id: &str) -> Vec<SecurityGroup> {
    let [alb, backend, frontend] = [(); 3].map(|()| format!("sg-0{}", ids.hex(16)));
    let group = |id: &str, name, description, ingress| SecurityGroup {
        id: id.to_owned(),
        vpc_id: vpc_id.to_owned(),
        name,
        description,
        ingress,
    };
    let anywhere = || "0.0.0.0/0".to_owned();
    vec![
        group(&alb, "ielts-prod-alb-sg", "Load balancer", vec![(80, anywhere()), (443, anywhere())]),
        group(
            &backend,
            "ielts-prod-ecs-be-sg",
            "Backend tasks",
            vec![(8080, alb.clone()), (8080, frontend.clone())],
        ),
        group(&frontend, "ielts-prod-ecs-fe-sg", "Frontend tasks", vec![(3000, alb.clone())]),
    ]
}
