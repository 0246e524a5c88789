//! The health check grace period against slow starts.

use serde_json::json;

use super::lab::Lab;
use crate::workload::scripted::Script;

#[test]
fn without_grace_a_slow_start_is_killed_in_a_loop() {
    // ECS guide, deployment-circuit-breaker: two failed checks of 10 s each are over long before 60 s of boot time.
    let mut lab = Lab::new();
    lab.script("web", Script::boots_in(60_000));
    lab.create(json!({}));
    lab.run(300);
    assert_eq!(lab.service("web")["deployments"][0]["rolloutState"], "IN_PROGRESS");
    let stopped = lab.tasks("STOPPED");
    assert!(stopped.len() > 5);
    let complaints = lab.events().iter().filter(|event| event.contains("is unhealthy in")).count();
    let unhealthy = lab.account.ecs.tasks.values().filter(|task| task.was_unhealthy).count();
    assert_eq!(complaints, unhealthy, "each task is complained of once");
    assert_eq!(lab.service("web")["deployments"][0]["failedTasks"], json!(unhealthy), "and counted once");
    let group = lab.target_group.clone();
    assert_eq!(
        stopped[0]["stoppedReason"],
        format!("Task failed ELB health checks in (target-group {group})")
    );
    assert_eq!(stopped[0]["stopCode"], "ServiceSchedulerInitiated");
    assert!(lab.says(&format!(
        "(port 8080) is unhealthy in (target-group {group}) due to (reason Health checks failed)."
    )));
}

#[test]
fn with_grace_the_same_start_is_waited_for() {
    let mut lab = Lab::new();
    lab.script("web", Script::boots_in(60_000));
    lab.create(json!({ "healthCheckGracePeriodSeconds": 90 }));
    lab.run_until(300, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
    assert!(lab.tasks("STOPPED").is_empty());
}

#[test]
fn grace_does_not_delay_healthy() {
    // ECS guide, deployment-circuit-breaker: a passing check counts at once.
    let mut lab = Lab::new();
    lab.create(json!({ "healthCheckGracePeriodSeconds": 3600 }));
    lab.run_until(120, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
}

#[test]
fn grace_covers_the_container_check_too() {
    let mut lab = Lab::new();
    let check = json!({ "command": ["CMD", "probe"], "interval": 5, "retries": 1 });
    lab.register("web", json!({ "healthCheck": check }));
    lab.script("web", Script::boots_in(60_000));
    lab.create(json!({ "healthCheckGracePeriodSeconds": 90 }));
    lab.run_until(300, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
    assert!(lab.tasks("STOPPED").is_empty());
}

#[test]
fn a_404_on_the_health_path_is_named_in_the_event() {
    let mut lab = Lab::new();
    lab.script("web", Script::default().answering("/health", 0, 404));
    lab.create(json!({}));
    lab.run_until(300, |lab| lab.says("due to (reason Health checks failed with these codes: [404])."));
}

#[test]
fn a_failing_container_check_stops_the_task_with_its_own_reason() {
    let mut lab = Lab::new();
    let check = json!({ "command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 2, "startPeriod": 20 });
    lab.register("web", json!({ "healthCheck": check }));
    lab.script("web", Script { container_health: vec![(0, false)], ..Script::default() });
    lab.create(json!({ "loadBalancers": [] }));
    // Two checks that count, after the start period.
    let first = lab.run_until(120, |lab| lab.says("failed container health checks."));
    assert!(first >= 35, "{first} s");
    lab.run_until(300, |lab| !lab.tasks("STOPPED").is_empty());
    assert_eq!(lab.tasks("STOPPED")[0]["stoppedReason"], "Task failed container health checks");
}

#[test]
fn a_task_that_turns_unhealthy_later_is_replaced_before_it_is_stopped() {
    // ECS guide, deployment-circuit-breaker: "the replacement starts first if maximumPercent allows".
    let mut lab = Lab::new();
    lab.script("web", Script::default().answering("/health", 300_000, 500));
    lab.running(json!({}));
    lab.script("web", Script::default());
    let mut fewest = usize::MAX;
    let end = lab.now.plus_secs(900);
    lab.watch_until(end, &mut |account, _| {
        fewest = fewest.min(account.ecs.live().filter(|task| task.desired_running).count());
    });
    assert_eq!(fewest, 2);
    assert_eq!(lab.tasks("STOPPED").len(), 2);
    assert_eq!(lab.tasks("RUNNING").len(), 2);
    assert_eq!(
        lab.service("web")["deployments"][0]["rolloutState"],
        "COMPLETED",
        "no deployment was started"
    );
}
