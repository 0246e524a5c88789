//! The `aws` tables: members in AWS's own names and shapes, for what the tool has no opinion on.
//!
//! `members.json` holds the structures of ECS's requests as the SDK has them (`xtask/tests/aws_members.rs` keeps it so). It
//! becomes part of the schema, so that an unknown member, a wrong nesting or a wrong type is found when the file is read.

use serde_json::{Map, Value, json};

use crate::model::spec::TargetGroupSpec;

/// Structure → member → type: a scalar's name or a structure's, `[…]` for a list, `{…}` for a map of texts.
const MEMBERS: &str = include_str!("members.json");

const TASK: &str = "aws.table.task-definition";
const CONTAINER: &str = "aws.table.container";
const SIDECAR: &str = "aws.table.sidecar";
const SERVICE: &str = "aws.table.service";
const CONNECT: &str = "aws.table.connect";

/// The tables, as the schema calls them, and the structure that each of them takes.
const TABLES: [(&str, &str); 5] = [
    (TASK, "RegisterTaskDefinition"),
    (CONTAINER, "ContainerDefinition"),
    (SIDECAR, "ContainerDefinition"),
    (SERVICE, "UpdateService"),
    (CONNECT, "ServiceConnectConfiguration"),
];

/// What a table may not say, because the tool decides it, and what does say it.
const OWNED: &[(&str, &str, &str)] = &[
    (TASK, "family", "set `family`"),
    (TASK, "cpu", "set `cpu`"),
    (TASK, "memory", "set `memory-mib`"),
    (TASK, "ephemeralStorage", "set `ephemeral-storage-gib`"),
    (TASK, "networkMode", "remove it: tasks of Fargate have `awsvpc`"),
    (TASK, "executionRoleArn", "set `execution-role`"),
    (TASK, "taskRoleArn", "set `task-role`"),
    (TASK, "runtimePlatform.cpuArchitecture", "set `architecture`"),
    (TASK, "tags", "remove it: the tags of a revision are the record of its release"),
    (CONTAINER, "name", "set `container.name`"),
    (CONTAINER, "image", "set `build` or `image`"),
    (CONTAINER, "essential", "remove it: the service's own container is essential"),
    (CONTAINER, "command", "set `container.command`"),
    (CONTAINER, "entryPoint", "set `container.entry-point`"),
    (CONTAINER, "user", "set `container.user`"),
    (CONTAINER, "workingDirectory", "set `container.working-directory`"),
    (CONTAINER, "dependsOn", "set `container.depends-on`"),
    (CONTAINER, "environment", "set `container.environment`"),
    (CONTAINER, "secrets", "set `container.secrets`"),
    (CONTAINER, "environmentFiles", "set `container.environment-files`"),
    (CONTAINER, "healthCheck", "set `container.health-check`"),
    (CONTAINER, "stopTimeout", "set `container.stop-timeout-secs`"),
    (CONTAINER, "readonlyRootFilesystem", "set `container.readonly-root`"),
    (CONTAINER, "logConfiguration.options.awslogs-group", "set `log-group.name`"),
    (CONTAINER, "logConfiguration.options.awslogs-region", "set `region`"),
    (CONTAINER, "logConfiguration.options.awslogs-stream-prefix", "set `log-group.stream-prefix`"),
    (SERVICE, "cluster", "set `cluster`"),
    (SERVICE, "service", "set `name`"),
    (SERVICE, "taskDefinition", "remove it: each release registers its own revision"),
    (SERVICE, "desiredCount", "set `desired-count`, or `scaling`"),
    (SERVICE, "capacityProviderStrategy", "set `capacity-providers`"),
    (SERVICE, "availabilityZoneRebalancing", "set `availability-zone-rebalancing`"),
    (SERVICE, "deploymentConfiguration.alarms", "set `deployment.alarms`"),
    (
        SERVICE,
        "deploymentConfiguration.deploymentCircuitBreaker.enable",
        "set `deployment.circuit-breaker.enable`",
    ),
    (
        SERVICE,
        "deploymentConfiguration.deploymentCircuitBreaker.rollback",
        "set `deployment.circuit-breaker.rollback`",
    ),
    (
        SERVICE,
        "deploymentConfiguration.deploymentCircuitBreaker.resetOnHealthyTask",
        "set `deployment.circuit-breaker.reset-on-healthy-task`",
    ),
    (SERVICE, "deploymentConfiguration.maximumPercent", "set `deployment.maximum-percent`"),
    (SERVICE, "deploymentConfiguration.minimumHealthyPercent", "set `deployment.minimum-healthy-percent`"),
    (SERVICE, "deploymentConfiguration.earlySuccessCriteria", "set `deployment.early-success`"),
    (SERVICE, "deploymentConfiguration.strategy", "remove it: releases are rolling"),
    (SERVICE, "deploymentConfiguration.bakeTimeInMinutes", "set `deployment.bake-secs`"),
    (SERVICE, "deploymentConfiguration.lifecycleHooks", "remove it: releases are rolling"),
    (SERVICE, "deploymentConfiguration.canaryConfiguration", "remove it: releases are rolling"),
    (SERVICE, "deploymentConfiguration.linearConfiguration", "remove it: releases are rolling"),
    (SERVICE, "deploymentController", "remove it: ECS itself deploys"),
    (SERVICE, "networkConfiguration", "set `network`, of the service or of all, and `security-groups`"),
    (SERVICE, "forceNewDeployment", "remove it: a release rolls what changes"),
    (SERVICE, "healthCheckGracePeriodSeconds", "set `deployment.health-check-grace-secs`"),
    (SERVICE, "enableExecuteCommand", "set `enable-execute-command`"),
    (SERVICE, "loadBalancers", "set `target-group` and `routes`"),
    (SERVICE, "serviceConnectConfiguration", "set `connect`, or `aws.connect` for the rest of it"),
    (CONNECT, "enabled", "set `connect`"),
    (CONNECT, "namespace", "set `namespace`"),
    (
        CONNECT,
        "services.clientAliases",
        "set `connect.alias`, or `connect.endpoint.NAME.alias` of another endpoint",
    ),
    (TASK, "placementConstraints", "remove it: Fargate has none"),
    (TASK, "inferenceAccelerators", "remove it: Fargate has none"),
    (SERVICE, "placementConstraints", "remove it: Fargate has none"),
    (SERVICE, "placementStrategy", "remove it: Fargate has none"),
    (CONTAINER, "links", "remove it: Fargate has none"),
    (CONTAINER, "privileged", "remove it: Fargate has none"),
];

