//! The page on virtual time: its HTML holds the facts, without a script.

use std::net::SocketAddr;

use http::Request;
use serde_json::json;
use tokio::sync::watch;

use super::super::clock::SimClock;
use super::*;
use crate::base::{Millis, Settings};
use crate::workload::scripted::{Script, Scripted, Scripts};

struct Story {
    cloud: Cloud,
    scripts: Scripts,
    stop: watch::Sender<bool>,
}

/// A service `web` of two tasks behind a load balancer; its first revision has rolled.
async fn story() -> Story {
    let scripts = Scripts::default();
    scripts.set("web:1", Script::default().printing(100, "<b>first</b> line").printing(90_000, "late line"));
    let clock = SimClock::virtual_time();
    let cloud = Cloud::rehearsal(Settings::default(), clock, Scripted::new(scripts.clone()));
    let (stop, _) = watch::channel(false);
    let story = Story { cloud, scripts, stop };
    story.ask(Api::Ecs, "CreateCluster", json!({ "clusterName": "prod" }));
    let filter = json!({ "Name": "tag:Name", "Value": ["private-*"] });
    let found = story.ask(Api::Ec2, "DescribeSubnets", json!({ "Filter": [filter] }));
    let (vpc, subnet) = (&found["subnetSet"][0]["vpcId"], &found["subnetSet"][0]["subnetId"]);
    let group = json!({ "Name": "web-tg", "Protocol": "HTTP", "Port": "8080", "VpcId": vpc, "TargetType": "ip",
        "HealthCheckPath": "/health" });
    let group = story.ask(Api::Elb, "CreateTargetGroup", group)["TargetGroups"][0]["TargetGroupArn"].clone();
    let subnets: Vec<_> = found["subnetSet"].as_array().unwrap().iter().map(|it| &it["subnetId"]).collect();
    let balancer = story.ask(Api::Elb, "CreateLoadBalancer", json!({ "Name": "lb", "Subnets": subnets }));
    let action = json!({ "Type": "forward", "TargetGroupArn": group });
    let balancer = &balancer["LoadBalancers"][0]["LoadBalancerArn"];
    let listener =
        json!({ "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": "80", "DefaultActions": [action] });
    story.ask(Api::Elb, "CreateListener", listener);
    story.ask(Api::Logs, "CreateLogGroup", json!({ "logGroupName": "/ecs/web" }));
    story.register();
    let targets = json!([{ "targetGroupArn": group, "containerName": "web", "containerPort": 8080 }]);
    let network = json!({ "awsvpcConfiguration": { "subnets": [subnet] } });
    let breaker = json!({ "deploymentCircuitBreaker": { "enable": true, "rollback": true } });
    story.ask(
        Api::Ecs,
        "CreateService",
        json!({ "cluster": "prod", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
            "launchType": "FARGATE", "networkConfiguration": network, "loadBalancers": targets,
            "deploymentConfiguration": breaker }),
    );
    story.settled().await;
    story
}

impl Story {
    fn ask(&self, api: Api, operation: &str, params: Value) -> Value {
        self.cloud.ask(api, operation, params).unwrap_or_else(|| panic!("{operation} was refused"))
    }

