//! Rolling from one revision to the next.

use serde_json::json;

use super::lab::{Lab, id, laid_over, task_definition};
use crate::ecs::task::model::TaskStatus;

/// Running tasks whose target is healthy, that were not asked to stop.
fn serving(account: &crate::account::Account) -> usize {
    let healthy = |task: &&crate::ecs::task::model::Task| {
        let ip = task.interface.ip.as_deref().unwrap_or_default();
        task.status == TaskStatus::Running
            && task.desired_running
            && task.targets.iter().all(|target| {
                let health = crate::elb::health(&account.elb, &target.target_group, ip, target.port);
                health.state == crate::elb::TargetState::Healthy
            })
    };
    account.ecs.live().filter(healthy).count()
}

#[test]
fn a_roll_at_100_200_never_falls_below_desired() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let new = lab.roll(json!({}));
    let (mut fewest, mut most) = (usize::MAX, 0);
    let end = lab.now.plus_secs(300);
    lab.watch_until(end, &mut |account, _| {
        fewest = fewest.min(serving(account));
        most = most.max(account.ecs.live().count());
    });
    assert_eq!(lab.deployment(&new)["rolloutState"], "COMPLETED");
    assert_eq!(fewest, 2, "healthy tasks");
    assert_eq!(most, 4, "tasks");
}

#[test]
fn the_reply_to_the_update_already_names_the_new_deployment() {
    // ECS guide, deployment-type-ecs: take PRIMARY's id from the reply.
    let mut lab = Lab::new();
    let old = lab.running(json!({}))["deployments"][0]["id"].clone();
    let arn = lab.register("web", json!({}));
    let reply = lab.update(json!({ "taskDefinition": arn }));
    let deployments = reply["deployments"].as_array().unwrap();
    assert_eq!(deployments.len(), 2);
    assert_eq!((&deployments[0]["status"], &deployments[1]["status"]), (&json!("PRIMARY"), &json!("ACTIVE")));
    assert_eq!(deployments[1]["id"], old);
    assert_ne!(deployments[0]["id"], old);
    assert_eq!(reply["taskDefinition"], *arn);
    assert_eq!(deployments[1]["rolloutState"], "COMPLETED");
}

#[test]
fn old_tasks_stop_as_scaling_activity_and_not_as_a_failure() {
    // ECS guide, stopped-task-errors: "normal during deploy/scale-in".
    let mut lab = Lab::new();
    lab.running(json!({}));
    let old = id(&lab.tasks("RUNNING")[0]);
    let new = lab.roll(json!({}));
    lab.run_until(300, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    let stopped = lab.tasks("STOPPED");
    assert_eq!(stopped.len(), 2);
    for task in &stopped {
        assert_eq!(task["stopCode"], "ServiceSchedulerInitiated");
        assert_eq!(task["stoppedReason"], format!("Scaling activity initiated by (deployment {new})"));
        assert_eq!(task["lastStatus"], "STOPPED");
    }
    assert!(
        lab.events()
            .iter()
            .any(|event| event.contains("has stopped 1 running tasks") && event.contains(&old))
    );
    assert!(lab.says("has begun draining connections on 1 tasks."));
    assert!(lab.says("deregistered 1 targets in (target-group "));
    assert_eq!(lab.service("web")["deployments"].as_array().unwrap().len(), 1, "the old deployment vanished");
}

#[test]
fn sigterm_comes_only_after_the_target_has_drained() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let group = lab.target_group.clone();
    lab.drain_in(&group, 120);
    let old = id(&lab.tasks("RUNNING")[0]);
    lab.roll(json!({}));
    let status = |lab: &Lab| lab.account.ecs.tasks.get(&old).unwrap().status;
    lab.run_until(200, |lab| status(lab) == TaskStatus::Deactivating);
    let drained = lab.run_until(200, |lab| status(lab) > TaskStatus::Deactivating);
    assert!((119..=121).contains(&drained), "{drained} s");
}

