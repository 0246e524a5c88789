//! Tasks.

use aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput;
use aws_sdk_ecs::operation::list_tasks::ListTasksOutput;
use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{ContainerOverride, DesiredStatus, LaunchType, Task, TaskOverride};
use deploy::model::spec::ServiceSpec;
use deploy::rollout::TaskSnapshot;
use futures_util::future::try_join_all;

use super::{settings, snapshot};
use crate::aws::call::Op;
use crate::aws::names::wire;
use crate::aws::{Aws, Error, arn_name};

const LIST: Op = Op::read("ecs", "ListTasks");
const DESCRIBE: Op = Op::read("ecs", "DescribeTasks");
const RUN: Op = Op::write("ecs", "RunTask");
const STOP: Op = Op::write("ecs", "StopTask");

/// How many tasks one DescribeTasks takes.
const BATCH: usize = 100;

/// A task that belongs to no service.
#[derive(Debug)]
pub struct RunTask<'a> {
    /// The settings of the service whose network it shares.
    pub spec: &'a ServiceSpec,
    pub revision: String,
    /// The container whose command is another one.
    pub container: &'a str,
    pub command: &'a [String],
    /// MiB of the whole task and of its container; as the revision says when `None`.
    pub memory_mib: Option<u32>,
    /// At most 128 letters, digits and `-_/`.
    pub started_by: String,
    /// A second call with the same token starts nothing.
    pub token: String,
}

/// What tasks are listed by. A filter by `startedBy` takes no other beside it (ListTasks).
#[derive(Clone, Copy)]
enum Of<'a> {
    Service(&'a str),
    Family(&'a str),
    StartedBy(&'a str),
}

impl Aws {
    /// The ARNs of a service's tasks: those that shall run, or with `stopped` those that shall not, which ECS
    /// remembers for about an hour.
    ///
    /// # Errors
    /// When AWS refuses, or the service does not exist.
    pub async fn list_tasks(
        &self,
        cluster: &str,
        service: &str,
        stopped: bool,
    ) -> Result<Vec<String>, Error> {
        self.list(cluster, Of::Service(service), stopped).await
    }

    /// The tasks of a family, whoever started them.
    pub async fn family_tasks(
        &self,
        cluster: &str,
        family: &str,
        stopped: bool,
    ) -> Result<Vec<TaskSnapshot>, Error> {
        let tasks = self.list(cluster, Of::Family(family), stopped).await?;
        self.describe_tasks(cluster, &tasks).await
    }

    /// The tasks of a cluster that run and were started by this text.
    pub async fn started_tasks(&self, cluster: &str, by: &str) -> Result<Vec<TaskSnapshot>, Error> {
        let tasks = self.list(cluster, Of::StartedBy(by), false).await?;
        self.describe_tasks(cluster, &tasks).await
    }

    async fn list(&self, cluster: &str, of: Of<'_>, stopped: bool) -> Result<Vec<String>, Error> {
        let status = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = || {
                let list = self.ecs.list_tasks().cluster(cluster).set_next_token(next.clone());
                match of {
                    Of::Service(name) => list.service_name(name).desired_status(status.clone()),
                    Of::Family(name) => list.family(name).desired_status(status.clone()),
                    Of::StartedBy(text) => list.started_by(text),
                }
                .send()
            };
            let page = |reply: ListTasksOutput| Ok((reply.task_arns.ok_or("taskArns")?, reply.next_token));
            let (arns, token) = self.call_for(LIST, call, page).await?;
            found.extend(arns);
            next = token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Tasks by ARN or id. Those that ECS has forgotten are left out.
    pub async fn describe_tasks(&self, cluster: &str, tasks: &[String]) -> Result<Vec<TaskSnapshot>, Error> {
        let batch = |tasks: &[String]| {
            let tasks = tasks.to_vec();
            async move {
                let call =
                    || self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(tasks.clone())).send();
                let tasks = |reply: DescribeTasksOutput| reply.tasks.ok_or_else(|| "tasks".to_owned());
                self.call_for(DESCRIBE, call, tasks).await
            }
        };
        let found = try_join_all(tasks.chunks(BATCH).map(batch)).await?;
        Ok(found.iter().flatten().map(snapshot::task).collect())
    }

    /// A service's tasks, as [`Aws::list_tasks`] and [`Aws::describe_tasks`] read them.
    ///
    /// # Errors
    /// When AWS refuses, or the service does not exist.
    pub async fn service_tasks(
        &self,
        cluster: &str,
        service: &str,
        stopped: bool,
    ) -> Result<Vec<TaskSnapshot>, Error> {
        let tasks = self.list_tasks(cluster, service, stopped).await?;
        self.describe_tasks(cluster, &tasks).await
    }

    /// Starts one task; gives its id.
    ///
    /// # Errors
    /// When AWS refuses, or cannot place it.
    pub async fn run_task(&self, run: &RunTask<'_>) -> Result<String, Error> {
        let spec = run.spec;
        let network = settings::network(spec).map_err(|error| Error::unsendable(RUN, &error))?;
        let own = ContainerOverride::builder()
            .name(run.container)
            .set_command(Some(run.command.to_vec()))
            .set_memory(run.memory_mib.map(wire));
        let overrides = TaskOverride::builder()
            .container_overrides(own.build())
            .set_memory(run.memory_mib.map(|mib| mib.to_string()))
            .build();
        let call = || {
            self.ecs
                .run_task()
                .cluster(&spec.cluster)
                .task_definition(&run.revision)
                .launch_type(LaunchType::from(spec.launch_type.as_str()))
                .platform_version(&spec.platform_version)
                .network_configuration(network.clone())
                .overrides(overrides.clone())
                .started_by(&run.started_by)
                .enable_ecs_managed_tags(spec.managed_tags)
                .client_token(&run.token)
                .send()
        };
        let either = |reply: RunTaskOutput| match reply.tasks().is_empty() && reply.failures().is_empty() {
            true => Err("tasks".to_owned()),
            false => Ok(reply),
        };
        let reply = self.call_for(RUN, call, either).await?;
        match (reply.tasks().first().and_then(Task::task_arn), reply.failures().first()) {
            (Some(arn), _) => Ok(arn_name(arn).to_owned()),
            (None, Some(failure)) => {
                let reason = failure.reason().unwrap_or("no reason given");
                Err(Error::operation_failed(RUN, reason, failure.detail().unwrap_or_default()))
            }
            (None, None) => Err(Error::incomplete(RUN, "task")),
        }
    }

    pub async fn stop_task(&self, cluster: &str, task: &str, reason: &str) -> Result<(), Error> {
        self.call(STOP, || self.ecs.stop_task().cluster(cluster).task(task).reason(reason).send())
            .await
            .map(drop)
    }
}
