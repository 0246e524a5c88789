//! Two deploys of one environment are kept apart, and a run that died holds nobody up for long.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::lease::{Lease, TAG};
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

/// The lease in the cluster's tag.
async fn lease(world: &World) -> Option<Lease> {
    let cluster = world.aws.describe_cluster(&world.environment.cluster).await.unwrap().unwrap();
    let tag = world.aws.list_ecs_tags(&cluster.arn).await.unwrap().remove(TAG)?;
    Some(tag.parse().unwrap())
}

async fn deploy(world: &mut World, backend: &str, frontend: &str) -> Ended {
    Box::pin(world.deploy(backend, frontend)).await
}

/// The same, some seconds from now.
async fn later(world: &mut World, secs: u64, backend: &str, frontend: &str) -> Ended {
    world.host.clock.sleep(Duration::from_secs(secs)).await;
    deploy(world, backend, frontend).await
}

fn refusal(ended: &Ended) -> Option<&str> {
    ended.events.iter().find_map(|event| match event {
        Kind::Failed { error, .. } => Some(error.as_str()),
        _ => None,
    })
}

fn lost(ended: &Ended) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::LeaseLost { .. }))
}

fn warned(ended: &Ended, part: &str) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Warned { text } if text.contains(part)))
}

/// A good first release, and a rival.
async fn two() -> (World, World) {
    let mut world = World::new().await;
    assert_eq!(deploy(&mut world, "v1", "v1").await.exit, ExitCode::Done);
    let rival = world.rival().await;
    (world, rival)
}

#[test]
fn a_deploy_does_not_supersede_another_that_rolls() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let (ours, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v2", "v1")),
            Box::pin(later(&mut rival, 30, "v3", "v1"))
        );
        assert_eq!((theirs.exit, theirs.writes), (ExitCode::Usage, vec![]), "{:#?}", theirs.events);
        assert_eq!(ours.exit, ExitCode::Done, "{:#?}", ours.events);
        assert_eq!(lease(&world).await, None, "it is given back");
        assert_eq!(deploy(&mut rival, "v3", "v1").await.exit, ExitCode::Done);
    });
}

#[test]
fn a_refusal_names_the_holder_and_the_expiry() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let (_, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v2", "v1")),
            Box::pin(later(&mut rival, 30, "v3", "v1"))
        );
        let text = refusal(&theirs).unwrap();
        for part in ["story in https://ci.test/story", "release release-2", "the lease holds for 1"] {
            assert!(text.contains(part), "{text}");
        }
    });
}

#[test]
fn of_two_deploys_at_the_same_moment_exactly_one_rolls() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let (ours, theirs) =
            tokio::join!(Box::pin(deploy(&mut world, "v2", "v1")), Box::pin(deploy(&mut rival, "v3", "v1")));
        let (won, refused) = if ours.exit == ExitCode::Done { (ours, theirs) } else { (theirs, ours) };
        assert_eq!((won.exit, refused.exit), (ExitCode::Done, ExitCode::Usage), "{:#?}", won.events);
        assert_eq!((won.rolled(), refused.rolled()), (vec!["backend"], vec![]));
        assert!(refused.writes.iter().all(|write| write == "TagResource"), "{:?}", refused.writes);
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn of_two_first_deploys_at_the_same_moment_exactly_one_rolls() {
    story(|| async {
        let mut world = World::new().await;
        let mut rival = world.rival().await;
        let (ours, theirs) =
            tokio::join!(Box::pin(deploy(&mut world, "v1", "v1")), Box::pin(deploy(&mut rival, "v2", "v2")));
        let (won, refused) = if ours.exit == ExitCode::Done { (ours, theirs) } else { (theirs, ours) };
        assert_eq!((won.exit, refused.exit), (ExitCode::Done, ExitCode::Usage), "{:#?}", refused.events);
        let harmless = |write: &String| ["CreateCluster", "TagResource"].contains(&write.as_str());
        assert!(refused.writes.iter().all(harmless), "{:?}", refused.writes);
    });
}

#[test]
fn a_long_roll_keeps_its_lease() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        world.environment.services[0].deployment.health_check_grace_secs = 600;
        world.scripts.set("ielts-backend:2", Script::boots_in(400_000));
        let (ours, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v2", "v1")),
            Box::pin(later(&mut rival, 350, "v3", "v1"))
        );
        assert_eq!((ours.exit, theirs.exit), (ExitCode::Done, ExitCode::Usage), "{:#?}", ours.events);
    });
}

