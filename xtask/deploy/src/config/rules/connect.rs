//! Service Connect, and which services wait for which.

use std::collections::{BTreeMap, BTreeSet};

use super::naming::{Naming, any_form};
use super::{Findings, Place, Rule, Scope};
use crate::config::endpoint::{Endpoint, endpoints};
use crate::config::order::in_order;
use crate::config::suggest;
use crate::model::{AppProtocol, Offered, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("connect-name", connect_name),
    Rule::EachService("connect-port", connect_port),
    Rule::EachService("connect-size", connect_size),
    Rule::EachService("connect-protocol", connect_protocol),
    Rule::Environment("alias-clash", alias_clash),
    Rule::Environment("alias-url", alias_url),
    Rule::Environment("dependency-unknown", dependency_unknown),
    Rule::Environment("dependency-missing", dependency_missing),
    Rule::Environment("dependency-cycle", dependency_cycle),
];

const ENDPOINT: Naming = Naming {
    what: "Service Connect name",
    length: 1..=64,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'),
    law: "1 to 64 lowercase letters, digits, `_` and `-`, not starting with `-` (ECS API, PortMapping)",
    form: |name| name.starts_with('-').then_some("starts with a hyphen"),
};

const ALIAS: Naming = Naming {
    what: "Service Connect alias",
    length: 1..=127,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.'),
    law: "1 to 127 lowercase letters, digits, `_`, `-` and `.` (ECS API, ServiceConnectClientAlias)",
    form: any_form,
};

/// Service Connect's port names, discovery names and alias names have their own lengths and alphabets.
///
/// Source: ECS API, PortMapping, ServiceConnectService, ServiceConnectClientAlias.
fn connect_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let port = at.key("container.port-name");
    // The container's name becomes the port's name where the port has none.
    let derived = at.key("container.name").span().filter(|_| service.offers_own_port());
    ENDPOINT.check(&service.container.port_name, port.or(derived), found);
    for further in service.connect.iter().flat_map(|connect| &connect.endpoints) {
        let table = at.key("connect.endpoint").key(&further.name);
        // Its name becomes the discovery name, and the name of its port.
        ENDPOINT.check(&further.name, table.name(), found);
        ENDPOINT.check(&further.port_name, table.key("port-name"), found);
    }
    for endpoint in service.endpoints() {
        let table = at.key(&endpoint.path);
        ENDPOINT.check(&endpoint.offer.discovery_name, table.key("discovery-name"), found);
        ALIAS.check(&endpoint.offer.alias.dns, table.key("alias.dns"), found);
    }
}

