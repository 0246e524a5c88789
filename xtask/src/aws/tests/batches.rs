//! Lists that are longer than one call takes.

use deploy::model::spec::{LogGroupSpec, PolicySpec, RepositorySpec, ScalableTargetSpec};
use futures_util::future::try_join_all;
use serde_json::json;

use super::*;

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

fn asked(rehearsal: &Rehearsal, operation: &str) -> usize {
    rehearsal.cloud.calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_one_repositories_are_two_calls_and_an_unknown_name_hides_none() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let names = names("web-", 101);
    let spec = |name: &String| RepositorySpec { name: name.clone(), immutable_tags: true, keep_images: None };
    let specs: Vec<_> = names.iter().map(spec).collect();
    let tags = tags();
    try_join_all(specs.iter().map(|spec| aws.create_repository(spec, &tags))).await.unwrap();
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(aws.find_repositories(&wanted).await.unwrap().len(), 101);
    assert_eq!(asked(&rehearsal, "DescribeRepositories"), 2);
    wanted.push("unknown");
    assert_eq!(aws.find_repositories(&wanted).await.unwrap().len(), 101);
}

#[tokio::test(start_paused = true)]
async fn twenty_one_target_groups_are_two_calls_and_an_unknown_name_hides_none() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let vpc = aws.describe_vpcs("tag:Name", &["main"]).await.unwrap().remove(0).id;
    let names = names("web-", 21);
    let spec = |name: &String| TargetGroupSpec { name: name.clone(), ..target_group(&vpc) };
    let specs: Vec<_> = names.iter().map(spec).collect();
    let tags = tags();
    try_join_all(specs.iter().map(|spec| aws.create_target_group(spec, &tags))).await.unwrap();
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(aws.find_target_groups(&wanted).await.unwrap().len(), 21);
    assert_eq!(asked(&rehearsal, "DescribeTargetGroups"), 2);
    wanted.push("unknown");
    assert_eq!(aws.find_target_groups(&wanted).await.unwrap().len(), 21);
}

/// `service/c/web` with a scalable target.
async fn a_scaled_service(rehearsal: &Rehearsal) -> (Bench, ScalableTargetSpec) {
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(rehearsal, &bench).await.unwrap();
    let target = ScalableTargetSpec { resource_id: "service/c/web".into(), min: 2, max: 3 };
    aws.register_scalable_target(&target, &tags()).await.unwrap();
    (bench, target)
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_services_is_found_with_its_scalable_target() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let (bench, target) = a_scaled_service(&rehearsal).await;

    let names = [names("other-", 50), vec!["web".to_owned()]].concat();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = aws.find_services("c", &wanted, &bench.arns).await.unwrap();
    assert_eq!(found.iter().map(|found| found.spec.name.as_str()).collect::<Vec<_>>(), ["web"]);
    assert_eq!(asked(&rehearsal, "DescribeServices"), 6);
    let resources: Vec<String> = names.iter().map(|name| format!("service/c/{name}")).collect();
    let found = aws.describe_scalable_targets(&resources).await.unwrap();
    assert_eq!(found.iter().map(|found| &found.spec).collect::<Vec<_>>(), [&target]);
    assert_eq!(asked(&rehearsal, "DescribeScalableTargets"), 2);
}

#[tokio::test(start_paused = true)]
async fn log_groups_of_one_beginning_are_one_call_and_many_others_hide_none() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let create = async |name: &str| {
        let group = LogGroupSpec { name: name.to_owned(), retention_days: None };
        aws.create_log_group(&group, &tags()).await.unwrap();
    };
    create("/ecs/app-jobs").await;
    create("/ecs/app-web").await;
    let found = async || {
        let found = aws.find_log_groups(&["/ecs/app-jobs", "/ecs/app-none", "/ecs/app-web"]).await.unwrap();
        found.into_iter().map(|group| group.name).collect::<Vec<_>>()
    };
    assert_eq!(found().await, ["/ecs/app-jobs", "/ecs/app-web"]);
    assert_eq!(asked(&rehearsal, "DescribeLogGroups"), 1);
    for number in 0..50 {
        create(&format!("/ecs/app-of-others-{number}")).await;
    }
    assert_eq!(found().await, ["/ecs/app-jobs", "/ecs/app-web"]);
    assert_eq!(asked(&rehearsal, "DescribeLogGroups"), 1 + 1 + 3, "one page, and then each by itself");
    let apart = aws.find_log_groups(&["/ecs/app-web", "other"]).await.unwrap();
    assert_eq!(apart.len(), 1, "names that share nothing are found too");
}

#[tokio::test(start_paused = true)]
async fn policies_of_two_services_are_one_call_and_those_of_others_are_not_theirs() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    a_scaled_service(&rehearsal).await;
    aws.put_scaling_policy(&policy()).await.unwrap();
    let found = async |resources: [&str; 2]| {
        aws.describe_scaling_policies(&resources.map(str::to_owned)).await.unwrap().len()
    };
    assert_eq!(found(["service/c/shop", "service/c/web"]).await, 1);
    assert_eq!(found(["service/c/jobs", "service/c/shop"]).await, 0);
    assert_eq!(asked(&rehearsal, "DescribeScalingPolicies"), 2);
    for number in 0..10 {
        let step = PolicySpec {
            name: format!("step-{number}"),
            kind: "StepScaling".to_owned(),
            configuration: json!({
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{ "MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1 }],
            }),
            ..policy()
        };
        aws.put_scaling_policy(&step).await.unwrap();
    }
    assert_eq!(found(["service/c/shop", "service/c/web"]).await, 11);
    assert_eq!(asked(&rehearsal, "DescribeScalingPolicies"), 2 + 1 + 3, "one page, and then each by itself");
}
