//! A small account for stories: a cluster, a target group behind a load balancer, and scripted tasks.

use serde_json::{Value, json};

use crate::account::Account;
use crate::base::Settings;
use crate::base::{Millis, Pace};
use crate::wire::{Api, ApiError, ApiRequest};
use crate::workload::scripted::{Script, Scripted, Scripts};
use crate::workload::{TaskId, VirtualWorkload};

/// When the stories begin.
pub(super) const START: Millis = Millis(1_790_000_000_000);

pub(super) struct Lab {
    pub(super) account: Account,
    pub(super) scripts: Scripts,
    pub(super) now: Millis,
    work: Scripted,
    pub(super) target_group: String,
    pub(super) subnets: Vec<String>,
}

impl Lab {
    /// An account with the cluster `prod` and the target group `web-tg` (checks every 10 s, 2 of 2, path
    /// `/health`; deregistration delay 10 s) behind a load balancer.
    pub(super) fn new() -> Self {
        Self::at(Pace::default())
    }

    /// The same at another pace.
    pub(super) fn at(pace: Pace) -> Self {
        let scripts = Scripts::default();
        let mut lab = Self {
            account: Account::new(Settings { pace, ..Settings::default() }),
            work: Scripted::new(scripts.clone()),
            scripts,
            now: START,
            target_group: String::new(),
            subnets: Vec::new(),
        };
        lab.ok("CreateCluster", json!({ "clusterName": "prod" }));
        let filter = json!({ "Name": "tag:Name", "Value": ["private-*"] });
        let found = lab.api(Api::Ec2, "DescribeSubnets", json!({ "Filter": [filter] })).unwrap();
        let id = |subnet: &Value| subnet["subnetId"].as_str().unwrap().to_owned();
        lab.subnets = found["subnetSet"].as_array().unwrap().iter().map(id).collect();
        lab.target_group = lab.target_group_behind_a_listener("web-tg", 80);
        lab
    }

    /// Makes a target group for port 8080 with its own load balancer and listener.
    pub(super) fn target_group_behind_a_listener(&mut self, name: &str, port: u16) -> String {
        let arn = self.target_group_alone(name, "ip");
        let subnets = self.subnets.clone();
        let balancer = self
            .api(
                Api::Elb,
                "CreateLoadBalancer",
                json!({ "Name": format!("{name}-lb"), "Subnets": subnets, "SecurityGroups": [] }),
            )
            .unwrap();
        let balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"].clone();
        self.api(
            Api::Elb,
            "CreateListener",
            json!({ "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": port,
                "DefaultActions": [{ "Type": "forward", "TargetGroupArn": arn }] }),
        )
        .unwrap();
        arn
    }

