//! Minimum and maximum percent: what they guarantee, and how they deadlock.

use proptest::prelude::*;
use serde_json::json;

use super::lab::Lab;
use crate::ecs::task::model::TaskStatus;

const BLOCKED: &str = "was unable to stop or start tasks during a deployment because of the service deployment \
                       configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";

fn blocks(desired: u32, minimum: u32, maximum: u32) -> bool {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": desired, "deploymentConfiguration":
        { "minimumHealthyPercent": minimum, "maximumPercent": maximum } }));
    let new = lab.roll(json!({}));
    lab.run(600);
    let said = lab.says(BLOCKED);
    assert_eq!(lab.deployment(&new)["rolloutState"], if said { "IN_PROGRESS" } else { "COMPLETED" });
    said
}

#[test]
fn deadlocked_percentages_are_reported_in_an_event_and_nothing_rolls() {
    // DeploymentConfiguration in the ECS API reference.
    assert!(blocks(1, 100, 100));
    assert!(blocks(2, 75, 100));
    assert!(blocks(3, 100, 125));
}

#[test]
fn percentages_that_leave_one_way_out_do_not_deadlock() {
    assert!(!blocks(1, 0, 100));
    assert!(!blocks(2, 50, 100));
    assert!(!blocks(3, 100, 134));
}

#[test]
fn a_deadlock_ends_when_the_percentages_are_corrected() {
    let mut lab = Lab::new();
    lab.running(
        json!({ "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 100 } }),
    );
    let new = lab.roll(json!({}));
    lab.run(300);
    assert_eq!(lab.deployment(&new)["rolloutState"], "IN_PROGRESS");
    lab.update(json!({ "deploymentConfiguration": { "maximumPercent": 200 } }));
    lab.run_until(300, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// While all tasks are well, a roll keeps to both bounds at every moment, and it ends.
    #[test]
    fn a_roll_keeps_to_its_bounds(desired in 1u32..6, minimum in 0u32..=100, more in 0u32..=100, drain in 0u64..60) {
        let maximum = 100 + more;
        let (lower, upper) = ((desired * minimum).div_ceil(100), desired * maximum / 100);
        let mut lab = Lab::new();
        let group = lab.target_group.clone();
        lab.drain_in(&group, drain);
        lab.running(json!({ "desiredCount": desired, "deploymentConfiguration":
            { "minimumHealthyPercent": minimum, "maximumPercent": maximum } }));
        let new = lab.roll(json!({}));
        let (mut fewest, mut most) = (u32::MAX, 0);
        let end = lab.now.plus_secs(3600);
        lab.watch_until(end, &mut |account, _| {
            let running = |task: &&crate::ecs::task::model::Task|
                task.status == TaskStatus::Running && task.desired_running && task.was_healthy;
            fewest = fewest.min(account.ecs.live().filter(running).count() as u32);
            let placed = |task: &&crate::ecs::task::model::Task| task.status < TaskStatus::Deprovisioning;
            most = most.max(account.ecs.live().filter(placed).count() as u32);
        });
        prop_assert!(fewest >= lower, "{fewest} healthy of at least {lower}");
        prop_assert!(most <= upper, "{most} tasks of at most {upper}");
        let stuck = lower >= desired && upper <= desired;
        let state = lab.deployment(&new)["rolloutState"].clone();
        prop_assert_eq!(state, if stuck { "IN_PROGRESS" } else { "COMPLETED" });
    }
}
