//! Somebody else, with credentials of his own, who acts on the account while a release rolls.

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::model::Environment;
use deploy::model::spec::TaskDefinitionSpec;
use deploy::rollout::{ServiceSnapshot, TaskSnapshot};
use serde_json::{Value, json};
use sim::door::cloud::{Cloud, Delivery};
use xtask::aws::{Arns, Aws, UpdateService};

/// The access key that his calls are signed with.
pub(crate) const ACCESS_KEY: &str = "somebody";

/// How often he looks, and how often at most: a moment that never comes must end the story.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS: u32 = 8_000;

pub(crate) struct Somebody {
    pub(crate) cloud: Cloud,
    pub(crate) aws: Aws,
    pub(crate) environment: Environment,
}

/// A moment of a roll, as DescribeServices shows it: ours is PRIMARY and on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// No task of ours runs yet.
    BeforeAnyTask,
    /// Our tasks run; their targets are not healthy yet.
    TargetsGetHealthy,
    /// Ours are healthy, and old ones are leaving.
    Draining,
    /// The old ones are gone, and ECS has not called it complete yet.
    BeforeCompletion,
    /// ECS has called it complete.
    Complete,
}

impl Moment {
    /// The moments before the completion of a roll, in order.
    pub(crate) const OF_A_ROLL: [Self; 4] =
        [Self::BeforeAnyTask, Self::TargetsGetHealthy, Self::Draining, Self::BeforeCompletion];

    fn is_now(self, service: &ServiceSnapshot) -> bool {
        let Some((ours, old)) = service.deployments.split_first() else { return false };
        let moves = ours.rollout_state.as_deref() == Some("IN_PROGRESS");
        let all = ours.running == ours.desired;
        let old_running: u32 = old.iter().map(|deployment| deployment.running).sum();
        match self {
            Self::BeforeAnyTask => moves && ours.running == 0,
            Self::TargetsGetHealthy => moves && all && old_running > 0,
            Self::Draining => moves && all && !old.is_empty() && old_running == 0,
            Self::BeforeCompletion => moves && all && old.is_empty(),
            Self::Complete => ours.rollout_state.as_deref() == Some("COMPLETED"),
        }
    }
}

impl Somebody {
    fn backend(&self) -> (&str, &str) {
        (&self.environment.cluster, &self.environment.services[0].name)
    }

    /// The backend's service as it is.
    pub(crate) async fn looks(&self) -> ServiceSnapshot {
        let (cluster, name) = self.backend();
        self.aws.describe_services(cluster, &[name]).await.unwrap().remove(0)
    }

    /// Waits for a moment of the roll of this revision of the backend.
    pub(crate) async fn waits_for(&self, moment: Moment, revision: &str) -> ServiceSnapshot {
        for _ in 0..LOOKS {
            let service = self.looks().await;
            let ours = service.deployments.first();
            let ours = ours.is_some_and(|primary| primary.task_definition.ends_with(revision));
            if ours && moment.is_now(&service) {
                return service;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("{moment:?} of {revision} never came");
    }

    /// Deploys another revision of the backend: the latest one with twice the memory.
    pub(crate) async fn deploys(&self) {
        let family = &self.environment.services[0].family;
        let mut members = self.aws.describe_task_definition(family).await.unwrap().spec.members().clone();
        let memory: u32 = members.get(&["memory"]).unwrap().as_str().unwrap().parse().unwrap();
        members.put(&["memory"], json!((memory * 2).to_string()));
        let spec = TaskDefinitionSpec::of(members);
        let tags = [("actor", "ann@example.org"), ("release", "release-of-ann")];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let made = self.aws.register_task_definition(&spec, &tags).await.unwrap();
        self.updates(Some(&made.arn), None).await.unwrap();
    }

    /// Stops a task of this revision once there is one.
    pub(crate) async fn stops_a_task(&self, revision: &str) {
        let (cluster, service) = self.backend();
        for _ in 0..LOOKS {
            let tasks = self.aws.service_tasks(cluster, service, false).await.unwrap();
            let ours = |task: &&TaskSnapshot| task.task_definition.ends_with(revision);
            if let Some(task) = tasks.iter().find(ours) {
                self.aws.stop_task(cluster, &task.id, "to see what happens").await.unwrap();
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("there was no task of {revision}");
    }

    /// Has as many tasks of the backend run, as a scaling policy does.
    pub(crate) async fn scales_to(&self, desired: u32) {
        self.updates(None, Some(desired)).await.unwrap();
    }

    /// Rolls anew what runs.
    pub(crate) fn forces_a_deployment(&self) {
        let (cluster, service) = self.backend();
        let body = json!({ "cluster": cluster, "service": service, "forceNewDeployment": true });
        ecs(&self.cloud, "UpdateService", &body).unwrap();
    }

    async fn updates(
        &self,
        task_definition: Option<&str>,
        desired: Option<u32>,
    ) -> Result<(), xtask::aws::Error> {
        let (cluster, name) = self.backend();
        let before = self.aws.describe_services(cluster, &[name]).await?.remove(0);
        let found = self.aws.find_services(cluster, &[name], &Arns::default()).await?;
        let Some(found) = found.first() else { return Ok(()) };
        let update = UpdateService {
            spec: &found.spec,
            members: &BTreeSet::new(),
            task_definition,
            desired,
            force_new_deployment: false,
            previous_primary: before.deployments.first().map(|primary| primary.id.as_str()),
            arns: &Arns::default(),
        };
        self.aws.update_service(&update).await.map(drop)
    }

    /// Stops what rolls, `ROLLBACK` or `ABORT`; by hand, since the tool only knows the first.
    pub(crate) fn stops(&self, service: &ServiceSnapshot, stop_type: &str) {
        let arn = service.service_deployment.as_deref().unwrap();
        let body = json!({ "serviceDeploymentArn": arn, "stopType": stop_type });
        ecs(&self.cloud, "StopServiceDeployment", &body).unwrap();
    }

    /// Deletes the backend's service, with all its tasks.
    pub(crate) async fn deletes(&self) {
        let (cluster, name) = self.backend();
        self.aws.delete_service(cluster, name, true).await.unwrap();
    }
}

/// Asks ECS by hand, as with the AWS CLI. It takes no time. An error is the body of the refusal, or nothing.
pub(crate) fn ecs(cloud: &Cloud, operation: &str, body: &Value) -> Result<Value, Value> {
    api(cloud, &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body)
}

/// The same of another API, by its target.
pub(crate) fn api(cloud: &Cloud, target: &str, body: &Value) -> Result<Value, Value> {
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20251009/ap-southeast-1/ecs/aws4_request, SignedHeaders=host, Signature=0"
    );
    let request = http::Request::post("http://cloud.test/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("authorization", signed)
        .body(body.to_string())
        .unwrap();
    let (parts, body) = request.into_parts();
    match cloud.call(cloud.clock().millis(), &parts, body.into()) {
        Delivery::Reply(reply) => {
            let body = serde_json::from_slice(reply.body()).unwrap_or_default();
            if reply.status() == 200 { Ok(body) } else { Err(body) }
        }
        Delivery::Refused | Delivery::Reset => Err(Value::Null),
    }
}
