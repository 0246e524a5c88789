//! A reply that is lost on its way must not make anything twice.

use std::collections::BTreeSet;

use sim::fault::{Fault, On};

use super::*;
use crate::aws::{Kind, UpdateService};

#[tokio::test(start_paused = true)]
async fn a_lost_reply_does_not_register_a_second_revision() {
    let rehearsal = Rehearsal::new().await;
    let account = rehearsal.aws.get_caller_identity().await.unwrap().account;
    rehearsal.cloud.add_rule(On::operation("RegisterTaskDefinition").nth(1..=1).then(Fault::LoseReply));
    let made = rehearsal.aws.register_task_definition(&task_definition(&account), &tags()).await.unwrap();
    assert_eq!(made.revision, 1);
    assert_eq!(rehearsal.carried_out("RegisterTaskDefinition"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_registers_one_after_all_and_an_older_release_is_not_taken_for_it() {
    let rehearsal = Rehearsal::new().await;
    let account = rehearsal.aws.get_caller_identity().await.unwrap().account;
    let older = BTreeMap::from([("release".to_owned(), "r0".to_owned())]);
    rehearsal.aws.register_task_definition(&task_definition(&account), &older).await.unwrap();
    rehearsal.cloud.add_rule(On::operation("RegisterTaskDefinition").nth(1..=1).then(Fault::LoseRequest));
    let made = rehearsal.aws.register_task_definition(&task_definition(&account), &tags()).await.unwrap();
    assert_eq!(made.revision, 2);
    assert_eq!(rehearsal.carried_out("RegisterTaskDefinition"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_creates_everything_once() {
    let rehearsal = Rehearsal::new().await;
    // The first call of each write loses its reply.
    for operation in [
        "CreateCluster",
        "CreateHttpNamespace",
        "CreateLoadBalancer",
        "CreateListener",
        "CreateTargetGroup",
        "CreateRule",
        "RegisterTaskDefinition",
        "CreateService",
    ] {
        rehearsal.cloud.add_rule(On::operation(operation).nth(1..=1).then(Fault::LoseReply));
    }
    let bench = Bench::lay(&rehearsal.aws).await;
    let made = rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    let rules = rehearsal.aws.describe_rules(&bench.listener).await.unwrap();
    let ours: Vec<_> = rules.into_iter().filter_map(|rule| rule.state).collect();
    assert_eq!(
        ours.iter().map(|rule| (&rule.arn, rule.spec.clone())).collect::<Vec<_>>(),
        [(&made, rule(10))]
    );
    let deployment = create_service(&rehearsal, &bench).await.unwrap();
    let found = rehearsal.aws.describe_services("c", &["web"]).await.unwrap();
    let ids: Vec<_> = found[0].deployments.iter().map(|deployment| &deployment.id).collect();
    assert_eq!(ids, [&deployment]);
    assert_eq!(rehearsal.carried_out("RegisterTaskDefinition"), 1);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_rule_is_not_taken_for_ours() {
    let rehearsal = Rehearsal::new().await;
    let bench = Bench::lay(&rehearsal.aws).await;
    let theirs = route(10, "/theirs/*");
    rehearsal.aws.create_rule(&bench.listener, &theirs, bench.group(), &tags()).await.unwrap();
    let error =
        rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap_err();
    assert_eq!(error.kind, Kind::AlreadyExists);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_does_not_force_two_deployments() {
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let rehearsal = Rehearsal::new().await;
        let bench = Bench::lay(&rehearsal.aws).await;
        rehearsal.aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
        let before = create_service(&rehearsal, &bench).await.unwrap();
        rehearsal.cloud.add_rule(On::operation("UpdateService").nth(1..=1).then(fault));
        let spec = bench.service();
        let update = UpdateService {
            spec: &spec,
            members: &BTreeSet::new(),
            task_definition: None,
            desired: None,
            force_new_deployment: true,
            previous_primary: Some(&before),
            arns: &bench.arns,
        };
        let after = rehearsal.aws.update_service(&update).await.unwrap();
        assert_ne!(after.deployments[0].id, before);
        assert_eq!(rehearsal.carried_out("UpdateService"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_has_succeeded() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    let made = aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    for _ in 0..2 {
        aws.delete_rule(&made).await.unwrap();
        aws.delete_listener(&bench.listener).await.unwrap();
        aws.delete_service("c", "web", true).await.unwrap();
        aws.delete_target_group(bench.group()).await.unwrap();
    }
}