/// A further endpoint leads to a port that the file knows, and makes one that nothing else makes.
///
/// Source: ECS API, ServiceConnectService (`portName` names one port mapping of the task definition) and PortMapping (its name is
/// unique in the task); RegisterTaskDefinition refuses a port that is mapped twice.
fn connect_port(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let ports = service.named_ports();
    let containers = service.containers().filter(|(_, it)| it.port != 0);
    let mut seen: Vec<(u16, &str, Place<'_>)> =
        containers.map(|(path, it)| (it.port, it.port_name.as_str(), at.key(path).key("port"))).collect();
    for further in service.connect.iter().flat_map(|connect| &connect.endpoints) {
        let table = at.key("connect.endpoint").key(&further.name);
        if further.port == 0 {
            let key = table.key("port-name");
            if further.app_protocol.is_some() {
                found
                    .error("this endpoint has no port of its own whose protocol it could say")
                    .at(table.key("app-protocol"), "goes with `port`")
                    .help("say it where the port is");
            }
            if !key.written() || ports.iter().any(|(name, _)| *name == further.port_name) {
                continue;
            }
            let names = || ports.iter().map(|(name, _)| name.as_str());
            let wrong = found
                .error(format!("no port of `{}` is called `{}`", service.key, further.port_name))
                .at(&key, "no such port");
            match suggest::closest(&further.port_name, names()) {
                Some(meant) => wrong.meant(&key, meant),
                None => wrong
                    .note(format!("its ports are {}", suggest::all(names())))
                    .help("give the endpoint a `port`, or a name of these"),
            };
            continue;
        }
        let (port, name) = (further.port, further.port_name.as_str());
        if let Some((_, first, place)) = seen.iter().find(|(known, ..)| *known == port) {
            let other = if first.is_empty() {
                "and name it there".to_owned()
            } else {
                format!("and set `port-name = \"{first}\"`")
            };
            found
                .error(format!("port {port} is there already"))
                .at(place, "here")
                .at(table.key("port"), "and here again")
                .help(format!(
                    "leave `port` out of `[service.{}.connect.endpoint.{}]` {other}",
                    service.key, further.name
                ));
        } else if let Some((other, _, place)) = seen.iter().find(|(_, known, _)| *known == name) {
            found
                .error(format!("two ports are called `{name}`"))
                .at(place, format!("port {other}"))
                .at(table.key("port-name").or(table.name()), format!("port {port}"))
                .help("give one of them another `port-name`");
        }
        seen.push((port, name, table.key("port")));
    }
}

/// What AWS recommends for the proxy alone.
const PROXY_CPU: u32 = 256;

/// A Service Connect endpoint has room for its proxy.
///
/// Source: ECS developer guide, Service Connect: the proxy runs in the task, on its CPU and memory; AWS recommends 256
/// CPU units and 64 MiB on top of the application's.
fn connect_size(service: &Service, at: &Place<'_>, found: &mut Findings) {
    if service.endpoints().next().is_some() && service.cpu <= PROXY_CPU {
        found
            .warning("the Service Connect proxy alone needs this task's CPU")
            .at(at.key("cpu"), format!("{} CPU units", service.cpu))
            .context(at.key("connect"), "its proxy runs in the task")
            .note("AWS recommends 256 CPU units and 64 MiB for the proxy, on top of the application's")
            .help("give `cpu = 512` and `memory-mib = 1024`");
    }
}

/// A Service Connect endpoint asks for what its protocol and TLS can have.
///
/// Source: ECS API, TimeoutConfiguration (no request timeout for TCP) and ServiceConnectTlsConfiguration.
fn connect_protocol(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for endpoint in service.endpoints() {
        endpoint_protocol(&endpoint, at, found);
    }
}

fn endpoint_protocol(endpoint: &Offered<'_>, at: &Place<'_>, found: &mut Findings) {
    let (offer, connect_at) = (endpoint.offer, at.key(&endpoint.path));
    let tcp = endpoint.protocol == Some(AppProtocol::Tcp);
    if tcp && offer.request_timeout_secs.is_some_and(|secs| secs > 0) {
        found
            .error("a request timeout needs a protocol with requests, not TCP")
            .at(connect_at.key("request-timeout-secs"), "for HTTP and gRPC")
            .context(connect_at.key("app-protocol").or(at.key("container.app-protocol")), "TCP")
            .help("use `idle-timeout-secs`");
    }
    let Some(tls) = &offer.tls else { return };
    let keys =
        [("issuer", Some(&tls.issuer)), ("kms-key", tls.kms_key.as_ref()), ("role", tls.role.as_ref())];
    for (key, value) in keys {
        let at = connect_at.key("tls").key(key);
        if at.written() && value.is_some_and(|arn| !arn.starts_with("arn:")) {
            let wrong = found.error("not an ARN").at(at, "ECS takes ARNs alone");
            if let ("role", Some(role)) = (key, value) {
                wrong.help(format!(
                    "`aws iam get-role --role-name {role} --query Role.Arn --output text` prints it"
                ));
            }
        }
    }
}

/// A Service Connect alias (name and port) belongs to one endpoint of the namespace.
///
/// Source: ECS API, ServiceConnectClientAlias; ECS refuses the second service when it is created.
fn alias_clash(scope: &Scope<'_>, found: &mut Findings) {
    let endpoints = endpoints(scope);
    let mut seen = BTreeMap::new();
    for endpoint in &endpoints {
        let first: &Endpoint<'_> = seen.entry((endpoint.dns, endpoint.port)).or_insert(endpoint);
        if (first.service, &first.path) != (endpoint.service, &endpoint.path) {
            let two = if first.service == endpoint.service { "endpoints" } else { "services" };
            found
                .error(format!("two {two} answer to `{}:{}`", endpoint.dns, endpoint.port))
                .at(&first.place, format!("`{}` does", first.service))
                .at(&endpoint.place, format!("and so does `{}`", endpoint.service))
                .help("give one of them another name or port");
        }
    }
}

/// A URL that points into the namespace, in the environment or of a check from inside, reaches an endpoint that exists.
///
/// Service Connect names are no DNS records: a name without an endpoint resolves nowhere, and the mistake
/// shows only as a broken page after the deploy. A namespace may have services of other files too: a name that is like none
/// of this file is a warning.
fn alias_url(scope: &Scope<'_>, found: &mut Findings) {
    let namespace = &scope.environment.namespace;
    let endpoints = endpoints(scope);
    let aliases: BTreeSet<(&str, u16)> = endpoints.iter().map(|e| (e.dns, e.port)).collect();
    let mut urls: Vec<(Place<'_>, &str)> = Vec::new();
    for (container, at, ..) in scope.containers() {
        let environment = container.environment.iter();
        urls.extend(environment.map(|(name, value)| (at.key("environment").key(name), value.as_str())));
    }
    for (service, at) in scope.services() {
        let checks = service.smoke.iter().zip(at.key("smoke").entries());
        urls.extend(checks.filter_map(|(check, at)| Some((at.key("url"), check.inside()?.1))));
    }
    for (at, url) in urls {
        let Some((host, port)) = host_and_port(url) else { continue };
        if namespace.is_empty()
            || !host.ends_with(&format!(".{namespace}"))
            || aliases.contains(&(host, port))
        {
            continue;
        }
        // Its alias would be this one, if it had one: mostly its `connect` section was just taken out.
        let silent = scope.services().find(|(other, _)| {
            other.endpoints().next().is_none() && format!("{}.{namespace}", other.container.port_name) == host
        });
        if let Some((other, _)) = silent {
            found
                .error(format!("nothing answers at `{host}:{port}`"))
                .at(&at, format!("service `{0}` has no `[service.{0}.connect]`", other.key))
                .help("give it one, or take this URL out; other services reach it by Service Connect only");
            continue;
        }
        let known: Vec<String> = endpoints.iter().map(|e| format!("{}:{}", e.dns, e.port)).collect();
        let short = |dns: &str| dns.strip_suffix(namespace).unwrap_or(dns).trim_end_matches('.').to_owned();
        let names: Vec<String> = endpoints.iter().map(|e| short(e.dns)).collect();
        let meant = suggest::closest(&short(host), names.iter().map(String::as_str));
        let text = format!("nothing answers at `{host}:{port}`");
        let wrong = if meant.is_some() { found.error(text) } else { found.warning(text) };
        wrong
            .at(&at, "no service has this Service Connect alias")
            .note(format!("the aliases are {}", suggest::all(known.iter().map(String::as_str))));
        match names.iter().position(|name| Some(name.as_str()) == meant) {
            Some(meant) => wrong.help(format!("did you mean `{}`?", known[meant])),
            None => wrong.note("unless a service of another deploy.toml has it"),
        };
    }
}

/// Host and port of an HTTP URL.
fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let (rest, default) = match url.strip_prefix("http://") {
        Some(rest) => (rest, 80),
        None => (url.strip_prefix("https://")?, 443),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    // Without the user's part, which may be a password: the host is shown in messages.
    let authority = authority.rsplit('@').next()?;
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, default)),
    }
}

