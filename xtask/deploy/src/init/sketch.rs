//! The first draft of a file for what runs: the names and whatever has to be said before the account can be read by the file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Found, Source};
use crate::model::spec::{
    ListenerSpec, LoadBalancerSpec, RuleSpec, ScheduledActionSpec, ServiceSpec, TargetGroupSpec,
    TaskDefinitionSpec,
};
use crate::model::{ImageName, Owner, Route, ScalingState};
use crate::plan::policy_keys;

/// What runs in a cluster.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub region: String,
    pub account: String,
    pub cluster: String,
    /// The Cloud Map namespace that its services are in.
    pub namespace: Option<String>,
    /// By its tags, where this tool made the services.
    pub owner: Option<Owner>,
    pub vpc: String,
    pub front: Option<Front>,
    pub services: Vec<LiveService>,
    /// Names of VPCs, subnets, security groups and roles that nothing else has, by id or ARN.
    pub names: BTreeMap<String, String>,
    /// Services that no file of this tool can say, and why: a sentence each.
    pub skipped: Vec<String>,
}

/// The load balancer before the services.
#[derive(Clone, Debug)]
pub struct Front {
    pub spec: LoadBalancerSpec,
    /// Whether this tool made it.
    pub made: bool,
    pub listener: ListenerSpec,
    pub rules: Vec<RuleSpec>,
}

#[derive(Clone, Debug)]
pub struct LiveService {
    pub spec: ServiceSpec,
    pub definition: TaskDefinitionSpec,
    pub desired: u32,
    pub target_group: Option<TargetGroupSpec>,
    pub scaling: ScalingState,
}

/// A service's own container and port.
struct Own {
    container: String,
    port: u64,
}

impl LiveService {
    /// What the load balancer or Service Connect leads to; else the first container.
    fn own(&self) -> Own {
        if let [bound] = self.spec.load_balancers.as_slice() {
            return Own { container: bound.container.clone(), port: bound.port.into() };
        }
        let ports = |container: &Value| -> Vec<(u64, Option<String>)> {
            let mappings = container["portMappings"].as_object().into_iter().flatten();
            let named = |it: &Value| it["name"].as_str().map(str::to_owned);
            mappings.filter_map(|(port, it)| Some((port.parse().ok()?, named(it)))).collect()
        };
        for (name, container) in self.definition.containers() {
            let offered = |(_, name): &&(u64, Option<String>)| {
                let mut endpoints = self.spec.connect.iter().flat_map(|connect| &connect.services);
                endpoints.any(|it| name.as_ref() == Some(&it.name))
            };
            if let Some((port, _)) = ports(container).iter().find(offered) {
                return Own { container: name.clone(), port: *port };
            }
        }
        let first = self.definition.containers().next();
        let only = first.map(|(_, container)| ports(container)).filter(|ports| ports.len() == 1);
        Own {
            container: first.map(|(name, _)| name.clone()).unwrap_or_default(),
            port: only.map_or(0, |ports| ports[0].0),
        }
    }

