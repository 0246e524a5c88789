//! Releases that go wrong: what is reported must be true, and the exit code never 0.

use deploy::event::ExitCode;
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::world::{World, story};

#[test]
fn a_backend_that_crashes_at_start_is_rolled_back_and_its_last_words_are_reported() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1).printing(500, "no DATABASE_URL"));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let cause = ended.cause("backend").unwrap();
        assert!(cause.contains("exited with code 1") && cause.contains("no DATABASE_URL"), "{cause}");
        // The account is as before, and a rerun with the old image finds nothing to do.
        let back = world.deploy("v1", "v1").await;
        assert_eq!((back.exit, back.writes), (ExitCode::Done, Vec::new()));
    });
}

#[test]
fn a_health_path_that_answers_404_is_named_and_not_the_breaker() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.scripts.set("ielts-backend:2", Script::default().answering("/actuator/health", 0, 404));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let cause = ended.cause("backend").unwrap();
        assert!(cause.contains("/actuator/health") && cause.contains("404"), "{cause}");
    });
}

#[test]
fn a_first_release_that_never_gets_healthy_is_not_called_rolled_back() {
    story(|| async {
        let mut world = World::new().await;
        world.scripts.set("ielts-backend", Script::crashes(500, 3));
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        assert_eq!(ended.rolled(), ["backend"], "the frontend must not be created on top of a dead backend");
    });
}

#[test]
fn a_slow_starter_within_its_grace_is_not_killed() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.environment.services[0].deployment.health_check_grace_secs = 120;
        world.scripts.set("ielts-backend:2", Script::boots_in(75_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn a_slow_starter_without_grace_fails_and_the_old_release_serves() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        world.environment.services[0].deployment.health_check_grace_secs = 0;
        world.scripts.set("ielts-backend:2", Script::boots_in(75_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
    });
}

#[test]
fn a_push_that_is_refused_is_reported_by_whether_something_serves() {
    for (deployed, exit) in [(true, ExitCode::Failed), (false, ExitCode::NotRecovered)] {
        story(|| async {
            let mut world = World::new().await;
            if deployed {
                assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
            }
            world.cloud.add_rule(On::registry().writes().then(Fault::AccessDenied));
            let ended = world.deploy("v2", "v2").await;
            assert_eq!((ended.exit, ended.rolled().len()), (exit, 0), "{:#?}", ended.events);
        });
    }
}