/// A dependency is a service of the same file, and not the service itself.
fn dependency_unknown(scope: &Scope<'_>, found: &mut Findings) {
    let known: BTreeSet<&str> = scope.services().map(|(service, _)| service.key.0.as_str()).collect();
    for (service, at) in scope.services() {
        let others = || known.iter().copied().filter(|name| *name != service.key.0);
        for (wait, at) in service.depends_on.iter().zip(at.key("depends-on").entries()) {
            if *wait == service.key {
                found.error("a service cannot wait for itself").at(&at, "itself");
            } else if !known.contains(wait.0.as_str()) {
                let wrong = found
                    .error(format!("there is no service `{wait}` to wait for"))
                    .at(&at, "no such service");
                match suggest::closest(&wait.0, others()) {
                    Some(meant) => wrong.meant(&at, meant),
                    None => wrong.note(format!("other services: {}", suggest::all(others()))),
                };
            }
        }
    }
}

/// Who calls a service over Service Connect waits for it.
///
/// Source: ECS developer guide, Service Connect: a client's proxy knows only the endpoints that existed when
/// the client's deployment was made. A frontend created before its backend can never reach it.
fn dependency_missing(scope: &Scope<'_>, found: &mut Findings) {
    let endpoints = endpoints(scope);
    let endpoints: BTreeMap<_, _> = endpoints.iter().rev().map(|e| ((e.dns, e.port), e)).collect();
    for (container, at, service, _) in scope.containers() {
        for (name, value) in &container.environment {
            let Some(called) = host_and_port(value) else { continue };
            let Some(endpoint) = endpoints.get(&called) else {
                continue;
            };
            let waits = service.depends_on.iter().any(|wait| wait.0 == endpoint.service);
            if waits || endpoint.service == service.key.0 {
                continue;
            }
            let server = endpoint.service;
            found
                .warning(format!("`{}` calls `{server}` and does not wait for it", service.key))
                .at(at.key("environment").key(name), format!("reaches `{server}` over Service Connect"))
                .note("a client's proxy knows only the endpoints that existed when the client was deployed")
                .help(format!("add `depends-on = [\"{server}\"]` to `[service.{}]`", service.key));
        }
    }
}

