//! Members of AWS's own JSON, by AWS's names, in a form that merges and compares.
//!
//! AWS has many lists of named things, such as containers and volumes, whose order means nothing. Here each of them is an
//! object by that name: two merge entry by entry, and a difference has a path such as `containerDefinitions.web.ulimits`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A JSON object of AWS's members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "Map<String, Value>")]
pub struct Members(Map<String, Value>);

/// Lists of named things: the member, what names an entry, and the only other member of an entry where there is just one.
const NAMED: [(&str, &str, Option<&str>); 17] = [
    ("containerDefinitions", "name", None),
    ("volumes", "name", None),
    ("environment", "name", Some("value")),
    ("secrets", "name", Some("valueFrom")),
    ("secretOptions", "name", Some("valueFrom")),
    ("portMappings", "containerPort", None),
    ("mountPoints", "containerPath", None),
    ("volumesFrom", "sourceContainer", None),
    ("dependsOn", "containerName", Some("condition")),
    ("ulimits", "name", None),
    ("systemControls", "namespace", Some("value")),
    ("extraHosts", "hostname", Some("ipAddress")),
    ("resourceRequirements", "type", Some("value")),
    ("properties", "name", Some("value")),
    ("services", PORT_NAME, None),
    ("loadBalancers", "targetGroupArn", None),
    ("capacityProviderStrategy", "capacityProvider", None),
];

/// Endpoints of Service Connect have two names: the unique one, and that of their port, which several may share. Each is called by
/// its unique name where it has one, and keeps both.
const PORT_NAME: &str = "portName";

fn named(member: &str) -> Option<(&'static str, Option<&'static str>)> {
    NAMED.iter().find(|(list, ..)| *list == member).map(|(_, name, only)| (*name, *only))
}

impl From<Map<String, Value>> for Members {
    /// From the wire's form or from this one.
    fn from(members: Map<String, Value>) -> Self {
        Self::of(Value::Object(members))
    }
}

impl From<&Members> for Value {
    fn from(members: &Members) -> Self {
        Self::Object(members.0.clone())
    }
}

pub(super) fn is_named_list(member: &str) -> bool {
    named(member).is_some()
}

impl Members {
    /// Reads members as AWS's wire has them. What is not an object has none.
    pub fn of(wire: Value) -> Self {
        match by_name("", wire) {
            Value::Object(members) => Self(members),
            _ => Self::default(),
        }
    }

    /// The members as AWS's wire has them.
    pub fn wire(&self) -> Value {
        as_list("", Value::Object(self.0.clone()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members and their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// What is at a path, such as `["containerDefinitions", "web", "image"]`.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// Puts a value at a path and makes the objects on the way. An object is merged into one that is there.
    pub fn put(&mut self, path: &[&str], value: Value) {
        let over = path.iter().rev().fold(value, |value, name| json!({ *name: value }));
        if let Value::Object(over) = over {
            lay(&mut self.0, over);
        }
    }

    /// Takes the value at a path out.
    pub fn take(&mut self, path: &[&str]) -> Option<Value> {
        let (last, parents) = path.split_last()?;
        let parent = parents.iter().try_fold(&mut self.0, |map, name| map.get_mut(*name)?.as_object_mut())?;
        // `shift_remove` keeps the order of the others.
        parent.shift_remove(*last)
    }

    /// Lays other members over these: objects merge, everything else is replaced.
    pub fn lay(&mut self, over: &Self) {
        lay(&mut self.0, over.0.clone());
    }

    /// These members with others laid over them; as they are where that changes only what means nothing.
    pub fn laid(&self, over: &Self) -> Self {
        let mut laid = self.clone();
        laid.lay(over);
        if laid.clone().without_defaults() == self.clone().without_defaults() { self.clone() } else { laid }
    }

    /// The same without what means nothing: null, `false`, empty lists and objects, and defaults that AWS writes out.
    ///
    /// Only for a request that makes something new. In an update, a member that is left out keeps its value.
    pub fn without_defaults(self) -> Self {
        Self(plain("", self.0))
    }
}

// Lists without names are replaced as wholes: a command, for one, is not merged word by word.
fn lay(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => lay(under, over),
            (_, value) => drop(under.insert(name, value)),
        }
    }
}

fn by_name(member: &str, value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, it)| (name.clone(), by_name(&name, it))).collect()
        }
        Value::Array(list) => {
            let list: Vec<Value> = list.into_iter().map(|entry| by_name("", entry)).collect();
            named(member).and_then(|by| entries(&list, by)).map_or(Value::Array(list), Value::Object)
        }
        value => value,
    }
}

