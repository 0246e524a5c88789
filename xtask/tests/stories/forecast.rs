//! How long a roll will take is said beforehand, and is so.

use deploy::event::{ExitCode, Forecast, Kind, Part};
use deploy::model::Environment;
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

fn forecast(ended: &Ended) -> &Forecast {
    let found = ended.events.iter().find_map(|event| match event {
        Kind::Forecast(forecast) => Some(forecast),
        _ => None,
    });
    found.unwrap()
}

/// Predicted and real are within a tenth of each other. Returns what was predicted.
fn met(ended: &Ended, what: &str) -> Forecast {
    assert_eq!(ended.exit, ExitCode::Done, "{what}: {:#?}", ended.events);
    let (predicted, took) = ended
        .events
        .iter()
        .find_map(|event| match event {
            Kind::ForecastMet { predicted_ms, took_ms } => Some((*predicted_ms, *took_ms)),
            _ => None,
        })
        .unwrap();
    assert!(predicted.abs_diff(took) * 10 <= took, "{what}: predicted {predicted} ms, took {took} ms");
    forecast(ended).clone()
}

async fn world(prepare: impl FnOnce(&mut Environment)) -> World {
    let mut world = World::new().await;
    world.forecasts = true;
    prepare(&mut world.environment);
    world
}

#[test]
fn a_first_release_and_its_updates_take_as_long_as_was_said() {
    story(|| async {
        let mut world = world(|_| ()).await;
        // What is assumed as long as nothing runs.
        world.scripts.set_otherwise(Script { pull_ms: 15_000, ..Script::default() });
        met(&world.deploy("v1", "v1").await, "first");
        met(&world.deploy("v2", "v1").await, "backend");
        met(&world.deploy("v3", "v2").await, "both");
        met(&world.rollback(None).await.unwrap(), "back");
    });
}

#[test]
fn the_setting_that_dominates_is_named() {
    story(|| async {
        let mut world = world(|environment| {
            environment.services[0].target_group.deregistration_delay_secs = 300;
        })
        .await;
        world.forecasts = false;
        world.deploy("v1", "v1").await;
        world.forecasts = true;
        let slow = met(&world.deploy("v2", "v1").await, "draining");
        assert_eq!(slow.longest.unwrap().part, Part::Draining);
        assert!(slow.longest.unwrap().ms >= 290_000, "{slow:?}");
    });
}

#[test]
fn a_service_that_was_scaled_out_is_rolled_in_thought_as_it_runs() {
    story(|| async {
        let mut world = world(|_| ()).await;
        world.forecasts = false;
        world.deploy("v1", "v1").await;
        world.somebody().await.scales_to(6).await;
        world.host.clock.sleep(std::time::Duration::from_secs(120)).await;
        world.forecasts = true;
        met(&world.deploy("v2", "v1").await, "six tasks");
    });
}

#[test]
fn a_prediction_knows_how_long_the_running_tasks_took_to_start() {
    story(|| async {
        let mut world = world(|_| ()).await;
        world.forecasts = false;
        world.scripts.set("ielts-backend", Script { pull_ms: 90_000, ..Script::default() });
        world.deploy("v1", "v1").await;
        world.forecasts = true;
        let slow = met(&world.deploy("v2", "v1").await, "slow pulls");
        assert!(slow.start_seen && slow.start_ms > 90_000, "{slow:?}");
    });
}
