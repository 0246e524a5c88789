//! What was made or deleted a moment ago is not seen everywhere yet: each call after it waits for that.

use deploy::model::spec::{LogGroupSpec, NamespaceSpec, RepositorySpec, ScalableTargetSpec};
use sim::fault::{Fault, On};

use super::*;
use crate::aws::Kind;

fn answer(code: &str, message: &str, json: bool) -> Fault {
    let (body, content_type) = if json {
        (serde_json::json!({"__type": code, "message": message}).to_string(), "application/x-amz-json-1.1")
    } else {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        (format!("<ErrorResponse>{error}</ErrorResponse>"), "text/xml")
    };
    Fault::Status { code: 400, body, content_type: content_type.to_owned() }
}

/// Operation, code and text of what AWS says while an earlier call is not seen yet.
const LATE: [(&str, &str, &str); 22] = [
    ("ListTagsForResource", "ClusterNotFoundException", "Cluster not found."),
    ("TagResource", "ClusterNotFoundException", "Cluster not found."),
    ("GetNamespace", "NamespaceNotFound", "x"),
    ("CreateListener", "LoadBalancerNotFound", "One or more load balancers not found"),
    ("ModifyTargetGroup", "TargetGroupNotFound", "One or more target groups not found"),
    ("ModifyTargetGroupAttributes", "TargetGroupNotFound", "One or more target groups not found"),
    ("DescribeRules", "ListenerNotFound", "One or more listeners not found"),
    ("CreateRule", "ListenerNotFound", "One or more listeners not found"),
    ("ModifyRule", "TargetGroupNotFound", "One or more target groups not found"),
    ("SetRulePriorities", "RuleNotFound", "One or more rules not found"),
    ("PutRetentionPolicy", "ResourceNotFoundException", "The specified log group does not exist."),
    ("PutLifecyclePolicy", "RepositoryNotFoundException", "The repository does not exist"),
    ("CreateService", "ClientException", "TaskDefinition not found."),
    ("CreateService", "ClusterNotFoundException", "Cluster not found."),
    ("CreateService", "NamespaceNotFoundException", "Failed to retrieve namespace for ielts.local"),
    ("RegisterScalableTarget", "ValidationException", "ECS service doesn't exist: service/c/web"),
    ("RegisterScalableTarget", "ValidationException", "Unable to assume IAM role: arn:aws:iam::1:role/x"),
    ("PutScalingPolicy", "ObjectNotFoundException", "No scalable target registered"),
    ("PutScalingPolicy", "FailedResourceAccessException", "Unable to retrieve the capacity"),
    ("DeleteTargetGroup", "ResourceInUse", "Target group is currently in use by a listener or a rule"),
    (
        "DeleteCluster",
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    ),
    ("DeleteNamespace", "ResourceInUse", "Namespace has associated services."),
];

#[tokio::test(start_paused = true)]
async fn each_call_after_a_create_or_a_delete_waits_until_that_is_seen() {
    let rehearsal = Rehearsal::new().await;
    for (operation, code, text) in LATE {
        let json = !["Listener", "TargetGroup", "Rule"].iter().any(|part| operation.contains(part));
        // Longer than a throttled call is repeated for.
        rehearsal.cloud.add_rule(On::operation(operation).nth(1..=9).then(answer(code, text, json)));
    }
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    let cluster = aws.describe_cluster("c").await.unwrap().unwrap().arn;
    assert_eq!(aws.list_ecs_tags(&cluster).await.unwrap(), tags());
    aws.tag_ecs_resource(&cluster, &tags()).await.unwrap();
    let group = target_group(&bench.vpc);
    aws.modify_target_group(bench.group(), &group).await.unwrap();
    aws.set_target_group_attributes(bench.group(), &delay()).await.unwrap();
    let made = aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    aws.modify_rule(&made, &rule(10), bench.group()).await.unwrap();
    aws.set_rule_priorities(&[(made.clone(), 11)]).await.unwrap();
    let log = LogGroupSpec { name: "/ecs/web".into(), retention_days: Some(30) };
    aws.create_log_group(&log, &tags()).await.unwrap();
    aws.put_retention_policy(&log).await.unwrap();
    let repository = RepositorySpec { name: "web".into(), immutable_tags: false, keep_images: Some(9) };
    aws.create_repository(&repository, &tags()).await.unwrap();
    aws.put_lifecycle_policy(&repository).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    let target = ScalableTargetSpec { resource_id: "service/c/web".into(), min: 2, max: 3 };
    aws.register_scalable_target(&target, &tags()).await.unwrap();
    let policy = policy();
    aws.put_scaling_policy(&policy).await.unwrap();
    assert!(!aws.describe_rules(&bench.listener).await.unwrap().is_empty());

    aws.delete_service("c", "web", true).await.unwrap();
    aws.delete_rule(&made).await.unwrap();
    aws.delete_target_group(bench.group()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    aws.delete_cluster("c").await.unwrap();
    let namespace = aws.find_namespace("ielts.local").await.unwrap().unwrap();
    aws.delete_namespace(&namespace.id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_stays_in_use_is_an_error_after_two_minutes() {
    let rehearsal = Rehearsal::new().await;
    let namespace = NamespaceSpec { name: "ielts.local".into() };
    let made = rehearsal.aws.create_http_namespace(&namespace, &tags()).await.unwrap();
    let used = answer("ResourceInUse", "Namespace has associated services.", true);
    rehearsal.cloud.add_rule(On::operation("DeleteNamespace").then(used));
    let begin = rehearsal.aws.now_ms();
    let error = rehearsal.aws.delete_namespace(&made.id).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotReady);
    assert!(error.to_string().contains("has associated services"), "{error}");
    assert!((120_000..140_000).contains(&(rehearsal.aws.now_ms() - begin)));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_known_right_after_it_was_made_is_waited_for() {
    let rehearsal = Rehearsal::new().await;
    for (operation, code) in [("GetOperation", "OperationNotFound"), ("GetNamespace", "NamespaceNotFound")] {
        let late = answer(code, "not found", true);
        rehearsal.cloud.add_rule(On::operation(operation).nth(1..=2).then(late));
    }
    let namespace = NamespaceSpec { name: "ielts.local".into() };
    let made = rehearsal.aws.create_http_namespace(&namespace, &tags()).await.unwrap();
    assert_eq!(made.name, "ielts.local");
}