    /// The image of its own container.
    pub(super) fn image(&self) -> &str {
        self.definition
            .of_container(&self.own().container, "image")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Short names for the services, in their order: the container's where it is unique, else the service's.
pub(super) fn keys(live: &Live) -> Vec<String> {
    let containers: Vec<String> =
        live.services.iter().map(|service| plain(&service.own().container)).collect();
    let mut taken = BTreeSet::new();
    let services = live.services.iter().zip(&containers);
    let key = |(service, container): (&LiveService, &String)| {
        let unique = containers.iter().filter(|other| *other == container).count() == 1;
        let key = if unique && !container.is_empty() { container.clone() } else { plain(&service.spec.name) };
        let mut free =
            Some(key.clone()).filter(|key| !key.is_empty()).unwrap_or_else(|| "service".to_owned());
        for number in 2.. {
            if taken.insert(free.clone()) {
                break;
            }
            free = format!("{key}-{number}");
        }
        free
    };
    services.map(key).collect()
}

/// A short name as deploy.toml takes it.
fn plain(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    plain.chars().take(28).collect::<String>().trim_end_matches('-').to_owned()
}

pub(super) fn tables(live: &Live) -> Map<String, Value> {
    let environment = live.owner.as_ref().map_or("prod", |owner| &owner.environment);
    let app = live.owner.as_ref().map_or(&live.cluster, |owner| &owner.app);
    let first = live.services.first().map(|service| &service.spec);
    let mut file = Map::new();
    for (key, value) in [
        ("default-env", json!("local")),
        ("app", json!(app)),
        ("region", json!(live.region)),
        ("cluster", json!(live.cluster)),
        ("namespace", json!(live.namespace)),
        (
            "network",
            json!({
                "vpc": named(live, &live.vpc),
                "subnets": all_named(live, first.map_or(&[], |spec| &spec.subnets)),
                "assign-public-ip": first.is_some_and(|spec| spec.assign_public_ip),
            }),
        ),
        ("load-balancer", live.front.as_ref().map(|front| balancer(live, front)).unwrap_or_default()),
        ("service", live.services.iter().zip(keys(live)).map(|(it, key)| (key, service(live, it))).collect()),
        (
            "env",
            json!({
                environment: { "confirm": true, "account": live.account },
                "local": {
                    "kind": "local",
                    "timeouts": { "poll-secs": 1 },
                    "load-balancer": live.front.as_ref().map(|_| json!({ "existing": false })),
                },
            }),
        ),
    ] {
        file.insert(key.to_owned(), value);
    }
    match stripped(Value::Object(file)) {
        Value::Object(file) => file,
        _ => Map::new(),
    }
}

fn named(live: &Live, id: &str) -> String {
    live.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

fn all_named(live: &Live, ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| named(live, id)).collect()
}

fn balancer(live: &Live, front: &Front) -> Value {
    let Front { spec, made, listener, rules } = front;
    let https = listener.protocol == "HTTPS";
    let hosts = rules.iter().filter_map(Route::of).flat_map(|route| route.hosts);
    let host = hosts.into_iter().find(|host| !host.contains(['*', '?']));
    json!({
        "name": spec.name,
        "existing": !made,
        "scheme": if spec.internal { "internal" } else { "internet-facing" },
        "host": https.then(|| host.unwrap_or_else(|| "app.example.com".to_owned())),
        "subnets": all_named(live, &spec.subnets),
        "security-groups": all_named(live, &spec.security_groups),
        "listener": {
            "port": listener.port,
            "protocol": listener.protocol,
            "certificate": listener.certificate,
            "further-certificates": listener.further_certificates,
            "ssl-policy": listener.ssl_policy,
            "redirect-http": false,
        },
        "health-routes": false,
        "aws": { "attributes": spec.attributes.iter().filter(|it| !common_balancer(it)).collect::<BTreeMap<_, _>>() },
    })
}

/// Whether an attribute is as AWS has it by default (ELBv2 API reference, LoadBalancerAttribute).
fn common_balancer((name, value): &(&String, &String)) -> bool {
    let default = match name.as_str() {
        "client_keep_alive.seconds" => "3600",
        "idle_timeout.timeout_seconds" => "60",
        "load_balancing.cross_zone.enabled" | "routing.http2.enabled" => "true",
        "routing.http.desync_mitigation_mode" => "defensive",
        "routing.http.xff_header_processing.mode" => "append",
        name if name.ends_with(".bucket") || name.ends_with(".prefix") => "",
        _ => "false",
    };
    *value == default
}

fn service(live: &Live, service: &LiveService) -> Value {
    let LiveService { spec, definition, desired, target_group, scaling } = service;
    // Somebody may have set it by hand; a file with a count outside of the range is refused.
    let desired = scaling.target.as_ref().map_or(*desired, |range| range.max.min(range.min.max(*desired)));
    let Own { container, port } = service.own();
    let member = |name: &str| definition.members().get(&[name]).and_then(Value::as_str);
    let number = |name: &str| member(name).and_then(|text| text.parse::<u64>().ok());
    let role = |name: &str| member(name).map(|arn| named(live, arn));
    let of_container = |path: &[&str]| {
        definition.members().get(&[&["containerDefinitions", &*container], path].concat()).cloned()
    };
    let group = of_container(&["logConfiguration", "options", "awslogs-group"]);
    let port_name = of_container(&["portMappings", &port.to_string(), "name"]);
    let endpoints = spec.connect.iter().flat_map(|connect| &connect.services);
    let endpoint = endpoints.clone().find(|it| port_name == Some(json!(it.name)));
    // The further ones are lines like all others that the file does not say yet.
    let connect = match (&spec.connect, endpoint) {
        (None, _) => json!({ "enable": false }),
        (Some(_), Some(endpoint)) => json!({ "discovery-name": endpoint.discovery_name }),
        (Some(_), None) if endpoints.count() > 0 => json!({ "own-port": false }),
        (Some(_), None) => Value::Null,
    };
    json!({
        "name": spec.name,
        "family": definition.family(),
        "image": image(service),
        "cpu": number("cpu"),
        "memory-mib": number("memory"),
        // Kept when empty: it says that there is none.
        "execution-role": role("executionRoleArn").map_or(json!({ "none": true }), Value::from),
        "task-role": role("taskRoleArn"),
        "log-group": { "name": group.unwrap_or(json!({ "none": true })) },
        "security-groups": all_named(live, &spec.security_groups),
        "desired-count": desired,
        "load-balancer": target_group.is_none().then_some(false),
        "routes": target_group.as_ref().map(|group| routes(live, group)),
        "container": {
            "name": container,
            "port": (port > 0).then_some(port),
            "port-name": endpoint.map(|endpoint| &endpoint.name),
        },
        "connect": connect,
        "target-group": target_group.as_ref().map(|group| json!({
            "name": group.name,
            "health": { "path": group.health.path, "port": group.health.port },
        })),
        "scaling": scaling_table(scaling),
    })
}

/// The image that runs, by a name that says which: without a tag it is `latest`.
pub(super) fn image(service: &LiveService) -> String {
    let image = service.image();
    match ImageName::parse(image) {
        Err(_) if ImageName::parse(&format!("{image}:latest")).is_ok() => format!("{image}:latest"),
        _ => image.to_owned(),
    }
}

/// What the repository has to build a service's image of: what is called as the service is, or the only one.
pub(super) fn build(key: &str, services: &[LiveService], sources: &[Found]) -> Option<String> {
    let same = sources.iter().find(|found| found.key == key);
    let only = || sources.first().filter(|_| sources.len() == 1 && services.len() == 1);
    Some(match &same.or_else(only)?.source {
        Source::Package(package) => format!("{{ cargo = {package:?} }}"),
        Source::Dockerfile { file, context } => format!("{{ dockerfile = {file:?}, context = {context:?} }}"),
    })
}

/// Rules that no route of a service says, and that are no other service's: what redirects or answers by itself, what
/// this tool cannot write, and what no request gets to.
pub(super) fn other_rules(live: &Live) -> impl Iterator<Item = String> {
    let own = |name: &String| {
        live.services.iter().any(|service| service.target_group.as_ref().is_some_and(|it| it.name == *name))
    };
    let rules = live.front.iter().flat_map(|front| &front.rules);
    let rules = rules.filter(move |rule| match rule.forwards() {
        [] => true,
        groups => (!rule.is_writable() || is_dead(live, rule)) && groups.iter().any(own),
    });
    rules.map(|rule| match rule.is_writable() {
        _ if is_dead(live, rule) => format!("rule {rule}: it stays; another takes the same requests first"),
        true => format!("rule {rule}: it stays; `[[load-balancer.routes]]` can say it"),
        false => format!("rule {rule}: it stays; no key says all of it"),
    })
}

/// Whether a rule before it has the same conditions: AWS takes both, and deploy.toml one.
fn is_dead(live: &Live, rule: &RuleSpec) -> bool {
    let mut rules = live.front.iter().flat_map(|front| &front.rules);
    rules.any(|first| first.priority < rule.priority && first.conditions == rule.conditions)
}

/// The rules that lead to a target group. None is an empty list: the listener's default action does.
fn routes(live: &Live, group: &TargetGroupSpec) -> Value {
    let rules = live.front.iter().flat_map(|front| &front.rules);
    let to = rules.filter(|rule| rule.is_writable() && !is_dead(live, rule));
    let to = to.filter(|rule| rule.forwards() == [group.name.clone()]);
    let routes: Vec<Value> = to.filter_map(Route::of).map(|route| stripped(json!(route))).collect();
    if routes.is_empty() { json!({ "empty": true }) } else { json!(routes) }
}

fn scaling_table(scaling: &ScalingState) -> Value {
    let Some(target) = &scaling.target else { return Value::Null };
    let policies =
        scaling.policies.iter().filter_map(|policy| Some((policy.name.clone(), json!(policy_keys(policy)?))));
    json!({
        "min": target.min,
        "max": target.max,
        "policy": policies.collect::<Map<_, _>>(),
        "schedule": scaling.schedules.iter().filter_map(schedule).collect::<Vec<_>>(),
    })
}

/// `None` for one that begins or ends at a moment: no key says it.
fn schedule(found: &ScheduledActionSpec) -> Option<Value> {
    let action = &found.action;
    (action.get("StartTime").is_none() && action.get("EndTime").is_none()).then(|| {
        json!({
            "name": found.name,
            "schedule": action["Schedule"],
            "timezone": action["Timezone"].as_str().filter(|zone| *zone != "UTC"),
            "min": found.capacity("MinCapacity"),
            "max": found.capacity("MaxCapacity"),
        })
    })
}

/// Without what is not there. `{ none = true }` and `{ empty = true }` stand for an empty text and an empty list.
fn stripped(value: Value) -> Value {
    match value {
        Value::Object(members) if members.get("none") == Some(&json!(true)) => json!(""),
        Value::Object(members) if members.get("empty") == Some(&json!(true)) => json!([]),
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !is_nothing(value));
            kept.map(|(name, value)| (name, stripped(value)))
                .filter(|(_, value)| *value != json!({}))
                .collect()
        }
        Value::Array(list) => list.into_iter().map(stripped).collect(),
        value => value,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
