//! One poll: everything about all open deployments, in as few calls as AWS allows, at the same time.

use deploy::event::Kind;
use deploy::redact;
use deploy::rollout::{ServiceDeploymentSnapshot, ServiceSnapshot, TargetSnapshot, TaskSnapshot};
use futures_util::future::{join_all, join4};

use crate::aws::{self, Aws, Error};
use crate::report::Recorder;

/// What to read about one service.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) service: String,
    /// The deployment's id and its revision's ARN.
    pub(super) deployment: String,
    pub(super) revision: String,
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
    /// Masks secrets in all free text, before anything of it is shown or kept.
    fn redact(&mut self) {
        let clean = |text: &mut String| *text = redact::text(text);
        // Free text may quote what an application or an operator put into it: a connection string in a reason, for one.
        self.service.events.iter_mut().for_each(|event| clean(&mut event.message));
        for task in &mut self.tasks {
            task.stopped_reason.iter_mut().for_each(clean);
            task.containers.iter_mut().filter_map(|container| container.reason.as_mut()).for_each(clean);
        }
        self.targets.iter_mut().filter_map(|target| target.description.as_mut()).for_each(clean);
    }

    /// Gives tasks to the deployment by their revision, where none is started by a deployment: some endpoints write
    /// another word than its id into `startedBy`.
    fn attribute(&mut self, ask: &Ask) {
        let known = |task: &TaskSnapshot| task.started_by.starts_with("ecs-svc/");
        if !self.tasks.iter().any(known) {
            let ours = self.tasks.iter_mut().filter(|task| task.task_definition == ask.revision);
            ours.for_each(|task| task.started_by.clone_from(&ask.deployment));
        }
    }
}

/// Reads that the endpoint lacks, and reads that fail at this time. Each is reported once.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    service_deployments: Gap,
    tasks: Gap,
    targets: Gap,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gap {
    /// The last read was answered.
    #[default]
    None,
    /// It failed, and is repeated.
    Failing,
    Lacking,
}

/// Reads all open services. A service about which not enough was read is not in the answer.
///
/// # Errors
/// When the services, or their service deployments, cannot be read.
pub(super) async fn all(
    aws: &Aws,
    events: &Recorder,
    cluster: &str,
    asks: &[Ask],
    gaps: &mut Gaps,
) -> Result<Vec<Seen>, Error> {
    let names: Vec<&str> = asks.iter().map(|ask| ask.service.as_str()).collect();
    let arns: Vec<String> = asks.iter().filter_map(|ask| ask.service_deployment.clone()).collect();
    let deployments = async {
        if arns.is_empty() || gaps.service_deployments == Gap::Lacking {
            Ok(Vec::new())
        } else {
            aws.describe_service_deployments(&arns).await
        }
    };
    // Beside the first two reads and not after them: the views may be a moment apart in any case, and the fold allows for that.
    let tasks = async {
        if gaps.tasks == Gap::Lacking {
            return Ok(Vec::new());
        }
        // ListTasks filters by `desiredStatus`, RUNNING when none is given. A failed task is listed under STOPPED only.
        let of = aws.tasks_of(cluster, &names, true).await?;
        Ok(of.into_iter().map(|of| [of.running, of.stopped].concat()).collect())
    };
    let targets = join_all(asks.iter().map(|ask| targets(aws, ask, gaps)));
    let (services, deployments, tasks, targets) =
        join4(aws.describe_services(cluster, &names), deployments, tasks, targets).await;
    let services = services?;
    let deployments = match deployments {
        // Without the service deployment a rollback looks like a supersession, since both show another PRIMARY: no verdict is
        // better than that one.
        Err(error) if !error.is_unavailable() => return Err(error),
        read => optional(events, "service deployments", read, &mut gaps.service_deployments),
    };
    let mut tasks = optional(events, "tasks", tasks, &mut gaps.tasks);
    tasks.resize_with(asks.len(), Vec::new);
    let mut seen = Vec::new();
    for ((ask, tasks), targets) in asks.iter().zip(tasks).zip(targets) {
        let Some(service) = services.iter().find(|service| service.name == ask.service) else { continue };
        let deployment =
            deployments.iter().find(|entry| ask.service_deployment.as_deref() == Some(&entry.arn));
        let lacking = gaps.service_deployments == Gap::Lacking;
        // A service that was deleted has no service deployments; DescribeServices still shows it as DRAINING or INACTIVE.
        let active = service.is_active();
        if active && ask.service_deployment.is_some() && deployment.is_none() && !lacking {
            continue;
        }
        let mut found = Seen {
            service: service.clone(),
            deployment: deployment.cloned(),
            tasks,
            targets: optional(events, "target health", targets, &mut gaps.targets),
        };
        found.redact();
        found.attribute(ask);
        seen.push(found);
    }
    Ok(seen)
}

type Read<T> = Result<Vec<T>, Error>;

async fn targets(aws: &Aws, ask: &Ask, gaps: &Gaps) -> Read<TargetSnapshot> {
    match &ask.target_group {
        Some(arn) if gaps.targets != Gap::Lacking => aws.describe_target_health(arn).await,
        _ => Ok(Vec::new()),
    }
}

/// The result, or nothing on error. Reads that the endpoint does not support are not repeated.
fn optional<T>(events: &Recorder, what: &str, read: Read<T>, gap: &mut Gap) -> Vec<T> {
    let error = match read {
        Ok(read) => {
            // What is lacking was not read, so that this is no success: it would be read, and warned of, at every other poll.
            if *gap != Gap::Lacking {
                *gap = Gap::None;
            }
            return read;
        }
        // Reads lag behind writes: a service or target group that was created a moment ago may not be found yet.
        Err(error) if matches!(error.kind, aws::Kind::NotFound) => return Vec::new(),
        Err(error) => error,
    };
    let (found, after) = match error.is_unavailable() {
        true => (Gap::Lacking, "going on without"),
        false => (Gap::Failing, "asking again"),
    };
    if *gap != found {
        *gap = found;
        events.emit(Kind::Warned { text: format!("cannot read {what}: {error}; {after}") });
    }
    Vec::new()
}
