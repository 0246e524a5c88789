//! Load comes and goes while releases are made: scaling moves the count, and a release neither sees nor changes it.

use std::time::Duration;

use deploy::event::ExitCode;
use serde_json::{Value, json};

use crate::somebody::{api, ecs};
use crate::world::{World, story};

const CLUSTER: &str = "ielts-prod-cluster";
const BACKEND: &str = "ielts-backend-service";

fn backend(world: &World) -> Value {
    let asked = json!({ "cluster": CLUSTER, "services": [BACKEND] });
    ecs(&world.cloud, "DescribeServices", &asked).unwrap()["services"][0].clone()
}

/// Waits until so many tasks are wanted; gives the minutes that it took.
async fn wanted(world: &World, count: u64) -> u64 {
    for minute in 0..60 {
        if backend(world)["desiredCount"] == count {
            return minute;
        }
        world.host.clock.sleep(Duration::from_secs(60)).await;
    }
    panic!("never {count}: {:#}", backend(world));
}

#[test]
fn load_raises_the_backend_a_release_in_the_middle_is_proven_and_the_count_comes_back_after_the_load() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let definition = json!({ "taskDefinition": backend(&world)["taskDefinition"] });
        let cpu = ecs(&world.cloud, "DescribeTaskDefinition", &definition).unwrap()["taskDefinition"]["cpu"]
            .clone();
        let cpu: f64 = cpu.as_str().unwrap().parse().unwrap();

        // Two tasks and a half have enough to do; at 70 % of each, four are needed.
        world.scripts.set_load(BACKEND, cpu * 2.6, 100.0);
        let minutes = wanted(&world, 4).await;
        assert!((3..9).contains(&minutes), "{minutes}");

        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let service = backend(&world);
        assert_eq!((&service["desiredCount"], &service["runningCount"]), (&json!(4), &json!(4)));
        assert_eq!(service["deployments"].as_array().unwrap().len(), 1);

        world.scripts.set_load(BACKEND, 0.0, 100.0);
        let minutes = wanted(&world, 2).await;
        assert!((13..20).contains(&minutes), "{minutes}");
        let asked =
            json!({ "ServiceNamespace": "ecs", "ResourceId": format!("service/{CLUSTER}/{BACKEND}") });
        let activities =
            api(&world.cloud, "AnyScaleFrontendService.DescribeScalingActivities", &asked).unwrap();
        let causes: Vec<&str> = activities["ScalingActivities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|activity| activity["Cause"].as_str().unwrap())
            .collect();
        assert!(causes[0].contains("-AlarmLow-") && causes[1].contains("-AlarmHigh-"), "{causes:#?}");
        assert!(
            causes.iter().all(|cause| cause.ends_with("triggered policy backend-cpu-scaling")),
            "{causes:#?}"
        );
        let again = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(
            (again.exit, again.writes.as_slice()),
            (ExitCode::Done, &[][..]),
            "the count is scaling's"
        );
    });
}
