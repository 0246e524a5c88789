//! Calls against the embedded cloud: what is retried, what is reported, and what a lost reply leads to.

mod batches;
mod faults;
mod late;
mod lost_replies;
mod raw;
mod rehearsal;
mod resources;
mod slow;
mod vocabulary;

use std::collections::BTreeMap;

use deploy::model::spec::{
    Condition, ConditionField, ConnectServiceSpec, ConnectSpec, EarlySuccessSpec, HealthCheckSpec,
    ListenerSpec, LoadBalancerBinding, LoadBalancerSpec, Members, PolicySpec, RuleAction, RuleSpec,
    ServiceSpec, TargetGroupSpec, TaskDefinitionSpec, ThresholdSpec,
};

use serde_json::json;

pub(crate) use rehearsal::Rehearsal;

use super::{Arns, Aws, Tags};

fn tags() -> Tags {
    BTreeMap::from([("release".to_owned(), "r1".to_owned())])
}

fn task_definition(account: &str) -> TaskDefinitionSpec {
    TaskDefinitionSpec::of(Members::of(json!({
        "family": "web", "cpu": "256", "memory": "512",
        "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": format!("arn:aws:iam::{account}:role/ecsTaskExecutionRole"),
        "taskRoleArn": format!("arn:aws:iam::{account}:role/ecsTaskExecutionRole"),
        "volumes": [{ "name": "managed-agents" }],
        "containerDefinitions": [{
            "name": "web", "image": "public.ecr.aws/docker/library/nginx:1",
            "portMappings": [{ "containerPort": 8080, "name": "web" }],
            "stopTimeout": 30, "readonlyRootFilesystem": true,
            "mountPoints": [{ "containerPath": "/managed-agents", "sourceVolume": "managed-agents" }],
            "linuxParameters": { "initProcessEnabled": true },
        }],
    })))
}

fn target_group(vpc: &str) -> TargetGroupSpec {
    TargetGroupSpec {
        name: "web-tg".into(),
        vpc: vpc.into(),
        port: 8080,
        target_type: "ip".into(),
        protocol: "HTTP".into(),
        protocol_version: "HTTP1".into(),
        health: HealthCheckSpec {
            path: "/health".into(),
            port: None,
            matcher: "200".into(),
            interval_secs: 10,
            timeout_secs: 4,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        },
        attributes: BTreeMap::new(),
    }
}

fn route(priority: u32, path: &str) -> RuleSpec {
    let conditions = vec![Condition { on: ConditionField::Path, values: vec![path.to_owned()] }];
    RuleSpec { priority, conditions, action: RuleAction::Forward("web-tg".into()) }
}

fn delay() -> BTreeMap<String, String> {
    [(TargetGroupSpec::DEREGISTRATION_DELAY.to_owned(), "30".to_owned())].into()
}

/// A policy of somebody who knows more of AWS than this tool.
fn policy() -> PolicySpec {
    PolicySpec {
        name: "web".into(),
        resource_id: "service/c/web".into(),
        kind: PolicySpec::TRACKING.into(),
        configuration: json!({
            "TargetValue": 70,
            "CustomizedMetricSpecification": {"Metrics": [
                {"Id": "load", "Expression": "queue / tasks", "ReturnData": true},
                {"Id": "queue", "MetricStat": {"Stat": "Sum", "Metric": {
                    "Namespace": "AWS/SQS", "MetricName": "Visible", "Dimensions": [{"Name": "QueueName", "Value": "q"}]}}},
            ]},
            "DisableScaleIn": true,
            "ScaleOutCooldown": 300,
            "ScaleInCooldown": 300,
        }),
    }
}

fn rule(priority: u32) -> RuleSpec {
    route(priority, "/*")
}

/// What a service needs to exist.
struct Bench {
    account: String,
    vpc: String,
    subnets: Vec<String>,
    groups: Vec<String>,
    listener: String,
    arns: Arns,
}

