//! A deployment through the SDK's door, on virtual time, with requests as the SDK makes them.

use std::time::Instant;

use serde_json::{Value, json};

use super::super::clock::SimClock;
use super::super::tests::raw::{json_call, query_call, read};
use super::*;
use crate::base::Settings;
use crate::fault::{Fault, On};
use crate::workload::scripted::{Script, Scripted, Scripts};

const ECS: &str = "AmazonEC2ContainerServiceV20141113";

struct Story {
    http: SimHttp,
    cloud: Cloud,
    scripts: Scripts,
}

fn story() -> Story {
    let scripts = Scripts::default();
    let workload = Scripted::new(scripts.clone());
    let cloud = Cloud::rehearsal(Settings::default(), SimClock::virtual_time(), workload);
    Story { http: SimHttp::new(cloud.clone()), cloud, scripts }
}

impl Story {
    async fn try_call(&self, target: &str, params: Value) -> Result<(u16, Value), ConnectorError> {
        let request = http::Request::from_parts(json_call(target), SdkBody::from(params.to_string()));
        let reply = self.http.call(HttpRequest::try_from(request).unwrap()).await?;
        let status = reply.status().as_u16();
        Ok((status, serde_json::from_slice(reply.body().bytes().unwrap()).unwrap()))
    }

    async fn call(&self, operation: &str, params: Value) -> Value {
        let (status, reply) = self.try_call(&format!("{ECS}.{operation}"), params).await.unwrap();
        assert_eq!(status, 200, "{operation}: {reply}");
        reply
    }

    async fn register(&self) {
        let container = json!({ "name": "app", "image": "public.ecr.aws/x/y:1", "essential": true });
        let definition = json!({
            "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": "256", "memory": "512", "containerDefinitions": [container],
        });
        self.call("RegisterTaskDefinition", definition).await;
    }

    async fn create(&self) {
        self.call("CreateCluster", json!({ "clusterName": "c" })).await;
        self.register().await;
        let asked = Bytes::from_static(b"Action=DescribeSubnets&Version=2016-11-15");
        let (_, subnets) = read(self.cloud.call(self.cloud.clock().millis(), &query_call("ec2"), asked));
        let subnet = subnets.split("<subnetId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        let network = json!({ "awsvpcConfiguration": { "subnets": [subnet] } });
        let service = json!({
            "cluster": "c", "serviceName": "s", "taskDefinition": "app", "desiredCount": 2,
            "launchType": "FARGATE", "networkConfiguration": network,
            "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": true } },
        });
        self.call("CreateService", service).await;
    }

    async fn service(&self) -> Value {
        let reply = self.call("DescribeServices", json!({ "cluster": "c", "services": ["s"] })).await;
        reply["services"][0].clone()
    }

    /// Polls until the only deployment is `COMPLETED`; gives the virtual seconds that took.
    async fn settle(&self) -> u64 {
        let begun = self.cloud.clock().millis();
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let service = self.service().await;
            let deployments = service["deployments"].as_array().unwrap();
            if deployments.len() == 1 && deployments[0]["rolloutState"] == "COMPLETED" {
                return self.cloud.clock().millis().since(begun) / 1000;
            }
            let waited = self.cloud.clock().millis().since(begun);
            assert!(waited < 3_600_000, "not settled after an hour: {service:#}");
        }
    }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the claim is about the machine's own time")]
async fn a_deployment_takes_minutes_of_virtual_time_and_a_moment_of_ours() {
    let wall = Instant::now();
    let story = story();
    story.create().await;
    assert_eq!(story.service().await["runningCount"], 0);
    let took = story.settle().await;
    assert!((20..300).contains(&took), "{took} s");
    assert_eq!(story.service().await["runningCount"], 2);
    assert!(wall.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_crashes_is_rolled_back_to_the_one_that_ran() {
    let story = story();
    story.create().await;
    story.settle().await;
    story.scripts.set("app:2", Script::crashes(500, 1));
    story.register().await;
    story.call("UpdateService", json!({ "cluster": "c", "service": "s", "taskDefinition": "app:2" })).await;
    story.settle().await;
    let service = story.service().await;
    let definition = service["taskDefinition"].as_str().unwrap();
    assert!(definition.ends_with("app:1"), "{definition}");
    assert_eq!(service["runningCount"], 2);
}

#[tokio::test(start_paused = true)]
async fn broken_connections_are_io_errors_and_everything_else_is_a_reply() {
    let story = story();
    let target = format!("{ECS}.ListClusters");
    for fault in [Fault::Refuse, Fault::LoseRequest, Fault::LoseReply] {
        let _rule = story.cloud.guard_rule(On::any().then(fault.clone()));
        let broken = story.try_call(&target, json!({})).await.unwrap_err();
        assert!(broken.is_io(), "{fault:?}: {broken:?}");
    }
    let _rule = story.cloud.guard_rule(On::any().then(Fault::ServerError(500)));
    assert_eq!(story.try_call(&target, json!({})).await.unwrap().0, 500);
}

#[tokio::test(start_paused = true)]
async fn the_same_story_twice_is_the_same_to_the_byte() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let story = story();
        story.create().await;
        story.settle().await;
        runs.push((story.service().await.to_string(), story.cloud.calls().len()));
        // The second run starts at the same virtual moment, as its clock is its own.
    }
    assert_eq!(runs[0], runs[1]);
}
