//! What is written is read back the same, so that a second plan is empty.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use deploy::model::ImageDigest;
use deploy::model::spec::{LogGroupSpec, Member, RepositorySpec, ScalableTargetSpec};

use sim::fault::{Fault, On};

use super::*;
use crate::aws::{Kind, LogStart, UpdateService};

#[tokio::test(start_paused = true)]
async fn a_service_is_read_back_as_it_was_created() {
    let rehearsal = Rehearsal::new().await;
    let bench = Bench::lay(&rehearsal.aws).await;
    rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    let found = rehearsal.aws.find_services("c", &["web", "none"], &bench.arns).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].spec, bench.service());
    let revision = rehearsal.aws.describe_task_definition(&found[0].task_definition).await.unwrap();
    assert_eq!((revision.spec, revision.tags), (task_definition(&bench.account), tags()));
    let polled = rehearsal.aws.describe_services("c", &["none", "web"]).await.unwrap();
    let statuses: Vec<_> =
        polled.iter().map(|service| (service.name.as_str(), service.status.as_str())).collect();
    assert_eq!(statuses, [("none", "MISSING"), ("web", "ACTIVE")]);
}

fn update<'a>(spec: &'a ServiceSpec, members: &'a BTreeSet<Member>, arns: &'a Arns) -> UpdateService<'a> {
    UpdateService {
        spec,
        members,
        task_definition: None,
        desired: None,
        force_new_deployment: false,
        previous_primary: None,
        arns,
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_differs_is_sent_and_a_removed_setting_is_removed() {
    let rehearsal = Rehearsal::new().await;
    let bench = Bench::lay(&rehearsal.aws).await;
    rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    let before = create_service(&rehearsal, &bench).await.unwrap();
    let wanted = ServiceSpec { maximum_percent: 150, enable_execute_command: false, ..bench.service() };
    let members = bench.service().differing(&wanted);
    assert_eq!(members, [Member::DeploymentConfiguration, Member::EnableExecuteCommand].into());
    let after = rehearsal.aws.update_service(&update(&wanted, &members, &bench.arns)).await.unwrap();
    assert_eq!(after.deployments[0].id, before, "neither starts a deployment");
    let wanted = ServiceSpec { connect: None, ..wanted.clone() };
    let members = [Member::ServiceConnectConfiguration].into();
    let after = rehearsal.aws.update_service(&update(&wanted, &members, &bench.arns)).await.unwrap();
    assert_ne!(after.deployments[0].id, before);
    let found = rehearsal.aws.find_services("c", &["web"], &bench.arns).await.unwrap();
    assert_eq!(found[0].spec, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_target_group_that_no_rule_leads_to_yet_is_waited_for() {
    let rehearsal = Rehearsal::new().await;
    let bench = Bench::lay(&rehearsal.aws).await;
    let start = rehearsal.aws.now_ms();
    let (service, ()) = futures_util::join!(create_service(&rehearsal, &bench), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    });
    service.unwrap();
    let took = rehearsal.aws.now_ms() - start;
    assert!((20_000..40_000).contains(&took), "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn a_target_group_that_no_rule_ever_leads_to_ends_in_awss_words() {
    let rehearsal = Rehearsal::new().await;
    let bench = Bench::lay(&rehearsal.aws).await;
    let error = create_service(&rehearsal, &bench).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotReady);
    assert!(error.to_string().contains("does not have an associated load balancer"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn routing_is_read_back_as_it_was_made() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    let mut wanted = target_group(&bench.vpc);
    wanted.health.path = "/ready".into();
    wanted.health.port = Some(9090);
    aws.set_target_group_attributes(bench.group(), &delay()).await.unwrap();
    aws.modify_target_group(bench.group(), &wanted).await.unwrap();
    let found = aws.find_target_groups(&["web-tg", "none"]).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|group| group.state).collect();
    let attributes = aws.describe_target_group_attributes(bench.group()).await.unwrap();
    assert!(delay().iter().all(|set| attributes.iter().any(|found| found == set)), "{attributes:?}");
    assert_eq!(found.iter().map(|group| &group.spec).collect::<Vec<_>>(), [&wanted]);
    let balancer = aws.describe_load_balancer("alb").await.unwrap().unwrap();
    assert_eq!(balancer.state.spec.subnets, bench.subnets);
    assert_eq!(found[0].load_balancers, std::slice::from_ref(&balancer.state.arn));
    let listeners = aws.describe_listeners(&balancer.state.arn).await.unwrap();
    assert_eq!((listeners.len(), listeners[0].state.spec.load_balancer.as_str()), (1, "alb"));
    assert_eq!(aws.describe_load_balancer("none").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn foundations_are_read_back_as_they_were_made() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let repository = RepositorySpec { name: "app/web".into(), immutable_tags: true, keep_images: Some(30) };
    assert_eq!(aws.get_keep_images("app/web").await.unwrap(), None);
    let uri = aws.create_repository(&repository, &tags()).await.unwrap();
    assert_eq!(aws.create_repository(&repository, &tags()).await.unwrap(), uri, "one that exists stays");
    aws.put_lifecycle_policy(&repository).await.unwrap();
    assert_eq!(aws.get_keep_images("app/web").await.unwrap(), Some(30));
    let found = aws.find_repositories(&["app/web", "none"]).await.unwrap();
    assert_eq!(
        found.iter().map(|it| (it.uri.as_str(), it.immutable_tags)).collect::<Vec<_>>(),
        [(uri.as_str(), true)]
    );
    let digest = ImageDigest(format!("sha256:{}", "a".repeat(64)));
    assert_eq!(aws.find_images("app/web", &[digest]).await.unwrap(), []);
    let login = aws.registry_login(None).await.unwrap();
    assert!(login.authorization.expose().starts_with("Basic "));

    let group = LogGroupSpec { name: "/ecs/web".into(), retention_days: Some(30) };
    for _ in 0..2 {
        aws.create_log_group(&group, &tags()).await.unwrap();
        aws.put_retention_policy(&group).await.unwrap();
    }
    assert_eq!(aws.find_log_groups(&["/ecs/web"]).await.unwrap(), std::slice::from_ref(&group));
    assert_eq!(aws.find_log_groups(&["/ecs/we"]).await.unwrap(), [], "a prefix is not the name");
    let forever = LogGroupSpec { retention_days: None, ..group };
    aws.put_retention_policy(&forever).await.unwrap();
    assert_eq!(aws.find_log_groups(&["/ecs/web"]).await.unwrap(), [forever]);
    assert_eq!(aws.get_log_events("/ecs/web", "web/web/none", 10, LogStart::Tail).await.unwrap().events, []);
}

#[tokio::test(start_paused = true)]
async fn scaling_is_read_back_as_it_was_made() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    let target = ScalableTargetSpec { resource_id: "service/c/web".into(), min: 2, max: 10 };
    let policy = policy();
    aws.register_scalable_target(&target, &tags()).await.unwrap();
    aws.put_scaling_policy(&policy).await.unwrap();
    let resources = ["service/c/web".to_owned(), "service/c/none".to_owned()];
    let found = aws.describe_scalable_targets(&resources).await.unwrap();
    assert_eq!(found.iter().map(|found| &found.spec).collect::<Vec<_>>(), [&target]);
    assert_eq!(aws.list_scalable_targets().await.unwrap(), found);
    assert_eq!(
        aws.describe_scaling_policies(&["service/c/web".to_owned()]).await.unwrap(),
        std::slice::from_ref(&policy)
    );
    for _ in 0..2 {
        aws.delete_scaling_policy(&policy).await.unwrap();
        aws.deregister_scalable_target(&target).await.unwrap();
    }
    assert_eq!(aws.describe_scalable_targets(&resources).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn the_range_of_a_target_that_exists_is_changed_although_it_cannot_be_tagged_again() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    create_service(&rehearsal, &bench).await.unwrap();
    let target = ScalableTargetSpec { resource_id: "service/c/web".into(), min: 2, max: 10 };
    aws.register_scalable_target(&target, &tags()).await.unwrap();
    let body = r#"{"__type":"ValidationException","Message":"The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use the TagResource API."}"#;
    let refuses = Fault::Status {
        code: 400,
        body: body.to_owned(),
        content_type: "application/x-amz-json-1.1".to_owned(),
    };
    rehearsal.cloud.add_rule(On::operation("RegisterScalableTarget").nth(1..=1).then(refuses));
    let wider = ScalableTargetSpec { max: 20, ..target };
    aws.register_scalable_target(&wider, &tags()).await.unwrap();
    let found = aws.describe_scalable_targets(&["service/c/web".to_owned()]).await.unwrap();
    assert_eq!(found.into_iter().map(|found| found.spec).collect::<Vec<_>>(), [wider]);
}

#[tokio::test(start_paused = true)]
async fn a_running_task_is_seen_with_its_address_and_deployment() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    let deployment = create_service(&rehearsal, &bench).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let tasks = aws.service_tasks("c", "web", false).await.unwrap();
    let targets = aws.describe_target_health(bench.group()).await.unwrap();
    assert_eq!((tasks.len(), targets.len()), (2, 2));
    // By the cluster's list or by each service's: both are the same tasks.
    for is_crowded in [false, true] {
        aws.is_crowded.store(is_crowded, Relaxed);
        let of = aws.tasks_of("c", &["web", "absent"], true).await.unwrap();
        assert_eq!(of[0].running, tasks, "{is_crowded}");
        assert!(of[0].stopped.is_empty() && of[1].running.is_empty(), "{of:?}");
    }
    for task in &tasks {
        assert_eq!((task.last_status.as_str(), task.started_by.as_str()), ("RUNNING", deployment.as_str()));
        let target = targets.iter().find(|target| Some(&target.ip) == task.private_ip.as_ref()).unwrap();
        assert_eq!((target.port, target.state.as_str()), (8080, "healthy"));
    }
    let listed = aws.list_service_deployments("c", "web", &[]).await.unwrap();
    let described = aws.describe_service_deployments(&[listed[0].arn.clone()]).await.unwrap();
    assert_eq!(described[0].status, "SUCCESSFUL");
    let revisions =
        aws.describe_service_revisions(&[described[0].target_revision.clone().unwrap()]).await.unwrap();
    assert!(revisions[0].task_definition.ends_with("task-definition/web:1"), "{revisions:?}");
    let error = aws.stop_service_deployment(&listed[0].arn).await.unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
}
