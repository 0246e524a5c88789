//! Tasks.

use std::sync::atomic::Ordering::Relaxed;

use aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput;
use aws_sdk_ecs::operation::list_tasks::ListTasksOutput;
use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{ContainerOverride, DesiredStatus, LaunchType, Task, TaskOverride};
use deploy::model::spec::ServiceSpec;
use deploy::rollout::TaskSnapshot;
use futures_util::future::{try_join, try_join_all};

use super::{settings, snapshot};
use crate::aws::call::Op;
use crate::aws::names::wire;
use crate::aws::{Aws, Error, Kind, arn_name};

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
    Cluster,
}

/// The tasks of a service: those that shall run, and those that shall not, which ECS remembers for about an hour.
#[derive(Clone, Debug, Default)]
pub struct ServiceTasks {
    pub running: Vec<TaskSnapshot>,
    pub stopped: Vec<TaskSnapshot>,
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

    /// The tasks of services, in their order. A service that does not exist has none.
    ///
    /// Tasks are listed by service, or by cluster, and described by ARN, 100 at a time: where a cluster has few tasks beside
    /// theirs, one list of each kind is enough for all services. Without `stopped` those that shall not run are not read.
    pub async fn tasks_of(
        &self,
        cluster: &str,
        services: &[&str],
        stopped: bool,
    ) -> Result<Vec<ServiceTasks>, Error> {
        if services.len() > 1 && !self.is_crowded.load(Relaxed) {
            let pages = services.len();
            let ended = async {
                match stopped {
                    true => self.list_pages(cluster, Of::Cluster, true, pages).await,
                    false => Ok(Some(Vec::new())),
                }
            };
            let lists = try_join(self.list_pages(cluster, Of::Cluster, false, pages), ended);
            let lists = match lists.await {
                // Before the first deploy there is no cluster.
                Err(error) if error.kind == Kind::NotFound => {
                    return Ok(vec![ServiceTasks::default(); services.len()]);
                }
                lists => lists?,
            };
            if let (Some(running), Some(stopped)) = lists {
                let mut all = [running, stopped.clone()].concat();
                // One that stopped between the two lists is in both.
                all.sort_unstable();
                all.dedup();
                let described = self.read_tasks(cluster, &all).await?;
                return Ok(services.iter().map(|name| of_service(name, &described, &stopped)).collect());
            }
            self.is_crowded.store(true, Relaxed);
        }
        let tasks = async |service, stopped| match self.service_tasks(cluster, service, stopped).await {
            // DescribeServices says of a missing service that it is missing; ListTasks fails for it.
            Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
            read => read,
        };
        try_join_all(services.iter().map(async |service| {
            let ended = async { if stopped { tasks(service, true).await } else { Ok(Vec::new()) } };
            let (running, stopped) = try_join(tasks(service, false), ended).await?;
            Ok(ServiceTasks { running, stopped })
        }))
        .await
    }

    async fn list(&self, cluster: &str, of: Of<'_>, stopped: bool) -> Result<Vec<String>, Error> {
        Ok(self.list_pages(cluster, of, stopped, usize::MAX).await?.unwrap_or_default())
    }

    /// At most so many pages of 100; `None` when there are more.
    async fn list_pages(
        &self,
        cluster: &str,
        of: Of<'_>,
        stopped: bool,
        pages: usize,
    ) -> Result<Option<Vec<String>>, Error> {
        let status = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
        let (mut found, mut next) = (Vec::new(), None);
        for _ in 0..pages {
            let call = || {
                let list = self.ecs.list_tasks().cluster(cluster).set_next_token(next.clone());
                match of {
                    Of::Service(name) => list.service_name(name).desired_status(status.clone()),
                    Of::Family(name) => list.family(name).desired_status(status.clone()),
                    // Alone: ECS takes no other filter beside it.
                    Of::StartedBy(text) => list.started_by(text),
                    Of::Cluster => list.desired_status(status.clone()),
                }
                .send()
            };
            let page = |reply: ListTasksOutput| Ok((reply.task_arns.ok_or("taskArns")?, reply.next_token));
            let (arns, token) = self.call_for(LIST, call, page).await?;
            found.extend(arns);
            next = token;
            if next.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Tasks by ARN or id. Those that ECS has forgotten are left out.
    pub async fn describe_tasks(&self, cluster: &str, tasks: &[String]) -> Result<Vec<TaskSnapshot>, Error> {
        Ok(self.read_tasks(cluster, tasks).await?.iter().map(snapshot::task).collect())
    }

    async fn read_tasks(&self, cluster: &str, tasks: &[String]) -> Result<Vec<Task>, Error> {
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
        Ok(found.into_iter().flatten().collect())
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
        // RunTask says under `failures` why it placed nothing, and succeeds: a reply with neither is no answer of ECS.
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

/// A service's tasks carry its name as their group (ECS API, Task).
fn of_service(name: &str, tasks: &[Task], stopped: &[String]) -> ServiceTasks {
    let is_its = |task: &&Task| task.group().and_then(|group| group.strip_prefix("service:")) == Some(name);
    let shall_stop =
        |task: &&Task| task.task_arn().is_some_and(|arn| stopped.iter().any(|listed| listed == arn));
    let (stopped, running): (Vec<&Task>, Vec<&Task>) = tasks.iter().filter(is_its).partition(shall_stop);
    let shown = |tasks: Vec<&Task>| tasks.into_iter().map(snapshot::task).collect();
    ServiceTasks { running: shown(running), stopped: shown(stopped) }
}
