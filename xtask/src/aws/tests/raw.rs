//! Members that neither our types nor the SDK's hold, both ways.

use super::*;
use crate::aws::UpdateService;

#[tokio::test(start_paused = true)]
async fn a_definition_with_members_that_the_sdk_does_not_know_is_read_back_as_it_was_registered() {
    let rehearsal = Rehearsal::new().await;
    let account = rehearsal.aws.get_caller_identity().await.unwrap().account;
    let mut members = task_definition(&account).members().clone();
    members.lay(&Members::of(json!({
        "pidMode": "task",
        "containerDefinitions": [
            { "name": "web", "ulimits": [{ "name": "nofile", "softLimit": 1, "hardLimit": 2 }], "unheardOf": { "of": [1] } },
            { "name": "log", "image": "public.ecr.aws/log:1", "essential": false },
        ],
    })));
    let spec = TaskDefinitionSpec::of(members);
    let made = rehearsal.aws.register_task_definition(&spec, &tags()).await.unwrap();
    let found = rehearsal.aws.describe_task_definition(&made.arn).await.unwrap();
    assert_eq!((found.spec, found.tags), (spec, tags()));
}

#[tokio::test(start_paused = true)]
async fn what_an_update_does_not_mean_to_change_stays_where_a_member_is_replaced_as_a_whole() {
    let rehearsal = Rehearsal::new().await;
    let aws = &rehearsal.aws;
    let bench = Bench::lay(aws).await;
    aws.create_rule(&bench.listener, &rule(10), bench.group(), &tags()).await.unwrap();
    let of = |wire| Members::of(wire);
    let mut spec = bench.service();
    let connect = spec.connect.as_mut().unwrap();
    connect.extra =
        of(json!({ "logConfiguration": { "logDriver": "awslogs", "options": { "mode": "non-blocking" } } }));
    connect.services[0].extra = of(json!({
        "ingressPortOverride": 15000,
        "timeout": { "idleTimeoutSeconds": 3600 },
        "tls": { "issuerCertificateAuthority": { "awsPcaAuthorityArn": "arn:aws:acm-pca:r:1:ca/x" } },
        "unheardOf": 1,
    }));
    spec.load_balancers[0].extra =
        of(json!({ "advancedConfiguration": { "roleArn": "arn:aws:iam::1:role/lb" } }));
    spec.extra = of(json!({
        "availabilityZoneRebalancing": "ENABLED",
        "networkConfiguration": { "awsvpcConfiguration": { "unheardOf": "x" } },
        "deploymentConfiguration": { "alarms": { "alarmNames": ["errors"], "enable": true, "rollback": true } },
    }));
    let revision = aws.register_task_definition(&task_definition(&bench.account), &tags()).await.unwrap();
    let create = crate::aws::CreateService {
        spec: &spec,
        task_definition: &revision.arn,
        desired: 1,
        arns: &bench.arns,
        client_token: "t",
        tags: &tags(),
    };
    aws.create_service(&create).await.unwrap();
    let found = async || aws.find_services("c", &["web"], &bench.arns).await.unwrap().remove(0).spec;
    assert_eq!(found().await, spec);

    let mut wanted = ServiceSpec { maximum_percent: 150, assign_public_ip: true, ..spec };
    wanted.connect.as_mut().unwrap().services[0].alias_port = 8081;
    wanted.extra.put(&["availabilityZoneRebalancing"], json!("DISABLED"));
    let members = found().await.differing(&wanted);
    let update = UpdateService {
        spec: &wanted,
        members: &members,
        task_definition: None,
        desired: None,
        force_new_deployment: false,
        previous_primary: None,
        arns: &bench.arns,
    };
    aws.update_service(&update).await.unwrap();
    assert_eq!(found().await, wanted);
}
