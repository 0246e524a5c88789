//! `init --cluster`: what it writes for accounts made at random, and whether a plan of that changes nothing.

use std::collections::BTreeMap;

use deploy::config;
use deploy::model::spec::{
    Condition, ConditionField, FixedResponseSpec, LogGroupSpec, PolicySpec, RepositorySpec, RuleAction,
    RuleSpec, ScalableTargetSpec, ScheduledActionSpec, TargetGroupSpec, normal_members,
};
use deploy::model::{Environment, Service, ServiceKey};
use serde_json::{Value, json};
use xtask::host::Rng;
use xtask::observe;

use crate::somebody::ecs;
use crate::wants::asked;
use crate::world::{World, story};

mod refused;

const SEEDS: u64 = 24;

/// The file that is written, and what a plan of it would change.
async fn written(world: &World) -> (String, Vec<String>, Vec<String>) {
    let Environment { region, cluster, .. } = &world.environment;
    let before = world.cloud.calls().len();
    let draft = observe::draft(&world.aws, region, cluster, &[], &[]).await.unwrap();
    let calls = world.cloud.calls().split_off(before);
    assert!(calls.iter().all(|call| !call.write), "init only reads");
    let text = draft.text();
    // As the file's first lines say, the embedded cloud takes it too.
    if let Err(report) = config::load("deploy.toml", &text, None) {
        return (text, draft.left.clone(), vec![report.render(false)]);
    }
    let environment = match config::load("deploy.toml", &text, Some(&draft.env)) {
        Ok(loaded) => loaded.environment,
        Err(report) => return (text, draft.left.clone(), vec![report.render(false)]),
    };
    let observed = observe::account(&world.aws, &environment).await.unwrap();
    let mut release = world.release("init", None);
    release.images = draft.images().clone();
    let desired = deploy::model::Desired { environment, release };
    let mut plan = deploy::plan::plan(&desired, &observed);
    // Each rule is a route of the file, or named as left out.
    let is_left = |note: &&String| {
        draft.left.iter().any(|left| note.starts_with(left.split(':').next().unwrap_or(left)))
    };
    let strangers =
        plan.notes.iter().filter(|note| note.contains("is asked before routes") && !is_left(note));
    assert_eq!(strangers.count(), 0, "{:?}\n{text}", plan.notes);
    deploy::plan::refuse_losses(&mut plan, &desired, &observed);
    let refused = plan.refusals.iter().map(|refusal| format!("{} {}", refusal.what, refusal.remedy));
    let changes = plan.steps().map(|step| format!("{} {:?}", step.action.title(), step.why)).chain(refused);
    (text, draft.left.clone(), changes.collect())
}

struct Account<'a> {
    world: &'a World,
    rng: Rng,
}

