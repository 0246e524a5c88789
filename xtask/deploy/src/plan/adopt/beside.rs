//! Sidecars and volumes of a definition that somebody else registered, by their keys.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Search, Wish};
use crate::model::spec::Members;
use crate::plan::keys::{key_of, typed};

impl Search<'_> {
    /// Whether a container can be a sidecar with keys and stay as it is: such a one has a log.
    pub(super) fn has_keys(&self, members: &Map<String, Value>) -> bool {
        self.wish == Wish::Chosen || members.contains_key("logConfiguration")
    }

    /// A member of a container beside the own one, by its key where it has one. False where deploy.toml decides all of it.
    pub(super) fn sidecar(&mut self, name: &str, member: &[&str], value: &Value) -> bool {
        if let (["healthCheck" | "environment" | "secrets" | "dependsOn"], Value::Object(below)) =
            (member, value)
        {
            // AWS's defaults are others than the tool's.
            let mut all = match member {
                ["healthCheck"] => {
                    Members::of(json!({ "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0 }))
                }
                _ => Members::default(),
            };
            below.iter().for_each(|(below, value)| all.put(&[below], value.clone()));
            return all
                .iter()
                .fold(false, |any, (below, value)| self.sidecar(name, &[member[0], below], value) | any);
        }
        if let (["mountPoints"], Value::Object(mounts)) = (member, value) {
            for (path, mount) in mounts {
                match mount["sourceVolume"].as_str().filter(|volume| self.volumes.contains_key(*volume)) {
                    Some(volume) => self.lines.key(&["sidecar", name, "mounts", volume], json!(path)),
                    None => self.lines.sidecar(name, &["mountPoints", path], mount.clone()),
                }
            }
            return true;
        }
        let key = match member {
            [list @ ("environment" | "secrets"), variable] => Some(vec![*list, *variable]),
            ["dependsOn", other] => Some(vec!["depends-on", *other]),
            [same @ ("image" | "essential" | "cpu")] => Some(vec![*same]),
            ["memory"] => Some(vec!["memory-mib"]),
            _ => {
                let key =
                    key_of(&format!("@.{}", member.join("."))).filter(|key| !key.starts_with("log-group"));
                key.and_then(|key| Some(key.strip_prefix("container.")?.split('.').collect()))
            }
        };
        let value = match member {
            ["environmentFiles"] => typed("container.environment-files", value.clone()),
            _ => value.clone(),
        };
        match key {
            Some(key) => {
                let path = [&["sidecar", name], key.as_slice()].concat();
                if self.decided(&path.join(".")) {
                    return false;
                }
                self.lines.key(&path, value);
            }
            None => self.lines.sidecar(name, member, value),
        }
        true
    }
}

/// The volumes that keys say all of, and those keys: folders of EFS with encrypted traffic, which each container
/// has once, and all alike.
pub(super) fn volumes(found: &Value) -> BTreeMap<String, Map<String, Value>> {
    let volumes = found["volumes"].as_object().into_iter().flatten();
    volumes.filter_map(|(name, members)| Some((name.clone(), volume(found, name, members)?))).collect()
}

fn volume(found: &Value, name: &str, members: &Value) -> Option<Map<String, Value>> {
    let mut members = Members::of(members.clone());
    let mut take = |path: &[&str]| members.take(&[&["efsVolumeConfiguration"], path].concat());
    let mut keys = Map::from_iter([("efs".to_owned(), take(&["fileSystemId"])?)]);
    let encrypted = take(&["transitEncryption"])? == "ENABLED";
    for (path, key) in
        [(&["rootDirectory"][..], "path"), (&["authorizationConfig", "accessPointId"], "access-point")]
    {
        keys.extend(take(path).map(|value| (key.to_owned(), value)));
    }
    if let Some(iam) = take(&["authorizationConfig", "iam"]) {
        keys.insert("iam".to_owned(), json!(iam == "ENABLED"));
    }
    let containers = found["containerDefinitions"].as_object().into_iter().flatten();
    let mut read_only = Vec::new();
    for (_, container) in containers {
        let mounts = container["mountPoints"].as_object().into_iter().flatten();
        let own: Vec<_> = mounts.filter(|(_, mount)| mount["sourceVolume"] == name).collect();
        if own.len() > 1 {
            return None;
        }
        read_only.extend(own.into_iter().map(|(_, mount)| mount["readOnly"] == true));
    }
    if read_only.first() == Some(&true) {
        keys.insert("read-only".to_owned(), json!(true));
    }
    let alike = !read_only.is_empty() && read_only.iter().all(|it| Some(it) == read_only.first());
    (encrypted && alike && members.without_defaults().is_empty()).then_some(keys)
}
