//! A task definition revision in normal form: AWS's own members, all of them, so that none is lost in silence.

use serde::Serialize;
use serde_json::Value;

use super::{Change, Members, changes};
use crate::model::ImageDigest;

/// The variable with the commit that the application was released from. It is release metadata: a revision that
/// differs in nothing else is not worth a roll, so comparisons leave it out.
pub const COMMIT_VARIABLE: &str = "APP_COMMIT";

/// What DescribeTaskDefinition says about a revision, which RegisterTaskDefinition does not take.
const REPLY_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// `<registry>/<repository>@<digest>`: a reference that cannot move.
pub fn image_reference(repository_uri: &str, digest: &ImageDigest) -> String {
    format!("{repository_uri}@{digest}")
}

/// A task definition as RegisterTaskDefinition takes it, without what AWS assumes anyway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct TaskDefinitionSpec(Members);

impl TaskDefinitionSpec {
    /// Brings a task definition into normal form, one to register as well as one that DescribeTaskDefinition returns.
    pub fn of(mut members: Members) -> Self {
        for member in REPLY_ONLY {
            members.take(&[member]);
        }
        Self(members.without_defaults())
    }

    pub fn members(&self) -> &Members {
        &self.0
    }

    /// Empty for the definition of a revision that was not read.
    pub fn family(&self) -> &str {
        self.0.get(&["family"]).and_then(Value::as_str).unwrap_or_default()
    }

    /// A member of a container.
    pub fn of_container(&self, name: &str, member: &str) -> Option<&Value> {
        self.0.get(&["containerDefinitions", name, member])
    }

    /// The containers and their names. The tool's own one is the first.
    pub fn containers(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get(&["containerDefinitions"]).and_then(Value::as_object).into_iter().flatten()
    }

    /// The port mappings of all containers.
    pub fn ports(&self) -> impl Iterator<Item = &Value> {
        let mappings = self.containers().filter_map(|(_, container)| container.get("portMappings"));
        mappings.flat_map(|mappings| match mappings {
            Value::Object(by_port) => by_port.values().collect::<Vec<_>>(),
            mappings => mappings.as_array().into_iter().flatten().collect(),
        })
    }

    /// The image of the first container.
    pub fn image(&self) -> Option<&str> {
        self.containers().next().and_then(|(_, container)| container.get("image")?.as_str())
    }

    /// The same with each container's image as `image` has it.
    pub fn with_images(mut self, image: impl Fn(&str) -> Option<String>) -> Self {
        let found: Vec<_> = self
            .containers()
            .filter_map(|(name, container)| Some((name.clone(), image(container.get("image")?.as_str()?)?)))
            .collect();
        for (name, image) in found {
            self.0.put(&["containerDefinitions", &name, "image"], image.into());
        }
        self
    }

    /// The same definition without release metadata: two that are equal in this run the same.
    pub fn comparable(&self) -> Self {
        let mut spec = self.clone();
        let names: Vec<String> = self.containers().map(|(name, _)| name.clone()).collect();
        for name in names {
            spec.0.take(&["containerDefinitions", &name, "environment", COMMIT_VARIABLE]);
        }
        Self(spec.0.without_defaults())
    }

