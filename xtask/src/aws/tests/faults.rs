//! Throttling, outages, refusals and pages of others.

use sim::Settings;
use sim::fault::{Fault, On};
use sim::testing::Api;

use super::*;
use crate::aws::{CallOutcome, CredentialsProblem, Kind};

#[tokio::test(start_paused = true)]
async fn a_throttled_read_comes_through_and_each_attempt_is_reported() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::operation("DescribeClusters").nth(1..=3).then(Fault::Throttle));
    assert_eq!(rehearsal.aws.describe_cluster("c").await.unwrap(), None);
    let records = rehearsal.records();
    let attempts: Vec<_> = records.iter().map(|record| (record.attempt, record.write)).collect();
    assert_eq!(attempts, [(1, false), (2, false), (3, false), (4, false)]);
    assert_eq!(rehearsal.waits().len(), 3);
    assert!(
        matches!(&records[0].outcome, CallOutcome::Retried { reason, .. } if reason.contains("ThrottlingException"))
    );
    assert_eq!(records[3].outcome, CallOutcome::Done);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_the_same_and_another_does_not() {
    let mut schedules = Vec::new();
    for seed in [1, 1, 2] {
        let rehearsal = Rehearsal::with(Settings::default(), seed).await;
        rehearsal.cloud.add_rule(On::any().then(Fault::Throttle));
        let error = rehearsal.aws.describe_cluster("c").await.unwrap_err();
        assert_eq!((&error.kind, error.attempts), (&Kind::Throttled, 8));
        assert!(error.to_string().ends_with(", 8 times in a row"), "{error}");
        schedules.push(rehearsal.waits());
    }
    assert_eq!(schedules[0], schedules[1]);
    assert_ne!(schedules[0], schedules[2]);
}

/// One read of each protocol: SDK with JSON, SDK with XML, and both without SDK crate.
async fn each_protocol(rehearsal: &Rehearsal) -> Vec<super::super::Error> {
    let aws = &rehearsal.aws;
    vec![
        aws.describe_cluster("c").await.unwrap_err(),
        aws.describe_load_balancer("alb").await.unwrap_err(),
        aws.find_log_groups(&["/ecs/web"]).await.unwrap_err(),
        aws.describe_vpcs("tag:Name", &["x"]).await.unwrap_err(),
        aws.find_role("x").await.unwrap_err(),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_proxys_page_is_reported_as_such_in_every_protocol() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::any().then(super::rehearsal::proxy_page()));
    for error in each_protocol(&rehearsal).await {
        let shown = error.to_string();
        assert!(
            shown.ends_with("was not answered by AWS: HTTP 403 with text/html \"502 Bad Gateway\""),
            "{shown}"
        );
    }
    assert!(rehearsal.waits().is_empty(), "asking again does not help");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_reported_in_every_protocol() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::any().then(Fault::ExpiredToken));
    let kinds: Vec<Kind> = each_protocol(&rehearsal).await.iter().map(|error| error.kind.clone()).collect();
    use Kind::{ClockSkew, ExpiredToken};
    // EC2's code is the same for a token that is too old and for a signature that is.
    assert_eq!(kinds, [ExpiredToken, ExpiredToken, ExpiredToken, ClockSkew, ExpiredToken]);
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_names_its_action_in_every_protocol() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::any().then(Fault::AccessDenied));
    let action = |error: super::super::Error| match error.kind.clone() {
        Kind::AccessDenied { action } => action,
        other => format!("{other:?}"),
    };
    let actions: Vec<String> = each_protocol(&rehearsal).await.into_iter().map(action).collect();
    let expected = [
        "ecs:DescribeClusters",
        "elasticloadbalancing:DescribeLoadBalancers",
        "logs:DescribeLogGroups",
        "ec2:DescribeVpcs",
        "iam:GetRole",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_where_nobody_listens_is_reported_within_seconds() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::any().then(Fault::Refuse));
    let start = rehearsal.aws.now_ms();
    for error in each_protocol(&rehearsal).await {
        let shown = format!(
            "{}:{} got no answer: cannot reach cloud.test: connection refused, 4 times in a row",
            error.service, error.operation
        );
        assert_eq!(error.to_string(), shown);
    }
    assert!(rehearsal.aws.now_ms() - start < 5 * 3_000);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::any().then(Fault::Delay(3_600_000)));
    let start = rehearsal.aws.now_ms();
    for error in each_protocol(&rehearsal).await {
        assert_eq!(
            (&error.kind, error.may_have_happened, error.attempts),
            (&Kind::TimedOut, true, 4),
            "{error}"
        );
    }
    assert!(rehearsal.aws.now_ms() - start < 5 * 125_000);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_an_endpoint_lacks_is_unsupported_and_not_a_failure_of_the_deploy() {
    let rehearsal = Rehearsal::new().await;
    let body = r#"{"__type":"UnknownOperationException"}"#.to_owned();
    let lacks = Fault::Status { code: 400, body, content_type: "application/x-amz-json-1.1".to_owned() };
    rehearsal.cloud.add_rule(On::operation("DescribeServiceDeployments").then(lacks));
    let error = rehearsal.aws.describe_service_deployments(&["arn".to_owned()]).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn rejected_keys_are_reported_as_such() {
    let rehearsal = Rehearsal::new().await;
    let body = r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#;
    let rejects = Fault::Status {
        code: 400,
        body: body.to_owned(),
        content_type: "application/x-amz-json-1.1".to_owned(),
    };
    rehearsal.cloud.add_rule(On::api(Api::Ecs).then(rejects));
    let error = rehearsal.aws.describe_cluster("c").await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials(CredentialsProblem::Rejected));
}

