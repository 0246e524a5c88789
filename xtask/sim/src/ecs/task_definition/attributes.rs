//! `requiresAttributes`: what an instance must be able to do for a task definition. Fargate can do all of it; AWS shows it
//! all the same.

use serde_json::{Value, json};

use super::spec::{ContainerSpec, TaskSpec};

/// In the order of their names.
pub(super) fn required(spec: &TaskSpec) -> Value {
    let containers = &spec.container_definitions;
    let any = |holds: &dyn Fn(&ContainerSpec) -> bool| containers.iter().any(holds);
    let driver =
        |name: &str| any(&|it| it.log_configuration.as_ref().is_some_and(|log| log.log_driver == name));
    let of_ecr = any(&|it| it.image.contains(".dkr.ecr."));
    let secret_of = |service: &str| {
        any(&|it| it.secrets.iter().any(|own| own.value_from.contains(&format!(":{service}:"))))
    };
    let ssm = secret_of("ssm") || any(&|it| it.secrets.iter().any(|own| !own.value_from.starts_with("arn:")));
    let executes = spec.execution_role_arn.is_some();
    let names = [
        ("com.amazonaws.ecs.capability.docker-remote-api.1.18", of_ecr || driver("awslogs")),
        ("com.amazonaws.ecs.capability.docker-remote-api.1.19", driver("awslogs")),
        ("com.amazonaws.ecs.capability.docker-remote-api.1.24", any(&|it| it.health_check.is_some())),
        ("com.amazonaws.ecs.capability.ecr-auth", of_ecr),
        ("com.amazonaws.ecs.capability.logging-driver.awslogs", driver("awslogs")),
        ("com.amazonaws.ecs.capability.logging-driver.splunk", driver("splunk")),
        ("com.amazonaws.ecs.capability.task-iam-role", spec.task_role_arn.is_some()),
        ("ecs.capability.container-health-check", any(&|it| it.health_check.is_some())),
        ("ecs.capability.container-ordering", any(&|it| !it.depends_on.is_empty())),
        ("ecs.capability.efs", spec.volumes.iter().any(|volume| volume.efs_volume_configuration.is_some())),
        ("ecs.capability.env-files.s3", any(&|it| !it.environment_files.is_empty())),
        ("ecs.capability.execution-role-awslogs", executes && driver("awslogs")),
        ("ecs.capability.execution-role-ecr-pull", executes && of_ecr),
        ("ecs.capability.extensible-ephemeral-storage", spec.ephemeral_storage.is_some()),
        ("ecs.capability.logging-driver.awsfirelens", driver("awsfirelens")),
        ("ecs.capability.secrets.asm.environment-variables", secret_of("secretsmanager")),
        ("ecs.capability.secrets.ssm.environment-variables", ssm),
        ("ecs.capability.task-eni", spec.network_mode.as_deref() == Some("awsvpc")),
    ];
    names.into_iter().filter(|(_, needed)| *needed).map(|(name, _)| json!({ "name": name })).collect()
}
