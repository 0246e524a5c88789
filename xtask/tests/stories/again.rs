//! `restart` and `scale`: what runs, in new tasks or in more of them, by the path of a release.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::{Environment, Observed, Release, Service};
use deploy::plan;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{FILE, World, production, story};

fn all(observed: &Observed, services: &[Service]) -> Release {
    plan::restart(observed, &services.iter().collect::<Vec<_>>(), "ana".to_owned())
}

fn backend_to(count: u32) -> impl FnOnce(&Observed, &[Service]) -> Release {
    move |observed, services| plan::scale(observed, &services[0], count, "ana".to_owned())
}

async fn tasks(world: &World, service: &str) -> Vec<(String, String)> {
    let found = world.aws.service_tasks(&world.environment.cluster, service, false).await.unwrap();
    found.into_iter().map(|task| (task.id, task.task_definition)).collect()
}

fn updates(ended: &Ended) -> usize {
    ended.writes.iter().filter(|write| *write == "UpdateService").count()
}

#[test]
fn a_restart_replaces_every_task_by_one_of_the_same_revision_and_is_proven() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let before = tasks(&world, "ielts-backend-service").await;
        let ended = world.again(all).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Done, "restarted and proven"),
            "{:#?}",
            ended.events
        );
        let after = tasks(&world, "ielts-backend-service").await;
        assert_eq!((before.len(), after.len(), updates(&ended)), (2, 2, 2));
        for (id, revision) in &after {
            assert!(before.iter().all(|(old, _)| old != id), "{id} was there before");
            assert_eq!(*revision, before[0].1);
        }
        let one = world
            .again(|observed, services| plan::restart(observed, &[&services[1]], "ana".to_owned()))
            .await;
        assert_eq!((one.exit, one.rolled()), (ExitCode::Done, vec!["frontend"]));
    });
}

#[test]
fn a_deploy_that_changes_nothing_reads_little() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let before = world.cloud.calls().len();
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let mut calls = world.cloud.calls();
        let asked: Vec<_> = calls.drain(before..).map(|call| call.operation).collect();
        // After the smoke checks, for the proof and its table, for both services together. The cluster counts no services and
        // tasks but theirs, and its tags came with it.
        let times = |operation| asked.iter().filter(|it| *it == operation).count();
        assert_eq!((times("ListTasks"), times("DescribeTasks")), (2, 1), "{asked:#?}");
        assert_eq!((times("ListServices"), times("ListTagsForResource")), (0, 0), "{asked:#?}");
        assert!(asked.len() <= 32, "{}: {asked:#?}", asked.len());
    });
}

#[test]
fn a_restart_that_fails_is_no_success_and_leaves_the_tasks_that_served() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Done);
        let before = tasks(&world, "ielts-backend-service").await;
        // As with a secret that was changed for the worse.
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let ended = world.again(all).await;
        // ECS rolls back by new tasks of the same revision, which crash too: the service is as before, and cannot be restarted.
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        assert_eq!(ended.summary, "not restarted, and not recovered");
        assert!(ended.events.iter().any(|event| matches!(event, Kind::Diagnosed { .. })));
        let after = tasks(&world, "ielts-backend-service").await;
        assert!(before.iter().all(|task| after.contains(task)), "{before:?} {after:?}");
        assert!(
            after.iter().all(|(_, revision)| revision.ends_with("ielts-backend:2")),
            "another release runs: {after:?}"
        );
    });
}

/// ECS starts no deployment for a number, so no circuit breaker counts: the tool has to see the failures itself.
#[test]
fn more_tasks_that_do_not_stay_up_are_never_proven_and_not_waited_for_as_long_as_a_roll() {
    story(|| async {
        let scripts = [
            // Before the task is RUNNING, a moment after it, and while it bakes.
            (Script::crashes(1_000, 3), "stopped with exit code 3"),
            (Script::crashes(8_000, 3), "stopped with exit code 3"),
            (Script::crashes(25_000, 3), "stopped with exit code 3"),
            (Script::fails_to_start("CannotPullContainerError: no such image"), "CannotPullContainerError"),
        ];
        for (script, why) in scripts {
            let mut world = World::new().await;
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            world.scripts.set("ielts-backend:1", script);
            let began = world.host.clock.mark();
            let ended = world.again(backend_to(4)).await;
            let said =
                ended.events.iter().any(|it| matches!(it, Kind::Failed { error, .. } if error.contains(why)));
            assert_eq!(
                (ended.exit, said),
                (ExitCode::Failed, true),
                "{why}: {} {:#?}",
                ended.summary,
                ended.events
            );
            let foreign =
                |it: &Kind| matches!(it, Kind::Warned { text } if text.contains("does not change it"));
            assert!(!ended.events.iter().any(foreign), "{:#?}", ended.events);
            assert!(began.elapsed() < Duration::from_secs(400), "{why}: {:?}", began.elapsed());
        }
    });
}

