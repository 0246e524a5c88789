//! Proven means complete: all tasks that should run, healthy, in one deployment, at the end, and for the bake time.

use std::sync::Arc;
use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::Undo;
use deploy::rollout::DeploymentSnapshot;
use sim::fault::{Call, Fault, On};
use sim::workload::scripted::Script;
use tokio::sync::Notify;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

async fn deployed() -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world
}

fn says(ended: &Ended, text: &str) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Failed { error, .. } if error.contains(text)))
}

/// Whether every service has exactly the tasks that it should, in one complete deployment.
async fn is_complete(world: &World) -> bool {
    let names: Vec<&str> = world.environment.services.iter().map(|service| service.name.as_str()).collect();
    let found = world.aws.describe_services(&world.environment.cluster, &names).await.unwrap();
    found.iter().all(|it| {
        let complete = |primary: &DeploymentSnapshot| {
            primary.running == it.desired && primary.rollout_state.as_deref() == Some("COMPLETED")
        };
        it.running == it.desired && it.deployments.first().is_some_and(complete)
    })
}

#[test]
fn a_backend_that_exits_after_20_s_is_not_proven() {
    story(async || {
        let mut world = deployed().await;
        world.environment.services[0].deployment.bake_secs = 30;
        world.scripts.set("ielts-backend:2", Script::crashes(20_000, 3));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert!(ended.cause("backend").is_some_and(|it| it.contains("code 3")), "{:#?}", ended.events);
        let back = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, vec![]), "{:#?}", back.events);
    });
}

#[test]
fn tasks_that_die_early_are_never_proven_at_0_to_100_percent() {
    for after_secs in [12, 17, 18] {
        story(async || {
            let mut world = World::new().await;
            for service in &mut world.environment.services {
                service.deployment.minimum_healthy_percent = 0;
                service.deployment.maximum_percent = 100;
                service.deployment.circuit_breaker.enable = false;
                service.deployment.circuit_breaker.rollback = false;
            }
            assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
            world.scripts.set("ielts-backend:2", Script::crashes(after_secs * 1_000, 1));
            let ended = Box::pin(world.deploy("v2", "v2")).await;
            assert_ne!(ended.exit, ExitCode::Done, "{after_secs} s: {:#?}", ended.events);
            if ended.exit == ExitCode::Failed {
                assert!(is_complete(&world).await, "{after_secs} s: {:#?}", ended.events);
            }
        });
    }
}

