//! The first release onto a service that something else deployed: it is refused where it would drop or change what
//! deploy.toml does not say, with the lines that keep it. `init` writes a file out of the same lines.

mod beside;
mod endpoints;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::keys::{chosen_by_nobody, differing, group_keys, key_of, policy_keys, typed, uncommon_attributes};
use super::lines::Lines;
use super::services::live;
use super::wanted::{self, service_spec, task_definition_spec};
use super::{Plan, Refusal};
use crate::model::spec::{Members, ServiceSpec};
use crate::model::{Desired, Observed, Service, ServiceState};
use endpoints::EndpointPort;

/// What a release sets in any case, and no key keeps: the plan shows these changes.
const OURS: [&str; 10] = [
    "family",
    "networkMode",
    "requiresCompatibilities",
    "@.image",
    "@.linuxParameters.initProcessEnabled",
    "@.logConfiguration.options.awslogs-region",
    "@.logConfiguration.options.awslogs-stream-prefix",
    "loadBalancers",
    "serviceConnectConfiguration.namespace",
    "@.port",
];

const THRESHOLD: &str = "deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration";

/// Which differences are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// What somebody chose, and deploy.toml does not say.
    Chosen,
    /// Everything that differs from deploy.toml, whoever decided it.
    All,
}

/// Refuses the plan where it replaces what this tool did not deploy and deploy.toml does not say.
pub fn refuse_losses(plan: &mut Plan, desired: &Desired, observed: &Observed) {
    for service in &desired.environment.services {
        let Some(running) = live(observed, service) else { continue };
        let made = observed.made.as_ref().is_some_and(|made| made.contains_key(&running.arn));
        if made || running.task_definition.tags.contains_key("release") {
            continue;
        }
        let lines = differences(Wish::Chosen, desired, service, observed, running);
        if !lines.names.is_empty() {
            plan.refusals.push(Refusal {
                what: format!(
                    "{}: the service that runs was not deployed by this tool, and has what deploy.toml does not say: {}",
                    service.key,
                    lines.names.join(", ")
                ),
                remedy: format!(
                    "add these lines to deploy.toml, or pass --adopt to go on without them\n\n{}",
                    lines.toml(service)
                ),
            });
        }
    }
}

/// What the account has of a service and deploy.toml says otherwise, or not at all.
pub(crate) fn differences(
    wish: Wish,
    desired: &Desired,
    service: &Service,
    observed: &Observed,
    running: &ServiceState,
) -> Lines {
    let mut search = Search {
        wish,
        desired,
        service,
        nobody: chosen_by_nobody(),
        volumes: BTreeMap::new(),
        ports: endpoints::ports(service, running),
        own: String::new(),
        shared: endpoints::shared(running),
        said: BTreeSet::new(),
        lines: Lines::default(),
    };
    search.definition(observed, running);
    search.service(observed, &running.spec);
    search.target_group(observed);
    search.foundation(observed);
    search.scaling(observed);
    search.lines
}

struct Search<'a> {
    wish: Wish,
    desired: &'a Desired,
    service: &'a Service,
    nobody: Value,
    /// Volumes of the definition that runs which keys say all of, and those keys.
    volumes: BTreeMap<String, Map<String, Value>>,
    /// Ports of the own container that endpoints of Service Connect lead to, by their names.
    ports: BTreeMap<String, EndpointPort>,
    /// The discovery name that the own port's endpoint has as it runs.
    own: String,
    /// The names of ports that several endpoints lead to.
    shared: BTreeSet<String>,
    /// Ports of endpoints that a line has said already.
    said: BTreeSet<String>,
    lines: Lines,
}

