//! The first release onto a service that something else deployed: it is refused where it would drop or change what
//! deploy.toml does not say, with the lines that keep it.

use serde_json::{Map, Value, json};

use super::services::live;
use super::wanted::{service_spec, task_definition_spec};
use super::{Plan, Refusal};
use crate::model::spec::{Members, ServiceSpec};
use crate::model::{Desired, Observed, Service, ServiceState};
use crate::redact;

/// Keys of `[service.NAME]` for members of the task definition; `@` is the service's own container.
const KEYS: [(&str, &str); 18] = [
    ("cpu", "cpu"),
    ("memory", "memory-mib"),
    ("ephemeralStorage.sizeInGiB", "ephemeral-storage-gib"),
    ("executionRoleArn", "execution-role"),
    ("taskRoleArn", "task-role"),
    ("runtimePlatform.cpuArchitecture", "architecture"),
    ("@.command", "container.command"),
    ("@.entryPoint", "container.entry-point"),
    ("@.user", "container.user"),
    ("@.workingDirectory", "container.working-directory"),
    ("@.stopTimeout", "container.stop-timeout-secs"),
    ("@.readonlyRootFilesystem", "container.readonly-root"),
    ("@.healthCheck.command", "container.health-check.command"),
    ("@.healthCheck.interval", "container.health-check.interval-secs"),
    ("@.healthCheck.timeout", "container.health-check.timeout-secs"),
    ("@.healthCheck.retries", "container.health-check.retries"),
    ("@.healthCheck.startPeriod", "container.health-check.start-period-secs"),
    ("@.logConfiguration.options.awslogs-group", "log-group.name"),
];

/// What a release sets in any case, and no key keeps: the plan shows these changes.
const OURS: [&str; 7] = [
    "family",
    "networkMode",
    "requiresCompatibilities",
    "@.image",
    "@.linuxParameters.initProcessEnabled",
    "@.logConfiguration.options.awslogs-region",
    "@.logConfiguration.options.awslogs-stream-prefix",
];

/// Before a line that holds a secret, up to its key.
const SECRET: &str = "# a secret is not printed: give it by `container.secrets`, or pass --adopt\n# ";

/// What would be lost, and the lines of deploy.toml that keep it.
#[derive(Default)]
struct Losses {
    names: Vec<String>,
    /// Keys below `[service.NAME]` and their values.
    keys: Vec<(String, Value)>,
    task_definition: Members,
    container: Members,
}

/// Refuses the plan where it replaces what this tool did not deploy and deploy.toml does not say.
pub fn refuse_losses(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let Some(running) = live(observed, service) else { continue };
        let made = observed.made.as_ref().is_some_and(|made| made.contains_key(&running.arn));
        if made || running.task_definition.tags.contains_key("release") {
            continue;
        }
        let losses = losses(desired, service, observed, running);
        if !losses.names.is_empty() {
            plan.refusals.push(Refusal {
                what: format!(
                    "{}: the service that runs was not deployed by this tool, and has what deploy.toml does not say: {}",
                    service.key,
                    losses.names.join(", ")
                ),
                remedy: format!(
                    "add these lines to deploy.toml, or pass --adopt to go on without them\n\n{}",
                    losses.toml(service)
                ),
            });
        }
    }
}

fn losses(desired: &Desired, service: &Service, observed: &Observed, running: &ServiceState) -> Losses {
    let mut losses = Losses::default();
    let written = |key: &str| {
        let path = format!("service.{}.{key}", service.key);
        desired.environment.written.contains(&path)
    };
    let wanted = task_definition_spec(desired, service, observed).comparable();
    let found = running.task_definition.spec.comparable();
    let (found, wanted) = (Value::from(found.members()), Value::from(wanted.members()));
    let mut all = Vec::new();
    differing(&mut Vec::new(), &found, &wanted, &mut all);
    for (path, value) in all {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let own = names.strip_prefix(&["containerDefinitions", &service.container.name]);
        let short = own.map_or_else(|| names.join("."), |own| format!("@.{}", own.join(".")));
        let is = |member: &str| {
            short == member || short.strip_prefix(member).is_some_and(|it| it.starts_with('.'))
        };
        let port = format!("@.portMappings.{}", service.container.port);
        if OURS.into_iter().any(is) || is(&port) {
            continue;
        }
        let variable = |list: &str| short.strip_prefix("@.")?.strip_prefix(list)?.strip_prefix('.');
        let key = KEYS.iter().find(|(member, _)| *member == short).map(|(_, key)| (*key).to_owned());
        let key = key.or_else(|| Some(format!("container.environment.{}", variable("environment")?)));
        let key = key.or_else(|| Some(format!("container.secrets.{}", variable("secrets")?)));
        if key.as_ref().is_some_and(|key| written(key)) {
            continue;
        }
        losses.names.push(short.replace("@.", "").replace("containerDefinitions.", "containers."));
        match (key, own) {
            (Some(key), _) => {
                let value = if ["cpu", "memory-mib"].contains(&&*key) { number(value) } else { value };
                losses.keys.push((key, value));
            }
            (None, Some(own)) => losses.container.put(own, value),
            (None, None) => losses.task_definition.put(&names, value),
        }
    }
    for (key, value) in settings(&running.spec, &service_spec(&desired.environment, service, observed)) {
        if !written(key) {
            losses.names.push(key.to_owned());
            losses.keys.push((key.to_owned(), value));
        }
    }
    losses
}