#[test]
fn a_service_that_somebody_scaled_to_0_is_named_and_its_neighbour_is_not_undone() {
    story(async || {
        let mut world = deployed().await;
        let somebody = world.somebody().await;
        somebody.scales_to(0).await;
        tokio::time::sleep(Duration::from_secs(120)).await;
        for _ in 0..2 {
            let ended = Box::pin(world.deploy("v1", "v2")).await;
            assert_eq!(ended.exit, ExitCode::Unknown, "{:#?}", ended.events);
            assert!(says(&ended, "backend: scaled to 0 tasks by hand"), "{:#?}", ended.events);
            let starts = |event: &Kind| matches!(event, Kind::Failed { hint: Some(hint), .. } if hint.starts_with("`cargo xtask scale backend 2`"));
            let places: Vec<_> = ended.events.iter().enumerate().filter(|(_, it)| starts(it)).collect();
            assert!(places.len() == 1 && places[0].0 == ended.events.len() - 1, "{:#?}", ended.events);
            assert!(!ended.events.iter().any(|event| matches!(event, Kind::Undoing { .. })));
        }
        somebody.scales_to(2).await;
        let ended = Box::pin(world.deploy("v1", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn a_service_that_somebody_scales_to_0_while_it_bakes_is_not_proven() {
    story(async || {
        let mut world = deployed().await;
        world.environment.services[0].deployment.bake_secs = 300;
        let somebody = world.somebody().await;
        let meddle = async {
            somebody.waits_for(Moment::Complete, "ielts-backend:2").await;
            tokio::time::sleep(Duration::from_secs(30)).await;
            somebody.scales_to(0).await;
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
        assert_eq!(ended.exit, ExitCode::Unknown, "{:#?}", ended.events);
        assert!(says(&ended, "backend: scaled to 0 tasks by hand"), "{:#?}", ended.events);
        assert!(!ended.events.iter().any(|event| matches!(event, Kind::Undoing { .. })));
    });
}

#[test]
fn fewer_tasks_than_scaling_allows_are_raised() {
    story(async || {
        let mut world = deployed().await;
        let somebody = world.somebody().await;
        somebody.scales_to(1).await;
        tokio::time::sleep(Duration::from_secs(120)).await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(
            (ended.exit, ended.writes.iter().filter(|it| *it == "UpdateService").count()),
            (ExitCode::Done, 1)
        );
        assert_eq!(somebody.looks().await.running, 2);
    });
}

#[test]
fn a_failed_release_beside_a_service_at_0_does_not_claim_that_the_previous_one_serves() {
    story(async || {
        let mut world = deployed().await;
        world.somebody().await.scales_to(0).await;
        tokio::time::sleep(Duration::from_secs(120)).await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let ended = Box::pin(world.deploy("v1", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.summary, "not deployed; as before: backend 0/0 tasks, and the rest serves");
    });
}

#[test]
fn a_service_that_somebody_scales_to_0_during_a_release_that_fails_is_not_as_before() {
    story(async || {
        let mut world = deployed().await;
        world.scripts.set("ielts-frontend:2", Script::crashes(1_500, 1));
        let somebody = world.somebody().await;
        let meddle = async {
            somebody.waits_for(Moment::Complete, "ielts-backend:2").await;
            somebody.scales_to(0).await;
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v2")), Box::pin(meddle));
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        assert_eq!(
            ended.summary,
            "not deployed; scaled to 0 by hand during the release: backend 0/0 tasks, and it does not serve"
        );
        let instead = ended.events.iter().find_map(|event| match event {
            Kind::Undone { services } => services[0].instead.clone(),
            _ => None,
        });
        assert_eq!(instead.as_deref(), Some("again, but was scaled to 0 by hand during the release"));
    });
}

#[test]
fn a_service_that_somebody_scales_to_0_while_it_rolls_is_called_that() {
    story(async || {
        let mut world = deployed().await;
        let somebody = world.somebody().await;
        let meddle = async {
            somebody.waits_for(Moment::BeforeAnyTask, "ielts-backend:2").await;
            somebody.scales_to(0).await;
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
        assert_eq!(ended.exit, ExitCode::Unknown, "{:#?}", ended.events);
        let settled = ended.events.iter().find_map(|event| match event {
            Kind::Settled { service, emptied, .. } if service.0 == "backend" => Some(*emptied),
            _ => None,
        });
        assert_eq!(settled, Some(true), "{:#?}", ended.events);
        let waits: Vec<String> = ended.events.iter().filter_map(deploy::view::rolling).collect();
        let last = waits.last().map(String::as_str).unwrap_or_default();
        assert!(last.ends_with("scaled to 0: ECS calls it complete without a task"), "{waits:#?}");
    });
}

#[test]
fn a_task_of_an_unchanged_service_that_stops_while_the_others_bake_is_named() {
    story(async || {
        let mut world = deployed().await;
        world.environment.services[0].deployment.bake_secs = 600;
        let (cluster, frontend) = ("ielts-prod-cluster", "ielts-frontend-service");
        let tasks = world.aws.service_tasks(cluster, frontend, false).await.unwrap();
        // The one that takes its place crashes later.
        world.scripts.set("ielts-frontend:1", Script::crashes(300_000, 137));
        world.somebody().await.aws.stop_task(cluster, &tasks[0].id, "to make place").await.unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        // The cloud catches up with the time when it is asked.
        world.somebody().await.looks().await;
        world.scripts.set("ielts-frontend:1", Script::default());
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        let is_named = |event: &&Kind| {
            matches!(event, Kind::Warned { text } if text.starts_with("ielts-frontend-service: task ")
                && text.contains(" of ielts-frontend:1 stopped"))
        };
        assert_eq!(ended.events.iter().filter(is_named).count(), 1, "{:#?}", ended.events);
        assert_eq!(ended.exit, ExitCode::Done);
    });
}

#[test]
fn a_service_that_was_down_before_is_not_said_to_serve() {
    story(async || {
        let mut world = deployed().await;
        let cannot = Script::fails_to_start("CannotPullContainerError: not found");
        for revision in ["ielts-backend:1", "ielts-frontend:1", "ielts-frontend:2"] {
            world.scripts.set(revision, cannot.clone());
        }
        let names = ["ielts-backend-service", "ielts-frontend-service"];
        let somebody = world.somebody().await;
        world.rights = None;
        for name in names {
            for task in world.aws.service_tasks(&world.environment.cluster, name, false).await.unwrap() {
                somebody.aws.stop_task(&world.environment.cluster, &task.id, "an incident").await.unwrap();
            }
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        let ended = Box::pin(world.deploy("v1", "v2")).await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
    });
}

#[test]
fn a_deployment_that_somebody_forces_is_waited_for_and_not_called_proven_before() {
    for moment in [Moment::Draining, Moment::BeforeCompletion, Moment::Complete] {
        story(async || {
            let mut world = deployed().await;
            let somebody = world.somebody().await;
            let meddle = async {
                somebody.waits_for(moment, "ielts-backend:2").await;
                somebody.forces_a_deployment();
            };
            let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
            match ended.exit {
                ExitCode::Done => assert!(is_complete(&world).await, "{moment:?}: {:#?}", ended.events),
                exit => assert_eq!(exit, ExitCode::Superseded, "{moment:?}: {:#?}", ended.events),
            }
        });
    }
}

#[test]
fn an_update_that_is_refused_moved_nothing() {
    story(async || {
        let mut world = deployed().await;
        world.cloud.add_rule(On::operation("UpdateService").nth(1..=9).then(Fault::AccessDenied));
        let ended = Box::pin(world.deploy("v2", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.summary, "not deployed; the previous release serves");
    });
}

#[test]
fn a_step_that_fails_before_anything_moved_needs_no_undo() {
    let without_undo: [fn(&mut World); 2] =
        [|world| world.environment.undo = Undo::Service, |world| world.roll_back = false];
    for prepare in without_undo {
        story(async || {
            let mut world = deployed().await;
            prepare(&mut world);
            world.cloud.add_rule(On::operation("RegisterTaskDefinition").then(Fault::AccessDenied));
            let ended = Box::pin(world.deploy("v2", "v2")).await;
            assert_eq!(
                (ended.exit, &*ended.summary),
                (ExitCode::Failed, "not deployed; the previous release serves"),
                "{:#?}",
                ended.events
            );
        });
    }
}

#[test]
fn credentials_that_expire_before_the_first_change_moved_nothing() {
    story(async || {
        let mut world = deployed().await;
        let mut expired = false;
        world.cloud.add_rule(move |call: &Call<'_>| {
            expired |= call.operation == "UpdateService";
            let text = "The security token included in the request is expired";
            expired.then(|| Fault::Error(sim::testing::ApiError::new("ExpiredTokenException", text)))
        });
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.summary, "not deployed; nothing that serves was changed");
    });
}

#[test]
fn an_account_that_does_not_answer_after_a_refused_change_leaves_it_unknown_what_serves() {
    story(async || {
        let mut world = deployed().await;
        let mut refused = false;
        world.cloud.add_rule(move |call: &Call<'_>| {
            let first = call.operation == "UpdateService";
            refused |= first;
            let fault = if first { Fault::AccessDenied } else { Fault::Refuse };
            refused.then_some(fault)
        });
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Unknown, "{:#?}", ended.events);
        assert!(ended.summary.ends_with("and what serves could not be read"), "{}", ended.summary);
    });
}

#[test]
fn a_rerun_that_waits_for_a_deployment_that_somebody_forced_meanwhile_says_so() {
    story(async || {
        let mut world = deployed().await;
        let somebody = world.somebody().await;
        let fired = Arc::new(Notify::new());
        let fires = fired.clone();
        world.cloud.add_rule(move |call: &Call<'_>| {
            // Between the plan, which is empty, and the proof.
            if call.operation == "DescribeImages" {
                fires.notify_one();
            }
            None
        });
        let meddle = async {
            fired.notified().await;
            somebody.forces_a_deployment();
        };
        let (ended, ()) = tokio::join!(Box::pin(world.deploy("v1", "v1")), Box::pin(meddle));
        let named = ended.events.iter().any(|event| {
            matches!(event, Kind::Warned { text }
                if text.starts_with("waiting: ") && text.contains("of ielts-backend:1 is in progress"))
        });
        assert!(named && ended.exit == ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn a_reading_whose_parts_lie_apart_is_read_again() {
    for late in 1..=4 {
        story(async || {
            let mut world = deployed().await;
            let (somebody, cloud) = (world.somebody().await, world.cloud.clone());
            let fired = Arc::new(Notify::new());
            let meddle = async {
                somebody.waits_for(Moment::Complete, "ielts-backend:2").await;
                let (mut seen, fires) = (0, fired.clone());
                // The frontend's tasks are read long after the backend's.
                cloud.add_rule(move |call: &Call<'_>| {
                    let params = &call.request?.params;
                    let frontend = params["serviceName"] == "ielts-frontend-service";
                    seen += u32::from(frontend && params["desiredStatus"] == "RUNNING");
                    let now = frontend && params["desiredStatus"] == "RUNNING" && seen == late;
                    now.then(|| {
                        fires.notify_one();
                        Fault::Delay(20_000)
                    })
                });
                fired.notified().await;
                tokio::time::sleep(Duration::from_secs(5)).await;
                somebody.stops_a_task("ielts-backend:2").await;
            };
            let ended = tokio::select! {
                ended = Box::pin(world.deploy("v2", "v1")) => ended,
                never = async { meddle.await; std::future::pending().await } => never,
            };
            assert_eq!(ended.exit, ExitCode::Done, "{late}: {:#?}", ended.events);
            assert!(is_complete(&world).await, "{late}: {:#?}", ended.events);
        });
    }
}