#[test]
fn completed_means_that_the_old_tasks_are_gone() {
    // ECS guide, deployment-type-ecs.
    let mut lab = Lab::new();
    lab.running(json!({}));
    let group = lab.target_group.clone();
    lab.drain_in(&group, 300);
    let new = lab.roll(json!({}));
    lab.run(200);
    let service = lab.service("web");
    assert_eq!(service["deployments"].as_array().unwrap().len(), 2);
    assert_eq!(lab.deployment(&new)["runningCount"], 2);
    assert_eq!(lab.deployment(&new)["rolloutState"], "IN_PROGRESS");
    lab.run_until(400, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
}

#[test]
fn nothing_changed_starts_no_deployment_unless_forced() {
    let mut lab = Lab::new();
    let service = lab.running(json!({}));
    let id = service["deployments"][0]["id"].clone();
    let definition = service["taskDefinition"].clone();
    let same = lab.update(json!({ "taskDefinition": definition }));
    assert_eq!(same["deployments"][0]["id"], id);
    let forced = lab.update(json!({ "forceNewDeployment": true }));
    assert_ne!(forced["deployments"][0]["id"], id);
    assert_eq!(forced["taskDefinition"], definition);
}

#[test]
fn only_the_fields_of_the_matrix_start_a_deployment() {
    // UpdateService in the ECS API reference.
    let mut lab = Lab::new();
    let role = json!({ "taskRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole" });
    lab.ok("RegisterTaskDefinition", laid_over(task_definition("web", json!({})), role));
    let id = lab.running(json!({ "serviceConnectConfiguration": null }))["deployments"][0]["id"].clone();
    for quiet in [
        json!({ "desiredCount": 3 }),
        json!({ "deploymentConfiguration": { "maximumPercent": 150 } }),
        json!({ "healthCheckGracePeriodSeconds": 30 }),
        json!({ "enableExecuteCommand": true }),
        json!({ "enableECSManagedTags": true, "propagateTags": "SERVICE" }),
        json!({ "availabilityZoneRebalancing": "DISABLED" }),
        json!({}),
    ] {
        assert_eq!(lab.update(quiet.clone())["deployments"][0]["id"], id, "{quiet}");
    }
    let subnets = json!([lab.subnets[0]]);
    let mut last = id;
    for loud in [
        json!({ "networkConfiguration": { "awsvpcConfiguration": { "subnets": subnets } } }),
        json!({ "loadBalancers": [] }),
        json!({ "serviceConnectConfiguration": { "enabled": false } }),
        json!({ "forceNewDeployment": true }),
    ] {
        let now = lab.update(loud.clone())["deployments"][0]["id"].clone();
        assert_ne!(now, last, "{loud}");
        last = now;
    }
}

#[test]
fn members_left_out_of_an_update_are_kept() {
    let mut lab = Lab::new();
    lab.running(json!({
        "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": true } },
        "healthCheckGracePeriodSeconds": 45,
    }));
    let service = lab.update(json!({ "deploymentConfiguration": { "minimumHealthyPercent": 50 } }));
    let configuration = &service["deploymentConfiguration"];
    assert_eq!(configuration["deploymentCircuitBreaker"], json!({ "enable": true, "rollback": true }));
    assert_eq!(configuration["minimumHealthyPercent"], 50);
    assert_eq!(configuration["maximumPercent"], 200);
    assert_eq!(service["healthCheckGracePeriodSeconds"], 45);
    assert_eq!(service["desiredCount"], 2);
    assert_eq!(service["loadBalancers"].as_array().unwrap().len(), 1);
}

#[test]
fn bake_time_delays_completed_and_nothing_else() {
    let mut lab = Lab::new();
    lab.running(json!({ "deploymentConfiguration": { "bakeTimeInMinutes": 5 } }));
    let new = lab.roll(json!({}));
    let replaced = lab.run_until(300, |lab| {
        let service = lab.service("web");
        service["runningCount"] == 2 && service["deployments"].as_array().unwrap().len() == 1
    });
    assert!(replaced < 120, "{replaced} s");
    let baked = lab.run_until(600, |lab| lab.deployment(&new)["rolloutState"] == "COMPLETED");
    assert!((290..320).contains(&baked), "{baked} s");
}

