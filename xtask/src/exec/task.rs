//! Which task and which container are meant.

use deploy::model::{CONNECT_PROXY, Environment, Service, arn_name};
use deploy::rollout::{ServiceSnapshot, TaskSnapshot};

use super::Error;
use crate::aws::{self, Aws};
use crate::observe;

#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub service: &'a Service,
    /// The task's id, or how it begins; the newest of the newest deployment when `None`.
    pub task: Option<&'a str>,
    /// The container's name; the service's own when `None`.
    pub container: Option<&'a str>,
}

/// A container of a running task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub cluster: String,
    pub task: String,
    pub container: String,
    /// Whether ECS Exec reaches it.
    pub takes_commands: bool,
}

/// Finds what is meant, and RUNNING.
///
/// # Errors
/// [`Error`], which names what there is instead.
pub async fn find(aws: &Aws, environment: &Environment, wanted: Wanted<'_>) -> Result<Target, Error> {
    let service = wanted.service;
    observe::guard(aws, environment).await?;
    let read = |error: aws::Error| Error::Observe(error.into());
    let cluster = &environment.cluster;
    let found = observe::deployed(aws, environment, &[service]).await?;
    let arns = aws.list_tasks(cluster, &service.name, false).await.map_err(read)?;
    let tasks = aws.describe_tasks(cluster, &arns).await.map_err(read)?;
    let task = choose(&found[0], &tasks, wanted.task).map_err(Error::NoTask)?;
    let name = wanted.container.unwrap_or(&service.container.name);
    if !task.containers.iter().any(|container| container.name == name) {
        // The proxy that ECS adds takes commands too, and is nobody's application.
        let names = task.containers.iter().map(|container| container.name.as_str());
        return Err(Error::Container {
            task: task.id.clone(),
            wanted: name.to_owned(),
            known: listed(names.filter(|name| !name.starts_with(CONNECT_PROXY))),
        });
    }
    Ok(Target {
        cluster: cluster.clone(),
        task: arns.into_iter().find(|arn| arn.ends_with(&task.id)).unwrap_or_else(|| task.id.clone()),
        container: name.to_owned(),
        takes_commands: task.execute_command,
    })
}

/// The task whose id begins so, or the newest of the newest deployment; of those that are RUNNING. The error is a sentence.
fn choose<'a>(
    service: &ServiceSnapshot,
    tasks: &'a [TaskSnapshot],
    id: Option<&str>,
) -> Result<&'a TaskSnapshot, String> {
    let running: Vec<&TaskSnapshot> = tasks.iter().filter(|task| task.is_running()).collect();
    let name = &service.name;
    if running.is_empty() {
        return Err(format!("no task of {name} is RUNNING"));
    }
    let ids = |tasks: &[&TaskSnapshot]| listed(tasks.iter().map(|task| task.id.as_str()));
    if let Some(id) = id {
        let id = arn_name(id);
        let named: Vec<_> = running.iter().copied().filter(|task| task.id.starts_with(id)).collect();
        return match named[..] {
            [one] => Ok(one),
            [] => Err(format!("no task {id} of {name} is RUNNING; there are {}", ids(&running))),
            _ => Err(format!("{id} begins the ids of several tasks of {name}: {}", ids(&named))),
        };
    }
    let primary = service.primary();
    let ours =
        running.iter().copied().filter(|task| primary.is_some_and(|primary| task.started_by == primary.id));
    ours.max_by_key(|task| (task.started_ms, &task.id)).ok_or_else(|| {
        format!(
            "no task of the newest deployment of {name} is RUNNING yet; `--task` takes an older one of {}",
            ids(&running)
        )
    })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use deploy::rollout::DeploymentSnapshot;

    use super::*;

    fn task(id: &str, by: &str, status: &str, started_ms: u64) -> TaskSnapshot {
        TaskSnapshot {
            id: id.to_owned(),
            started_by: by.to_owned(),
            last_status: status.to_owned(),
            started_ms: Some(started_ms),
            ..TaskSnapshot::default()
        }
    }

    fn service() -> ServiceSnapshot {
        let deployment = |id: &str, status: &str| DeploymentSnapshot {
            id: id.to_owned(),
            status: status.to_owned(),
            ..DeploymentSnapshot::default()
        };
        ServiceSnapshot {
            name: "web".to_owned(),
            deployments: vec![deployment("new", "PRIMARY"), deployment("old", "ACTIVE")],
            ..ServiceSnapshot::default()
        }
    }

    #[test]
    fn a_shell_opens_in_the_newest_release_and_not_in_the_one_that_leaves() {
        let tasks = [
            task("a1", "old", "RUNNING", 900),
            task("b1", "new", "RUNNING", 100),
            task("b2", "new", "RUNNING", 200),
            task("b3", "new", "PENDING", 300),
        ];
        assert_eq!(choose(&service(), &tasks, None).unwrap().id, "b2");
        assert_eq!(choose(&service(), &tasks, Some("a")).unwrap().id, "a1");
        assert_eq!(choose(&service(), &tasks, Some("arn:aws:ecs:r:1:task/c/b1")).unwrap().id, "b1");
        let several = choose(&service(), &tasks, Some("b")).unwrap_err();
        assert_eq!(several, "b begins the ids of several tasks of web: b1, b2");
        let pending = choose(&service(), &tasks, Some("b3")).unwrap_err();
        assert_eq!(pending, "no task b3 of web is RUNNING; there are a1, b1, b2");
        let early = choose(&service(), &tasks[..1], None).unwrap_err();
        assert!(early.contains("RUNNING yet") && early.ends_with("a1"), "{early}");
        assert_eq!(choose(&service(), &tasks[3..], None).unwrap_err(), "no task of web is RUNNING");
    }
}