/// The members that one has and the other has not, or otherwise: each entry of a list by itself.
fn differing(path: &mut Vec<String>, found: &Value, wanted: &Value, all: &mut Vec<(Vec<String>, Value)>) {
    let Value::Object(members) = found else { return };
    for (name, value) in members {
        path.push(name.clone());
        match (value, wanted.get(name)) {
            (_, Some(other)) if other == value => {}
            (Value::Object(_), Some(other @ Value::Object(_))) => differing(path, value, other, all),
            // What deploy.toml has keys for is said key by key.
            (Value::Object(_), None)
                if ["healthCheck", "environment", "secrets", "ephemeralStorage"].contains(&name.as_str()) =>
            {
                differing(path, value, &json!({}), all);
            }
            (value, _) => all.push((path.clone(), value.clone())),
        }
        path.pop();
    }
}

/// Sizes are texts on the wire and numbers in deploy.toml.
fn number(value: Value) -> Value {
    value.as_str().and_then(|text| text.parse::<u32>().ok()).map_or(value, Value::from)
}

/// Settings of a service that somebody chose, which the release changes: keys of `[service.NAME]` and their values. What is
/// as AWS has it by default was chosen by nobody.
fn settings(found: &ServiceSpec, wanted: &ServiceSpec) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    let mut kept = |differs: bool, is_default: bool, key, value: Value| {
        all.extend((differs && !is_default).then_some((key, value)));
    };
    let (minimum, maximum) = (found.minimum_healthy_percent, found.maximum_percent);
    let differs = minimum != wanted.minimum_healthy_percent;
    kept(differs, minimum == 100, "deployment.minimum-healthy-percent", json!(minimum));
    kept(maximum != wanted.maximum_percent, maximum == 200, "deployment.maximum-percent", json!(maximum));
    let grace = found.health_check_grace_secs;
    let differs = grace != wanted.health_check_grace_secs;
    kept(differs, grace == 0, "deployment.health-check-grace-secs", json!(grace));
    let exec = found.enable_execute_command;
    kept(exec != wanted.enable_execute_command, !exec, "enable-execute-command", json!(exec));
    for endpoint in found.connect.iter().flat_map(|connect| &connect.services) {
        let same =
            wanted.connect.iter().flat_map(|connect| &connect.services).find(|it| it.name == endpoint.name);
        let differs = |is: bool| same.is_none() || !is;
        let name = same.is_some_and(|it| it.discovery_name == endpoint.discovery_name);
        kept(differs(name), false, "connect.discovery-name", json!(endpoint.discovery_name));
        let alias = same
            .is_some_and(|it| (it.alias_port, &it.alias_dns) == (endpoint.alias_port, &endpoint.alias_dns));
        let value = json!({ "port": endpoint.alias_port, "dns": endpoint.alias_dns });
        kept(differs(alias), false, "connect.alias", value);
    }
    all
}

impl Losses {
    fn toml(&self, service: &Service) -> String {
        let mut text = String::new();
        let mut keys = Members::default();
        for (key, value) in &self.keys {
            // A variable's name may hold dots, and no other key does.
            let names: Vec<&str> = match ["container.environment.", "container.secrets."]
                .into_iter()
                .find_map(|list| Some((list, key.strip_prefix(list)?)))
            {
                Some((list, name)) => list.split_terminator('.').chain([name]).collect(),
                None => key.split('.').collect(),
            };
            keys.put(&names, value.clone());
        }
        let mut table = |below: &str, members: Value| {
            let Value::Object(members) = members else { return };
            if members.is_empty() {
                return;
            }
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}[service.{}{below}]\n", service.key));
            for (name, value) in members {
                let line = format!("{} = {}\n", toml_key(&name), toml_value(&name, value));
                // Pasted as it is, the mask would become the value: a comment keeps the release refused.
                if line.contains(redact::MASK) {
                    text.push_str(SECRET);
                }
                text.push_str(&line);
            }
        };
        // `container` and the like as tables of their own: the file most likely has them so.
        let (tables, plain): (Vec<_>, Vec<_>) = keys.iter().partition(|(_, value)| value.is_object());
        let own = |(name, value): (&String, &Value)| (name.clone(), value.clone());
        table("", Value::Object(plain.into_iter().map(own).collect::<Map<_, _>>()));
        for (name, members) in tables {
            table(&format!(".{name}"), members.clone());
        }
        table(".aws.container", self.container.wire());
        table(".aws.task-definition", self.task_definition.wire());
        text
    }
}

fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.chars().all(bare) { name.to_owned() } else { json!(name).to_string() }
}

/// In one line, without secrets.
fn toml_value(name: &str, value: Value) -> String {
    let mut named = json!({ name: value });
    redact::json(&mut named);
    toml::Value::try_from(&named[name]).map_or_else(|_| named[name].to_string(), |value| value.to_string())
}
