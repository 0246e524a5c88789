//! The printed policy is enough for all that a deploy does, and no action in it is there for nothing.

mod document;
mod named;

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::event::ExitCode;
use deploy::iam::{Need, Place, policy};
use deploy::model::Environment;
use sim::door::cloud::{Cloud, RuleGuard};
use sim::fault::{Call, Rule};
use sim::workload::scripted::Script;
use xtask::aws::operations::{DEPLOY, DOWN, needs};
use xtask::observe;
use xtask::release::Removal;

pub(crate) use document::Policy;

use crate::world::{World, story};

/// Holds those who deploy to a policy, and nobody else, for as long as the guard lives.
pub(crate) fn grant(cloud: &Cloud, mut policy: Policy) -> RuleGuard {
    cloud.guard_rule(move |call: &Call<'_>| {
        let key = call.request.and_then(|request| request.access_key.as_deref());
        if key.is_none_or(|key| ["release", "rival"].contains(&key)) { policy.on_call(call) } else { None }
    })
}

/// The policy that `cargo xtask iam policy` prints for an environment. It holds in every story.
pub(crate) fn printed(environment: &Environment) -> Policy {
    printed_for(environment, &needs(environment, false, false, false))
}

pub(crate) fn printed_for(environment: &Environment, needs: &[Need]) -> Policy {
    let account = environment.account.as_deref().unwrap();
    let document = policy(environment, Place { partition: "aws", account }, needs);
    let region = environment.region.clone();
    Policy::of(&document, named::Place { region, account: account.to_owned() })
}

/// A first release, one that changes settings, one that fails, and a rollback; ends as soon as `wanted` was reported. Returns
/// the exit codes and all that was reported.
async fn life(world: &mut World, wanted: &str) -> (Vec<ExitCode>, String) {
    let (mut exits, mut reported) = (Vec::new(), String::new());
    for version in ["v1", "v2", "v3"] {
        match version {
            "v2" => settings(world),
            _ => world.scripts.set("ielts-backend:3", Script::crashes(1_500, 1)),
        }
        let ended = world.deploy(version, version).await;
        exits.push(ended.exit);
        reported.push_str(&format!("{:?}", ended.events));
        if reported.contains(wanted) || ended.exit == ExitCode::Usage {
            return (exits, reported);
        }
    }
    match world.rollback(None).await {
        Ok(ended) => reported.push_str(&format!("{:?}", ended.events)),
        Err(error) => reported.push_str(&error.to_string()),
    }
    (exits, reported)
}

/// Something of every kind that is changed and not made.
fn settings(world: &mut World) {
    for service in &mut world.environment.services {
        service.keep_revisions = 1;
        service.repository.keep_images += 1;
        service.repository.immutable_tags = false;
        service.log_group.retention_days = 60;
        service.target_group.deregistration_delay_secs += 1;
        service.target_group.health.interval_secs += 1;
    }
    world.environment.services[1].scaling = None;
}

/// The actions of the calls that were made.
fn called(world: &World) -> BTreeSet<String> {
    world.cloud.calls().iter().map(|call| format!("{}:{}", call.api, call.operation)).collect()
}

#[test]
fn the_role_may_do_all_that_a_deploy_does() {
    story(|| async {
        let mut world = World::new().await;
        let (exits, reported) = life(&mut world, "denied").await;
        assert_eq!(exits, [ExitCode::Done, ExitCode::Done, ExitCode::Failed], "{reported}");
        assert!(!reported.contains("denied"), "{reported}");
    });
}

#[test]
fn the_role_with_down_may_take_away_all_that_a_deploy_made() {
    story(|| async {
        let mut world = World::new().await;
        let rights = printed_for(&world.environment, &needs(&world.environment, false, false, true));
        world.rights = Some(grant(&world.cloud, rights));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        // A listener that the file does not have any more is deleted by itself, which a load balancer's are not.
        world.environment.load_balancer.listener.port = 8080;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        assert_eq!(world.remove(Removal::Orphans).await.exit, ExitCode::Done);
        let down = world.remove(Removal::Everything).await;
        assert_eq!(down.exit, ExitCode::Done, "{:?}", down.events);
        // Cloud Map takes its time.
        world.host.clock.sleep(Duration::from_secs(60)).await;
        let again = world.remove(Removal::Everything).await;
        assert_eq!(again.writes, Vec::<String>::new(), "nothing is left");
        let used = called(&world);
        let unused: Vec<_> = DOWN.iter().filter(|need| !used.contains(need.action)).collect();
        assert_eq!(unused, Vec::<&Need>::new(), "a right that nothing takes");
    });
}