#[test]
fn source_and_target_revisions_show_how_far_a_roll_is() {
    // ECS guide, service-deployment.
    let mut lab = Lab::new();
    lab.running(json!({}));
    let group = lab.target_group.clone();
    lab.drain_in(&group, 60);
    lab.roll(json!({}));
    let counts = |lab: &mut Lab| {
        let record = lab.service_deployment();
        let of = |revision: &serde_json::Value| {
            let count = |name: &str| revision[name].as_u64().unwrap();
            (count("requestedTaskCount"), count("runningTaskCount"), count("pendingTaskCount"))
        };
        (of(&record["sourceServiceRevisions"][0]), of(&record["targetServiceRevision"]))
    };
    assert_eq!(counts(&mut lab), ((2, 2, 0), (2, 0, 2)));
    lab.run_until(120, |lab| lab.says("has begun draining connections"));
    lab.run(5);
    assert_eq!(counts(&mut lab), ((0, 0, 0), (2, 2, 0)));
    lab.run_until(200, |lab| lab.service_deployment()["status"] == "SUCCESSFUL");
    lab.update(json!({ "desiredCount": 5 }));
    assert_eq!(counts(&mut lab).1, (2, 2, 3), "what was asked for when it ended");
}

#[test]
fn early_success_calls_a_roll_complete_before_its_old_tasks_have_drained() {
    // ECS API, DeploymentEarlySuccessCriteria: DEFERRED removes the previous tasks afterwards.
    let took = |criteria: serde_json::Value| {
        let mut lab = Lab::new();
        let group = lab.target_group.clone();
        lab.drain_in(&group, 120);
        lab.running(json!({ "deploymentConfiguration": { "earlySuccessCriteria": criteria } }));
        let new = lab.roll(json!({}));
        let began = lab.now;
        let mut completed = None;
        let end = lab.now.plus_secs(400);
        lab.watch_until(end, &mut |account, now| {
            let service = account.ecs.services.values().next().unwrap();
            let done = service.primary.rollout == crate::ecs::deployment::model::RolloutState::Completed;
            if done && completed.is_none() {
                completed = Some((now.since(began) / 1000, account.ecs.live().count()));
            }
        });
        assert_eq!(lab.deployment(&new)["rolloutState"], "COMPLETED");
        assert_eq!(lab.account.ecs.live().count(), 2, "the old tasks go all the same");
        completed.unwrap()
    };
    let blocking = json!({ "enable": true, "healthyPercent": 100,
        "sourceServiceRevisionCleanup": "BLOCKING" });
    let deferred = json!({ "enable": true, "healthyPercent": 100,
        "sourceServiceRevisionCleanup": "DEFERRED" });
    let (usual, blocking, deferred) = (took(json!({ "enable": false })), took(blocking), took(deferred));
    assert!(usual.0 > 120 && blocking.0 > 120, "{usual:?} {blocking:?}");
    assert!(deferred.0 < 90, "{deferred:?}");
    assert_eq!((usual.1, deferred.1), (2, 4), "tasks at the moment of completion");
}

#[test]
fn early_success_below_the_minimum_is_refused() {
    let mut lab = Lab::new();
    lab.running(json!({}));
    let criteria =
        json!({ "enable": true, "healthyPercent": 50, "sourceServiceRevisionCleanup": "BLOCKING" });
    let request = json!({ "cluster": "prod", "service": "web",
        "deploymentConfiguration": { "earlySuccessCriteria": criteria } });
    let error = lab.api(crate::wire::Api::Ecs, "UpdateService", request).unwrap_err();
    assert_eq!(error.code, "InvalidParameterException");
}
