//! Tasks.

use aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput;
use aws_sdk_ecs::operation::list_tasks::ListTasksOutput;
use aws_sdk_ecs::types::DesiredStatus;
use deploy::rollout::TaskSnapshot;
use futures_util::future::try_join_all;

use super::snapshot;
use crate::aws::call::Op;
use crate::aws::{Aws, Error};

const LIST: Op = Op::read("ecs", "ListTasks");
const DESCRIBE: Op = Op::read("ecs", "DescribeTasks");
const STOP: Op = Op::write("ecs", "StopTask");

/// How many tasks one DescribeTasks takes.
const BATCH: usize = 100;

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
        let status = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = || {
                self.ecs
                    .list_tasks()
                    .cluster(cluster)
                    .service_name(service)
                    .desired_status(status.clone())
                    .set_next_token(next.clone())
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
    ///
    /// # Errors
    /// When AWS refuses.
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

    /// A service's tasks, as [`Aws::list_tasks`] and [`Aws::describe_tasks`] tell them.
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

    /// Stops a task.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn stop_task(&self, cluster: &str, task: &str, reason: &str) -> Result<(), Error> {
        self.call(STOP, || self.ecs.stop_task().cluster(cluster).task(task).reason(reason).send())
            .await
            .map(drop)
    }
}