#[test]
fn a_restart_that_is_killed_and_run_again_forces_no_second_deployment() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        tokio::select! {
            biased;
            ended = world.again(all) => panic!("{ended:#?}"),
            // Killed: ECS has been asked, and nobody follows.
            () = world.host.clock.sleep(Duration::from_secs(10)) => {}
        }
        let again = world.again(all).await;
        assert_eq!((again.exit, updates(&again)), (ExitCode::Done, 0), "{:#?}", again.events);
    });
}

/// Somebody forces a deployment of the backend, and the command begins while that is in progress.
async fn amid_a_deployment() -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.somebody().await.forces_a_deployment();
    world.host.clock.sleep(Duration::from_secs(5)).await;
    world
}

#[test]
fn a_restart_amid_somebody_else_s_deployment_replaces_its_tasks_after_it() {
    story(|| async {
        let world = amid_a_deployment().await;
        let theirs = world.somebody().await.looks().await.deployments[0].id.clone();
        let (ended, before) = tokio::join!(world.again(all), async {
            world.somebody().await.waits_for(Moment::Complete, "ielts-backend:1").await;
            tasks(&world, "ielts-backend-service").await
        });
        assert_eq!(
            (ended.exit, ended.summary.as_str(), updates(&ended)),
            (ExitCode::Done, "restarted and proven", 2),
            "{:#?}",
            ended.events
        );
        let after = tasks(&world, "ielts-backend-service").await;
        assert!(after.len() == 2 && after.iter().all(|task| !before.contains(task)), "{before:?} {after:?}");
        let asked = |it: &Kind| matches!(it, Kind::Following { deployment, .. } if *deployment == theirs);
        assert_eq!(
            ended.events.iter().position(asked).map(|at| at > 0),
            Some(true),
            "theirs is waited for first"
        );
    });
}

fn another_number(observed: &Observed, services: &[Service]) -> Release {
    plan::scale(observed, &services[0], 3, "story".to_owned())
}

#[test]
fn what_somebody_else_deployed_stays_where_a_number_of_tasks_or_a_restart_of_it_fails() {
    for again in [all as fn(&Observed, &[Service]) -> Release, another_number] {
        story(|| async {
            let mut world = World::new().await;
            assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            world.scripts.set("ielts-backend:2", Script::crashes(45_000, 1));
            world.somebody().await.deploys().await;
            world.host.clock.sleep(Duration::from_secs(5)).await;
            let ended = world.again(again).await;
            assert_ne!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            let shown = world.somebody().await.looks().await;
            assert!(
                shown.deployments[0].task_definition.ends_with("ielts-backend:2"),
                "{} {:#?}",
                ended.summary,
                ended.events
            );
        });
    }
}

#[test]
fn a_restart_whose_wait_ends_otherwise_says_that_nothing_was_restarted() {
    story(|| async {
        let world = amid_a_deployment().await;
        let ann = world.somebody().await;
        let (ended, ()) = tokio::join!(world.again(all), async {
            world.host.clock.sleep(Duration::from_secs(5)).await;
            ann.deploys().await;
        });
        assert_eq!(
            (ended.exit, ended.summary.as_str(), updates(&ended)),
            (ExitCode::Superseded, "not restarted; a newer deployment took over", 0),
            "{:#?}",
            ended.events
        );
    });
    story(|| async {
        let mut world = World::of(impatient(), 0).await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.roll_back = false;
        world.scripts.set("ielts-backend:1", Script::boots_in(3_000_000));
        world.somebody().await.forces_a_deployment();
        let ended = world.again(all).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str(), updates(&ended)),
            (
                ExitCode::StillMoving,
                "not restarted; the deployment that it waits for is still in progress",
                0
            ),
            "{:#?}",
            ended.events
        );
    });
}

#[test]
fn a_number_of_tasks_amid_somebody_else_s_deployment_is_set_and_proven_with_it() {
    story(|| async {
        let world = amid_a_deployment().await;
        let ended = world.again(backend_to(4)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Done, "scaled and proven"),
            "{:#?}",
            ended.events
        );
        let backend = world.somebody().await.looks().await;
        assert_eq!((backend.running, backend.deployments.len()), (4, 1));
    });
}

