//! What this cloud's things are called on an engine, and how they are found again.

use std::path::Path;

use crate::ecr::digest_of;
use crate::workload::TaskStart;

/// Which cloud a thing belongs to.
pub(super) const CLOUD: &str = "embedded-cloud.id";
/// Whether a container is a task's own or its sidecar.
pub(super) const ROLE: &str = "embedded-cloud.role";
/// A container of a task's definition.
pub(super) const CONTAINER: &str = "container";
/// The sidecar of those containers.
pub(super) const SIDECAR: &str = "sidecar";

/// A cloud's id: what its state folder is called, shortened. It is the same for the cloud that comes
/// after one that was killed.
pub(super) fn id(state_dir: &Path) -> String {
    let digest = digest_of(state_dir.to_string_lossy().as_bytes());
    digest.trim_start_matches("sha256:").chars().take(10).collect()
}

/// The filter that finds a cloud's containers, networks and volumes.
pub(super) fn of_cloud(id: &str) -> String {
    format!("label={CLOUD}={id}")
}

/// The filter that finds the containers of a role.
pub(super) fn of_role(role: &str) -> String {
    format!("label={ROLE}={role}")
}

pub(super) fn network(id: &str) -> String {
    format!("embedded-cloud-{id}")
}

/// The filter that finds a cloud's images.
pub(super) fn of_images(id: &str) -> String {
    format!("reference=localhost/embedded-cloud-{id}/*")
}

/// What an image of the account's registry is called. Podman would put `localhost/` before a name without a registry.
pub(super) fn image(id: &str, repository: &str, digest: &str) -> String {
    let short: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    format!("localhost/embedded-cloud-{id}/{}:{short}", repository.replace('/', "-"))
}

/// A container's name, as ECS's agent names them: `ecs-<family>-<revision>-<container>-<task>`.
pub(super) fn container(start: &TaskStart, name: &str) -> String {
    let short: String = start.task.chars().take(12).collect();
    format!("ecs-{}-{name}-{short}", start.task_definition.replace(':', "-"))
}

/// A volume's name that containers of a task share.
pub(super) fn volume(start: &TaskStart, name: &str) -> String {
    container(start, name)
}

/// The labels of a task's container: this cloud's, and those that ECS's agent
/// sets (its documentation, "Container labels").
pub(super) fn labels(id: &str, start: &TaskStart, role: &str, name: &str) -> Vec<String> {
    let (family, revision) = start.task_definition.rsplit_once(':').unwrap_or((&start.task_definition, ""));
    [
        (CLOUD, id),
        (ROLE, role),
        ("com.amazonaws.ecs.cluster", &start.cluster),
        ("com.amazonaws.ecs.container-name", name),
        ("com.amazonaws.ecs.task-arn", &start.task_arn),
        ("com.amazonaws.ecs.task-definition-family", family),
        ("com.amazonaws.ecs.task-definition-version", revision),
    ]
    .into_iter()
    .flat_map(|(label, value)| ["--label".to_owned(), format!("{label}={value}")])
    .collect()
}
