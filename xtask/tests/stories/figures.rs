//! What deploys cost in calls and in waiting, where each call takes 50 ms: `cargo xtask bench` prints it.

use std::time::Duration;

use deploy::event::{ExitCode, Kind};
use deploy::model::ServiceKey;
use serde_json::json;
use sim::Pace;
use sim::fault::{Call, Fault};
use xtask::forecast::{Rehearsal, rehearse};
use xtask::host::Usage;

use crate::ended::Ended;
use crate::somebody::ecs;
use crate::world::{FILE, World, production, story};

/// Of a call's 50 ms, what the connector does not take itself.
const DELAY_MS: u64 = 30;
const CALL_MS: u64 = 50;

/// A deploy at 50 ms a call: how it ended, the operations that it called, and the milliseconds that it took.
async fn slow(world: &mut World, backend: &str, frontend: &str) -> (Ended, Vec<String>, u64) {
    world.cloud.add_rule(|_: &Call<'_>| Some(Fault::Delay(DELAY_MS)));
    let (before, mark) = (world.cloud.calls().len(), world.host.clock.mark());
    let ended = Box::pin(world.deploy(backend, frontend)).await;
    let calls = world.cloud.calls().split_off(before);
    let took = mark.elapsed_ms();
    world.cloud.clear_rules();
    assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    (ended, calls.into_iter().map(|call| call.operation).collect(), took)
}

/// As many services as asked for, each with a repository, a target group and a rule of its own.
fn services(count: u32) -> String {
    let (head, rest) = FILE.split_once("[service.backend]").unwrap();
    let (_, environments) = rest.split_once("[env.prod]").unwrap();
    let service = |n: u32| {
        let priority = 100 + n;
        format!(
            r#"
[service.s{n}]
name = "s{n}-service"
family = "s{n}"
build = {{ cargo = "backend" }}
repository = {{ name = "ielts/s{n}" }}
log-group = {{ name = "/ecs/s{n}", retention-days = 30 }}
security-groups = ["ielts-prod-ecs-be-sg"]
routes = [{{ path = "/s{n}/*", priority = {priority} }}]
smoke = [{{ path = "/s{n}/x", status = 200 }}]
container = {{ name = "app", port = 8080, port-name = "app" }}
target-group = {{ name = "s{n}-tg", health.path = "/health" }}
"#
        )
    };
    let head = head.replace("health-routes = true", "health-routes = false");
    format!("{head}{}[env.prod]{environments}", (0..count).map(service).collect::<String>())
}

#[test]
fn a_deploy_that_changes_nothing_waits_for_five_calls_in_a_row() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let (_, calls, took) = slow(&mut world, "v1", "v1").await;
        // Who calls was asked by the first deploy.
        println!("two services, nothing changes: {} calls, {} ms", calls.len() + 1, took);
        assert!(took <= 5 * CALL_MS, "{took}: {calls:#?}");
    });
}

#[test]
fn an_update_begins_within_moments_and_returns_soon_after_its_end() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.forecasts = true;
        let (ended, _, took) = slow(&mut world, "v2", "v1").await;
        let rolls = ended.record.iter().find(|event| matches!(event.kind, Kind::Following { .. }));
        let begins = rolls.unwrap().at_ms;
        let asked = json!({ "cluster": "ielts-prod-cluster", "services": ["ielts-backend-service"] });
        let service = ecs(&world.cloud, "DescribeServices", &asked).unwrap();
        let events = service["services"][0]["events"].as_array().unwrap();
        let complete = |event: &&serde_json::Value| {
            event["message"].as_str().is_some_and(|text| text.ends_with("deployment completed."))
        };
        let ends = events.iter().find(complete).unwrap()["createdAt"].as_f64().unwrap();
        let now = world.cloud.clock().millis().0 as f64 / 1000.0;
        let returns = Duration::from_secs_f64(now - ends);
        println!(
            "an update: {begins} ms to UpdateService, {took} ms in all, back {returns:?} after the roll's end"
        );
        assert!(begins <= 3_200, "{begins}");
        // A look a second while ECS calls it complete, and what proves it.
        assert!(returns <= Duration::from_millis(1_800), "{returns:?}");
    });
}

#[test]
fn fifty_services_are_read_in_hundreds_where_aws_takes_hundreds() {
    story(|| async {
        let mut world = World::of(production(&services(50)), 0).await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let (_, calls, took) = slow(&mut world, "v1", "v1").await;
        println!("fifty services, nothing changes: {} calls, {took} ms", calls.len() + 1);
        // Five of each service are about one resource: its revision, its repository's images and policy, its group's attributes
        // and targets.
        assert!(calls.len() <= 5 * 50 + 36, "{}: {calls:#?}", calls.len());
    });
}

#[test]
fn a_forecast_costs_parts_of_a_second() {
    let environment = production(FILE);
    let keys: Vec<ServiceKey> = environment.services.iter().map(|service| service.key.clone()).collect();
    let rehearsal = Rehearsal {
        live: keys.iter().map(|key| (key.clone(), 2)).collect(),
        rolls: vec![keys],
        environment,
        starts: Default::default(),
        boot_ms: 1_000,
        pace: Pace::default(),
    };
    let times = if std::env::var_os("XTASK_BENCH").is_some() { 10 } else { 1 };
    let before = Usage::own().unwrap();
    for _ in 0..times {
        assert!(rehearse(&rehearsal).is_some());
    }
    // Each is two deployments: what runs, and the roll.
    let cpu = (Usage::own().unwrap().cpu - before.cpu).as_secs_f64();
    println!("forecast: {:.0} simulated deployments a CPU second", f64::from(2 * times) / cpu);
}
