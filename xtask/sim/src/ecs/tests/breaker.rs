//! The circuit breaker: what trips it, what it rolls back to, and how that looks from outside.

use serde_json::{Value, json};

use super::lab::Lab;
use crate::workload::scripted::Script;

fn breaker(rollback: bool) -> Value {
    json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": rollback } } })
}

/// A running service with the breaker on, and a roll to `web:2`, whose tasks follow `script`.
fn bad_roll(script: Script, rollback: bool) -> (Lab, String, String) {
    let mut lab = Lab::new();
    let good = lab.running(breaker(rollback))["deployments"][0]["id"].as_str().unwrap().to_owned();
    lab.script("web:2", script);
    let bad = lab.roll(json!({}));
    (lab, good, bad)
}

#[test]
fn tasks_that_fail_health_checks_trip_the_breaker_and_the_old_revision_comes_back_as_a_new_deployment() {
    let (mut lab, good, bad) = bad_roll(Script::default().answering("/health", 0, 404), true);
    lab.run_until(900, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    let service = lab.service("web");
    let primary = &service["deployments"][0];
    let rollback = primary["id"].as_str().unwrap().to_owned();
    assert!(rollback != good && rollback != bad, "a rollback has an id of its own");
    assert_eq!(primary["rolloutState"], "IN_PROGRESS");
    assert_eq!(
        primary["rolloutStateReason"],
        format!("ECS deployment circuit breaker: rolling back to deploymentId {good}.")
    );
    assert!(service["taskDefinition"].as_str().unwrap().ends_with("/web:1"), "PRIMARY's revision is shown");
    let failed = lab.deployment(&bad);
    assert_eq!(failed["status"], "ACTIVE");
    assert_eq!(failed["rolloutStateReason"], "ECS deployment circuit breaker: tasks failed to start.");
    assert_eq!(failed["failedTasks"], 3);
    assert!(lab.says(&format!("(deployment {bad}) deployment failed: tasks failed to start.")));
    assert!(lab.says(&format!("(service web) rolling back to deployment {good}.")));
    let record = lab.service_deployment();
    assert_eq!(record["status"], "ROLLBACK_IN_PROGRESS");
    assert_eq!(
        record["deploymentCircuitBreaker"],
        json!({ "status": "TRIGGERED", "failureCount": 3, "threshold": 3 })
    );

    lab.run_until(300, |lab| lab.deployment(&rollback)["rolloutState"] == "COMPLETED");
    assert_eq!(lab.service("web")["deployments"].as_array().unwrap().len(), 1, "the failed one vanished");
    let record = lab.service_deployment();
    assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL");
    let reason = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
    assert_eq!(record["statusReason"], reason);
    assert_eq!(record["rollback"]["reason"], reason);
    assert_eq!(record["rollback"]["serviceRevisionArn"], record["sourceServiceRevisions"][0]["arn"]);
}

#[test]
fn the_stable_waiter_would_be_green_after_a_rollback() {
    // ECS guide, deployment-type-ecs: one deployment and running equal to desired say nothing about ours.
    let (mut lab, _, bad) = bad_roll(Script::crashes(3_000, 1), true);
    lab.run_until(1200, |lab| {
        let service = lab.service("web");
        service["deployments"].as_array().unwrap().len() == 1
            && service["runningCount"] == service["desiredCount"]
    });
    assert_eq!(lab.deployment(&bad), Value::Null);
    assert_eq!(lab.service_deployment()["status"], "ROLLBACK_SUCCESSFUL");
}

#[test]
fn the_old_tasks_keep_serving_while_new_ones_fail() {
    let (mut lab, good, _) = bad_roll(Script::crashes(3_000, 1), true);
    let end = lab.now.plus_secs(600);
    let mut fewest = usize::MAX;
    let good = good.as_str();
    lab.watch_until(end, &mut |account, _| {
        let well = account.ecs.live().filter(|task| task.was_healthy && task.desired_running);
        fewest = fewest.min(well.count());
    });
    assert_eq!(fewest, 2, "at no time fewer healthy tasks than desired, {good}");
}

#[test]
fn a_crash_shows_stop_code_exit_code_and_the_containers_reason() {
    let (mut lab, _, bad) = bad_roll(Script::runs_out_of_memory(3_000), false);
    lab.run_until(900, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    let stopped = lab.tasks("STOPPED");
    let crashed = stopped.iter().find(|task| task["startedBy"] == *bad).unwrap();
    assert_eq!(crashed["stopCode"], "EssentialContainerExited");
    assert_eq!(crashed["stoppedReason"], "Essential container in task exited");
    assert_eq!(crashed["containers"][0]["exitCode"], 137);
    assert_eq!(crashed["containers"][0]["reason"], "OutOfMemoryError: Container killed due to memory usage");
}

#[test]
fn without_rollback_the_failed_deployment_stays_primary_and_the_old_tasks_stay() {
    let (mut lab, good, bad) = bad_roll(Script::never_listens(), false);
    lab.run_until(1200, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    lab.run(600);
    assert_eq!(lab.deployment(&bad)["status"], "PRIMARY");
    assert_eq!(lab.deployment(&good)["runningCount"], 2);
    assert_eq!(lab.deployment(&bad)["runningCount"], 0, "nothing is launched any more");
    // There is no status FAILED (ECS guide, service-deployment).
    assert_eq!(lab.service_deployment()["status"], "STOPPED");
}

#[test]
fn a_first_deployment_has_nothing_to_roll_back_to() {
    let mut lab = Lab::new();
    lab.script("web", Script::crashes(2_000, 1));
    lab.create(breaker(true));
    lab.run_until(600, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "FAILED");
    let launched = lab.account.ecs.launched;
    lab.run(1800);
    assert_eq!(lab.account.ecs.launched, launched, "no tasks launched any more");
    let service = lab.service("web");
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(lab.service_deployment()["status"], "STOPPED");
    assert_eq!(lab.service_deployment()["rollback"], Value::Null);
}

#[test]
fn a_deploy_launched_during_a_rollback_has_nothing_to_roll_back_to() {
    // ECS guide, deployment-circuit-breaker.
    let (mut lab, _, bad) = bad_roll(Script::crashes(2_000, 1), true);
    lab.run_until(600, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    lab.script("web:3", Script::crashes(2_000, 1));
    let third = lab.roll(json!({}));
    lab.run_until(900, |lab| lab.deployment(&third)["rolloutState"] == "FAILED");
    lab.run(300);
    assert_eq!(lab.deployment(&third)["status"], "PRIMARY");
    assert_eq!(lab.service_deployment()["status"], "STOPPED");
}

#[test]
fn switched_off_it_stays_in_progress_for_ever() {
    // Deployment in the ECS API reference.
    let mut lab = Lab::new();
    lab.running(json!({}));
    // It reaches RUNNING after 3 s, so that nothing delays the next attempt, and is never healthy.
    lab.script("web:2", Script { never_listens: true, ..Script::crashes(8_000, 1) });
    let bad = lab.roll(json!({}));
    lab.run(3600);
    assert_eq!(lab.deployment(&bad)["rolloutState"], "IN_PROGRESS");
    assert!(lab.deployment(&bad)["failedTasks"].as_u64() > Some(20), "restarted without a throttle");
}

#[test]
fn tasks_that_never_run_are_retried_ever_later_so_that_the_breaker_takes_long() {
    // ECS guide, deployment-circuit-breaker: at desired 1 the third failure may take very long.
    let mut lab = Lab::new();
    let mut request = breaker(true);
    request["desiredCount"] = json!(1);
    lab.running(request);
    lab.script(
        "web:2",
        Script::fails_to_start("CannotPullContainerError: pull image manifest has been retried 5 time(s)"),
    );
    let bad = lab.roll(json!({}));
    let took = lab.run_until(1200, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    assert!((360..600).contains(&took), "{took} s");
    assert!(lab.says("was unable to place a task. Reason: CannotPullContainerError"));
    assert!(lab.says("is unable to consistently start tasks successfully."));
    let task = lab.tasks("STOPPED").pop().unwrap();
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert_eq!(task["startedAt"], Value::Null);
}

#[test]
fn a_healthy_task_sets_the_count_of_failures_back() {
    let mut lab = Lab::new();
    lab.running(breaker(true));
    lab.script("web:2", Script::crashes(2_000, 1));
    let new = lab.roll(json!({}));
    lab.run_until(60, |lab| lab.deployment(&new)["failedTasks"] == 2);
    lab.script("web:2", Script::default());
    lab.run_until(300, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    assert_eq!(lab.deployment(&new)["failedTasks"], 0);
    assert_eq!(lab.service_deployment()["deploymentCircuitBreaker"]["status"], "MONITORING_COMPLETE");
}

#[test]
fn a_threshold_of_two_trips_after_two() {
    let mut lab = Lab::new();
    let breaker = json!({ "enable": true, "rollback": true, "resetOnHealthyTask": false,
        "thresholdConfiguration": { "type": "COUNT", "value": 2 } });
    lab.running(json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } }));
    lab.script("web:2", Script::crashes(2_000, 1));
    let bad = lab.roll(json!({}));
    lab.run_until(300, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    assert_eq!(lab.service_deployment()["deploymentCircuitBreaker"]["threshold"], 2);
    assert_eq!(lab.deployment(&bad)["failedTasks"], 2);
}

#[test]
fn a_rollback_that_fails_too_ends_in_rollback_failed() {
    let (mut lab, _, bad) = bad_roll(Script::crashes(2_000, 1), true);
    // The old revision has gone bad as well, say because its image was deleted.
    lab.script("web:1", Script::crashes(2_000, 1));
    lab.run_until(600, |lab| lab.deployment(&bad)["rolloutState"] == "FAILED");
    lab.run_until(900, |lab| lab.service_deployment()["status"] == "ROLLBACK_FAILED");
    assert_eq!(lab.service("web")["deployments"][0]["rolloutState"], "FAILED");
}

#[test]
fn cumulative_failures_are_not_forgiven_by_a_healthy_task() {
    // ECS guide, deployment-circuit-breaker: resetOnHealthyTask false.
    let mut lab = Lab::new();
    let breaker = json!({ "enable": true, "rollback": true, "resetOnHealthyTask": false });
    lab.running(json!({ "deploymentConfiguration":
        { "deploymentCircuitBreaker": breaker, "maximumPercent": 150 } }));
    // Room for one new task at a time: two fail, one is healthy, one fails.
    lab.script("web:2", Script::crashes(2_000, 1));
    let new = lab.roll(json!({}));
    lab.run_until(600, |lab| lab.deployment(&new)["failedTasks"] == 2);
    lab.script("web:2", Script::default());
    lab.run_until(1200, |lab| lab.account.ecs.tasks.values().any(|t| t.deployment == new && t.was_healthy));
    assert_eq!(lab.deployment(&new)["failedTasks"], 2);
    lab.script("web:2", Script::crashes(2_000, 1));
    lab.run_until(600, |lab| lab.deployment(&new)["rolloutState"] == "FAILED");
}

#[test]
fn a_task_counts_once_and_one_that_was_healthy_does_not_count() {
    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 1, "deploymentConfiguration": { "maximumPercent": 300 } }));
    // Unhealthy after some 20 s, gone after 100 s.
    let script = Script { never_listens: true, ..Script::crashes(100_000, 1) };
    lab.script("web:2", script);
    let new = lab.roll(json!({}));
    lab.run_until(120, |lab| lab.deployment(&new)["failedTasks"] == 1);
    lab.script("web:2", Script { boot_ms: 600_000, ..Script::default() });
    lab.update(json!({ "healthCheckGracePeriodSeconds": 900 }));
    lab.run(150);
    let crashed = lab.tasks("STOPPED").iter().any(|task| task["stopCode"] == "EssentialContainerExited");
    assert!(crashed);
    assert_eq!(lab.deployment(&new)["failedTasks"], 1);

    let mut lab = Lab::new();
    lab.running(json!({ "desiredCount": 2, "deploymentConfiguration": { "maximumPercent": 150 } }));
    lab.script("web:2", Script::crashes(60_000, 1));
    let new = lab.roll(json!({}));
    lab.run_until(120, |lab| lab.account.ecs.tasks.values().any(|t| t.deployment == new && t.was_healthy));
    lab.script("web:2", Script::default());
    lab.run_until(120, |lab| {
        lab.tasks("STOPPED").iter().any(|task| task["stopCode"] == "EssentialContainerExited")
    });
    assert_eq!(lab.deployment(&new)["failedTasks"], 0);
}