#[test]
fn a_killed_run_holds_nobody_up_for_longer_than_its_lease() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let killed = tokio::time::timeout(Duration::from_secs(40), Box::pin(world.deploy("v2", "v1"))).await;
        assert!(killed.is_err());
        assert_eq!(deploy(&mut rival, "v3", "v1").await.exit, ExitCode::Usage);
        let after = later(&mut rival, 200, "v3", "v1").await;
        assert_eq!(after.exit, ExitCode::Done, "{:#?}", after.events);
        assert!(warned(&after, "story in https://ci.test/story (release-2) expired"), "{:#?}", after.events);
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn a_killed_run_that_is_run_again_goes_on_at_once() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let killed = tokio::time::timeout(Duration::from_secs(40), Box::pin(world.deploy("v2", "v1"))).await;
        assert!(killed.is_err());
        let (again, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v2", "v1")),
            Box::pin(later(&mut rival, 10, "v3", "v1"))
        );
        assert_eq!((again.exit, theirs.exit), (ExitCode::Done, ExitCode::Usage), "{:#?}", again.events);
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn a_lease_that_is_taken_over_ends_the_other_run_before_its_next_stage() {
    story(|| async {
        let mut world = World::new().await;
        let mut rival = world.rival().await;
        rival.claim.take = Some("the runner is gone".to_owned());
        let (ours, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v1", "v1")),
            Box::pin(later(&mut rival, 30, "v1", "v1"))
        );
        assert_eq!(ours.exit, ExitCode::Superseded, "{:#?}", ours.events);
        assert_eq!((lost(&ours), ours.rolled()), (true, vec!["backend"]));
        assert_eq!((theirs.exit, theirs.rolled()), (ExitCode::Done, vec!["backend", "frontend"]));
        let emitted = theirs.events.iter().any(|event| {
            matches!(event, Kind::LeaseTaken { from, reason }
                if from.contains("story") && reason == "the runner is gone")
        });
        assert!(emitted, "{:#?}", theirs.events);
    });
}

#[test]
fn a_run_that_lost_its_lease_does_not_undo_what_the_other_one_does() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        rival.claim.take = Some("a hotfix".to_owned());
        world.scripts.set("ielts-frontend:2", Script::crashes(60_000, 1));
        let (ours, theirs) = tokio::join!(
            Box::pin(deploy(&mut world, "v2", "v2")),
            Box::pin(later(&mut rival, 20, "v3", "v3"))
        );
        assert_eq!((ours.exit, ours.rolled().len()), (ExitCode::Superseded, 2), "{:#?}", ours.events);
        assert_eq!(theirs.exit, ExitCode::Done, "{:#?}", theirs.events);
    });
}

/// A read that lags behind shows the lease of the release before, which ended.
#[test]
fn an_old_reading_of_the_tag_takes_the_lease_from_nobody() {
    for first in 2..=5 {
        story(async move || {
            let (mut world, _) = two().await;
            let fault = Fault::LaggingRead(10_000);
            world.cloud.add_rule(On::operation("ListTagsForResource").nth(first..=40).then(fault));
            let ended = deploy(&mut world, "v2", "v2").await;
            assert!(!lost(&ended), "{first}: {:#?}", ended.events);
            // Where already the look before the write is old, somebody else seems to deploy.
            assert!(
                ended.exit == ExitCode::Done || (ended.exit == ExitCode::Usage && ended.rolled().is_empty()),
                "{first}: {:?}",
                ended.exit
            );
        });
    }
}

#[test]
fn a_cancelled_run_gives_its_lease_back() {
    story(|| async {
        let (mut world, _) = two().await;
        world.stop_after = Some(60);
        world.environment.services[0].deployment.health_check_grace_secs = 900;
        world.scripts.set("ielts-backend:2", Script::boots_in(600_000));
        assert_eq!(deploy(&mut world, "v2", "v1").await.exit, ExitCode::Interrupted);
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn a_failed_run_gives_its_lease_back() {
    story(|| async {
        let (mut world, _) = two().await;
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 1));
        assert_eq!(deploy(&mut world, "v2", "v1").await.exit, ExitCode::Failed);
        assert_eq!(lease(&world).await, None);
        world.cloud.add_rule(On::operation("RegisterTaskDefinition").then(Fault::AccessDenied));
        assert_eq!(deploy(&mut world, "v3", "v1").await.exit, ExitCode::Failed);
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn a_plan_that_somebody_made_old_before_it_was_agreed_to_is_not_carried_out() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        world.consents_after = 1_200;
        let (ours, theirs) =
            tokio::join!(Box::pin(deploy(&mut world, "v2", "v1")), Box::pin(deploy(&mut rival, "v3", "v1")));
        assert_eq!(theirs.exit, ExitCode::Done, "{:#?}", theirs.events);
        assert_eq!((ours.exit, ours.rolled()), (ExitCode::Usage, vec![]), "{:#?}", ours.events);
        assert_eq!(refusal(&ours), Some("the account was changed since the plan was made"));
        assert_eq!(lease(&world).await, None);
    });
}

#[test]
fn a_caller_that_may_not_tag_deploys_without_a_lease_and_is_warned() {
    story(|| async {
        let (mut world, _) = two().await;
        world.cloud.add_rule(On::operation("TagResource").then(Fault::AccessDenied));
        let ended = deploy(&mut world, "v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert!(warned(&ended, "no lease keeps another deploy of prod away"), "{:#?}", ended.events);
    });
}

#[test]
fn a_read_of_the_tag_that_is_older_than_its_write_takes_no_lease_away() {
    story(|| async {
        let (mut world, _) = two().await;
        let stale = On::operation("ListTagsForResource").nth(2..=3).then(Fault::StaleRead);
        world.cloud.add_rule(stale);
        let ended = deploy(&mut world, "v2", "v1").await;
        assert_eq!((ended.exit, lost(&ended)), (ExitCode::Done, false), "{:#?}", ended.events);
        assert!(!warned(&ended, "no lease"), "{:#?}", ended.events);
    });
}

#[test]
fn a_run_that_has_nothing_to_do_waits_for_nobody() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        let killed = tokio::time::timeout(Duration::from_secs(3), Box::pin(world.deploy("v2", "v1"))).await;
        assert!(killed.is_err());
        let nothing = deploy(&mut rival, "v1", "v1").await;
        assert_eq!(nothing.writes, Vec::<String>::new(), "{:#?}", nothing.events);
    });
}