    fn register(&self) {
        let log = json!({ "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/web",
            "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "web" } });
        let container = json!({ "name": "web", "image": "public.ecr.aws/x/y:1", "logConfiguration": log,
            "portMappings": [{ "containerPort": 8080 }] });
        let definition = json!({
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            "cpu": "256", "memory": "512", "containerDefinitions": [container],
            "tags": [{ "key": "release", "value": "r-42" }],
        });
        self.ask(Api::Ecs, "RegisterTaskDefinition", definition);
    }

    async fn settled(&self) {
        loop {
            let asked = json!({ "cluster": "prod", "services": ["web"] });
            let service = self.ask(Api::Ecs, "DescribeServices", asked)["services"][0].clone();
            if service["deployments"][0]["rolloutState"] == "COMPLETED" && service["deployments"][1].is_null()
            {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    fn get(&self, method: &str, path: &str) -> Response<ReplyBody> {
        let any: SocketAddr = "127.0.0.1:4566".parse().unwrap();
        let bound =
            Bound { endpoint: any, alb: any, second: any, connect: any, pid: 1, started: Millis::default() };
        let head = Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0;
        assert!(is_for(&head), "{path}");
        answer(&self.cloud, &bound, self.stop.subscribe(), &head)
    }

    async fn page(&self, path: &str) -> String {
        let reply = self.get("GET", path);
        assert_eq!(reply.status(), 200, "{path}");
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        let html = String::from_utf8(body.to_vec()).unwrap();
        // Landmarks of one name cannot be told apart (axe, landmark-unique).
        let mut labels: Vec<&str> = html.split("aria-labelledby=\"").skip(1).collect();
        labels.iter_mut().for_each(|label| *label = label.split('"').next().unwrap());
        labels.sort_unstable();
        assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{path}: {labels:?}");
        html
    }
}

/// What a person reads, without the tags.
fn words(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap();
    let texts = body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn holds(html: &str, facts: &[&str]) {
    let words = words(html);
    for fact in facts {
        assert!(words.contains(fact), "{fact}: {words}");
    }
}

/// The first path that a page leads to below `prefix`.
fn link(html: &str, prefix: &str) -> String {
    let at = html.find(&format!("href=\"{prefix}")).unwrap() + 6;
    html[at..].split('"').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_running_service_shows_its_counts_targets_tasks_events_and_releases() {
    let story = story().await;
    let home = story.page("/").await;
    let facts = ["account 123456789012", "web prod ACTIVE 2/2 PRIMARY web:1 COMPLETED 2/2 2/2 healthy"];
    holds(&home, &facts);
    let service = story.page(&link(&home, "/service/")).await;
    holds(
        &service,
        &["2 of 2 running", ":8080 healthy", "registered 1 targets", "web:1 ACTIVE release=r-42"],
    );
    assert!(service.contains(r#"<progress max="2" value="2""#), "{service}");
    let task = story.page(&link(&service, "/task/")).await;
    holds(
        &task,
        &[
            "RUNNING",
            "pull started",
            "Containers",
            "web RUNNING",
            "Log of web",
            "&#60;b&#62;first&#60;/b&#62; line",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn alarms_scaling_and_the_names_of_secrets_are_shown_and_never_what_they_hold() {
    let story = story().await;
    let alarm = json!({ "AlarmName": "errors", "MetricName": "HTTPCode_Target_5XX_Count", "Namespace": "AWS/ApplicationELB",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold" });
    story.ask(Api::CloudWatch, "PutMetricAlarm", alarm);
    let ring = json!({ "AlarmName": "errors", "StateValue": "ALARM", "StateReason": "too many" });
    story.ask(Api::CloudWatch, "SetAlarmState", ring);
    let parameter = json!({ "Name": "/app/db-password", "Type": "SecureString", "Value": "hunter2" });
    story.ask(Api::Ssm, "PutParameter", parameter);
    let secret =
        json!({ "Name": "app/token", "SecretString": "hunter3", "ClientRequestToken": "0".repeat(36) });
    story.ask(Api::SecretsManager, "CreateSecret", secret);
    let bounds = json!({ "ServiceNamespace": "ecs", "ResourceId": "service/prod/web", "MinCapacity": 3, "MaxCapacity": 9,
        "ScalableDimension": "ecs:service:DesiredCount" });
    story.ask(Api::Scaling, "RegisterScalableTarget", bounds);
    let home = story.page("/").await;
    let scaled = "service/prod/web InProgress Setting desired count to 3.";
    holds(&home, &["errors ALARM too many", scaled, "/app/db-password parameter", "app/token secret"]);
    assert!(!home.contains("hunter"), "{home}");
    holds(&story.page("/service/prod/web").await, &["bounds 3 to 9", scaled]);
}

#[tokio::test(start_paused = true)]
async fn a_roll_that_fails_shows_both_deployments_and_why_tasks_stopped() {
    let story = story().await;
    story.scripts.set("web:2", Script::crashes(2_000, 3));
    story.register();
    let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:2" });
    story.ask(Api::Ecs, "UpdateService", update);
    sleep(Duration::from_secs(40)).await;
    let home = story.page("/").await;
    holds(&home, &["PRIMARY web:2 IN_PROGRESS", "ACTIVE web:1 COMPLETED"]);
    sleep(Duration::from_secs(60)).await;
    let service = story.page("/service/prod/web").await;
    holds(&service, &["EssentialContainerExited · Essential container in task exited · web exited with 3."]);
    story.settled().await;
    holds(&story.page("/").await, &["PRIMARY web:1 COMPLETED 2/2"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_followed_goes_on_where_the_page_ended() {
    let story = story().await;
    let service = story.page("/service/prod/web").await;
    let page = story.page(&link(&service, "/task/")).await;
    let at = page.find("data-follow=\"").unwrap() + 13;
    let path = page[at..].split('"').next().unwrap().replace("&#38;", "&");
    let reply = story.get("GET", &path);
    assert_eq!(reply.headers()[CONTENT_TYPE], "text/event-stream");
    let mut body = reply.into_body();
    let mut seen = String::new();
    while !seen.contains("late line") {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        seen += &String::from_utf8_lossy(&frame);
    }
    assert!(
        !seen.contains("first") && seen.ends_with("data: late line\n\n") && seen.contains("id: "),
        "{seen}"
    );
    story.stop.send_replace(true);
    while let Some(frame) = body.frame().await {
        assert!(frame.unwrap().into_data().unwrap().starts_with(b":"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_only_reads_and_loads_nothing_from_elsewhere() {
    let story = story().await;
    for path in ["/service/prod/web", "/task/prod/x"] {
        assert_eq!(story.get("POST", path).status(), 405, "{path}");
    }
    for path in ["/service/prod/nope", "/service/nope/web", "/task/prod/nope", "/service/", "/task/a/b/c/d"] {
        assert_eq!(story.get("GET", path).status(), 404, "{path}");
    }
    let reply = story.get("GET", "/");
    let policy = reply.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let home = story.page("/").await;
    assert!(
        home.contains(&format!("<style>{}</style>", page::STYLE)),
        "the policy's hash is of this very text"
    );
    for outside in ["<link rel=\"stylesheet", "src=", "@import", "url(", "<form", "http-equiv"] {
        assert!(!home.contains(outside), "{outside}");
    }
    // The APIs' own calls at this path are not for the page.
    for (method, uri) in
        [("POST", "/"), ("GET", "/?Action=DescribeLoadBalancers"), ("GET", "/v2/"), ("GET", "/_cloud/status")]
    {
        let head = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0;
        assert!(!is_for(&head), "{method} {uri}");
    }
}