impl Account<'_> {
    fn percent(&self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    fn pick<T: Clone>(&self, list: &[T]) -> T {
        list[self.rng.below(list.len() as u64) as usize].clone()
    }

    /// A value now and then, and otherwise none.
    fn maybe(&self, percent: u64, value: Value) -> Value {
        if self.percent(percent) { value } else { Value::Null }
    }

    /// A definition as somebody may have written it, of the image that the service runs.
    fn definition(&self, image: &str, of: &Service, port_name: Option<&str>, exec: bool) -> Value {
        let (family, name, port) = (&of.family, &of.container.name, of.container.port);
        let (cpu, memory) = self.pick(&[("256", "1024"), ("512", "1024"), ("1024", "4096")]);
        let sidecar = self.percent(40);
        let log = |prefix: &str| {
            json!({ "logDriver": "awslogs", "options": {
                "awslogs-group": format!("/ecs/{family}"), "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": prefix,
                "awslogs-create-group": self.maybe(30, json!("true")), "mode": self.maybe(30, json!("non-blocking")) } })
        };
        let own = json!({
            "name": name,
            "image": image,
            "portMappings": [
                { "containerPort": port, "hostPort": self.maybe(50, json!(port)), "protocol": self.maybe(50, json!("tcp")),
                  "name": port_name, "appProtocol": port_name.and(Some("http")) },
                self.maybe(20, json!({ "containerPort": 9464, "name": "metrics" })),
            ],
            "environment": [
                self.maybe(70, json!({ "name": "PORT", "value": self.pick(&[port.to_string(), "9999".to_owned()]) })),
                self.maybe(50, json!({ "name": "SPRING_PROFILES_ACTIVE", "value": "prod" })),
                self.maybe(30, json!({ "name": "QUOTED", "value": "a=b \"c\"" })),
                self.maybe(30, json!({ "name": "spring.datasource.url", "value": "jdbc:postgresql://db/shop" })),
                self.maybe(30, json!({ "name": "BANNER", "value": "one\ntwo\t\u{1b}[1m" })),
                self.maybe(20, json!({ "name": "BILLING_URL", "value": "http://billing.ielts.local:8080/v1" })),
            ],
            "secrets": [self.maybe(40, json!({ "name": "DB_PASSWORD", "valueFrom": "/shop/db" }))],
            "healthCheck": self.maybe(50, json!({ "command": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"],
                "interval": self.pick(&[5, 15, 30]), "timeout": self.pick(&[Value::Null, json!(5)]), "retries": self.pick(&[2, 3]), "startPeriod": self.maybe(50, json!(60)) })),
            "logConfiguration": self.maybe(85, log(self.pick(&["ecs", "backend"]))),
            "stopTimeout": self.maybe(40, json!(self.pick(&[30, 90]))),
            // ECS Exec needs paths to write to, which a definition by hand lacks: the plan adds them, and init says so.
            "readonlyRootFilesystem": self.maybe(if exec { 0 } else { 30 }, json!(true)),
            "user": self.maybe(30, json!("1000:1000")),
            "command": self.maybe(30, json!(["serve", "--workers", "2"])),
            "workingDirectory": self.maybe(20, json!("/srv")),
            "ulimits": self.maybe(30, json!([{ "name": "nofile", "softLimit": 1024, "hardLimit": 4096 }])),
            "dockerLabels": self.maybe(30, json!({ "team": "shop", "com.datadoghq.ad.logs": "[{}]" })),
            "linuxParameters": self.maybe(30, json!({ "initProcessEnabled": self.percent(50) })),
            "dependsOn": if sidecar { json!([{ "containerName": "agent", "condition": "START" }]) } else { json!([]) },
            "memoryReservation": self.maybe(20, json!(256)),
            "cpu": self.maybe(20, json!(128)),
        });
        let image =
            self.pick(&[format!("datadog/agent@sha256:{}", "d".repeat(64)), "datadog/agent:7".to_owned()]);
        let agent = json!({ "name": "agent", "image": image, "essential": false, "memory": 128,
            "environment": [{ "name": "DD_SITE", "value": "datadoghq.eu" }], "logConfiguration": self.maybe(50, log("agent")) });
        let role = "arn:aws:iam::123456789012:role/";
        without_nulls(json!({
            "family": family,
            "cpu": cpu,
            "memory": memory,
            "networkMode": "awsvpc",
            "requiresCompatibilities": self.pick(&[json!(["FARGATE"]), json!(["EC2", "FARGATE"])]),
            "executionRoleArn": format!("{role}ecsTaskExecutionRole"),
            "taskRoleArn": self.maybe(if exec { 100 } else { 60 }, json!(format!("{role}ielts-prod-task-role"))),
            "runtimePlatform": self.maybe(50, json!({ "cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX" })),
            "ephemeralStorage": self.maybe(30, json!({ "sizeInGiB": 40 })),
            "volumes": self.maybe(30, json!([{ "name": "scratch" }])),
            "containerDefinitions": if sidecar { json!([own, agent]) } else { json!([own]) },
        }))
    }

    fn settings(&self, port: u16, port_name: Option<&str>, exec: bool) -> Value {
        let breaker = json!({ "enable": true, "rollback": self.percent(70), "thresholdConfiguration":
            self.maybe(50, self.pick(&[json!({ "type": "COUNT", "value": 5 }), json!({ "type": "BOUNDED_PERCENT", "value": 50 })])) });
        let services = port_name.map(|name| {
            json!([{ "portName": name, "discoveryName": "backend", "clientAliases": [{ "port": port, "dnsName": "backend.ielts.local" }],
                "timeout": self.maybe(40, json!({ "perRequestTimeoutSeconds": 60 })),
                "ingressPortOverride": self.maybe(20, json!(15000)) }])
        });
        without_nulls(json!({
            "deploymentConfiguration": {
                "minimumHealthyPercent": self.pick(&[50, 100]),
                "maximumPercent": self.pick(&[150, 200]),
                "deploymentCircuitBreaker": self.maybe(60, breaker),
                "alarms": self.maybe(20, json!({ "alarmNames": ["errors"], "enable": true, "rollback": true })),
            },
            "healthCheckGracePeriodSeconds": self.pick(&[0, 60, 120]),
            "enableExecuteCommand": exec,
            "propagateTags": self.pick(&["NONE", "SERVICE", "TASK_DEFINITION"]),
            "enableECSManagedTags": self.percent(50),
            "platformVersion": self.pick(&["LATEST", "1.4.0"]),
            "availabilityZoneRebalancing": self.pick(&["ENABLED", "DISABLED"]),
            "serviceConnectConfiguration": {
                "enabled": port_name.is_some() || self.percent(50), "namespace": "ielts.local", "services": services,
                "logConfiguration": self.maybe(30, json!({ "logDriver": "awslogs", "options": {
                    "awslogs-group": "/ecs/connect", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "proxy" } })),
            },
        }))
    }

    /// Changes the services and what is around them, as a console and an AWS CLI in several hands would.
    async fn change(&self) {
        let World { aws, environment, cloud, .. } = self.world;
        for service in &environment.services {
            let uri = &aws.find_repositories(&[&service.repository.name]).await.unwrap()[0].uri;
            let digest = self.world.images("v1", "v1")[&service.key].digest.clone();
            let endpoint = (service.key.0 == "backend" || self.percent(50)).then_some("http");
            let port = service.container.port;
            let image = format!("{uri}@{digest}");
            // Without a role of its own a task takes no commands, and a file that says otherwise is refused.
            let exec = self.percent(30);
            let named = endpoint.or(self.pick(&[None, Some("web")]));
            let definition = self.definition(&image, service, named, exec);
            let made = ecs(cloud, "RegisterTaskDefinition", &definition).unwrap();
            let mut update = self.settings(port, endpoint.filter(|_| service.key.0 == "backend"), exec);
            update["cluster"] = json!(environment.cluster);
            update["service"] = json!(service.name);
            update["taskDefinition"] = made["taskDefinition"]["taskDefinitionArn"].clone();
            ecs(cloud, "UpdateService", &update).unwrap_or_else(|error| panic!("{error}\n{update}"));
            self.target_group(&service.target_group.name).await;
            self.scaling(&format!("service/{}/{}", environment.cluster, service.name)).await;
            let days = self.pick(&[None, Some(14), Some(30)]);
            let group = LogGroupSpec { name: service.log_group.name.clone(), retention_days: days };
            aws.put_retention_policy(&group).await.unwrap();
            let repository = RepositorySpec {
                name: service.repository.name.clone(),
                immutable_tags: self.percent(50),
                keep_images: self.pick(&[None, Some(10), Some(30)]),
            };
            aws.put_image_tag_mutability(&repository).await.unwrap();
            aws.put_lifecycle_policy(&repository).await.unwrap();
        }
    }

    async fn target_group(&self, name: &str) {
        let aws = &self.world.aws;
        let found = aws.find_target_groups(&[name]).await.unwrap().remove(0).state;
        let mut spec = found.spec.clone();
        spec.health.matcher = self.pick(&["200", "200-399", "200,302"]).to_owned();
        spec.health.path = self.pick(&["/", "/health?deep=1"]).to_owned();
        (spec.health.interval_secs, spec.health.timeout_secs) = self.pick(&[(10, 5), (30, 5), (60, 20)]);
        (spec.health.healthy_threshold, spec.health.unhealthy_threshold) =
            self.pick(&[(2, 2), (5, 2), (3, 10)]);
        aws.modify_target_group(&found.arn, &spec).await.unwrap();
        let (sticky, secs) = self.pick(&[("false", "86400"), ("true", "3600"), ("true", "86400")]);
        let attributes = [
            (TargetGroupSpec::DEREGISTRATION_DELAY, self.pick(&["0", "30", "300"])),
            ("stickiness.enabled", sticky),
            ("stickiness.lb_cookie.duration_seconds", secs),
            ("load_balancing.algorithm.type", self.pick(&["round_robin", "least_outstanding_requests"])),
        ];
        let attributes: BTreeMap<_, _> =
            attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        aws.set_target_group_attributes(&found.arn, &attributes).await.unwrap();
    }

    async fn scaling(&self, resource: &str) {
        let aws = &self.world.aws;
        let resource_id = resource.to_owned();
        let target = ScalableTargetSpec {
            resource_id: resource_id.clone(),
            min: self.pick(&[2, 3]),
            max: self.pick(&[4, 9]),
        };
        aws.register_scalable_target(&target, &BTreeMap::new()).await.unwrap();
        for old in aws.describe_scaling_policies(&[resource.to_owned()]).await.unwrap() {
            aws.delete_scaling_policy(&old).await.unwrap();
        }
        for old in aws.describe_scheduled_actions(&[resource.to_owned()]).await.unwrap() {
            aws.delete_scheduled_action(&old).await.unwrap();
        }
        let metric = self.pick(&[
            json!({ "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" } }),
            json!({ "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageMemoryUtilization" } }),
            json!({ "CustomizedMetricSpecification": { "Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [{ "Name": "QueueName", "Value": "jobs" }], "Statistic": "Sum" } }),
        ]);
        let mut configuration = metric;
        configuration["TargetValue"] = json!(self.pick(&[55.0, 70.5]));
        if self.percent(50) {
            configuration["ScaleOutCooldown"] = json!(self.pick(&[0, 45]));
            configuration["DisableScaleIn"] = json!(true);
        }
        let policy = PolicySpec {
            name: "by hand.1".to_owned(),
            resource_id: resource_id.clone(),
            kind: PolicySpec::TRACKING.to_owned(),
            configuration: normal_members(configuration),
        };
        if self.percent(70) {
            aws.put_scaling_policy(&policy).await.unwrap();
        }
        if self.percent(40) {
            let action = json!({ "Schedule": "cron(0 7 * * ? *)", "Timezone": self.pick(&["UTC", "Asia/Singapore"]),
                "ScalableTargetAction": { "MinCapacity": 3 } });
            let action = ScheduledActionSpec { name: "morning".to_owned(), resource_id, action };
            aws.put_scheduled_action(&action).await.unwrap();
        }
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, it)| !it.is_null())
            .map(|(name, it)| (name, without_nulls(it)))
            .collect(),
        Value::Array(list) => list.into_iter().filter(|it| !it.is_null()).map(without_nulls).collect(),
        value => value,
    }
}