/// `None` where an entry has no name or two have the same, such as one port of two protocols: that stays a list.
fn entries(list: &[Value], (by, only): (&str, Option<&str>)) -> Option<Map<String, Value>> {
    let mut entries = Map::new();
    for entry in list {
        let mut members = entry.as_object()?.clone();
        let name = match by {
            PORT_NAME => members.get("discoveryName").or(members.get(by)).cloned(),
            by => members.shift_remove(by),
        };
        let name = match name? {
            Value::String(name) => name,
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let value = match only {
            None => Value::Object(members),
            // ECS leaves out the value of an empty variable.
            Some(only) => members.shift_remove(only).unwrap_or_else(|| json!("")),
        };
        if entries.insert(name, value).is_some() {
            return None;
        }
    }
    Some(entries)
}

fn as_list(member: &str, value: Value) -> Value {
    match (value, named(member)) {
        (Value::Object(entries), Some((by, only))) => {
            let entry = |(name, value): (String, Value)| {
                let name = match name.parse::<u16>() {
                    Ok(port) if by == "containerPort" => json!(port),
                    _ => json!(name),
                };
                let mut entry = Map::new();
                if by != PORT_NAME {
                    entry.insert(by.to_owned(), name);
                }
                match (only, as_list("", value)) {
                    (Some(only), value) => drop(entry.insert(only.to_owned(), value)),
                    (None, Value::Object(members)) => entry.extend(members),
                    (None, _) => {}
                }
                Value::Object(entry)
            };
            entries.into_iter().map(entry).collect()
        }
        (Value::Object(members), None) => {
            members.into_iter().map(|(name, value)| (name.clone(), as_list(&name, value))).collect()
        }
        (Value::Array(list), _) => list.into_iter().map(|entry| as_list("", entry)).collect(),
        (value, _) => value,
    }
}

/// What ECS assumes for a member that is left out, by the object that it is in (ECS API reference).
fn is_default(parent: &str, member: &str, value: &Value) -> bool {
    let default = match (parent, member) {
        (_, "essential") => json!(true),
        (_, "cpu" | "hostPort" | "startPeriod" | "bakeTimeInMinutes") => json!(0),
        (_, "protocol") => json!("tcp"),
        // On Fargate (ECS API reference, ContainerDefinition).
        (_, "stopTimeout") => json!(30),
        ("healthCheck", "interval") => json!(30),
        ("healthCheck", "timeout") => json!(5),
        ("healthCheck", "retries") => json!(3),
        ("runtimePlatform", "cpuArchitecture") => json!("X86_64"),
        ("runtimePlatform", "operatingSystemFamily") => json!("LINUX"),
        ("efsVolumeConfiguration", "rootDirectory") => json!("/"),
        ("efsVolumeConfiguration", "transitEncryption") => json!("DISABLED"),
        ("authorizationConfig", "iam") => json!("DISABLED"),
        // Every other switch is off by default.
        _ => json!(false),
    };
    *value == default
}

fn plain(parent: &str, members: Map<String, Value>) -> Map<String, Value> {
    let is_list = is_named_list(parent);
    let mut plain_members = Map::new();
    for (name, value) in members {
        let value = match value {
            Value::Object(mut members) => {
                // In network mode awsvpc the host's port is the container's, and ECS writes it out.
                if parent == "portMappings" {
                    let own: Option<u64> = name.parse().ok();
                    members.retain(|member, port| member != "hostPort" || port.as_u64() != own);
                }
                Value::Object(plain(&name, members))
            }
            Value::Array(list) => list
                .into_iter()
                .map(|entry| match entry {
                    Value::Object(members) => Value::Object(plain("", members)),
                    entry => entry,
                })
                .collect(),
            value => value,
        };
        let empty = match &value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(members) => members.is_empty(),
            value => is_default(parent, &name, value),
        };
        // An entry of a list is there even when its name is all that it has, such as a volume that goes with the task.
        if !empty || is_list {
            plain_members.insert(name, value);
        }
    }
    plain_members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: Value) -> Members {
        Members::of(value)
    }

    #[test]
    fn named_lists_survive_the_way_to_the_wire_and_back() {
        let wire = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "environment": [{"name": "A", "value": "1"}, {"name": "services", "value": "x"}],
             "portMappings": [{"containerPort": 8080, "name": "http"}], "command": ["a", "b"],
             "dockerLabels": {"environment": "prod"}, "unheardOf": [{"x": [1]}]},
            {"name": "log", "dependsOn": [{"containerName": "web", "condition": "START"}]},
        ]});
        let read = members(wire.clone());
        assert_eq!(read.get(&["containerDefinitions", "web", "environment", "A"]), Some(&json!("1")));
        assert_eq!(read.get(&["containerDefinitions", "log", "dependsOn", "web"]), Some(&json!("START")));
        assert_eq!(read.wire(), wire);
    }

    #[test]
    fn the_order_of_named_entries_means_nothing_and_that_of_others_does() {
        let volumes = |names: [&str; 2]| members(json!({"volumes": names.map(|name| json!({"name": name}))}));
        assert_eq!(volumes(["a", "b"]), volumes(["b", "a"]));
        let commands = |list: [&str; 2]| members(json!({"command": list}));
        assert_ne!(commands(["a", "b"]), commands(["b", "a"]));
    }

    #[test]
    fn entries_that_share_a_name_stay_a_list() {
        let wire = json!({"portMappings": [
            {"containerPort": 53, "protocol": "tcp"}, {"containerPort": 53, "protocol": "udp"}]});
        assert_eq!(members(wire.clone()).wire(), wire);
        let nameless = json!({"volumes": [{"host": {}}]});
        assert_eq!(members(nameless.clone()).wire(), nameless);
    }

    #[test]
    fn endpoints_of_one_port_are_called_by_their_discovery_names() {
        let wire = json!({"services": [
            {"portName": "http", "discoveryName": "api", "timeout": {"idleTimeoutSeconds": 5}},
            {"portName": "http", "discoveryName": "legacy"}]});
        let mut read = members(wire.clone());
        assert_eq!(read.wire(), wire);
        read.put(&["services", "legacy", "ingressPortOverride"], json!(15000));
        assert_eq!(read.wire()["services"][1]["ingressPortOverride"], 15000);
        assert_eq!(
            members(json!({"services": [{"portName": "http"}]})).get(&["services", "http", "portName"]),
            Some(&json!("http"))
        );
    }

    #[test]
    fn what_is_laid_over_merges_by_name_and_replaces_other_lists() {
        let mut under = members(json!({"cpu": "256", "containerDefinitions": [
            {"name": "web", "command": ["a", "b"], "linuxParameters": {"initProcessEnabled": true}}]}));
        under.lay(&members(json!({"memory": "512", "containerDefinitions": [
            {"name": "log", "image": "l"},
            {"name": "web", "command": ["c"], "linuxParameters": {"tmpfs": []}}]})));
        let expected = json!({"cpu": "256", "memory": "512", "containerDefinitions": [
            {"name": "web", "command": ["c"], "linuxParameters": {"initProcessEnabled": true, "tmpfs": []}},
            {"name": "log", "image": "l"}]});
        assert_eq!(under.wire(), expected);
    }

    #[test]
    fn a_value_is_put_and_taken_by_its_path() {
        let mut some = members(json!({"volumes": [{"name": "a"}]}));
        some.put(&["volumes", "a", "host"], json!({"sourcePath": "/x"}));
        some.put(&["ephemeralStorage", "sizeInGiB"], json!(50));
        assert_eq!(some.take(&["volumes", "a", "host", "sourcePath"]), Some(json!("/x")));
        assert_eq!(some.take(&["volumes", "b"]), None);
        let expected = json!({"volumes": [{"name": "a", "host": {}}], "ephemeralStorage": {"sizeInGiB": 50}});
        assert_eq!(some.wire(), expected);
    }
}