/// Services do not wait for each other in a circle.
fn dependency_cycle(scope: &Scope<'_>, found: &mut Findings) {
    let (_, stuck) = in_order(&scope.environment.services);
    let stuck: BTreeSet<&str> = stuck.into_iter().collect();
    let services: BTreeMap<&str, _> =
        scope.services().map(|(service, at)| (service.key.0.as_str(), (service, at))).collect();
    let next = |name: &str| {
        let mut waits = services.get(name)?.0.depends_on.iter().map(|wait| wait.0.as_str());
        waits.find(|wait| stuck.contains(wait))
    };
    let mut seen = BTreeSet::new();
    for start in &stuck {
        // Each circle once; services that merely wait for a circle are not at fault.
        let cycle = cycle_from(start, next, &mut seen);
        if cycle.is_empty() {
            continue;
        }
        let mut path: Vec<&str> = cycle.clone();
        path.push(cycle[0]);
        let wrong = found.error(format!("services wait for each other: {}", path.join(" → ")));
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            let Some((service, at)) = services.get(from) else { continue };
            let waits = service.depends_on.iter().zip(at.key("depends-on").entries());
            for (_, wait) in waits.filter(|(wait, _)| wait.0 == **to) {
                wrong.at(wait, format!("`{from}` waits for `{to}`"));
            }
        }
        wrong.help(
            "a service that another one calls over Service Connect comes first; break the circle there",
        );
    }
}

/// Follows the first unfinished dependency until a service comes again: the circle, unless an earlier walk came by.
fn cycle_from<'a>(
    start: &'a str,
    next: impl Fn(&str) -> Option<&'a str>,
    seen: &mut BTreeSet<&'a str>,
) -> Vec<&'a str> {
    let (mut path, mut name) = (Vec::new(), start);
    while seen.insert(name) {
        path.push(name);
        let Some(waited) = next(name) else { return Vec::new() };
        name = waited;
    }
    let at = path.iter().position(|known| *known == name);
    at.map(|at| path.split_off(at)).unwrap_or_default()
}
