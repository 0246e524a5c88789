//! Success is reported only if the cloud's ground truth is success, and is reported when it is and stays so: over releases
//! that behave in all ways, on a network that loses, delays, throttles and tells old news.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::model::Service;
use deploy::rollout::ServiceSnapshot;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sim::fault::{Call, Fault, On, Rule};
use sim::workload::scripted::Script;

use crate::somebody::Somebody;
use crate::world::{World, story};

/// How a service's new tasks behave.
fn behaviour(health_path: &'static str) -> impl Strategy<Value = Script> {
    prop_oneof![
        3 => Just(Script::default()),
        1 => (0_u64..90_000).prop_map(Script::boots_in),
        1 => (200_u64..40_000, 1_i32..4).prop_map(|(after, code)| Script::crashes(after, code)),
        1 => Just(Script::never_listens()),
        1 => Just(Script::default().answering(health_path, 0, 404)),
        1 => Just(Script::fails_to_start("CannotPullContainerError: not found")),
    ]
}

/// A release and what happens to it.
#[derive(Clone, Debug)]
struct Case {
    /// The account's first release, and not an update of both services.
    first: bool,
    backend: Script,
    /// None: the release does not change it.
    frontend: Option<Script>,
    faults: Vec<On>,
    /// So many reads of a service that was just made do not show it.
    unseen: u64,
    /// Seconds into the release at which somebody deploys.
    other: Option<u64>,
    /// How far the machine's clock is ahead of the cloud's, in seconds; AWS accepts five minutes.
    ahead_secs: i64,
}

fn case() -> impl Strategy<Value = Case> {
    let release = (
        prop::bool::weighted(0.25),
        behaviour("/actuator/health"),
        prop::option::of(behaviour("/api/health")),
    );
    let network = (prop::collection::vec(fault(), 0..4), 0_u64..3, -280_i64..280);
    let other = prop::option::weighted(0.3, 5_u64..90);
    (release, network, other).prop_map(|((first, backend, frontend), (faults, unseen, ahead_secs), other)| {
        Case { first, backend, frontend, faults, unseen, other, ahead_secs }
    })
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

/// What the cloud itself says became of the first deployment of a service that rolled out another revision than `before`:
/// of ours, that is.
async fn truth(world: &World, service: &Service, before: Option<&str>) -> Option<String> {
    let World { aws, environment, .. } = world;
    let mut all = aws.list_service_deployments(&environment.cluster, &service.name, &[]).await.ok()?;
    all.sort_by_key(|deployment| deployment.created_ms);
    let targets: Vec<String> =
        all.iter().filter_map(|deployment| deployment.target_revision.clone()).collect();
    let revisions = aws.describe_service_revisions(&targets).await.unwrap();
    let ours = |arn: &String| {
        let revision = revisions.iter().find(|revision| revision.arn == *arn);
        revision.is_some_and(|revision| Some(revision.task_definition.as_str()) != before)
    };
    let first = all.into_iter().find(|deployment| deployment.target_revision.as_ref().is_some_and(ours));
    first.map(|deployment| deployment.status)
}

/// The revision that each service runs, by ARN, and whether its deployment is complete.
async fn runs(world: &World) -> Vec<(String, bool)> {
    let World { aws, environment, .. } = world;
    let names: Vec<&str> = environment.services.iter().map(|service| service.name.as_str()).collect();
    let found = aws.describe_services(&environment.cluster, &names).await.unwrap();
    let primary = |service: &ServiceSnapshot| {
        let primary = service.deployments.first();
        primary.map(|it| (it.task_definition.clone(), it.rollout_state.as_deref() == Some("COMPLETED")))
    };
    found.iter().filter_map(primary).collect()
}

/// Reads of the services that follow a creation and do not show what was made.
pub(crate) fn not_seen_yet(reads: u64) -> impl Rule {
    let mut left = 0;
    move |call: &Call<'_>| {
        if call.operation == "CreateService" {
            left = reads;
        }
        if call.operation != "DescribeServices" || left == 0 {
            return None;
        }
        left -= 1;
        let body = r#"{"services":[],"failures":[{"arn":"arn:aws:ecs:x","reason":"MISSING"}]}"#.to_owned();
        Some(Fault::Status { code: 200, body, content_type: "application/x-amz-json-1.1".to_owned() })
    }
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
    fn success_is_told_exactly_when_it_is_true(case in case()) {
        story(|| Box::pin(is_told_truly(case)));
    }
}

async fn is_told_truly(case: Case) {
    let mut world = World::ahead_of_the_cloud(case.ahead_secs).await;
    let (images, revision) = if case.first {
        (("v1", "v1"), 1)
    } else {
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        (("v2", if case.frontend.is_some() { "v2" } else { "v1" }), 2)
    };
    let before = if case.first { Vec::new() } else { runs(&world).await };
    let changes = |index: usize| case.first || index == 0 || case.frontend.is_some();
    let crashes = case.backend.crash.is_some() || case.frontend.as_ref().is_some_and(|it| it.crash.is_some());
    world.scripts.set(&format!("ielts-backend:{revision}"), case.backend.clone());
    if let Some(script) = &case.frontend {
        world.scripts.set(&format!("ielts-frontend:{revision}"), script.clone());
    }
    world.cloud.add_rule(not_seen_yet(case.unseen));
    for fault in &case.faults {
        world.cloud.add_rule(fault.clone());
    }
    let somebody = world.somebody().await;
    let meddle = somebody_else(&somebody, case.other);
    let (ended, ()) = tokio::join!(Box::pin(world.deploy(images.0, images.1)), Box::pin(meddle));
    world.cloud.clear_rules();
    let now = runs(&world).await;
    let mut all = true;
    for (index, service) in world.environment.services.iter().enumerate().filter(|(index, _)| changes(*index))
    {
        let before = before.get(index).map(|(revision, _)| revision.as_str());
        let status = Box::pin(truth(&world, service, before)).await;
        all &= status.as_deref() == Some("SUCCESSFUL");
    }
    let told = || format!("{:?} of {case:#?}: {:#?}", ended.exit, ended.events);
    // ECS calls a release complete whose tasks crash a little later; nobody then calls it proven.
    let stays = case.other.is_none() && !crashes && ended.exit != ExitCode::Unknown;
    match ended.exit {
        ExitCode::Done => assert!(all, "a success that is none, {}", told()),
        _ if stays => assert!(!all, "a success that was not told, {}", told()),
        _ => {}
    }
    if ended.exit == ExitCode::Failed && case.other.is_none() {
        assert!(!case.first, "a first release has nothing that serves instead, {}", told());
        let back = before.iter().zip(&now).all(|(before, now)| before.0 == now.0 && now.1);
        assert!(back, "told as back, and {now:?} runs, {}", told());
    }
}