#[test]
fn a_number_of_tasks_is_proven_or_refused_and_lasts_until_scaling_moves_it() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let ended = world.again(backend_to(4)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Done, "scaled and proven"),
            "{:#?}",
            ended.events
        );
        assert_eq!(tasks(&world, "ielts-backend-service").await.len(), 4);
        let notes = ended.events.iter().find_map(|event| match event {
            Kind::Planned { plan } => Some(plan.notes.clone()),
            _ => None,
        });
        assert_eq!(
            notes.unwrap(),
            ["backend has 4 tasks until backend-cpu-scaling moves it, between 2 and 10"]
        );
        let same = world.again(backend_to(4)).await;
        assert_eq!((same.exit, same.writes), (ExitCode::Done, Vec::<String>::new()));
        let refused = world.again(backend_to(11)).await;
        assert_eq!((refused.exit, refused.writes), (ExitCode::Usage, Vec::<String>::new()));
        assert_eq!(world.again(backend_to(2)).await.exit, ExitCode::Done);
        assert_eq!(tasks(&world, "ielts-backend-service").await.len(), 2);
    });
}

/// The environment with little patience: what does not come up is waited for until the deadline.
fn impatient() -> Environment {
    let mut environment = production(FILE);
    for service in &mut environment.services {
        service.deployment.patience.roll_secs = 120;
    }
    environment
}

/// A proven release whose next tasks do not stay up.
async fn brittle() -> World {
    let mut world = World::of(impatient(), 0).await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    world.scripts.set("ielts-backend:1", Script::crashes(1_500, 1));
    world
}

#[test]
fn a_number_of_tasks_that_does_not_come_up_is_taken_back() {
    story(|| async {
        let world = brittle().await;
        let ended = world.again(backend_to(4)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str(), updates(&ended)),
            (ExitCode::Failed, "not scaled; what ran before serves", 2),
            "{:#?}",
            ended.events
        );
        let backend = world.somebody().await.looks().await;
        assert_eq!((backend.desired, backend.running), (2, 2));
    });
}

#[test]
fn a_scale_that_is_interrupted_or_killed_is_taken_back_and_not_over_what_somebody_asked_for() {
    story(|| async {
        let mut world = brittle().await;
        world.stop_after = Some(10);
        let ended = world.again(backend_to(4)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Interrupted, "interrupted; what ran before serves"),
            "{:#?}",
            ended.events
        );
        world.stop_after = None;
        let somebody = world.somebody().await;
        assert_eq!(somebody.looks().await.desired, 2);
        tokio::select! {
            biased;
            ended = world.again(backend_to(4)) => panic!("{ended:#?}"),
            () = world.host.clock.sleep(Duration::from_secs(10)) => {}
        }
        assert_eq!(somebody.looks().await.desired, 4);
        let aborted = world.abort().await;
        assert_eq!((aborted.exit, somebody.looks().await.desired), (ExitCode::Failed, 2), "{aborted:#?}");
        // Three tasks run by then: the script lets the next one stay.
        let (ended, ()) = tokio::join!(world.again(backend_to(4)), async {
            world.host.clock.sleep(Duration::from_secs(10)).await;
            world.scripts.set("ielts-backend:1", Script::default());
            somebody.scales_to(3).await;
        });
        assert_eq!(
            (ended.exit, somebody.looks().await.desired),
            (ExitCode::Superseded, 3),
            "{:?} {:#?}",
            ended.summary,
            ended.events
        );
    });
}

#[test]
fn no_task_is_proven_where_none_was_asked_for() {
    story(|| async {
        let mut environment = impatient();
        environment.services[0].scaling = None;
        let mut world = World::of(environment, 0).await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let file = world.environment.clone();
        let key = file.services[0].key.clone();
        plan::scaled(&mut world.environment, &key, 0);
        let ended = world.again(backend_to(0)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Done, "scaled and proven"),
            "{:#?}",
            ended.events
        );
        assert!(tasks(&world, "ielts-backend-service").await.is_empty());
        // Up again with tasks that do not stay: it is at 0, as it was.
        world.environment = file;
        plan::scaled(&mut world.environment, &key, 2);
        world.scripts.set("ielts-backend:1", Script::crashes(1_500, 1));
        let ended = world.again(backend_to(2)).await;
        assert_eq!(
            (ended.exit, ended.summary.as_str()),
            (ExitCode::Failed, "not scaled; as before: backend 0/0 tasks, and the rest serves"),
            "{:#?}",
            ended.events
        );
        assert_eq!(world.somebody().await.looks().await.desired, 0);
    });
}