    pub(super) fn target_group_alone(&mut self, name: &str, target_type: &str) -> String {
        let vpc = crate::identity::subnet(&self.account.identity, &self.subnets[0]).unwrap().vpc_id.clone();
        let made = self
            .api(
                Api::Elb,
                "CreateTargetGroup",
                json!({ "Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": vpc, "TargetType": target_type,
                    "HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 10, "HealthyThresholdCount": 2,
                    "UnhealthyThresholdCount": 2, "HealthCheckTimeoutSeconds": 5 }),
            )
            .unwrap();
        let arn = made["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned();
        self.drain_in(&arn, 10);
        arn
    }

    /// Sets the deregistration delay.
    pub(super) fn drain_in(&mut self, target_group: &str, secs: u64) {
        let attribute = json!({ "Key": "deregistration_delay.timeout_seconds", "Value": secs.to_string() });
        let params = json!({ "TargetGroupArn": target_group, "Attributes": [attribute] });
        self.api(Api::Elb, "ModifyTargetGroupAttributes", params).unwrap();
    }

    pub(super) fn api(&mut self, api: Api, operation: &str, params: Value) -> Result<Value, ApiError> {
        self.account.advance(self.now);
        let params = if matches!(api, Api::Elb | Api::Ec2) { as_query(params) } else { params };
        let request =
            ApiRequest { api, operation: operation.to_owned(), params, access_key: None, region: None };
        let outcome = self.account.handle(self.now, &request);
        self.settle();
        outcome
    }

    /// An ECS call.
    pub(super) fn call(&mut self, operation: &str, params: Value) -> Result<Value, ApiError> {
        self.api(Api::Ecs, operation, params)
    }

    pub(super) fn ok(&mut self, operation: &str, params: Value) -> Value {
        self.call(operation, params).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// The error of a call that must fail, as `code: message`.
    pub(super) fn refused(&mut self, operation: &str, params: Value) -> String {
        match self.call(operation, params) {
            Ok(reply) => panic!("{operation} was not refused: {reply}"),
            Err(error) => format!("{}: {}", error.code, error.message),
        }
    }

    fn settle(&mut self) {
        loop {
            for effect in self.account.take_effects() {
                self.work.effect(self.now, effect);
            }
            let Some((at, report)) = self.work.pop_due(self.now) else { return };
            self.account.report(at, report);
        }
    }

    /// Lets time pass until `at`, and calls `watch` after everything that happens.
    pub(super) fn watch_until(&mut self, at: Millis, watch: &mut dyn FnMut(&Account, Millis)) {
        loop {
            let next = [self.account.next(), self.work.next()].into_iter().flatten().min();
            match next.filter(|next| *next <= at) {
                None => break,
                Some(next) => {
                    self.now = next.max(self.now);
                    self.account.advance(self.now);
                    self.settle();
                    watch(&self.account, self.now);
                }
            }
        }
        self.now = at;
    }

    pub(super) fn run(&mut self, secs: u64) {
        self.watch_until(self.now.plus_secs(secs), &mut |_, _| {});
    }

    /// Runs second by second until `done`; gives the seconds that it took.
    pub(super) fn run_until(&mut self, most_secs: u64, mut done: impl FnMut(&mut Self) -> bool) -> u64 {
        for second in 0..=most_secs {
            if done(self) {
                return second;
            }
            self.run(1);
        }
        panic!("not within {most_secs} s: {:#}", self.service("web"));
    }

    /// Registers the next revision of `family`, a Fargate task with one container of the same name on port
    /// 8080; `members` are laid over its container definition.
    pub(super) fn register(&mut self, family: &str, members: Value) -> String {
        let params = task_definition(family, members);
        let reply = self.ok("RegisterTaskDefinition", params);
        reply["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// The request for a service `web` of two tasks behind the load balancer, with `members` laid over it.
    pub(super) fn service_request(&self, members: Value) -> Value {
        let request = json!({
            "cluster": "prod",
            "serviceName": "web",
            "taskDefinition": "web",
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": self.subnets } },
            "loadBalancers": [
                { "targetGroupArn": self.target_group, "containerName": "web", "containerPort": 8080 }
            ],
        });
        laid_over(request, members)
    }

    /// Registers `web:1` and creates the service; does not wait.
    pub(super) fn create(&mut self, members: Value) -> Value {
        if !self.account.ecs.families.find("web").is_some_and(|found| found.active) {
            self.register("web", json!({}));
        }
        let request = self.service_request(members);
        self.ok("CreateService", request)["service"].clone()
    }

    /// A service whose first deployment is COMPLETED and steady.
    pub(super) fn running(&mut self, members: Value) -> Value {
        self.create(members);
        self.run_until(900, |lab| lab.says("has reached a steady state."));
        self.service("web")
    }

    pub(super) fn update(&mut self, members: Value) -> Value {
        let request = laid_over(json!({ "cluster": "prod", "service": "web" }), members);
        self.ok("UpdateService", request)["service"].clone()
    }

    /// Registers the next revision of `web` and rolls it out; gives the new deployment's id.
    pub(super) fn roll(&mut self, members: Value) -> String {
        let arn = self.register("web", json!({}));
        let service = self.update(laid_over(json!({ "taskDefinition": arn }), members));
        service["deployments"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn service(&mut self, name: &str) -> Value {
        let reply = self.ok("DescribeServices", json!({ "cluster": "prod", "services": [name] }));
        reply["services"][0].clone()
    }

    /// One entry of `deployments`; null when it is not there.
    pub(super) fn deployment(&mut self, id: &str) -> Value {
        let service = self.service("web");
        let deployments = service["deployments"].as_array().unwrap();
        deployments.iter().find(|deployment| deployment["id"] == *id).cloned().unwrap_or(Value::Null)
    }

    /// The newest service deployment.
    pub(super) fn service_deployment(&mut self) -> Value {
        let list = self.ok("ListServiceDeployments", json!({ "cluster": "prod", "service": "web" }));
        let arn = list["serviceDeployments"][0]["serviceDeploymentArn"].clone();
        let reply = self.ok("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] }));
        reply["serviceDeployments"][0].clone()
    }

    /// The events' texts, newest first.
    pub(super) fn events(&mut self) -> Vec<String> {
        let service = self.service("web");
        let events = service["events"].as_array().unwrap();
        events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether an event contains this text.
    pub(super) fn says(&mut self, text: &str) -> bool {
        self.events().iter().any(|event| event.contains(text))
    }

    /// The service's tasks with this desired status.
    pub(super) fn tasks(&mut self, desired_status: &str) -> Vec<Value> {
        let filter = json!({ "cluster": "prod", "serviceName": "web", "desiredStatus": desired_status });
        let arns = self.ok("ListTasks", filter)["taskArns"].clone();
        if arns.as_array().unwrap().is_empty() {
            return Vec::new();
        }
        let reply = self.ok("DescribeTasks", json!({ "cluster": "prod", "tasks": arns }));
        reply["tasks"].as_array().unwrap().clone()
    }

    pub(super) fn script(&self, key: &str, script: Script) {
        self.scripts.set(key, script);
    }
}

/// Query requests know only text.
fn as_query(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, as_query(member))).collect()
        }
        Value::Array(items) => items.into_iter().map(as_query).collect(),
        Value::String(text) => Value::String(text),
        other => Value::String(other.to_string()),
    }
}

/// The id of a described task.
pub(super) fn id(task: &Value) -> TaskId {
    task["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

pub(super) fn task_definition(family: &str, members: Value) -> Value {
    let container = json!({
        "name": family,
        "image": format!("public.example/{family}:1"),
        "portMappings": [{ "containerPort": 8080, "name": family }],
    });
    json!({
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [laid_over(container, members)],
    })
}

/// `base` with the members of `over` instead of its own; null takes a member away.
pub(super) fn laid_over(mut base: Value, over: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base
}
