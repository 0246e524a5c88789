//! What a service is, by the cloud's own account of it, at one moment that costs no time.

use deploy::model::Service;
use serde_json::{Value, json};
use sim::door::cloud::Cloud;
use sim::testing::{Route, route};

use super::neighbour::BY_HAND;
use crate::somebody::ecs;
use crate::world::World;

/// One service.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    /// ACTIVE, DRAINING, INACTIVE; nothing when there is no such service.
    status: String,
    desired: u64,
    pending: u64,
    /// Whether it should have no tasks.
    idle: bool,
    /// The digest in the revision that it should run.
    image: String,
    /// The digest of each running task.
    running: Vec<String>,
    /// Healthy targets behind the service's health path; of a worker, tasks that pass their container's health check.
    healthy: usize,
    /// A task of it runs by a revision whose task before the roll did not succeed first.
    pub(super) unprepared: bool,
    /// The rollout state of each deployment, the newest first.
    deployments: Vec<String>,
    /// Milliseconds since the last task was created, began or stopped, or a deployment was created.
    pub(super) still_ms: u64,
    /// Milliseconds since a task last stopped.
    pub(super) stopped_ms: u64,
}

impl Truth {
    /// Whether somebody scaled it to 0.
    pub(super) fn is_parked(&self) -> bool {
        self.status == "ACTIVE" && self.desired == 0 && !self.idle
    }

    /// Whether tasks of it stopped in the last so many milliseconds, or do not serve.
    pub(super) fn is_ill(&self, within_ms: u64) -> bool {
        self.stopped_ms < within_ms || (self.healthy as u64) < self.desired
    }

    /// All services of the environment, in its order.
    pub(super) fn all(world: &World) -> Vec<Self> {
        let World { cloud, environment, .. } = world;
        environment.services.iter().map(|service| Self::of(cloud, &environment.cluster, service)).collect()
    }

    fn of(cloud: &Cloud, cluster: &str, service: &Service) -> Self {
        let asked = json!({ "cluster": cluster, "services": [service.name] });
        let described = ecs(cloud, "DescribeServices", &asked).unwrap_or_default();
        let found = &described["services"][0];
        let tasks = tasks(cloud, cluster, &service.name);
        let running = tasks.iter().filter(|task| task["lastStatus"] == "RUNNING");
        let deployments = found["deployments"].as_array().map_or(&[][..], Vec::as_slice);
        let now = cloud.clock().millis().0 as f64;
        let moments = tasks
            .iter()
            .flat_map(|task| ["createdAt", "startedAt", "stoppingAt", "stoppedAt"].map(|at| &task[at]))
            .chain(
                deployments
                    .iter()
                    .flat_map(|deployment| ["createdAt", "updatedAt"].map(|at| &deployment[at])),
            );
        let last = moments.filter_map(Value::as_f64).fold(0.0, f64::max);
        let stopped = tasks.iter().filter_map(|task| task["stoppedAt"].as_f64()).fold(0.0, f64::max);
        let healthy = match service.group() {
            Some(group) => healthy(cloud, &group.health.path),
            None => running.clone().filter(|task| task["healthStatus"] == "HEALTHY").count(),
        };
        let definition = json!({ "taskDefinition": found["taskDefinition"] });
        let definition = ecs(cloud, "DescribeTaskDefinition", &definition).unwrap_or_default();
        let prepared = |task: &&Value| is_prepared(cloud, cluster, service, task, now / 1000.0);
        Self {
            status: found["status"].as_str().unwrap_or_default().to_owned(),
            desired: found["desiredCount"].as_u64().unwrap_or(0),
            pending: found["pendingCount"].as_u64().unwrap_or(0),
            idle: service.desired_count == 0,
            image: image(&definition["taskDefinition"], &service.container.name),
            unprepared: service.before_roll.is_some() && !running.clone().all(|task| prepared(&task)),
            running: running.map(|task| digest(task, &service.container.name)).collect(),
            healthy,
            deployments: deployments.iter().map(|it| text(&it["rolloutState"])).collect(),
            still_ms: (now - last * 1000.0) as u64,
            stopped_ms: (now - stopped * 1000.0) as u64,
        }
    }

