//! Services without a load balancer: their tasks are the whole proof.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::{Connect, Environment, Undo};
use sim::workload::scripted::Script;

use crate::world::{FILE, World, production, story};

pub(crate) fn to_worker(environment: &mut Environment, at: usize) {
    let service = &mut environment.services[at];
    service.load_balancer = false;
    service.routes.clear();
    service.smoke.clear();
}

/// The frontend as a worker beside a backend that serves.
fn one_worker() -> Environment {
    let mut environment = production(FILE);
    to_worker(&mut environment, 1);
    environment
}

/// Workers alone, without a port, and one of them outside of Service Connect.
pub(crate) fn workers() -> Environment {
    let mut environment = one_worker();
    to_worker(&mut environment, 0);
    for service in &mut environment.services {
        service.connect = None;
        service.container.port = 0;
        service.container.environment.clear();
    }
    let off = Connect { enable: false, ..production(FILE).services[0].connect.clone().unwrap() };
    environment.services[1].connect = Some(off);
    environment
}

#[test]
fn an_environment_of_workers_makes_no_load_balancer_and_is_proven_by_its_tasks() {
    story(async || {
        let mut world = World::of(workers(), 0).await;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
        let elb = |write: &&String| {
            ["LoadBalancer", "Listener", "TargetGroup", "Rule"].iter().any(|it| write.contains(it))
        };
        assert_eq!(ended.writes.iter().filter(elb).collect::<Vec<_>>(), Vec::<&String>::new());
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        assert_eq!(again.summary, "nothing to change; proven");
    });
}

#[test]
fn a_worker_beside_a_service_rolls_without_targets_and_waits_for_its_own_checks() {
    story(async || {
        let mut world = World::of(one_worker(), 0).await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let ended = Box::pin(world.deploy("v1", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let waits: Vec<String> = ended.events.iter().filter_map(deploy::view::rolling).collect();
        assert!(waits.iter().any(|it| it.contains("0 of 2 tasks healthy")), "{waits:#?}");
        assert!(!waits.iter().any(|it| it.contains("targets")), "{waits:#?}");
    });
}

#[test]
fn a_worker_that_crashes_after_its_start_is_refuted_and_rolled_back() {
    story(async || {
        let mut world = World::of(workers(), 0).await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        world.scripts.set("ielts-backend:2", Script::crashes(20_000, 3));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let back = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, vec![]), "{:#?}", back.events);
    });
}

#[test]
fn a_release_that_fails_beside_a_worker_whose_tasks_fail_their_check_does_not_claim_that_all_serves() {
    for undo in [Undo::Release, Undo::Service] {
        story(async || {
            let mut world = World::of(one_worker(), 0).await;
            world.environment.undo = undo;
            let ill = Script { container_health: vec![(60_000, false)], ..Script::default() };
            assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
            world.scripts.set("ielts-frontend", Script { hangs: true, ..ill });
            let somebody = world.somebody().await;
            world.rights = None;
            let frontend = ("ielts-prod-cluster", "ielts-frontend-service");
            let tasks = world.aws.service_tasks(frontend.0, frontend.1, false).await.unwrap();
            somebody.aws.stop_task(frontend.0, &tasks[0].id, "to see what happens").await.unwrap();
            world
                .scripts
                .set("ielts-backend:2", Script::fails_to_start("CannotPullContainerError: not found"));
            let ended = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!(ended.exit, ExitCode::NotRecovered, "{undo:?}: {:#?}", ended.events);
            assert_eq!(
                ended.summary, "not deployed; all is as before, and it does not serve: frontend 1/2 tasks",
                "{undo:?}"
            );
        });
    }
}

#[test]
fn a_service_becomes_a_worker_and_its_rules_go_once_that_is_proven() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        to_worker(&mut world.environment, 1);
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert!(ended.writes.iter().any(|write| write == "DeleteRule"), "{:?}", ended.writes);
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

#[test]
fn a_service_that_fails_as_a_worker_gets_its_target_group_again() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let balanced = world.environment.clone();
        to_worker(&mut world.environment, 1);
        world.scripts.set("ielts-frontend:2", Script::crashes(2_000, 3));
        let ended = Box::pin(world.deploy("v1", "v2")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        world.environment = balanced;
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

#[test]
fn a_service_of_no_tasks_is_deployed_and_proven_as_such() {
    story(async || {
        let mut environment = one_worker();
        environment.services[1].desired_count = 0;
        environment.services[1].scaling = None;
        let mut world = World::of(environment, 0).await;
        for text in ["v1", "v2"] {
            let ended = Box::pin(world.deploy("v1", text)).await;
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            assert!(
                !ended.events.iter().any(|event| matches!(event, Kind::Failed { .. })),
                "{:#?}",
                ended.events
            );
        }
    });
}

#[test]
fn a_worker_whose_tasks_were_just_replaced_is_proven_once_the_new_ones_pass_their_checks() {
    story(async || {
        let mut world = World::of(workers(), 0).await;
        world.scripts.set("ielts-backend:1", Script::crashes(90_000, 1));
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let backend = ("ielts-prod-cluster", "ielts-backend-service");
        let checked = async |world: &World| {
            let tasks = world.aws.service_tasks(backend.0, backend.1, false).await.unwrap();
            let running = tasks.iter().filter(|task| task.last_status == "RUNNING");
            running.map(|task| task.health.clone()).collect::<Vec<_>>()
        };
        while checked(&world).await != ["UNKNOWN", "UNKNOWN"] {
            world.host.clock.sleep(Duration::from_millis(250)).await;
        }
        let again = Box::pin(world.deploy("v1", "v1")).await;
        // Both crashed since the proof: it is proven anew, and marked so.
        assert_eq!(
            (again.exit, again.writes),
            (ExitCode::Done, vec!["TagResource".to_owned()]),
            "{:#?}",
            again.events
        );
        assert_eq!(checked(&world).await, ["HEALTHY", "HEALTHY"]);
    });
}