#[test]
fn a_release_that_was_left_rolling_keeps_others_away_and_lets_anybody_wait() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        world.detaches = true;
        assert_eq!(deploy(&mut world, "v2", "v1").await.exit, ExitCode::StillMoving);
        assert_eq!(deploy(&mut rival, "v3", "v1").await.exit, ExitCode::Usage);
        let waited = Box::pin(rival.wait(Some("release-2"))).await;
        assert_eq!(waited.exit, ExitCode::Done, "{:#?}", waited.events);
    });
}

#[test]
fn a_lease_is_not_taken_over_for_a_plan_that_is_out_of_date() {
    story(|| async {
        let mut world = World::new().await;
        world.deploy("v1", "v1").await;
        let mut other = world.rival().await;
        let somebody = world.somebody().await;
        world.claim.take = Some("the runner is gone".to_owned());
        world.consents_after = 30;
        let changes = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            let theirs = deploy::model::spec::ScalableTargetSpec {
                resource_id: "service/ielts-prod-cluster/ielts-backend-service".to_owned(),
                min: 2,
                max: 17,
            };
            somebody.aws.register_scalable_target(&theirs, &xtask::aws::Tags::new()).await.unwrap();
        };
        let (ours, theirs, ()) = tokio::join!(
            Box::pin(world.deploy("v2", "v1")),
            Box::pin(other.deploy("v1", "v2")),
            Box::pin(changes)
        );
        assert_eq!(ours.exit, ExitCode::Usage, "{:#?}", ours.events);
        // The registry does not say who pushes: these are the other one's.
        let to_aws = ours.writes.iter().filter(|write| !write.contains(' '));
        assert_eq!(to_aws.count(), 0, "{:?}", ours.writes);
        assert_eq!(ours.summary, "not started; nothing was written");
        let lost = theirs.events.iter().any(|event| matches!(event, Kind::LeaseLost { .. }));
        assert!(!lost, "{:#?}", theirs.events);
    });
}

#[test]
fn a_first_release_that_does_not_begin_names_what_it_left() {
    type Case = (On, &'static str, &'static [&'static str]);
    let cases: [Case; 4] = [
        (On::operation("CreateCluster").then(Fault::Throttle), "nothing was written", &[]),
        (
            On::operation("CreateCluster").then(Fault::LoseReply),
            "only the cluster was created",
            &["CreateCluster", "UntagResource"],
        ),
        // The look at the account under the lease.
        (
            On::operation("DescribeSubnets").nth(2..=99).then(Fault::AccessDenied),
            "only the cluster was created",
            &["CreateCluster", "UntagResource"],
        ),
        (
            On::operation("ListTagsForResource").nth(1..=8).then(Fault::Throttle),
            "only the cluster was created",
            &["CreateCluster", "UntagResource"],
        ),
    ];
    for (fault, left, writes) in cases {
        story(|| async {
            let mut world = World::new().await;
            world.cloud.add_rule(fault);
            let ended = deploy(&mut world, "v1", "v1").await;
            assert_eq!(ended.exit, ExitCode::Usage, "{:#?}", ended.events);
            assert_eq!(ended.summary, format!("not started; {left}"));
            let mut written = ended.writes.clone();
            written.dedup();
            assert_eq!(written, writes);
            world.cloud.clear_rules();
            assert_eq!(deploy(&mut world, "v1", "v1").await.exit, ExitCode::Done);
        });
    }
}

#[test]
fn a_lease_whose_write_was_not_answered_may_be_there_and_is_given_back() {
    story(|| async {
        let (mut world, mut rival) = two().await;
        world.cloud.add_rule(On::operation("TagResource").then(Fault::LoseReply));
        let ended = deploy(&mut world, "v2", "v1").await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Usage, "not started; only the lease was written")
        );
        world.cloud.clear_rules();
        assert_eq!(deploy(&mut rival, "v1", "v2").await.exit, ExitCode::Done);
    });
}
