//! A release that fails leaves every rule, policy, bound, health check and service setting as it found them.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::history::{Fate, history};
use deploy::model::{Environment, OnPlainCause};
use serde_json::json;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;
use xtask::observe;

use crate::ended::Ended;
use crate::picture::{differences, settings};
use crate::somebody::{Moment, ecs};
use crate::world::{World, story};

/// As somebody set it up before the tool came: other bounds, another policy, other health checks, another path, other
/// settings of the services; and nothing carries a tag.
fn otherwise(environment: &mut Environment) {
    for service in &mut environment.services {
        service.target_group.health.interval_secs += 5;
        service.target_group.health.unhealthy_threshold += 1;
        service.target_group.deregistration_delay_secs += 7;
        service.deployment.health_check_grace_secs += 13;
    }
    let backend = &mut environment.services[0];
    let scaling = backend.scaling.as_mut().unwrap();
    (scaling.min, scaling.max) = (3, 6);
    scaling.policies[0].name = "by-hand".to_owned();
    backend.routes.iter_mut().for_each(|route| route.priority += 7);
    backend.routes.push(deploy::model::Route::of_path("/v1/*", 10));
    backend.desired_count = 3;
}

async fn hand_made() -> World {
    let mut world = World::new().await;
    let file = world.environment.clone();
    otherwise(&mut world.environment);
    assert_eq!(world.deploy("v0", "v0").await.exit, ExitCode::Done);
    world.rights = None;
    for service in &world.environment.services {
        for revision in world.aws.list_task_definitions(&service.family, true, 10).await.unwrap() {
            let tags = world.aws.list_ecs_tags(&revision).await.unwrap();
            world.aws.untag_ecs_resource(&revision, &tags.into_keys().collect::<Vec<_>>()).await.unwrap();
        }
    }
    world.environment = file;
    world.rights = Some(crate::policy::grant(&world.cloud, crate::policy::printed(&world.environment)));
    world
}

fn undone(ended: &Ended) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Undone { .. }))
}

/// Why a release fails, and what makes it.
type Failure = (&'static str, fn(&mut World));

/// Releases over hand-made services, each failing in another way.
fn failures() -> Vec<Failure> {
    vec![
        ("the backend crashes", |world| world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1))),
        ("the frontend crashes", |world| world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1))),
        ("it does not answer", |world| world.front_door.new_revisions_answer(500)),
        ("UpdateService is refused", |world| {
            world.cloud.add_rule(On::operation("UpdateService").nth(1..=1).then(Fault::AccessDenied));
        }),
        ("PutScalingPolicy is refused", |world| {
            world.cloud.add_rule(On::operation("PutScalingPolicy").nth(1..=1).then(Fault::AccessDenied));
        }),
        ("Ctrl-C", |world| world.stop_after = Some(45)),
    ]
}

#[test]
fn a_first_deploy_that_fails_over_hand_made_services_leaves_all_as_it_was() {
    for (why, fail) in failures() {
        story(async || {
            let mut world = hand_made().await;
            let before = Box::pin(settings(&world)).await;
            fail(&mut world);
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            let exit = if why == "Ctrl-C" { ExitCode::Interrupted } else { ExitCode::Failed };
            assert_eq!((ended.exit, undone(&ended)), (exit, true), "{why}: {:#?}", ended.events);
            let after = Box::pin(settings(&world)).await;
            assert_eq!(differences(&before, &after), [""; 0], "{why}: {:#?}", ended.events);
        });
    }
}