/// A success with this body, for the first `times` calls of an operation.
fn odd(rehearsal: &Rehearsal, operation: &str, times: u64, body: &str) {
    let content_type = "application/x-amz-json-1.1".to_owned();
    let fault = Fault::Status { code: 200, body: body.to_owned(), content_type };
    rehearsal.cloud.add_rule(On::operation(operation).nth(1..=times).then(fault));
}

#[tokio::test(start_paused = true)]
async fn only_a_failure_that_says_missing_is_a_missing_service() {
    let other = r#"{"services":[],"failures":[{"arn":"arn:aws:ecs:r:1:service/c/web","reason":"BUSY"}]}"#;
    for body in ["", "{}", r#"{"services":[],"failures":[]}"#, other] {
        let rehearsal = Rehearsal::new().await;
        let bench = Bench::lay(&rehearsal.aws).await;
        rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
        create_service(&rehearsal, &bench).await.unwrap();
        odd(&rehearsal, "DescribeServices", 2, body);
        let found = rehearsal.aws.describe_services("c", &["web", "nosuch"]).await.unwrap();
        let states: Vec<&str> = found.iter().map(|service| service.status.as_str()).collect();
        assert_eq!(states, ["ACTIVE", "MISSING"], "{body}");
        odd(&rehearsal, "DescribeServices", 99, body);
        let error = rehearsal.aws.describe_services("c", &["web"]).await.unwrap_err();
        assert_eq!(error.kind, Kind::Incomplete, "{body}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_to_a_read_is_no_cluster_without_tags_and_no_service_without_tasks() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    let operations =
        ["DescribeClusters", "ListTagsForResource", "ListTasks", "DescribeTasks", "DescribeTargetHealth"];
    for operation in operations {
        odd(&rehearsal, operation, 1, "");
        if operation != "DescribeTargetHealth" {
            odd(&rehearsal, operation, 1, "{}");
        }
    }
    let cluster = aws.describe_cluster("c").await.unwrap().unwrap();
    assert_eq!(aws.list_ecs_tags(&cluster.arn).await.unwrap(), tags());
    assert_eq!(aws.service_tasks("c", "web", false).await.unwrap().len(), 2);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(aws.describe_target_health(bench.group()).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_with_an_empty_answer_is_repeated_and_made_once() {
    let rehearsal = Rehearsal::new().await;
    for operation in ["CreateCluster", "RegisterTaskDefinition", "CreateService"] {
        odd(&rehearsal, operation, 1, "");
    }
    let bench = Bench::lay(&rehearsal.aws).await;
    rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    assert_eq!(rehearsal.carried_out("RegisterTaskDefinition"), 1);
    assert_eq!(rehearsal.carried_out("CreateService"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_have_been_carried_out_once_is_not_refused_by_a_later_attempt() {
    let rehearsal = Rehearsal::new().await;
    rehearsal.cloud.add_rule(On::operation("CreateCluster").nth(1..=1).then(Fault::LoseReply));
    rehearsal.cloud.add_rule(On::operation("CreateCluster").then(Fault::Throttle));
    let spec = deploy::model::spec::ClusterSpec { name: "c".to_owned(), capacity_providers: Vec::new() };
    let error = rehearsal.aws.create_cluster(&spec, &Tags::new()).await.unwrap_err();
    assert_eq!((&error.kind, error.may_have_happened), (&Kind::Throttled, true));
    let wrote: Vec<_> = rehearsal.records().iter().map(|record| record.write).collect();
    assert_eq!((wrote[0], wrote[1..].contains(&true)), (true, false), "{wrote:?}");
}