    /// The members in which `wanted` differs, release metadata left out.
    pub fn changes(&self, wanted: &Self) -> Vec<Change> {
        let mut list = changes(&self.comparable(), &wanted.comparable());
        for change in &mut list {
            if let Some(rest) = change.field.strip_prefix("containerDefinitions.") {
                change.field = format!("containers.{rest}");
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(value: Value) -> TaskDefinitionSpec {
        TaskDefinitionSpec::of(Members::of(value))
    }

    /// As a deploy registers it.
    fn registered() -> Value {
        json!({
            "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "volumes": [{"name": "tmp"}],
            "containerDefinitions": [{
                "name": "web", "image": "registry/web@sha256:aa",
                "portMappings": [{"containerPort": 8080, "name": "web", "appProtocol": "http"}],
                "environment": [{"name": "EMPTY", "value": ""}, {"name": COMMIT_VARIABLE, "value": "1"}],
                "healthCheck": {"command": ["CMD", "/probe"], "interval": 10},
                "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}],
                "readonlyRootFilesystem": true,
            }],
        })
    }

    /// The same as DescribeTaskDefinition shows it.
    fn described() -> Value {
        json!({
            "taskDefinitionArn": "arn:aws:ecs:r:1:task-definition/web:7", "revision": 7, "status": "ACTIVE",
            "registeredBy": "arn:aws:iam::1:user/ci", "registeredAt": 1.5, "compatibilities": ["EC2", "FARGATE"],
            "requiresAttributes": [{"name": "x"}], "placementConstraints": [], "enableFaultInjection": false,
            "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
            "volumes": [{"name": "tmp", "host": {}, "configuredAtLaunch": false}],
            "containerDefinitions": [{
                "name": "web", "image": "registry/web@sha256:aa", "cpu": 0, "essential": true, "privileged": false,
                "portMappings": [
                    {"containerPort": 8080, "hostPort": 8080, "protocol": "tcp", "name": "web", "appProtocol": "http"}],
                "environment": [{"name": COMMIT_VARIABLE, "value": "2"}, {"name": "EMPTY"}],
                "healthCheck": {"command": ["CMD", "/probe"], "interval": 10, "timeout": 5, "retries": 3, "startPeriod": 0},
                "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": false}],
                "volumesFrom": [], "systemControls": [], "readonlyRootFilesystem": true,
            }],
        })
    }

    #[test]
    fn a_deploy_that_changes_nothing_finds_what_it_registered() {
        assert_eq!(spec(described()).comparable(), spec(registered()).comparable());
        assert_eq!(spec(described()).changes(&spec(registered())), []);
    }

    #[test]
    fn every_member_that_somebody_added_is_a_difference_of_its_own() {
        let added = [
            ("volumes.data", "/volumes/-", json!({"name": "data", "host": {}})),
            ("ephemeralStorage", "/ephemeralStorage", json!({"sizeInGiB": 50})),
            ("enableFaultInjection", "/enableFaultInjection", json!(true)),
            ("networkMode", "/networkMode", json!("bridge")),
            ("requiresCompatibilities", "/requiresCompatibilities", json!(["EC2", "FARGATE"])),
            ("runtimePlatform", "/runtimePlatform/cpuArchitecture", json!("ARM64")),
            (
                "containers.log",
                "/containerDefinitions/-",
                json!({"name": "log", "image": "l", "essential": false}),
            ),
            ("containers.web.user", "/containerDefinitions/0/user", json!("root")),
            ("containers.web.memory", "/containerDefinitions/0/memory", json!(128)),
            (
                "containers.web.portMappings.9000",
                "/containerDefinitions/0/portMappings/-",
                json!({"containerPort": 9000}),
            ),
            (
                "containers.web.portMappings.8080.hostPort",
                "/containerDefinitions/0/portMappings/0/hostPort",
                json!(1),
            ),
            ("containers.web.healthCheck.timeout", "/containerDefinitions/0/healthCheck/timeout", json!(9)),
            ("containers.web.essential", "/containerDefinitions/0/essential", json!(false)),
            ("containers.web.unheardOf", "/containerDefinitions/0/unheardOf", json!({"of": 1})),
            ("unheardOf", "/unheardOf", json!(0)),
        ];
        for (field, pointer, value) in added {
            let mut found = described();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match found.pointer_mut(parent).unwrap() {
                Value::Array(list) => list.push(value),
                parent => parent[name] = value,
            }
            let list = spec(found).changes(&spec(registered()));
            assert_eq!(list.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn images_get_the_address_that_the_repository_turned_out_to_have() {
        let moved = spec(registered()).with_images(|image| Some(image.replace("registry", "elsewhere")));
        assert_eq!(moved.image(), Some("elsewhere/web@sha256:aa"));
        assert_eq!(spec(registered()).with_images(|_| None), spec(registered()));
    }
}