impl Search<'_> {
    /// Whether deploy.toml decides it: then the plan shows the change, and nothing is lost in silence.
    fn decided(&self, key: &str) -> bool {
        let written = &self.desired.environment.written;
        let of_all = key.starts_with("network.") && written.contains(key);
        self.wish == Wish::Chosen
            && (of_all || written.contains(&format!("service.{}.{key}", self.service.key)))
    }

    fn key(&mut self, name: &str, path: &[&str], value: Value) {
        if !self.decided(&path.join(".")) {
            self.lines.names.push(name.to_owned());
            self.lines.key(path, value);
        }
    }

    fn definition(&mut self, observed: &Observed, running: &ServiceState) {
        let container = &self.service.container;
        let of = |members: Members| {
            let mut members = members;
            // The service's own port by itself: its number is a key.
            let mappings = ["containerDefinitions", &container.name, "portMappings"];
            let port = container.port.to_string();
            if let Some(Value::Object(own)) = members.take(&[&mappings[..], &[&port]].concat()) {
                members.put(&["containerDefinitions", &container.name, "port"], Value::Object(own));
            }
            Value::from(&members)
        };
        let wanted =
            of(task_definition_spec(self.desired, self.service, observed).comparable().members().clone());
        let found = of(running.task_definition.spec.comparable().members().clone());
        self.volumes = beside::volumes(&found);
        let mut all = Vec::new();
        differing(&mut Vec::new(), &found, &wanted, &mut all);
        for (path, value) in all {
            self.definition_member(&path, value);
        }
        let absent = |path: &[&str]| {
            let at =
                |value: &Value| path.iter().try_fold(value.clone(), |value, name| value.get(*name).cloned());
            at(&wanted).is_some() && at(&found).is_none()
        };
        let own = ["containerDefinitions", container.name.as_str()];
        let own = |path: &[&str]| absent(&[&own[..], path].concat());
        // An application that writes files does not outlive this change.
        if own(&["readonlyRootFilesystem"]) {
            self.key("readonlyRootFilesystem (off)", &["container", "readonly-root"], json!(false));
        }
        if self.wish == Wish::All {
            if own(&["environment", &container.port_variable]) {
                self.key("environment", &["container", "port-variable"], json!(""));
            }
            if own(&["linuxParameters", "initProcessEnabled"]) {
                self.lines.aws("container", &["linuxParameters", "initProcessEnabled"], json!(false));
            }
            for (member, key, value) in
                [("interval", "interval-secs", 30), ("startPeriod", "start-period-secs", 0)]
            {
                if own(&["healthCheck", member]) {
                    self.key(member, &["container", "health-check", key], json!(value));
                }
            }
            if own(&["logConfiguration"]) {
                self.key("logConfiguration", &["log-group", "name"], json!(""));
            }
            if absent(&["executionRoleArn"]) {
                self.key("executionRoleArn", &["execution-role"], json!(""));
            }
            if absent(&["requiresCompatibilities"]) {
                self.lines.aws("task-definition", &["requiresCompatibilities"], json!([]));
            }
        }
    }

    fn definition_member(&mut self, path: &[String], value: Value) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let own = names.strip_prefix(&["containerDefinitions", &self.service.container.name]);
        let short = own.map_or_else(|| names.join("."), |own| format!("@.{}", own.join(".")));
        if self.is_ours(&short) {
            return;
        }
        let variable = own.and_then(|own| match own {
            [list @ ("environment" | "secrets"), name] => Some(["container", list, name]),
            ["dependsOn", name] => Some(["container", "depends-on", name]),
            _ => None,
        });
        let name = short.replace("@.", "").replace("containerDefinitions.", "containers.");
        match (names.as_slice(), &value) {
            (["volumes", volume], _) if self.volumes.contains_key(*volume) => {
                self.lines.names.push(name);
                return self.lines.key(&["volume", volume], json!(self.volumes[*volume]));
            }
            (["containerDefinitions", _, "mountPoints", path], mount)
                if own.is_some()
                    && self.volumes.contains_key(mount["sourceVolume"].as_str().unwrap_or_default()) =>
            {
                let volume = mount["sourceVolume"].as_str().unwrap_or_default().to_owned();
                return self.key(&name, &["volume", &volume, "mount"], json!(path));
            }
            (["containerDefinitions", sidecar], Value::Object(members)) if self.has_keys(members) => {
                self.lines.names.push(name);
                for (member, value) in members {
                    self.sidecar(sidecar, &[member], value);
                }
                return;
            }
            (["containerDefinitions", sidecar, rest @ ..], _) if self.service.is_sidecar(sidecar) => {
                if self.sidecar(sidecar, rest, &value) {
                    self.lines.names.push(name);
                }
                return;
            }
            (["containerDefinitions", _, "portMappings", port, rest @ ..], _)
                if own.is_some() && self.mapping(port, rest, &value) =>
            {
                return;
            }
            _ => {}
        }
        if let Some(key) = variable {
            let port = &self.service.container.port_variable;
            if key[1] == "environment" && key[2] == port && !port.is_empty() {
                // It is no copy of `container.port` then: two ports, or a text of another kind.
                self.key("container.port-variable", &["container", "port-variable"], json!(""));
            }
            return self.key(&name, &key, value);
        }
        if let Some(key) = key_of(&short) {
            return self.key(&name, &key.split('.').collect::<Vec<_>>(), typed(key, value));
        }
        self.lines.names.push(name);
        match own {
            // Back among the others of its list.
            Some(["port", rest @ ..]) => {
                let port = self.service.container.port.to_string();
                self.lines.aws("container", &[&["portMappings", port.as_str()], rest].concat(), value);
            }
            Some(own) => self.lines.aws("container", own, value),
            None => self.lines.aws("task-definition", &names, value),
        }
    }

    fn is_ours(&self, short: &str) -> bool {
        let is = |member: &&str| {
            short == *member || short.strip_prefix(*member).is_some_and(|it| it.starts_with('.'))
        };
        match self.wish {
            Wish::Chosen => OURS.iter().any(is),
            Wish::All => ["@.image", "loadBalancers"].iter().any(is),
        }
    }

    fn service(&mut self, observed: &Observed, running: &ServiceSpec) {
        let wanted = match self.wish {
            Wish::Chosen => service_spec(&self.desired.environment, self.service, observed),
            // Also what an update keeps by itself is worth a line.
            Wish::All => wanted::bare_service_spec(&self.desired.environment, self.service, observed),
        };
        if running.connect.is_some() && wanted.connect.is_none() && self.decided("connect.enable") {
            return;
        }
        let (of_running, of_file) = self.own_endpoint(running);
        self.own = of_running.clone().unwrap_or_default();
        let (found, wanted) = (running.members(of_running.as_deref()), wanted.members(of_file.as_deref()));
        let mut all = Vec::new();
        differing(&mut Vec::new(), &Value::from(&found), &Value::from(&wanted), &mut all);
        for (path, value) in all {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            let nobody = names.iter().try_fold(&self.nobody, |value, name| value.get(*name));
            if self.wish == Wish::Chosen && nobody == Some(&value) || self.is_ours(&names.join(".")) {
                continue;
            }
            self.service_member(&names, value);
        }
        if self.wish == Wish::All && running.connect.is_none() && self.service.connects() {
            self.key("serviceConnectConfiguration", &["connect", "enable"], json!(false));
        }
    }

    fn service_member(&mut self, names: &[&str], value: Value) {
        let name = names.join(".");
        if name == THRESHOLD && value["type"] == "COUNT" {
            let path = ["deployment", "circuit-breaker", "threshold"];
            return self.key(&path.join("."), &path, value["value"].clone());
        }
        if name == THRESHOLD && self.decided("deployment.circuit-breaker.threshold") {
            return;
        }
        if let Some(key) = key_of(&name) {
            return self.key(key, &key.split('.').collect::<Vec<_>>(), typed(key, value));
        }
        if let ["serviceConnectConfiguration", "services", endpoint, rest @ ..] = names {
            return self.endpoint(endpoint, rest, value);
        }
        self.lines.names.push(name);
        match names {
            ["serviceConnectConfiguration", rest @ ..] => self.lines.aws("connect", rest, value),
            _ => self.lines.aws("service", names, value),
        }
    }

    fn target_group(&mut self, observed: &Observed) {
        let Some(wanted) = wanted::target_group(&self.desired.environment, self.service, observed) else {
            return;
        };
        let Some(found) = observed.target_groups.get(&wanted.name).map(|found| &found.spec) else { return };
        let (mut has, wants) = (group_keys(found), group_keys(&wanted));
        if self.wish == Wish::Chosen {
            // The others stay as they are.
            has.retain(|key, _| wants.contains_key(key));
        }
        self.compare("target-group", has, &wants);
        if self.wish == Wish::All {
            for (name, value) in uncommon_attributes(found) {
                if wanted.attributes.get(name) != Some(value) {
                    self.lines.aws("target-group-attributes", &[name], json!(value));
                }
            }
        }
    }

    /// Log groups and repositories: what is lost there is lost for good.
    fn foundation(&mut self, observed: &Observed) {
        if let Some(wanted) = wanted::log_group(self.service)
            && let Some(found) = observed.log_groups.get(&wanted.name)
            && found.retention_days != wanted.retention_days
        {
            let days = json!(found.retention_days.unwrap_or(0));
            self.key("log-group.retention-days", &["log-group", "retention-days"], days);
        }
        let wanted = wanted::repository(self.service);
        let Some(found) = observed.repositories.get(&wanted.name).map(|found| &found.spec) else { return };
        if wanted.keep_images.is_some() && found.keep_images != wanted.keep_images {
            let keep = json!(found.keep_images.unwrap_or(0));
            self.key("repository.keep-images", &["repository", "keep-images"], keep);
        }
        if self.wish == Wish::All && found.immutable_tags != wanted.immutable_tags {
            let immutable = json!(found.immutable_tags);
            self.key("repository.immutable-tags", &["repository", "immutable-tags"], immutable);
        }
    }

    /// Policies of the file's names. Others stay.
    fn scaling(&mut self, observed: &Observed) {
        let Some(scaling) = &self.service.scaling else { return };
        let Some(found) = observed.scaling.get(&self.service.key) else { return };
        for wanted in wanted::policies(&self.desired.environment, self.service, observed, scaling) {
            let same = found.policies.iter().find(|it| it.name == wanted.name);
            let keys = same.and_then(policy_keys).zip(policy_keys(&wanted));
            for (key, value) in keys.into_iter().flat_map(|(has, wants)| {
                has.into_iter().filter(move |(key, value)| wants.get(key) != Some(value))
            }) {
                let path = ["scaling", "policy", &wanted.name, &key];
                self.key(&path.join("."), &path, value);
            }
        }
    }

    /// Keys of a table that differ.
    fn compare(&mut self, table: &str, has: BTreeMap<String, Value>, wants: &BTreeMap<String, Value>) {
        for (key, value) in has {
            let path: Vec<&str> = [table].into_iter().chain(key.split('.')).collect();
            let nobody = path.iter().try_fold(&self.nobody, |value, name| value.get(*name));
            let chosen = self.wish == Wish::All || nobody != Some(&value);
            if wants.get(&key) != Some(&value) && chosen {
                self.key(&path.join("."), &path, value);
            }
        }
    }
}
