//! Deployment alarms: CloudWatch says that a release is no good, whatever its tasks look like.

use std::time::Duration;

use deploy::event::ExitCode;
use deploy::model::{Alarms, Environment};
use deploy::rollout::Outcome;
use serde_json::{Value, json};
use sim::door::cloud::Cloud;

use crate::ended::Ended;
use crate::somebody::{api, ecs};
use crate::world::{FILE, World, production, story};

const ALARM: &str = "orders-5xx";

fn cloudwatch(cloud: &Cloud, operation: &str, body: &Value) {
    api(cloud, &format!("GraniteServiceVersion20100801.{operation}"), body).unwrap();
}

fn sets(cloud: &Cloud, state: &str) {
    let body = json!({ "AlarmName": ALARM, "StateValue": state, "StateReason": "by hand" });
    cloudwatch(cloud, "SetAlarmState", &body);
}

fn watched(alarms: Alarms) -> Environment {
    let mut environment = production(FILE);
    environment.services[0].deployment.alarms = Some(alarms);
    environment
}

fn one() -> Alarms {
    Alarms { names: vec![ALARM.to_owned()], ..Alarms::default() }
}

/// A first release, and an alarm of two minutes that is OK.
async fn stage(alarms: Alarms) -> World {
    let mut world = World::of(watched(alarms), 0).await;
    let alarm = json!({ "AlarmName": ALARM, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 2,
        "Period": 60, "Threshold": 1, "MetricName": "HTTPCode_Target_5XX_Count", "Namespace": "AWS/ApplicationELB",
        "Statistic": "Sum" });
    cloudwatch(&world.cloud, "PutMetricAlarm", &alarm);
    sets(&world.cloud, "OK");
    let ended = Box::pin(world.deploy("v1", "v1")).await;
    assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    world
}

/// Deploys; the alarm rings so many seconds later.
async fn rings_after(world: &mut World, secs: u64, version: &str) -> Ended {
    let (cloud, clock) = (world.cloud.clone(), world.host.clock.clone());
    let rings = async {
        clock.sleep(Duration::from_secs(secs)).await;
        sets(&cloud, "ALARM");
    };
    tokio::join!(Box::pin(world.deploy(version, "v1")), rings).0
}

#[test]
fn an_alarm_rolls_a_release_back_and_is_named() {
    story(async || {
        let mut world = stage(one()).await;
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);

        // All tasks are healthy by then: without the alarm ECS would call the deployment complete.
        let ended = rings_after(&mut world, 150, "v2").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.verdict("backend").unwrap().outcome, Outcome::RolledBack);
        let cause = ended.cause("backend").unwrap();
        assert_eq!(
            cause,
            "the CloudWatch alarm `orders-5xx` went into ALARM while the deployment was in progress"
        );

        // It still rings, and does not count for a deployment that begins now.
        let ended = Box::pin(world.deploy("v3", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}

#[test]
fn without_rollback_the_tool_restores_what_ran() {
    story(async || {
        let mut world = stage(Alarms { rollback: false, ..one() }).await;
        let before = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(before.writes, Vec::<String>::new(), "{:#?}", before.events);
        let ended = rings_after(&mut world, 150, "v2").await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        assert_eq!(ended.verdict("backend").unwrap().outcome, Outcome::Failed);
        assert!(ended.cause("backend").unwrap().contains(ALARM));
    });
}

#[test]
fn alarms_that_the_file_says_nothing_of_stay_and_are_sent_whole() {
    story(async || {
        let mut world = stage(Alarms { rollback: false, ..one() }).await;
        world.environment.services[0].deployment.alarms = None;
        world.environment.services[0].deployment.maximum_percent = 150;
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let alarms = |world: &World| {
            let (cluster, name) = (&world.environment.cluster, &world.environment.services[0].name);
            let body = json!({ "cluster": cluster, "services": [name] });
            ecs(&world.cloud, "DescribeServices", &body).unwrap()["services"][0]["deploymentConfiguration"]
                ["alarms"]
                .clone()
        };
        assert_eq!(alarms(&world), json!({ "alarmNames": [ALARM], "enable": true, "rollback": false }));
        world.environment.services[0].deployment.alarms = Some(Alarms { enable: false, ..Alarms::default() });
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((ended.exit, alarms(&world)["enable"].clone()), (ExitCode::Done, json!(false)));
    });
}