    /// The one image that serves, with all the tasks that it should have. One that fails its check and is being replaced may be
    /// there besides.
    pub(super) fn serves(&self) -> Option<&str> {
        let Self { status, desired, idle, image, running, healthy, deployments, .. } = self;
        let digest = if *idle && *desired == 0 { image } else { running.first()? };
        let all = running.iter().all(|it| it == digest)
            && running.len() >= *desired as usize
            && *healthy >= *desired as usize;
        let complete = deployments.first().is_some_and(|state| state == "COMPLETED");
        (status == "ACTIVE" && all && complete).then_some(digest)
    }

    /// What keeps it from running `digest` completely; `None` when nothing does.
    pub(super) fn lacks(&self, digest: &str) -> Option<String> {
        let Self { status, desired, pending, running, healthy, deployments, .. } = self;
        let exact = (running.len(), *healthy) == (*desired as usize, *desired as usize);
        let complete = self.serves() == Some(digest) && exact && deployments.len() == 1;
        (!complete).then(|| {
            let right = running.iter().filter(|it| *it == digest).count();
            format!(
                "{status:?}, {right} of {desired} desired tasks run it, {} run at all, {pending} are pending, {healthy} \
                 targets are healthy, deployments {deployments:?}",
                running.len(),
            )
        })
    }
}

/// The service's tasks, the stopped ones included.
fn tasks(cloud: &Cloud, cluster: &str, service: &str) -> Vec<Value> {
    let of = |status| json!({ "cluster": cluster, "serviceName": service, "desiredStatus": status });
    ["RUNNING", "STOPPED"].into_iter().flat_map(|status| described(cloud, cluster, &of(status))).collect()
}

/// The tasks that ListTasks finds.
fn described(cloud: &Cloud, cluster: &str, asked: &Value) -> Vec<Value> {
    let listed = ecs(cloud, "ListTasks", asked).unwrap_or_default();
    let all = listed["taskArns"].as_array().cloned().unwrap_or_default();
    let described = all.chunks(100).map(|some| {
        let asked = json!({ "cluster": cluster, "tasks": some });
        ecs(cloud, "DescribeTasks", &asked).unwrap()["tasks"].as_array().cloned().unwrap_or_default()
    });
    described.flatten().collect()
}

fn digest(task: &Value, container: &str) -> String {
    let containers = task["containers"].as_array().map_or(&[][..], Vec::as_slice);
    let own = containers.iter().find(|it| it["name"] == container);
    own.map_or_else(String::new, |own| text(&own["imageDigest"]))
}

/// The digest that a revision names for its own container.
fn image(definition: &Value, container: &str) -> String {
    let containers = definition["containerDefinitions"].as_array().map_or(&[][..], Vec::as_slice);
    let own = containers.iter().find(|it| it["name"] == container);
    let image = own.map(|own| text(&own["image"])).unwrap_or_default();
    image.split_once('@').map_or_else(String::new, |(_, digest)| digest.to_owned())
}

/// ECS forgets a task that is over after an hour: what an older revision ran is not known any more.
const FORGOTTEN_SECS: f64 = 3_600.0;

/// Whether the task before the roll of a task's revision succeeded before this task was created. Revisions that somebody made by
/// hand have none.
fn is_prepared(cloud: &Cloud, cluster: &str, service: &Service, task: &Value, now: f64) -> bool {
    let asked = json!({ "taskDefinition": task["taskDefinitionArn"] });
    let definition = ecs(cloud, "DescribeTaskDefinition", &asked).unwrap_or_default();
    let definition = &definition["taskDefinition"];
    let by_hand = definition["containerDefinitions"][0]["environment"][0]["name"] == BY_HAND;
    let registered = definition["registeredAt"].as_f64().unwrap_or(0.0);
    if by_hand || now - registered > FORGOTTEN_SECS {
        return true;
    }
    let asked = json!({ "cluster": cluster, "family": service.family, "desiredStatus": "STOPPED" });
    described(cloud, cluster, &asked).iter().filter(|ran| ran["startedBy"] == "before-roll").any(|ran| {
        ran["taskDefinitionArn"] == task["taskDefinitionArn"]
            && ran["containers"][0]["exitCode"] == 0
            && ran["stoppedAt"].as_f64() <= task["createdAt"].as_f64()
    })
}

/// Healthy targets to which the load balancer sends a request for this path.
fn healthy(cloud: &Cloud, path: &str) -> usize {
    match cloud.with_account(|account| route(account, 80, "GET", "", path)) {
        Route::Forward { targets, .. } => targets.iter().filter(|target| target.healthy).count(),
        _ => 0,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