/// A worker as somebody makes it by hand: out of Service Connect, with a port without a name, and with whatever CreateService
/// has by default.
async fn worker(world: &World, name: &str, family: &str) {
    let World { aws, environment, cloud, .. } = world;
    let backend = &environment.services[0];
    let uri = &aws.find_repositories(&[&backend.repository.name]).await.unwrap()[0].uri;
    let digest = &world.images("v1", "v1")[&backend.key].digest;
    let definition = json!({
        "family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [{ "name": "Worker", "image": format!("{uri}@{digest}"),
            "portMappings": [{ "containerPort": 9464 }],
            "environment": [{ "name": "logging.level", "value": "info" }],
            "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/ielts-backend",
                "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "ecs" } } }],
    });
    let made = ecs(cloud, "RegisterTaskDefinition", &definition).unwrap();
    let found = aws.find_services(&environment.cluster, &[&backend.name], &Default::default()).await.unwrap();
    let spec = &found[0].spec;
    let service = json!({ "cluster": environment.cluster, "serviceName": name, "desiredCount": 1, "launchType": "FARGATE",
        "taskDefinition": made["taskDefinition"]["taskDefinitionArn"],
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": spec.subnets, "securityGroups": spec.security_groups } } });
    ecs(cloud, "CreateService", &service).unwrap();
}

#[test]
fn whatever_runs_a_plan_of_the_file_that_init_writes_changes_nothing() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        worker(&world, "mailer", "mailer").await;
        worker(&world, "sweeper", "sweeper").await;
        let (mut wrong, mut tags) = (Vec::new(), 0);
        for seed in 0..SEEDS {
            let account = Account { world: &world, rng: Rng::from_seed(seed) };
            account.change().await;
            let (text, mut left, changes) = written(&world).await;
            left.retain(|line| !line.contains(".sidecar.agent: runs datadog/agent:7, whatever"));
            tags += usize::from(text.contains(".sidecar.agent: runs datadog/agent:7"));
            if !changes.is_empty() || !left.is_empty() {
                wrong.push(format!("seed {seed}: {changes:?} {left:?}\n{text}"));
            }
        }
        assert!(tags > 0, "a sidecar that runs by a tag is named");
        assert!(wrong.is_empty(), "{} accounts\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn a_rule_that_somebody_made_by_hand_is_a_route_of_the_file() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        let environment = &world.environment;
        let balancer =
            world.aws.describe_load_balancer(&environment.load_balancer.name).await.unwrap().unwrap();
        let listener = world.aws.describe_listeners(&balancer.state.arn).await.unwrap().remove(0).state;
        let rules = world.aws.describe_rules(&listener.arn).await.unwrap();
        let to_frontend = |rule: &RuleSpec| rule.forwards().iter().any(|name| name.contains("frontend"));
        let group = world.aws.find_target_groups(&["ielts-frontend-tg"]).await.unwrap().remove(0).state;
        let by_hand = RuleSpec {
            priority: 77,
            conditions: vec![Condition {
                on: ConditionField::Header("x-beta".into()),
                values: vec!["yes".into()],
            }],
            action: RuleAction::Forward("ielts-frontend-tg".into()),
        };
        world.aws.create_rule(&listener.arn, &by_hand, &group.arn, &BTreeMap::new()).await.unwrap();
        let (text, left, changes) = written(&world).await;
        assert_eq!((left, changes), (Vec::new(), Vec::new()), "{text}");
        assert!(text.contains("x-beta"), "{text}");
        assert_eq!(
            rules
                .iter()
                .filter_map(|rule| rule.state.as_ref())
                .filter(|rule| to_frontend(&rule.spec))
                .count(),
            2
        );
        let environment = config::load("deploy.toml", &text, Some("prod")).unwrap().environment;
        assert_eq!(environment.service(&ServiceKey("frontend".into())).unwrap().routes.len(), 3);
        let answers = FixedResponseSpec { status: 410, content_type: None, body: None };
        let answers = RuleSpec {
            priority: 78,
            conditions: vec![Condition { on: ConditionField::Path, values: vec!["/old".into()] }],
            action: RuleAction::Respond(answers),
        };
        world.aws.create_rule(&listener.arn, &answers, &group.arn, &BTreeMap::new()).await.unwrap();
        // Another for the same requests, which none of them ever gets to.
        let dead = RuleSpec { priority: 99, ..by_hand };
        world.aws.create_rule(&listener.arn, &dead, &group.arn, &BTreeMap::new()).await.unwrap();
        let (text, left, changes) = written(&world).await;
        assert!(left.len() == 2 && left[0].starts_with("rule 78 /old"), "{left:?}");
        assert!(left[1].ends_with("it stays; another takes the same requests first"), "{left:?}");
        assert!(changes.is_empty() && text.contains("# - rule 78 /old"), "{changes:?} {text}");
    });
}