impl Bench {
    /// Cluster, namespace, load balancer, listener and target group; no rule leads to the group yet.
    async fn lay(aws: &Aws) -> Self {
        let account = aws.get_caller_identity().await.unwrap().account;
        let vpc = aws.describe_vpcs("tag:Name", &["main"]).await.unwrap().remove(0).id;
        let names = ["public-a", "public-b"];
        let found = aws.describe_subnets("tag:Name", &names).await.unwrap();
        let mut subnets: Vec<String> = found.into_iter().map(|subnet| subnet.id).collect();
        subnets.sort();
        let found = aws.describe_security_groups("group-name", &["alb"]).await.unwrap();
        let groups: Vec<String> = found.into_iter().map(|group| group.id).collect();
        aws.create_cluster(
            &deploy::model::spec::ClusterSpec { name: "c".into(), capacity_providers: Vec::new() },
            &tags(),
        )
        .await
        .unwrap();
        let namespace = deploy::model::spec::NamespaceSpec { name: "ielts.local".into() };
        let namespace = aws.create_http_namespace(&namespace, &tags()).await.unwrap();
        let balancer = LoadBalancerSpec {
            attributes: BTreeMap::new(),
            name: "alb".into(),
            subnets: subnets.clone(),
            security_groups: groups.clone(),
            internal: false,
        };
        let balancer = aws.create_load_balancer(&balancer, &tags()).await.unwrap();
        let listener = ListenerSpec {
            load_balancer: "alb".into(),
            port: 80,
            protocol: "HTTP".into(),
            certificate: None,
            further_certificates: Vec::new(),
            ssl_policy: None,
            redirect_to: None,
        };
        let listener = aws.create_listener(&listener, &balancer.arn, &tags()).await.unwrap();
        let group = aws.create_target_group(&target_group(&vpc), &tags()).await.unwrap();
        let arns = Arns {
            target_groups: BTreeMap::from([("web-tg".to_owned(), group)]),
            namespaces: BTreeMap::from([(namespace.name, namespace.arn)]),
        };
        Self { account, vpc, subnets, groups, listener, arns }
    }

    fn group(&self) -> &str {
        &self.arns.target_groups["web-tg"]
    }

    fn service(&self) -> ServiceSpec {
        let endpoint = ConnectServiceSpec {
            name: "web".into(),
            discovery_name: "web".into(),
            alias_port: 8080,
            alias_dns: "web.ielts.local".into(),
            extra: Members::default(),
        };
        ServiceSpec {
            name: "web".into(),
            cluster: "c".into(),
            launch_type: "FARGATE".into(),
            platform_version: "LATEST".into(),
            subnets: self.subnets.clone(),
            security_groups: self.groups.clone(),
            assign_public_ip: false,
            load_balancers: vec![LoadBalancerBinding {
                target_group: "web-tg".into(),
                container: "web".into(),
                port: 8080,
                extra: Members::default(),
            }],
            connect: Some(ConnectSpec {
                namespace: "ielts.local".into(),
                services: vec![endpoint],
                extra: Members::default(),
            }),
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: true,
            circuit_breaker_rollback: true,
            circuit_breaker_threshold: ThresholdSpec { kind: "COUNT".to_owned(), value: 3 },
            circuit_breaker_reset: true,
            early_success: Some(EarlySuccessSpec { healthy_percent: 100, cleanup: "DEFERRED".to_owned() }),
            health_check_grace_secs: 60,
            enable_execute_command: true,
            propagate_tags: "TASK_DEFINITION".into(),
            managed_tags: true,
            // AWS's default for a new service, which it shows.
            extra: Members::of(json!({ "availabilityZoneRebalancing": "ENABLED" })),
        }
    }
}

/// Creates the service of a bench, from a revision that it registers.
async fn create_service(rehearsal: &Rehearsal, bench: &Bench) -> Result<String, super::Error> {
    let aws = &rehearsal.aws;
    let revision = aws.register_task_definition(&task_definition(&bench.account), &tags()).await?;
    let create = super::CreateService {
        spec: &bench.service(),
        task_definition: &revision.arn,
        desired: 2,
        arns: &bench.arns,
        client_token: "r1-web",
        tags: &tags(),
    };
    Ok(aws.create_service(&create).await?.deployments[0].id.clone())
}