/// The hourly check has a role of its own, which no reviewer guards: it must not be able to change anything.
#[test]
fn the_role_of_smoke_reads_what_runs_and_changes_nothing() {
    let reads: Vec<_> = DEPLOY.iter().copied().filter(Need::reads).collect();
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.rights = Some(grant(&world.cloud, printed_for(&world.environment, &reads)));
        let same = world.deploy("v1", "v1").await;
        let changed = world.deploy("v2", "v2").await;
        assert!(same.writes.is_empty() && changed.writes.is_empty(), "{:?}", changed.writes);
        assert_eq!(changed.exit, ExitCode::Failed, "{:?}", changed.events);
        let observed = observe::account(&world.aws, &world.environment).await;
        assert!(observed.is_ok(), "{observed:?}");
        let policy = printed_for(&world.environment, &reads);
        let writes: Vec<_> =
            policy.actions().filter(|action| !reads.iter().any(|need| need.action == *action)).collect();
        assert_eq!(writes, Vec::<&str>::new());
    });
}

#[test]
fn a_right_that_is_missing_is_named() {
    let mut actions = BTreeSet::new();
    story(|| async {
        let mut world = World::new().await;
        life(&mut world, "denied").await;
        let used = called(&world);
        actions.extend(
            printed(&world.environment).actions().filter(|action| used.contains(*action)).map(str::to_owned),
        );
    });
    assert!(actions.len() > 40, "{actions:?}");
    for action in &actions {
        story(|| async {
            let mut world = World::new().await;
            world.cloud.add_rule(printed(&world.environment).without(action));
            let (_, reported) = life(&mut world, action).await;
            assert!(
                reported.contains(action.as_str()),
                "{action} is missing, and nobody says so: {reported}"
            );
        });
    }
}

/// What is of another app, and the call that is denied on it.
type Foreign = (fn(&mut Environment), &'static str);

#[test]
fn what_belongs_to_another_app_is_out_of_reach() {
    let cases: [Foreign; 6] = [
        (
            |ours| ours.services[0].name = "shop".to_owned(),
            "ecs:CreateService on resource: arn:aws:ecs:ap-southeast-1:123456789012:service/ielts-prod-cluster/shop ",
        ),
        (
            |ours| ours.cluster = "shop".to_owned(),
            "ecs:DescribeClusters on resource: arn:aws:ecs:ap-southeast-1:123456789012:cluster/shop ",
        ),
        (
            |ours| ours.services[0].repository.name = "shop".to_owned(),
            "ecr:DescribeRepositories on resource: arn:aws:ecr:ap-southeast-1:123456789012:repository/shop ",
        ),
        (
            |ours| ours.services[0].family = "shop".to_owned(),
            "ecs:RegisterTaskDefinition on resource: arn:aws:ecs:ap-southeast-1:123456789012:task-definition/shop:* ",
        ),
        (
            |ours| ours.services[0].log_group.name = "/shop".to_owned(),
            "logs:CreateLogGroup on resource: arn:aws:logs:ap-southeast-1:123456789012:log-group:/shop ",
        ),
        (
            |ours| ours.services[0].target_group.name = "shop".to_owned(),
            "elasticloadbalancing:CreateTargetGroup on resource: \
             arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:targetgroup/shop/* ",
        ),
    ];
    for (reach, denied) in cases {
        story(|| async {
            let mut world = World::new().await;
            reach(&mut world.environment);
            let ended = world.deploy("v1", "v1").await;
            assert_ne!(ended.exit, ExitCode::Done);
            let reported = format!("{:?}", ended.events);
            assert!(reported.contains(denied), "nothing says `{denied}`: {reported}");
        });
    }
}