#[test]
fn a_deploy_that_works_brings_hand_made_services_to_the_file_and_deletes_last() {
    story(async || {
        let mut world = hand_made().await;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let place = |name: &str| ended.writes.iter().rposition(|write| write == name);
        let first = |name: &str| ended.writes.iter().position(|write| write == name);
        assert!(first("DeleteRule") > place("UpdateService"), "{:?}", ended.writes);
        assert!(first("DeleteScalingPolicy") > place("UpdateService"), "{:?}", ended.writes);
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

#[test]
fn a_killed_run_and_a_rerun_that_fails_restore_what_was_before_the_first() {
    // The failing release's calls, some of them writes that change settings and some in the middle of the roll.
    for calls in [30, 36, 40, 44, 48, 60, 90] {
        story(async || {
            let mut world = hand_made().await;
            let before = Box::pin(settings(&world)).await;
            world.environment.services[1].deployment.on_plain_cause = OnPlainCause::RollBack;
            world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
            world.scripts.set("ielts-frontend:3", Script::crashes(1_500, 1));
            assert!(Box::pin(world.killed_after(calls, "v1", "v1")).await.is_none());
            let ended = Box::pin(world.deploy("v1", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Failed, "killed after {calls}: {:#?}", ended.events);
            let after = Box::pin(settings(&world)).await;
            assert_eq!(differences(&before, &after), [""; 0], "killed after {calls}: {:#?}", ended.events);
        });
    }
}

#[test]
fn an_abort_restores_what_a_killed_run_had_changed() {
    story(async || {
        let mut world = hand_made().await;
        let before = Box::pin(settings(&world)).await;
        let killed = tokio::time::timeout(Duration::from_secs(60), Box::pin(world.deploy("v1", "v1"))).await;
        assert!(killed.is_err());
        let ended = Box::pin(world.abort()).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let after = Box::pin(settings(&world)).await;
        assert_eq!(differences(&before, &after), [""; 0], "{:#?}", ended.events);
    });
}

#[test]
fn what_somebody_else_changed_since_stays() {
    story(async || {
        let mut world = hand_made().await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let theirs = deploy::model::spec::ScalableTargetSpec {
            resource_id: "service/ielts-prod-cluster/ielts-backend-service".to_owned(),
            min: 2,
            max: 17,
        };
        let rival = world.somebody().await;
        let meddle = async {
            rival.waits_for(crate::somebody::Moment::Complete, "ielts-backend:2").await;
            rival.aws.register_scalable_target(&theirs, &xtask::aws::Tags::new()).await.unwrap();
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v1", "v1")), Box::pin(meddle));
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let now = Box::pin(settings(&world)).await;
        assert!(now.contains("max: 17") && now.contains("min: 3"), "{now}");
    });
}

/// What was said of a changed health check that running tasks fail.
fn judged(ended: &Ended) -> Option<&str> {
    ended.events.iter().find_map(|event| match event {
        Kind::Failed { error, .. } if error.contains("changed health check") => Some(error.as_str()),
        _ => None,
    })
}

#[test]
fn a_wrong_matcher_is_restored_whether_or_not_tasks_change_beside_it() {
    for (backend, frontend) in [("v1", "v1"), ("v2", "v1"), ("v2", "v2")] {
        story(async || {
            let mut world = World::new().await;
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            let before = Box::pin(settings(&world)).await;
            world.environment.services[0].target_group.health.matcher = "201".to_owned();
            let ended = Box::pin(world.deploy(backend, frontend)).await;
            assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
            assert_eq!(
                judged(&ended),
                Some(
                    "tasks that run fail the changed health check of ielts-backend-tg: GET /actuator/health on port 8080: answered 200; \
                     `health.matcher` in deploy.toml wants 201"
                )
            );
            assert_eq!(
                ended.rolled(),
                Vec::<&str>::new(),
                "nothing rolls under a check that running tasks fail"
            );
            let after = Box::pin(settings(&world)).await;
            assert_eq!(differences(&before, &after), [""; 0], "{:#?}", ended.events);
        });
    }
}

#[test]
fn a_changed_health_check_that_running_tasks_pass_is_proven_after_its_time() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.environment.services[0].target_group.health.matcher = "200-299".to_owned();
        let health = world.environment.services[0].target_group.health.clone();
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert!(
            ended.secs >= u64::from(health.unhealthy_threshold * health.interval_secs),
            "{} s",
            ended.secs
        );
    });
}

#[test]
fn a_wrong_matcher_of_a_killed_run_is_found_by_the_next_one() {
    for secs in [5, 40, 100] {
        story(async || {
            let mut world = World::new().await;
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            let before = Box::pin(settings(&world)).await;
            world.environment.services[0].target_group.health.matcher = "201".to_owned();
            let time = Duration::from_secs(secs);
            if tokio::time::timeout(time, Box::pin(world.deploy("v1", "v1"))).await.is_err() {
                let ended = Box::pin(world.deploy("v1", "v1")).await;
                assert_ne!(ended.exit, ExitCode::Done, "killed after {secs} s: {:#?}", ended.events);
            }
            let after = Box::pin(settings(&world)).await;
            assert_eq!(differences(&before, &after), [""; 0], "killed after {secs} s");
        });
    }
}

#[test]
fn tasks_that_a_wrong_health_check_stopped_do_not_make_their_revision_one_that_crashed() {
    story(async || {
        let mut world = World::new().await;
        for version in ["v1", "v2"] {
            assert_eq!(Box::pin(world.deploy(version, "v1")).await.exit, ExitCode::Done);
        }
        let right = world.environment.services[0].target_group.health.clone();
        world.environment.services[0].target_group.health.matcher = "201".to_owned();
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        world.environment.services[0].target_group.health = right;
        world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v3", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let serves = world.somebody().await.looks().await;
        assert!(serves.deployments[0].task_definition.ends_with("ielts-backend:2"), "{serves:?}");
    });
}

#[test]
fn a_revision_that_crashed_after_its_proof_is_not_what_an_undo_restores() {
    story(async || {
        let mut world = World::new().await;
        for version in ["v1", "v2"] {
            assert_eq!(Box::pin(world.deploy(version, "v1")).await.exit, ExitCode::Done);
        }
        crash(&mut world, "ielts-backend:2").await;
        let read = observe::history(&world.aws, &world.environment, 20).await.unwrap();
        assert_eq!(history(&read.facts)[0].fate, Fate::LiveCrashed, "before any release has marked it");
        world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v3", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert!(
            world.somebody().await.looks().await.deployments[0].task_definition.ends_with("ielts-backend:1")
        );
        assert_eq!(ended.summary, "not deployed; release release-1 serves");
        let instead = ended.events.iter().find_map(|event| match event {
            Kind::Undone { services } => services[0].instead.clone(),
            _ => None,
        });
        assert_eq!(
            instead.as_deref(),
            Some("instead of ielts-backend:2, whose tasks crashed after it was proven")
        );
        let refused = world.rollback(None).await.unwrap_err();
        assert!(refused.hint().is_some_and(|hint| hint.contains("--to release-2")), "{refused}");
        // What made it crash is mended: it is proven once more, and is one to return to.
        world.scripts.set("ielts-backend:2", Script::default());
        let again = world.rollback(Some("release-2")).await.unwrap();
        assert_eq!(again.exit, ExitCode::Done, "{:#?}", again.events);
        assert_eq!(Box::pin(world.deploy("v4", "v1")).await.exit, ExitCode::Done);
        let back = world.rollback(None).await.unwrap();
        assert_eq!(back.exit, ExitCode::Done);
        assert!(
            world.somebody().await.looks().await.deployments[0].task_definition.ends_with("ielts-backend:2")
        );
    });
}

#[test]
fn a_service_that_an_undo_could_not_restore_is_restored_to_what_it_serves_with_by_the_next_one() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        // What the first release needs is gone.
        world.scripts.set("ielts-backend:1", Script::crashes(1_500, 1));
        world.front_door.answers(500);
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        world.front_door.answers(200);
        world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v3", "v3")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let runs = world.somebody().await.looks().await.deployments[0].task_definition.clone();
        assert!(runs.ends_with("ielts-backend:2"), "{runs}");
    });
}

