//! From nothing to COMPLETED.

use serde_json::json;

use super::lab::Lab;
use crate::workload::scripted::Script;

#[test]
fn a_new_service_goes_to_completed_and_steady() {
    let mut lab = Lab::new();
    let created = lab.create(json!({}));
    assert_eq!(created["status"], "ACTIVE");
    assert_eq!(created["deployments"][0]["status"], "PRIMARY");
    assert_eq!(created["deployments"][0]["rolloutState"], "IN_PROGRESS");
    let id = created["deployments"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(created["deployments"][0]["rolloutStateReason"], format!("ECS deployment {id} in progress."));
    assert_eq!(id.strip_prefix("ecs-svc/").map(str::len), Some(19));

    let took = lab.run_until(300, |lab| lab.deployment(&id)["rolloutState"] == "COMPLETED");
    // ECS guide, task-lifecycle-explanation: create to RUNNING 20 to 40 s, then health checks.
    assert!((20..120).contains(&took), "{took} s");
    lab.run_until(60, |lab| lab.says("has reached a steady state."));
    let service = lab.service("web");
    assert_eq!((&service["runningCount"], &service["pendingCount"]), (&json!(2), &json!(0)));
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["rolloutStateReason"], format!("ECS deployment {id} completed."));
}

#[test]
fn events_have_aws_texts_newest_first() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let tasks = lab.tasks("RUNNING");
    let (first, second) = (super::lab::id(&tasks[0]), super::lab::id(&tasks[1]));
    let (group, id) = (lab.target_group.clone(), tasks[0]["startedBy"].as_str().unwrap().to_owned());
    assert_eq!(
        lab.events(),
        [
            "(service web) has reached a steady state.".to_owned(),
            format!("(service web) (deployment {id}) deployment completed."),
            format!("(service web) registered 1 targets in (target-group {group})"),
            format!("(service web) registered 1 targets in (target-group {group})"),
            format!("(service web) has started 2 tasks: (task {first}) (task {second})."),
        ]
    );
}

#[test]
fn the_service_deployment_ends_successful_and_is_found_from_the_service() {
    let mut lab = Lab::new();
    lab.create(json!({}));
    let service = lab.service("web");
    let current = service["currentServiceDeployment"].as_str().unwrap().to_owned();
    assert!(current.starts_with("arn:aws:ecs:ap-southeast-1:123456789012:service-deployment/prod/web/"));
    assert_eq!(lab.service_deployment()["status"], "IN_PROGRESS");
    lab.run_until(300, |lab| lab.service_deployment()["status"] == "SUCCESSFUL");
    let record = lab.service_deployment();
    assert_eq!(record["serviceDeploymentArn"], *current);
    assert_eq!(record["targetServiceRevision"]["requestedTaskCount"], 2);
    assert_eq!(record["targetServiceRevision"]["runningTaskCount"], 2);
    assert_eq!(record["sourceServiceRevisions"], json!([]));
    assert_eq!(record["deploymentCircuitBreaker"]["status"], "DISABLED");
    assert!(record["finishedAt"].as_f64() >= record["startedAt"].as_f64());

    let arn = record["targetServiceRevision"]["arn"].clone();
    let reply = lab.ok("DescribeServiceRevisions", json!({ "serviceRevisionArns": [arn] }));
    let revision = &reply["serviceRevisions"][0];
    assert_eq!(revision["taskDefinition"], service["taskDefinition"]);
    assert_eq!(revision["containerImages"][0]["image"], "public.example/web:1");
}

#[test]
fn without_any_check_a_task_counts_after_40_seconds_of_running() {
    // ECS guide, deployment-circuit-breaker.
    let mut lab = Lab::new();
    lab.create(json!({ "loadBalancers": [] }));
    lab.run_until(60, |lab| lab.service("web")["runningCount"] == 2);
    let completed =
        lab.run_until(120, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
    // 40 s to be healthy and 10 s of lag.
    assert!((49..=51).contains(&completed), "{completed} s");
}

#[test]
fn container_and_target_must_both_be_healthy() {
    // ECS guide, deployment-circuit-breaker: the container check fails although the load balancer is content.
    let mut lab = Lab::new();
    let check = json!({ "command": ["CMD", "probe"], "interval": 5, "retries": 3 });
    lab.register("web", json!({ "healthCheck": check }));
    lab.script("web", Script { container_health: vec![(0, false), (200_000, true)], ..Script::default() });
    lab.create(json!({ "healthCheckGracePeriodSeconds": 600 }));
    lab.run(150);
    assert_eq!(lab.service("web")["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert!(lab.tasks("RUNNING").iter().all(|task| task["healthStatus"] == "UNHEALTHY"));
    lab.run_until(200, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
    assert!(lab.tasks("RUNNING").iter().all(|task| task["healthStatus"] == "HEALTHY"));
}

#[test]
fn a_service_of_no_tasks_completes_at_once() {
    let mut lab = Lab::new();
    lab.create(json!({ "desiredCount": 0 }));
    lab.run(15);
    assert_eq!(lab.service("web")["deployments"][0]["rolloutState"], "COMPLETED");
}

#[test]
fn created_by_and_registered_by_are_the_caller_that_sts_names() {
    // ECS guide, ecs-using-tags.
    let mut lab = Lab::new();
    let caller = lab.api(crate::wire::Api::Sts, "GetCallerIdentity", json!({})).unwrap()["Arn"].clone();
    assert_eq!(lab.create(json!({}))["createdBy"], caller);
    let described = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "web" }));
    assert_eq!(described["taskDefinition"]["registeredBy"], caller);
}

#[test]
fn at_the_local_pace_a_person_waits_for_the_application_alone() {
    let mut lab = Lab::at(crate::base::Pace::local());
    lab.script("web", Script { pull_ms: 300, boot_ms: 500, ..Script::default() });
    lab.create(json!({}));
    let took = lab.run_until(60, |lab| lab.service("web")["deployments"][0]["rolloutState"] == "COMPLETED");
    assert!(took <= 4, "{took} s");
}
