//! Somebody else on the account, who acts by hand at a moment of the release.

use std::time::Duration;

use serde_json::{Value, json};
use xtask::host::Rng;

use crate::somebody::ecs;
use crate::world::World;

/// The variable in revisions that somebody made by hand.
pub(super) const BY_HAND: &str = "BY_HAND";

/// What somebody does, and when.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// Milliseconds into the release.
    pub(super) after_ms: u64,
    /// The service's place in deploy.toml.
    service: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Rolls anew what runs.
    Force,
    /// Sets the count of tasks by hand.
    Scale(u32),
    /// Stops the deployment that is in progress: `ROLLBACK` or `ABORT`.
    Stop(&'static str),
    /// Stops one running task.
    Kill,
    /// Deletes the service with its tasks.
    Delete,
    /// Deploys another revision than ours.
    Deploy,
    /// Releases other images with this tool, from another machine.
    Release,
}

impl Act {
    pub(super) fn draw(rng: &Rng) -> Self {
        let what = match rng.below(14) {
            0..=2 => What::Force,
            3 | 4 => What::Scale(0),
            5 | 6 => What::Scale(1 + rng.below(4) as u32),
            7 => What::Stop("ROLLBACK"),
            8 => What::Stop("ABORT"),
            9 | 10 => What::Kill,
            11 => What::Delete,
            12 => What::Deploy,
            _ => What::Release,
        };
        // Most of a release lasts two minutes; one that fails may last ten.
        let most = [30_000, 120_000, 240_000, 600_000][rng.below(4) as usize];
        Self { after_ms: rng.below(most), service: rng.below(2) as usize, what }
    }

    /// Acts. What AWS refuses, such as to stop what is over, he leaves.
    async fn carry_out(&self, world: &mut World) {
        let service = &world.environment.services[self.service];
        let (cluster, name) = (&world.environment.cluster, &service.name);
        let update = |more: Value| {
            let mut body = json!({ "cluster": cluster, "service": name });
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            ecs(&world.cloud, "UpdateService", &body)
        };
        let _ = match &self.what {
            What::Force => update(json!({ "forceNewDeployment": true })),
            What::Scale(desired) => update(json!({ "desiredCount": desired })),
            What::Delete => ecs(
                &world.cloud,
                "DeleteService",
                &json!({ "cluster": cluster, "service": name, "force": true }),
            ),
            What::Stop(stop_type) => stop(world, cluster, name, stop_type),
            What::Kill => {
                let running = json!({ "cluster": cluster, "serviceName": name });
                let tasks = ecs(&world.cloud, "ListTasks", &running).unwrap_or_default();
                ecs(&world.cloud, "StopTask", &json!({ "cluster": cluster, "task": tasks["taskArns"][0] }))
            }
            What::Deploy => another_revision(world, &service.family)
                .and_then(|revision| update(json!({ "taskDefinition": revision }))),
            What::Release => {
                Box::pin(world.deploy("rival", "rival")).await;
                Ok(Value::Null)
            }
        };
    }
}

fn stop(world: &World, cluster: &str, name: &str, stop_type: &str) -> Result<Value, Value> {
    let moving = json!({ "cluster": cluster, "service": name, "status": ["PENDING", "IN_PROGRESS"] });
    let found = ecs(&world.cloud, "ListServiceDeployments", &moving)?;
    let arn = &found["serviceDeployments"][0]["serviceDeploymentArn"];
    ecs(&world.cloud, "StopServiceDeployment", &json!({ "serviceDeploymentArn": arn, "stopType": stop_type }))
}

/// The family's newest revision with another variable.
fn another_revision(world: &World, family: &str) -> Result<String, Value> {
    let found = ecs(&world.cloud, "DescribeTaskDefinition", &json!({ "taskDefinition": family }))?;
    let mut definition = found["taskDefinition"].clone();
    definition["containerDefinitions"][0]["environment"] = json!([{ "name": BY_HAND, "value": "1" }]);
    let made = ecs(&world.cloud, "RegisterTaskDefinition", &definition)?;
    Ok(made["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default().to_owned())
}

/// All of them, each at its time, as somebody with this view of the account.
pub(super) async fn act(acts: &[Act], world: &mut World, shows: bool) {
    let begun = world.host.clock.mark();
    for act in acts {
        let wait = act.after_ms.saturating_sub(begun.elapsed_ms());
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if shows {
            println!("  {:>6} ms: somebody: {:?} of service {}", begun.elapsed_ms(), act.what, act.service);
        }
        act.carry_out(world).await;
    }
}