/// Every task of the backend's revision ends, and so do their replacements.
async fn crash(world: &mut World, revision: &str) {
    world.scripts.set(revision, Script::crashes(20_000, 1));
    let (cluster, service) = (&world.environment.cluster, &world.environment.services[0].name);
    let somebody = world.somebody().await;
    world.rights = None;
    for task in world.aws.service_tasks(cluster, service, false).await.unwrap() {
        somebody.aws.stop_task(cluster, &task.id, "an incident").await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(300)).await;
}

#[test]
fn an_undo_past_a_crash_chooses_a_release_and_says_what_was_none() {
    story(async || {
        let mut world = World::new().await;
        for version in ["v1", "v2", "v3"] {
            assert_eq!(Box::pin(world.deploy(version, version)).await.exit, ExitCode::Done);
        }
        // Somebody runs the first revision for a while; a rerun ends that.
        let by_hand = json!({ "cluster": "ielts-prod-cluster", "service": "ielts-backend-service", "taskDefinition": "ielts-backend:1" });
        ecs(&world.cloud, "UpdateService", &by_hand).unwrap();
        world.somebody().await.waits_for(Moment::Complete, "ielts-backend:1").await;
        world.adopts = true;
        assert_eq!(Box::pin(world.deploy("v3", "v3")).await.exit, ExitCode::Done);
        crash(&mut world, "ielts-backend:3").await;
        world.scripts.set("ielts-frontend:4", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v4", "v4")).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (
                ExitCode::Failed,
                "not deployed; backend ielts-backend:2 and frontend ielts-frontend:3 serve, which were no release together"
            ),
            "{:#?}",
            ended.events
        );
        let back = world.rollback(None).await.unwrap();
        assert_eq!((back.exit, back.rolled()), (ExitCode::Done, vec!["frontend"]), "{:#?}", back.events);
        assert!(
            world.rollback(None).await.unwrap().events.iter().any(|it| matches!(it, Kind::Planned { .. }))
        );
        assert!(
            world.somebody().await.looks().await.deployments[0].task_definition.ends_with("ielts-backend:1")
        );
    });
}
