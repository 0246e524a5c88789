//! Success is reported only if the cloud's ground truth is success, and is reported when it is and stays so: over releases
//! that behave in all ways, on a network that loses, delays, throttles and tells old news.

use std::time::Duration;

use deploy::event::ExitCode;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::somebody::Somebody;
use crate::world::{World, story};

/// How the new backend behaves.
fn behaviour() -> impl Strategy<Value = Script> {
    prop_oneof![
        3 => Just(Script::default()),
        1 => (0_u64..90_000).prop_map(Script::boots_in),
        1 => (200_u64..40_000, 1_i32..4).prop_map(|(after, code)| Script::crashes(after, code)),
        1 => Just(Script::never_listens()),
        1 => Just(Script::default().answering("/actuator/health", 0, 404)),
        1 => Just(Script::fails_to_start("CannotPullContainerError: not found")),
    ]
}

/// What befalls reads and writes on their way.
fn fault() -> impl Strategy<Value = On> {
    let on = prop_oneof![
        Just("DescribeServices"),
        Just("DescribeServiceDeployments"),
        Just("ListTasks"),
        Just("DescribeTargetHealth"),
        Just("UpdateService"),
        Just("RegisterTaskDefinition"),
    ];
    let what = prop_oneof![
        Just(Fault::Throttle),
        Just(Fault::ServerError(503)),
        Just(Fault::Delay(4_000)),
        Just(Fault::LoseRequest),
        Just(Fault::LoseReply),
        Just(Fault::StaleRead),
    ];
    (on, 1_u64..30, 0_u64..3, what).prop_map(|(operation, first, more, fault)| {
        On::operation(operation).nth(first..=first + more).then(fault)
    })
}

/// Somebody else's forced deployment of what runs, some seconds into ours, unless the network fails them.
async fn somebody_else(somebody: &Somebody, after_secs: Option<u64>) {
    let Some(after_secs) = after_secs else { return };
    tokio::time::sleep(Duration::from_secs(after_secs)).await;
    // A refusal or a lost call is as good as nobody.
    let _ = somebody.forces_a_deployment().await;
}

/// What the cloud itself says of our deployment once nothing disturbs the reading. Ours is the first that
/// rolled out our revision.
async fn truth(world: &World) -> bool {
    world.cloud.clear_rules();
    let (cluster, service) = (&world.environment.cluster, &world.environment.services[0].name);
    let mut all = world.aws.list_service_deployments(cluster, service, &[]).await.unwrap();
    all.sort_by_key(|deployment| deployment.created_ms);
    let targets: Vec<String> =
        all.iter().filter_map(|deployment| deployment.target_revision.clone()).collect();
    let revisions = world.aws.describe_service_revisions(&targets).await.unwrap();
    let ours = |arn: &String| {
        let revision = revisions.iter().find(|revision| revision.arn == *arn);
        revision.is_some_and(|revision| revision.task_definition.ends_with("ielts-backend:2"))
    };
    let first = all.iter().find(|deployment| deployment.target_revision.as_ref().is_some_and(ours));
    first.is_some_and(|deployment| deployment.status == "SUCCESSFUL")
}

/// The same few cases on every machine; with PROPTEST_CASES set, that many at random.
fn cases() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => ProptestConfig { cases: 16, rng_seed: RngSeed::Fixed(7), ..config },
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn success_is_told_exactly_when_it_is_true(
        script in behaviour(),
        faults in prop::collection::vec(fault(), 0..4),
        other in prop::option::weighted(0.3, 5_u64..90),
    ) {
        story(|| async {
            let mut world = World::new().await;
            assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
            let crashes = script.crash.is_some();
            world.scripts.set("ielts-backend:2", script);
            for fault in faults {
                world.cloud.add_rule(fault);
            }
            let somebody = world.somebody().await;
            let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(somebody_else(&somebody, other)));
            let truth = Box::pin(truth(&world)).await;
            // ECS calls a release complete whose tasks crash a little later; nobody then calls it proven.
            let stays = other.is_none() && !crashes && ended.exit != ExitCode::Unknown;
            if ended.exit == ExitCode::Done {
                assert!(truth, "a success that is none: {:#?}", ended.events);
            } else if stays {
                assert!(!truth, "a success that was not told, {:?}: {:#?}", ended.exit, ended.events);
            }
        });
    }
}
