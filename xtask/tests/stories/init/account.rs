//! Accounts made at random, as a console and an AWS CLI in several hands would leave them.

use super::*;

/// The hand-made world, and what is drawn.
pub(super) struct Account<'a> {
    pub(super) world: &'a World,
    pub(super) rng: Rng,
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
    fn definition(
        &self,
        image: &str,
        of: &Service,
        port_name: Option<&str>,
        exec: bool,
        further: bool,
    ) -> Value {
        let (family, name, port) = (&of.family, &of.container.name, of.container.port);
        let (cpu, memory) = self.pick(&[("256", "1024"), ("512", "1024"), ("1024", "4096")]);
        let sidecar = further || self.percent(40);
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
                further.then(|| json!({ "containerPort": 9090, "name": "grpc", "appProtocol": "grpc" })),
                further.then(|| json!({ "containerPort": 9091, "name": "stream", "hostPort": self.maybe(50, json!(9091)) })),
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
            "portMappings": further.then(|| json!([{ "containerPort": 4317, "name": "otlp" }])),
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

    /// Endpoints of further ports, of a sidecar's, and of the same ones by other names.
    fn further(&self) -> Vec<Value> {
        let all = [
            json!({ "portName": "grpc", "discoveryName": "grpc", "clientAliases": [{ "port": 9090, "dnsName": "grpc.ielts.local" }],
                "timeout": self.maybe(50, json!({ "idleTimeoutSeconds": 900 })) }),
            json!({ "portName": "http", "discoveryName": "legacy", "clientAliases": [{ "port": 80, "dnsName": "api" }] }),
            json!({ "portName": "stream", "discoveryName": "stream-v1", "clientAliases": [{ "port": 9091 }],
                "ingressPortOverride": 15001 }),
            json!({ "portName": "stream", "discoveryName": "a-stream", "clientAliases": [{ "port": 19091 }],
                "ingressPortOverride": 15001 }),
            json!({ "portName": "otlp", "clientAliases": [{ "port": 4317, "dnsName": "otlp.ielts.local" }] }),
        ];
        all.into_iter().filter(|_| self.percent(60)).collect()
    }

    fn settings(&self, port: u16, port_name: Option<&str>, exec: bool, further: bool) -> Value {
        let breaker = json!({ "enable": true, "rollback": self.percent(70), "thresholdConfiguration":
            self.maybe(50, self.pick(&[json!({ "type": "COUNT", "value": 5 }), json!({ "type": "BOUNDED_PERCENT", "value": 50 })])) });
        let services = port_name.map(|name| {
            json!([{ "portName": name, "discoveryName": "backend", "clientAliases": [{ "port": port, "dnsName": "backend.ielts.local" }],
                "timeout": self.maybe(40, json!({ "perRequestTimeoutSeconds": 60 })),
                "ingressPortOverride": self.maybe(20, json!(15000)) }])
        });
        let services = services.map(|own| {
            let own = own.as_array().unwrap().iter().filter(|_| !further || self.percent(70)).cloned();
            own.chain(if further { self.further() } else { Vec::new() }).collect::<Value>()
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
    pub(super) async fn change(&self) {
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
            let further = service.key.0 == "backend" && self.percent(60);
            let definition = self.definition(&image, service, named, exec, further);
            let made = ecs(cloud, "RegisterTaskDefinition", &definition).unwrap();
            let offers = endpoint.filter(|_| service.key.0 == "backend");
            let mut update = self.settings(port, offers, exec, further);
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
