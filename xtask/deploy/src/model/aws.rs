//! The `aws` tables: members in AWS's own names and shapes, for what no key says.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::spec::Members;

/// Members in AWS's own names and shapes, for what no other key says. They are merged into the request: objects member by
/// member, lists of named things entry by entry, other lists as wholes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsTables {
    /// Members of the task definition, sidecars in `containerDefinitions` among them (ECS RegisterTaskDefinition).
    #[schemars(schema_with = "task_definition")]
    pub task_definition: Members,
    /// Members of the service's own container (ECS ContainerDefinition).
    #[schemars(schema_with = "container")]
    pub container: Members,
    /// Members of the service (ECS UpdateService). What is taken out of here later keeps its value on AWS.
    #[schemars(schema_with = "service")]
    pub service: Members,
    /// Members of its `serviceConnectConfiguration`, such as `services = [{ portName = "…", timeout = { … } }]`.
    #[schemars(schema_with = "connect")]
    pub connect: Members,
    /// Attributes of its target group, such as `"slow_start.duration_seconds" = "30"` (ELBv2 TargetGroupAttribute).
    #[schemars(schema_with = "target_group_attributes")]
    pub target_group_attributes: BTreeMap<String, String>,
}

/// Members of the load balancer in AWS's own names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadBalancerTables {
    /// Its attributes, such as `"idle_timeout.timeout_seconds" = "120"` (ELBv2 LoadBalancerAttribute). Those that are not here
    /// stay as they are.
    pub attributes: BTreeMap<String, String>,
}

fn task_definition(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.task-definition" })
}

fn container(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.container" })
}

fn service(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.service" })
}

fn connect(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.connect" })
}

fn target_group_attributes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/aws.table.target-group-attributes" })
}
