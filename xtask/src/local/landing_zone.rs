//! The landing zone that deploy.toml looks up, as the embedded cloud can be furnished with it.
//!
//! Nobody can create a VPC or a role there, so whatever the file names must exist.

use deploy::model::{Environment, Lookup, Protocol};
use sim::{LandingZone, Named, ZoneCertificate, ZoneGroup, ZoneSubnet};

/// Everything that the environment refers to and the tool does not create.
pub fn landing_zone(environment: &Environment) -> LandingZone {
    let balancer = environment.balancer();
    let (lb_subnets, lb_groups): (&[Lookup], &[Lookup]) = match balancer {
        Some(balancer) if !balancer.existing => (&balancer.subnets, &balancer.security_groups),
        _ => (&[], &[]),
    };
    let subnet = |public| move |lookup: &Lookup| ZoneSubnet { named: named(lookup), public, zone: None };
    let listener = balancer.map(|it| &it.listener);
    let mut ports: Vec<u16> = listener.map(|it| it.port).into_iter().collect();
    if listener.is_some_and(|it| it.protocol == Protocol::Https) {
        // For a second listener that redirects.
        ports.push(80);
    }
    let group = |ports: &[u16], public| {
        let ports = ports.to_vec();
        move |lookup: &Lookup| ZoneGroup { named: named(lookup), ports: ports.clone(), public }
    };
    let services = &environment.services;
    let service_groups = services.iter().flat_map(|service| {
        service.security_groups.iter().map(group(&[service.container.port], false)).collect::<Vec<_>>()
    });
    let roles = services.iter().flat_map(|service| [service.execution_role(), service.task_role.as_ref()]);
    LandingZone {
        vpc: Some(named(&environment.network.vpc)),
        subnets: (environment.network.subnets.iter())
            .chain(services.iter().flat_map(|service| &service.network.subnets))
            .map(subnet(false))
            .chain(lb_subnets.iter().map(subnet(true)))
            .collect(),
        security_groups: lb_groups.iter().map(group(&ports, true)).chain(service_groups).collect(),
        roles: roles.flatten().map(named).collect(),
        certificates: listener
            .into_iter()
            .flat_map(|it| it.certificate.iter().chain(&it.further_certificates))
            .map(|arn| ZoneCertificate::issued(arn, balancer.and_then(|it| it.host.as_deref()).as_slice()))
            .collect(),
        ..LandingZone::default()
    }
}

fn named(lookup: &Lookup) -> Named {
    match lookup {
        Lookup::Id(id) => Named::Id(id.clone()),
        Lookup::Name(name) => Named::Name(name.clone()),
    }
}
