//! Fills in what the file leaves to be derived. Runs before the rules, so that they judge what will be sent to AWS.
//!
//! What cannot be derived because a key is missing stays empty: that is reported as missing.

use super::patience::patience;
use super::place::Places;
use super::routing::{Asked, ListenerRules, listener_rules, taken};
use crate::model::{
    Build, Environment, Kind, Listener, Offer, Protocol, ProtocolVersion, Service, SmokeCheck,
};

/// How many revisions of a service are kept where the file says nothing.
const KEEP_REVISIONS: u32 = 20;

/// Seconds of `deployment.bake-secs` on the embedded cloud, where the file says nothing: a person waits for it there.
const LOCAL_BAKE_SECS: u32 = 2;

/// Completes the environment; returns the listener's rules, which the routes are made of.
pub(super) fn complete(environment: &mut Environment, places: &Places) -> ListenerRules {
    let existing = environment.load_balancer.existing;
    same_images(&mut environment.services);
    listener(&mut environment.load_balancer.listener, existing);
    for service in &mut environment.services {
        names(service, &environment.namespace);
        for sidecar in service.sidecars.iter_mut().filter(|it| it.image.is_some()) {
            let path = format!("service.{}.sidecar.{}.readonly-root", service.key, sidecar.container.name);
            // Images of others are rarely made for a read-only root; that of the service is.
            sidecar.container.readonly_root &= places.at(path).written();
        }
        let matcher = places.at(format_args!("service.{}.target-group.health.matcher", service.key));
        if service.target_group.protocol_version == ProtocolVersion::Grpc && !matcher.written() {
            service.target_group.health.matcher = "0".to_owned();
        }
    }
    let rules = listener_rules(environment, places);
    let mut routes = rules.routes();
    let host = environment.load_balancer.host.clone();
    let (kind, settle) = (environment.kind, environment.timeouts.settle_secs);
    for service in &mut environment.services {
        let bake = places.at(format_args!("service.{}.deployment.bake-secs", service.key));
        if kind == Kind::Local && !bake.written() {
            service.deployment.bake_secs = LOCAL_BAKE_SECS;
        }
        service.deployment.patience = patience(kind, settle, service);
        service.smoke = smoke(service, host.as_deref(), &rules);
        service.routes = routes.remove(&service.key.0).unwrap_or_default();
    }
    rules
}

/// What uses another service's image is of that one's build and repository.
fn same_images(services: &mut [Service]) {
    let built: Vec<Service> = services.iter().filter(|service| service.builds()).cloned().collect();
    for service in services.iter_mut().filter(|service| service.image.is_none()) {
        let same = service.build.same_as.take();
        if let Some(source) = built.iter().find(|source| same.as_ref() == Some(&source.key)) {
            service.build.clone_from(&source.build);
            service.repository.clone_from(&source.repository);
        }
        service.build.same_as = same;
    }
}

fn listener(listener: &mut Listener, existing: bool) {
    let https = listener.protocol == Protocol::Https;
    if https {
        listener.ssl_policy.get_or_insert_with(|| Listener::SSL_POLICY.to_owned());
    }
    // Of a load balancer that others use too, a port is only taken when somebody asks for it.
    listener.redirect_http.get_or_insert(https && !existing);
}

fn names(service: &mut Service, namespace: &str) {
    if service.keep_revisions == 0 {
        // Images expire by their number too: a revision is worth keeping no longer than its image.
        let images = Some(service.repository.keep_images).filter(|keep| *keep > 0);
        service.keep_revisions = images.map_or(KEEP_REVISIONS, |images| images.min(KEEP_REVISIONS));
    }
    if service.log_group.stream_prefix.is_empty() {
        service.log_group.stream_prefix.clone_from(&service.key.0);
    }
    context(&mut service.build);
    let container = &mut service.container;
    if container.port_name.is_empty() {
        container.port_name.clone_from(&container.name);
    }
    if container.port != 0 && !container.port_variable.is_empty() {
        let port = container.port.to_string();
        container.environment.entry(container.port_variable.clone()).or_insert(port);
    }
    endpoints(service, namespace);
}

fn endpoints(service: &mut Service, namespace: &str) {
    let own = service.container.port_name.clone();
    let port = service.container.port;
    for endpoint in service.connect.iter_mut().flat_map(|connect| &mut connect.endpoints) {
        if endpoint.port_name.is_empty() {
            endpoint.port_name = if endpoint.port == 0 { own.clone() } else { endpoint.name.clone() };
        }
    }
    let ports = service.named_ports();
    let Some(connect) = service.connect.as_mut().filter(|connect| connect.enable) else { return };
    if connect.own_port {
        alias(&mut connect.own, &own, port, namespace);
    }
    for endpoint in &mut connect.endpoints {
        let port = ports.iter().find(|(name, _)| *name == endpoint.port_name).map_or(0, |(_, port)| *port);
        alias(&mut endpoint.offer, &endpoint.name, port, namespace);
    }
}

/// As ECS derives them (API reference, ServiceConnectService).
fn alias(offer: &mut Offer, name: &str, port: u16, namespace: &str) {
    if offer.discovery_name.is_empty() {
        name.clone_into(&mut offer.discovery_name);
    }
    if offer.alias.port == 0 {
        offer.alias.port = port;
    }
    if offer.alias.dns.is_empty() && !offer.discovery_name.is_empty() && !namespace.is_empty() {
        offer.alias.dns = format!("{}.{namespace}", offer.discovery_name);
    }
}

fn context(build: &mut Build) {
    if build.context.is_empty() && build.dockerfile.is_some() {
        // A Dockerfile at the top of the workspace has no folder in its path.
        build.context = build.file().rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    }
}

/// Where no check is written: one of the health path, if the listener leads it to this service.
fn smoke(service: &Service, host: Option<&str>, rules: &ListenerRules) -> Vec<SmokeCheck> {
    let health = &service.target_group.health.path;
    let taken = taken(rules, Asked { host, path: health });
    // A gRPC service answers no GET.
    let http = service.target_group.protocol_version != ProtocolVersion::Grpc;
    let reached = http && taken.is_some_and(|rule| rule.service.as_ref() == Some(&service.key.0));
    if !service.smoke.is_empty() || health.is_empty() || !reached {
        return service.smoke.clone();
    }
    let identity = Some(service.key.0.clone());
    vec![SmokeCheck { path: health.clone(), identity, ..SmokeCheck::default() }]
}