/// The same for sidecars, where they have other keys than the own container, or more. Their logs may go elsewhere.
const OF_SIDECARS: [(&str, &str); 6] = [
    ("name", "remove it: its table's name is the container's"),
    ("image", "set `image`"),
    ("essential", "set `essential`"),
    ("cpu", "set `cpu`"),
    ("memory", "set `memory-mib`"),
    ("firelensConfiguration.type", "set `log-router`"),
];

/// Every table, what it may not say, and what does say it.
fn owned() -> impl Iterator<Item = (&'static str, &'static str, String)> {
    let shared = OWNED.iter().copied().filter(|(table, path, _)| {
        let other = path.starts_with("logConfiguration") || OF_SIDECARS.iter().any(|(own, _)| own == path);
        *table == CONTAINER && !other
    });
    let shared = shared.map(|(_, path, instead)| (SIDECAR, path, instead.replace("`container.", "`")));
    let alone = OF_SIDECARS.into_iter().map(|(path, instead)| (SIDECAR, path, instead.to_owned()));
    let others = OWNED.iter().map(|&(table, path, instead)| (table, path, instead.to_owned()));
    others.chain(shared).chain(alone)
}

/// The definitions of all tables and of what they hold.
pub(super) fn definitions() -> Map<String, Value> {
    let structures: Map<String, Value> = serde_json::from_str(MEMBERS).unwrap_or_default();
    let node = |members: &Value| {
        let members = members.as_object().into_iter().flatten();
        let properties: Map<_, _> =
            members.map(|(name, kind)| (name.clone(), of_kind(kind.as_str()))).collect();
        json!({ "type": "object", "additionalProperties": false, "properties": properties })
    };
    let mut all: Map<_, _> =
        structures.iter().map(|(name, members)| (format!("aws.{name}"), node(members))).collect();
    for (table, structure) in TABLES {
        let whole = all[&format!("aws.{structure}")].clone();
        all.insert(table.to_owned(), whole);
    }
    // A target group's attributes are not in ECS's requests, and AWS has new ones from time to time.
    let delay = json!({ "description": "set `target-group.deregistration-delay-secs`", "not": {} });
    all.insert(
        "aws.table.target-group-attributes".to_owned(),
        json!({
            "type": "object",
            "properties": { TargetGroupSpec::DEREGISTRATION_DELAY: delay },
            "additionalProperties": { "type": "string" },
        }),
    );
    for (table, path, instead) in owned() {
        let mut own = all[table].take();
        refuse(&all, &mut own, path, &instead);
        all[table] = own;
    }
    all
}

fn of_kind(kind: Option<&str>) -> Value {
    let kind = kind.unwrap_or_default();
    let inner = |open, close| kind.strip_prefix(open)?.strip_suffix(close);
    match kind {
        "any" => json!({}),
        _ if inner('[', ']').is_some() => json!({ "type": "array", "items": of_kind(inner('[', ']')) }),
        _ if inner('{', '}').is_some() => {
            json!({ "type": "object", "additionalProperties": of_kind(inner('{', '}')) })
        }
        kind if kind.starts_with(char::is_uppercase) => {
            json!({ "$ref": format!("#/definitions/aws.{kind}") })
        }
        kind => json!({ "type": kind }),
    }
}

/// Refuses the member at a path; what is on the way becomes this table's own, because others may use it otherwise.
fn refuse(all: &Map<String, Value>, node: &mut Value, path: &str, instead: &str) {
    let (member, rest) = path.split_once('.').map_or((path, None), |(member, rest)| (member, Some(rest)));
    if let Some(named) = node["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/")) {
        *node = all[named].clone();
    }
    if node["type"] == "array" {
        return refuse(all, &mut node["items"], path, instead);
    }
    let below = &mut node["properties"][member];
    match rest {
        Some(rest) => refuse(all, below, rest, instead),
        None => *below = json!({ "description": instead, "not": {} }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_owned_member_is_one_of_awss() {
        let all = definitions();
        for (table, path, _) in owned() {
            let structure = TABLES.iter().find(|(name, _)| *name == table).unwrap().1;
            let mut node = all[&format!("aws.{structure}")].clone();
            for member in path.split('.') {
                if let Some(item) = node.get("items") {
                    node = item.clone();
                }
                if let Some(named) = node["$ref"].as_str() {
                    node = all[named.trim_start_matches("#/definitions/")].clone();
                }
                let below = node["properties"].get(member).or_else(|| node.get("additionalProperties"));
                let below =
                    below.filter(|below| below.is_object()).unwrap_or_else(|| panic!("{table} {path}"));
                node = below.clone();
            }
        }
    }
}
