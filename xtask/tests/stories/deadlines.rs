//! The time of a roll is over: what is undone, what is waited for, what is left, and what nobody can know.

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use sim::door::cloud::CallRecord;
use sim::fault::{Call, Fault, Rule};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// A good first release, and then a time for the backend's roll, in seconds.
async fn world_with(roll_secs: u64) -> World {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    let deployment = &mut world.environment.services[0].deployment;
    deployment.patience.roll_secs = roll_secs;
    deployment.health_check_grace_secs = 900;
    world
}

fn outcome(ended: &Ended) -> &Outcome {
    &ended.verdict("backend").unwrap().outcome
}

fn stops(ended: &Ended) -> usize {
    ended.writes.iter().filter(|name| *name == "StopServiceDeployment").count()
}

#[test]
fn a_roll_whose_tasks_are_not_healthy_in_time_is_rolled_back() {
    story(|| async {
        let mut world = world_with(90).await;
        world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Failed, &Outcome::RolledBack));
        assert_eq!(stops(&ended), 1, "{:?}", ended.writes);
    });
}

/// The new tasks are healthy, and old ones leave too slowly for the time that the roll has.
async fn healthy_and_draining() -> World {
    let mut world = world_with(55).await;
    world.environment.services[0].target_group.deregistration_delay_secs = 120;
    world
}

#[test]
fn healthy_tasks_are_not_undone_because_old_ones_leave_slowly() {
    story(|| async {
        let mut world = healthy_and_draining().await;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Done, &Outcome::Succeeded));
        let warned = ended
            .events
            .iter()
            .any(|event| matches!(event, Kind::Warned { text } if text.contains("its tasks are healthy")));
        assert!(warned, "the time was not over while the old tasks left: {} s", ended.secs);
        assert_eq!(stops(&ended), 0, "{:?}", ended.writes);
    });
}

#[test]
fn a_roll_that_is_left_to_finish_is_reported_as_in_progress_and_waited_for_by_the_next_run() {
    story(|| async {
        let mut world = healthy_and_draining().await;
        world.environment.services[0].deployment.patience.finish_secs = 10;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::StillMoving, &Outcome::StillMoving));
        assert_eq!(stops(&ended), 0, "{:?}", ended.writes);
        world.environment.services[0].deployment.patience.finish_secs = 200;
        let again = world.deploy("v2", "v1").await;
        assert_eq!((again.exit, again.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", again.events);
    });
}

#[test]
fn without_rollback_a_slow_roll_is_left_moving_and_waited_for_by_the_next_run() {
    story(|| async {
        let mut world = world_with(90).await;
        world.roll_back = false;
        world.scripts.set("ielts-backend:2", Script::boots_in(200_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::StillMoving, &Outcome::StillMoving));
        assert_eq!(stops(&ended), 0, "{:?}", ended.writes);
        world.environment.services[0].deployment.patience.roll_secs = 900;
        let again = world.deploy("v2", "v1").await;
        assert_eq!((again.exit, again.rolled()), (ExitCode::Done, vec!["backend"]), "{:#?}", again.events);
    });
}

#[test]
fn a_rollback_that_is_not_over_in_time_is_reported_as_in_progress() {
    story(|| async {
        let mut world = world_with(90).await;
        world.environment.services[0].deployment.patience.back_secs = 1;
        world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::StillMoving, &Outcome::StillMoving));
    });
}

/// From the first UpdateService on, DescribeServices fails so many times.
fn blind(times: u64) -> impl Rule {
    let (mut written, mut failed) = (false, 0);
    move |call: &Call<'_>| {
        written |= call.operation == "UpdateService";
        let fails = written && call.operation == "DescribeServices" && failed < times;
        failed += u64::from(fails);
        fails.then_some(Fault::ServerError(503))
    }
}

#[test]
fn a_roll_that_nobody_could_see_is_neither_undone_nor_called_anything() {
    story(|| async {
        let mut world = world_with(90).await;
        world.cloud.add_rule(blind(u64::MAX));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Unknown);
        let Outcome::Unseen { why } = outcome(&ended) else { panic!("{:#?}", ended.events) };
        assert!(
            why.contains("ServiceUnavailableException"),
            "the refusal, and not that there was none: {why}"
        );
        assert_eq!((stops(&ended), ended.rolled().len()), (0, 1), "{:?}", ended.writes);
        world.cloud.clear_rules();
        let again = world.deploy("v2", "v1").await;
        assert_eq!(again.exit, ExitCode::Done, "{:#?}", again.events);
    });
}

#[test]
fn an_outage_of_reads_that_ends_after_the_deadline_hides_no_success() {
    story(|| async {
        let mut world = world_with(60).await;
        // Eight attempts of one read take some ten seconds.
        world.cloud.add_rule(blind(8 * 5));
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, outcome(&ended)), (ExitCode::Done, &Outcome::Succeeded));
        let calls = world.cloud.calls();
        let written = calls.iter().position(|call| call.operation == "UpdateService").unwrap();
        let seen = |call: &&CallRecord| call.operation == "DescribeServices" && call.outcome == "ok";
        let seen = calls[written..].iter().find(seen).unwrap();
        let dark_ms = seen.at.since(calls[written].at);
        assert!(dark_ms > 60_000, "the reads were back before the deadline, after {dark_ms} ms");
    });
}
