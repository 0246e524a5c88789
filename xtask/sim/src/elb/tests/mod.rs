//! Load balancing as a deployment meets it: an account with one load balancer, two target groups and a listener.

mod health;
mod resources;
mod routes;
mod rules;

use serde_json::Value;

use super::{Target, TargetState, health as health_of, register};
use crate::account::Account;
use crate::base::{Millis, Settings};
use crate::wire::{Api, ApiError, ApiRequest};
use crate::workload::{Answer, Effect, Report};

/// An account, and what its tests say to it.
struct Lab {
    account: Account,
    now: Millis,
    subnets: [String; 2],
    vpc: String,
}

/// What [`Lab::serving`] made.
struct Serving {
    balancer: String,
    listener: String,
    backend: String,
    frontend: String,
}

const TASK: &str = "0123456789abcdef0123456789abcdef";

impl Lab {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let mut lab = Self {
            account: Account::new(settings),
            now: Millis(1_000_000),
            subnets: Default::default(),
            vpc: String::new(),
        };
        let form = "Filter.1.Name=tag:Name&Filter.1.Value.1=public-?";
        let request = ApiRequest::form(Api::Ec2, "DescribeSubnets", form);
        let subnets = lab.account.handle(lab.now, &request).unwrap();
        lab.subnets = [0, 1].map(|index| text(&subnets["subnetSet"][index]["subnetId"]));
        lab.vpc = text(&subnets["subnetSet"][0]["vpcId"]);
        lab
    }

    fn call(&mut self, operation: &str, form: &str) -> Result<Value, ApiError> {
        self.account.advance(self.now);
        self.account.handle(self.now, &ApiRequest::form(Api::Elb, operation, form))
    }

    fn ok(&mut self, operation: &str, form: &str) -> Value {
        self.call(operation, form).unwrap_or_else(|error| panic!("{operation} {form}: {error:?}"))
    }

    /// The code and the text of a refusal.
    fn refused(&mut self, operation: &str, form: &str) -> (String, String) {
        let error = self.call(operation, form).unwrap_err();
        assert_eq!(error.status, 400);
        (error.code.to_owned(), error.message)
    }

    fn create_balancer(&mut self, name: &str) -> String {
        let form =
            format!("Name={name}&Subnets.member.1={}&Subnets.member.2={}", self.subnets[0], self.subnets[1]);
        text(&self.ok("CreateLoadBalancer", &form)["LoadBalancers"][0]["LoadBalancerArn"])
    }

    fn create_group(&mut self, name: &str, port: u16) -> String {
        let form = format!(
            "Name={name}&Protocol=HTTP&Port={port}&TargetType=ip&VpcId={}&HealthCheckPath=/health&HealthCheckIntervalSeconds=10",
            self.vpc
        );
        text(&self.ok("CreateTargetGroup", &form)["TargetGroups"][0]["TargetGroupArn"])
    }

    fn create_listener(&mut self, balancer: &str, port: u16, group: &str) -> String {
        let form = format!(
            "LoadBalancerArn={balancer}&Protocol=HTTP&Port={port}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
        );
        text(&self.ok("CreateListener", &form)["Listeners"][0]["ListenerArn"])
    }

    /// `/api/*` to the backend, everything else to the frontend.
    fn serving(&mut self) -> Serving {
        let balancer = self.create_balancer("ielts");
        let (backend, frontend) =
            (self.create_group("ielts-backend-tg", 8080), self.create_group("ielts-frontend-tg", 3000));
        let listener = self.create_listener(&balancer, 80, &frontend);
        self.create_rule(&listener, 100, "path-pattern", "/api/*", &backend);
        Serving { balancer, listener, backend, frontend }
    }

    fn create_rule(
        &mut self,
        listener: &str,
        priority: u32,
        field: &str,
        value: &str,
        group: &str,
    ) -> String {
        let form = rule(listener, priority, field, value, group);
        text(&self.ok("CreateRule", &form)["Rules"][0]["RuleArn"])
    }

    fn register(&mut self, group: &str, ip: &str, port: u16, task: &str) {
        let target = Target { ip: ip.to_owned(), port, task: task.to_owned() };
        register(&mut self.account.base, &mut self.account.elb, self.now, group, target);
    }

    /// Moves on by so many seconds.
    fn wait(&mut self, secs: u64) {
        self.now = self.now.plus_secs(secs);
        self.account.advance(self.now);
    }

    fn checks(&mut self) -> Vec<Effect> {
        self.account.take_effects()
    }

    /// The workload's answer to a check.
    fn answer(&mut self, group: &str, task: &str, answer: Answer) {
        let report = Report::TargetHealth { target_group: group.to_owned(), task: task.to_owned(), answer };
        self.account.report(self.now, report);
    }

    fn state(&self, group: &str, ip: &str, port: u16) -> (TargetState, Option<&'static str>) {
        let health = health_of(&self.account.elb, group, ip, port);
        (health.state, health.reason)
    }
}

fn rule(listener: &str, priority: u32, field: &str, value: &str, group: &str) -> String {
    format!(
        "ListenerArn={listener}&Priority={priority}&Conditions.member.1.Field={field}&Conditions.member.1.Values.member.1={value}&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={group}"
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
