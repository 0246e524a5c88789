//! AWS as it answers on a bad day: not at all, with refusals, with old news, and with half of it.

use deploy::event::{ExitCode, Kind};
use deploy::rollout::Outcome;
use sim::fault::{Call, Fault, Lateness, Rule};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// From so many DescribeServices after the first UpdateService on, every API call meets this.
fn after_reads(reads: u32, fault: Fault) -> impl Rule {
    let (mut written, mut seen) = (false, 0);
    move |call: &Call<'_>| {
        written |= call.operation == "UpdateService";
        seen += u32::from(written && call.operation == "DescribeServices");
        (seen > reads).then(|| fault.clone())
    }
}

fn page() -> Fault {
    let body = "<html><head><title>Sign in</title></head></html>".to_owned();
    Fault::Status { code: 200, body, content_type: "text/html".to_owned() }
}

/// What a gateway answers that knows the format and no service.
fn nothing() -> Fault {
    Fault::Status { code: 200, body: "{}".to_owned(), content_type: "application/x-amz-json-1.1".to_owned() }
}

fn warnings<'a>(ended: &'a Ended, of: &str) -> Vec<&'a str> {
    let text = |event: &'a Kind| match event {
        Kind::Warned { text } => Some(text.as_str()),
        _ => None,
    };
    ended.events.iter().filter_map(text).filter(|text| text.contains(of)).collect()
}

#[test]
fn a_roll_that_aws_refuses_to_show_ends_after_half_a_minute_with_the_cause() {
    let cases = [
        (Fault::ExpiredToken, "the AWS credentials have expired", "sign in again"),
        (Fault::AccessDenied, "the caller may not ecs:DescribeServices", "allow ecs:DescribeServices"),
        (page(), "was not answered by AWS: HTTP 200 with text/html \"Sign in\"", "check the proxy"),
        (Fault::Refuse, "connection refused", "check the network"),
        (nothing(), "the reply has no", "run `cargo xtask wait`"),
    ];
    for (fault, cause, help) in cases {
        story(async || {
            let mut world = World::new().await;
            world.deploy("v1", "v1").await;
            world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
            world.cloud.add_rule(after_reads(2, fault.clone()));
            let ended = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Unknown, "{fault:?}: {:#?}", ended.events);
            let outcome = &ended.verdict("backend").unwrap().outcome;
            let Outcome::Unseen { why } = outcome else { panic!("{outcome:?}") };
            assert!(why.contains(cause) && !outcome.sentence().contains(cause), "{why}");
            assert!(ended.secs < 75, "{fault:?}: {} s", ended.secs);
            assert_eq!(warnings(&ended, "cannot read the services").len(), 1, "{:#?}", ended.events);
            let found = ended.events.iter().find_map(|event| match event {
                Kind::Failed { error, hint } if error.contains("cannot follow") => Some((error, hint)),
                _ => None,
            });
            let (error, hint) = found.unwrap();
            // Once, and last.
            let told = ended.events.iter().filter(|event| matches!(event, Kind::Failed { .. })).count();
            let lease = warnings(&ended, "the lease could not be");
            assert!(fault != Fault::ExpiredToken || lease[0].contains("the same error"), "{lease:?}");
            assert!(
                told == 1 && matches!(ended.events.last(), Some(Kind::Failed { .. })),
                "{:#?}",
                ended.events
            );
            let hint = hint.as_ref().unwrap();
            assert!(error.contains(cause), "{error}");
            assert!(hint.contains(help) && hint.ends_with("run `cargo xtask wait`"), "{hint}");
        });
    }
}

#[test]
fn half_a_minute_without_an_answer_in_the_middle_of_a_roll_ends_nothing() {
    for fault in [Fault::Throttle, Fault::ServerError(503)] {
        story(async || {
            let mut world = World::new().await;
            world.deploy("v1", "v1").await;
            world.scripts.set("ielts-backend:2", Script::boots_in(40_000));
            let (clock, mut first) = (world.cloud.clock().clone(), None);
            let mut after = after_reads(2, fault.clone());
            world.cloud.add_rule(move |call: &Call<'_>| {
                let fault = after.on_call(call)?;
                let since = *first.get_or_insert(clock.millis());
                (clock.millis().since(since) < 60_000).then_some(fault)
            });
            let ended = Box::pin(world.deploy("v2", "v1")).await;
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        });
    }
}

#[test]
fn a_service_that_a_replica_does_not_know_for_some_seconds_is_not_deleted() {
    story(async || {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let name = world.environment.services[0].name.clone();
        let (clock, mut first) = (world.cloud.clock().clone(), None);
        let mut after = after_reads(2, Fault::Unseen(name));
        world.cloud.add_rule(move |call: &Call<'_>| {
            let fault = after.on_call(call).filter(|_| call.operation == "DescribeServices")?;
            let since = *first.get_or_insert(clock.millis());
            (clock.millis().since(since) < 8_000).then_some(fault)
        });
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn a_first_release_waits_for_all_that_it_made_to_be_known() {
    story(async || {
        let mut world = World::new().await;
        world.cloud.add_rule(Lateness::new(world.cloud.clock().clone(), 10_000));
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(warnings(&ended, "cannot read"), [""; 0]);
    });
}

/// Once a service was written, reads are answered by replicas, each of which lags differently.
fn replicas() -> impl Rule {
    let (mut turn, mut written) = (0, false);
    move |call: &Call<'_>| {
        written |= ["CreateService", "UpdateService"].contains(&call.operation);
        turn = (turn * 5 + 3) % 17;
        let lag = [0, 2_000, 9_000, 0, 15_000][turn % 5];
        (written && !call.write && lag > 0).then_some(Fault::LaggingRead(lag))
    }
}

#[test]
fn reads_that_go_backwards_change_no_outcome() {
    story(async || {
        let mut world = World::new().await;
        for version in ["v1", "v2"] {
            world.cloud.add_rule(replicas());
            let ended = Box::pin(world.deploy(version, version)).await;
            assert_eq!(ended.exit, ExitCode::Done, "{version}: {:#?}", ended.events);
            world.cloud.clear_rules();
        }
        world.cloud.add_rule(replicas());
        world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1));
        let failing = Box::pin(world.deploy("v3", "v2")).await;
        assert_eq!(failing.verdict("backend").unwrap().outcome, Outcome::RolledBack);
    });
}

#[test]
fn an_endpoint_that_leaves_members_out_has_the_same_outcomes_causes_and_empty_plans() {
    let members = ["currentServiceDeployment", "thresholdConfiguration", "earlySuccessCriteria", "startedBy"];
    story(async || {
        let mut world = World::new().await;
        members.into_iter().for_each(|member| world.front_door.leaves_out(member));
        let first = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes.as_slice()), (ExitCode::Done, [].as_slice()));
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        let failing = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(failing.verdict("backend").unwrap().outcome, Outcome::RolledBack);
        let cause = failing.cause("backend").unwrap();
        assert!(cause.contains("exited with code 1"), "{cause}");
    });
}

#[test]
fn an_account_without_scaling_is_never_asked_about_it() {
    story(async || {
        let mut world = World::new().await;
        world.environment.services.iter_mut().for_each(|service| service.scaling = None);
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let scaling = |operation: &str| operation.contains("Scal");
        assert!(!world.cloud.calls().iter().any(|call| scaling(&call.operation)));
    });
}
