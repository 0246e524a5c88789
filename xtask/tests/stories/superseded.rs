//! Somebody else deploys while ours rolls: never our success, never our failure, and nothing of his is undone.

use deploy::event::ExitCode;
use deploy::rollout::Outcome;

use crate::ended::Ended;
use crate::somebody::Moment;
use crate::world::{World, story};

/// A good first release; then one that somebody supersedes at this moment.
async fn superseded_at(moment: Moment) -> (World, Ended) {
    let mut world = World::new().await;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    let ann = world.somebody().await;
    let meddle = async {
        ann.waits_for(moment, "ielts-backend:2").await;
        ann.deploys().await;
    };
    let (ended, ()) = tokio::join!(Box::pin(world.deploy("v2", "v1")), Box::pin(meddle));
    (world, ended)
}

#[test]
fn a_superseded_release_names_the_revision_and_who_deployed_it_at_each_moment_of_the_roll() {
    for moment in Moment::OF_A_ROLL {
        story(|| async {
            let (_, ended) = superseded_at(moment).await;
            assert_eq!(ended.exit, ExitCode::Superseded, "{moment:?}: {:#?}", ended.events);
            let outcome = &ended.verdict("backend").unwrap().outcome;
            let Outcome::Superseded { task_definition, who, release, .. } = outcome else {
                panic!("{moment:?}: {outcome:?}")
            };
            assert!(task_definition.ends_with("/ielts-backend:3"), "{task_definition}");
            assert_eq!(
                (who.as_deref(), release.as_deref()),
                (Some("ann@example.org"), Some("release-of-ann"))
            );
            let told = outcome.sentence();
            assert!(told.contains("ielts-backend:3") && told.contains("ann@example.org"), "{told}");
        });
    }
}

#[test]
fn the_deployment_that_superseded_ours_is_left_to_its_end() {
    story(|| async {
        let (world, ended) = superseded_at(Moment::TargetsGetHealthy).await;
        assert_eq!(ended.rolled(), ["backend"], "nothing is undone");
        let ann = world.somebody().await;
        ann.waits_for(Moment::Complete, "ielts-backend:3").await;
    });
}

#[test]
fn a_deployment_after_the_completion_of_ours_is_not_undone_because_ours_cannot_be_proven() {
    story(|| async {
        let (world, ended) = superseded_at(Moment::Complete).await;
        assert_eq!(ended.verdict("backend").unwrap().outcome, Outcome::Succeeded, "{:#?}", ended.events);
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Superseded, vec!["backend"]));
        let ann = world.somebody().await;
        ann.waits_for(Moment::Complete, "ielts-backend:3").await;
    });
}
