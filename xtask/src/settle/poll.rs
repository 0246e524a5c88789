//! One poll: everything about all open deployments, in as few calls as AWS allows, at the same time.

use deploy::event::Kind;
use deploy::redact;
use deploy::rollout::{ServiceDeploymentSnapshot, ServiceSnapshot, TargetSnapshot, TaskSnapshot};
use futures_util::future::{join, join_all, try_join};

use crate::aws::{Aws, Error};
use crate::report::Recorder;

/// What to read about one service.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) service: String,
    pub(super) service_deployment: Option<String>,
    pub(super) target_group: Option<String>,
}

/// What was read about one service.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) service: ServiceSnapshot,
    pub(super) deployment: Option<ServiceDeploymentSnapshot>,
    pub(super) tasks: Vec<TaskSnapshot>,
    pub(super) targets: Vec<TargetSnapshot>,
}

impl Seen {
    /// Takes secrets out of all that is free text, before anything of it is told or kept.
    fn redact(&mut self) {
        let clean = |text: &mut String| *text = redact::text(text);
        self.service.events.iter_mut().for_each(|event| clean(&mut event.message));
        for task in &mut self.tasks {
            task.stopped_reason.iter_mut().for_each(clean);
            task.containers.iter_mut().filter_map(|container| container.reason.as_mut()).for_each(clean);
        }
        self.targets.iter_mut().filter_map(|target| target.description.as_mut()).for_each(clean);
    }
}

/// Reads that the endpoint lacks. Each is told once; the deploy goes on without it.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    service_deployments: bool,
    tasks: bool,
    targets: bool,
}

/// Reads all open services. A service that could not be read is not in the answer.
pub(super) async fn all(
    aws: &Aws,
    events: &Recorder,
    cluster: &str,
    asks: &[Ask],
    gaps: &mut Gaps,
) -> Vec<Seen> {
    let names: Vec<&str> = asks.iter().map(|ask| ask.service.as_str()).collect();
    let arns: Vec<String> = asks.iter().filter_map(|ask| ask.service_deployment.clone()).collect();
    let deployments = async {
        if arns.is_empty() || gaps.service_deployments {
            Ok(Vec::new())
        } else {
            aws.describe_service_deployments(&arns).await
        }
    };
    let details = join_all(asks.iter().map(|ask| detail(aws, cluster, ask, gaps)));
    let (services, (deployments, details)) =
        join(aws.describe_services(cluster, &names), join(deployments, details)).await;
    let services = match services {
        Ok(services) => services,
        Err(error) => {
            events.emit(Kind::Warned {
                text: format!("the services could not be read: {error}; asking again"),
            });
            return Vec::new();
        }
    };
    let deployments = optional(events, "service deployments", deployments, &mut gaps.service_deployments);
    let mut seen = Vec::new();
    for (ask, (tasks, targets)) in asks.iter().zip(details) {
        let Some(service) = services.iter().find(|service| service.name == ask.service) else { continue };
        let deployment =
            deployments.iter().find(|entry| ask.service_deployment.as_deref() == Some(&entry.arn));
        // Without it a rollback looks like a supersession: no verdict is better than that one.
        if ask.service_deployment.is_some() && deployment.is_none() && !gaps.service_deployments {
            continue;
        }
        let mut found = Seen {
            service: service.clone(),
            deployment: deployment.cloned(),
            tasks: optional(events, "tasks", tasks, &mut gaps.tasks),
            targets: optional(events, "target health", targets, &mut gaps.targets),
        };
        found.redact();
        seen.push(found);
    }
    seen
}

type Read<T> = Result<Vec<T>, Error>;

async fn detail(
    aws: &Aws,
    cluster: &str,
    ask: &Ask,
    gaps: &Gaps,
) -> (Read<TaskSnapshot>, Read<TargetSnapshot>) {
    let tasks = async {
        if gaps.tasks {
            return Ok(Vec::new());
        }
        // ListTasks shows tasks that should run, or those that should not, never both.
        let (running, stopped) = try_join(
            aws.service_tasks(cluster, &ask.service, false),
            aws.service_tasks(cluster, &ask.service, true),
        )
        .await?;
        Ok([running, stopped].concat())
    };
    let targets = async {
        match &ask.target_group {
            Some(arn) if !gaps.targets => aws.describe_target_health(arn).await,
            _ => Ok(Vec::new()),
        }
    };
    join(tasks, targets).await
}

/// The answer, or nothing when there was none. What an endpoint lacks is not asked for again.
fn optional<T>(events: &Recorder, what: &str, read: Read<T>, gap: &mut bool) -> Vec<T> {
    read.unwrap_or_else(|error| {
        *gap = error.is_unavailable();
        let after = if *gap { "going on without" } else { "asking again" };
        events.emit(Kind::Warned { text: format!("{what} could not be read: {error}; {after}") });
        Vec::new()
    })
}
