//! What containers run, and who runs beside them.

use deploy::event::{ExitCode, Kind};
use deploy::model::{Condition, Container, ContainerHealthCheck, LogRouter, Sidecar, Volume};
use deploy::rollout::Diagnosis;
use serde_json::{Value, json};
use sim::workload::scripted::Script;

use crate::ended::Ended;
use crate::world::{World, story};

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// A member of the definition that the backend's family has last, by its path.
async fn registered(world: &World, path: &[&str]) -> Value {
    let state = world.aws.describe_task_definition("ielts-backend").await.unwrap();
    state.spec.members().get(path).cloned().unwrap_or_default()
}

#[test]
fn a_changed_command_rolls_its_own_service_and_is_no_change_the_next_time() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let service = &mut world.environment.services[0];
        service.ephemeral_storage_gib = Some(50);
        service.container.command = words(["serve", "--workers", "4"]);
        service.container.user = Some("1000:1000".to_owned());
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let rolls = ended.writes.iter().filter(|write| *write == "UpdateService").count();
        assert_eq!(rolls, 1, "{:?}", ended.writes);
        let own = ["containerDefinitions", "backend"];
        assert_eq!(
            registered(&world, &[own[0], own[1], "command"]).await,
            json!(["serve", "--workers", "4"])
        );
        assert_eq!(registered(&world, &[own[0], own[1], "user"]).await, json!("1000:1000"));
        assert_eq!(registered(&world, &["ephemeralStorage"]).await, json!({ "sizeInGiB": 50 }));
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

/// A backend that waits for a migration of its own image and for a proxy of another one.
async fn beside() -> World {
    let mut world = World::new().await;
    let service = &mut world.environment.services[0];
    let check = ContainerHealthCheck { command: words(["CMD", "/ready"]), ..ContainerHealthCheck::default() };
    let named = |name: &str| Container { name: name.to_owned(), ..Container::default() };
    let migrate = Container { command: words(["migrate"]), ..named("migrate") };
    let proxy = Container { health_check: Some(check), readonly_root: false, ..named("proxy") };
    service.sidecars = vec![
        Sidecar { essential: false, container: migrate, ..Sidecar::default() },
        Sidecar {
            image: Some(format!("public.ecr.aws/envoy:1@sha256:{}", "e".repeat(64))),
            memory_mib: Some(128),
            container: proxy,
            ..Sidecar::default()
        },
    ];
    let order = [("migrate", Condition::Success), ("proxy", Condition::Healthy)];
    service.container.depends_on = order.map(|(name, condition)| (name.to_owned(), condition)).into();
    world
}

#[test]
fn sidecars_start_in_their_order_and_are_found_again() {
    story(async || {
        let mut world = beside().await;
        world
            .scripts
            .set("ielts-backend/migrate", Script::exits(5_000, 0).printing(1_000, "12 migrations applied"));
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Done, "deployed and proven"),
            "{:#?}",
            ended.events
        );
        let own = registered(&world, &["containerDefinitions", "backend"]).await;
        assert_eq!(own["dependsOn"], json!({ "migrate": "SUCCESS", "proxy": "HEALTHY" }));
        let migrate = registered(&world, &["containerDefinitions", "migrate"]).await;
        assert_eq!((&migrate["image"], &migrate["essential"]), (&own["image"], &json!(false)));
        let cluster = &world.environment.cluster;
        let task = &world.aws.service_tasks(cluster, "ielts-backend-service", false).await.unwrap()[0];
        let stream = format!("backend/migrate/{}", task.id);
        let printed = world
            .aws
            .get_log_events("/ecs/ielts-backend", &stream, 10, xtask::aws::LogStart::Tail)
            .await
            .unwrap()
            .events;
        assert_eq!(printed.iter().map(|it| &*it.message).collect::<Vec<_>>(), ["12 migrations applied"]);
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
        world.environment.services[0].sidecars.pop();
        world.environment.services[0].container.depends_on.remove("proxy");
        let without = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(without.exit, ExitCode::Done, "{:#?}", without.events);
        assert_eq!(registered(&world, &["containerDefinitions", "proxy"]).await, Value::Null);
    });
}

fn diagnosed(ended: &Ended) -> &Diagnosis {
    let found = ended.events.iter().find_map(|event| match event {
        Kind::Diagnosed { diagnosis, .. } => Some(diagnosis),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{:#?}", ended.events))
}

#[test]
fn the_container_that_failed_is_named_with_its_own_last_words() {
    story(async || {
        let mut world = beside().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        // The application gets SIGTERM, as all that is left of a task whose proxy is gone.
        world
            .scripts
            .set("ielts-backend:2/proxy", Script::crashes(3_000, 7).printing(2_000, "no route to upstream"));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let cause = diagnosed(&ended).cause.as_ref().unwrap();
        assert!(cause.cause.starts_with("container `proxy` of task "), "{}", cause.cause);
        assert!(
            cause.cause.ends_with("exited with code 7; it said: no route to upstream"),
            "{}",
            cause.cause
        );
    });
}

#[test]
fn a_migration_beside_the_application_that_fails_keeps_it_from_starting() {
    story(async || {
        let mut world = beside().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        world
            .scripts
            .set("ielts-backend:2/migrate", Script::exits(2_000, 3).printing(1_000, "relation exists"));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let cause = diagnosed(&ended).cause.as_ref().unwrap();
        assert!(cause.cause.contains("container `migrate`"), "{}", cause.cause);
        assert!(cause.cause.ends_with("exited with code 3; it said: relation exists"), "{}", cause.cause);
    });
}

#[test]
fn a_secret_of_a_sidecar_that_is_not_there_is_named() {
    story(async || {
        let mut world = beside().await;
        let sidecar = &mut world.environment.services[0].sidecars[1].container;
        sidecar.secrets.insert("UPSTREAM_KEY".to_owned(), "/ielts/upstream-key".to_owned());
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
        let cause = diagnosed(&ended).cause.as_ref().unwrap();
        assert!(cause.cause.contains("does not have `/ielts/upstream-key`"), "{}", cause.cause);
    });
}

#[test]
fn logs_that_go_through_a_router_are_no_logs_of_the_group() {
    story(async || {
        let mut world = World::new().await;
        let service = &mut world.environment.services[0];
        service.container.log_output = [("Name".to_owned(), "loki".to_owned())].into();
        let router = Container { name: "router".to_owned(), readonly_root: false, ..Container::default() };
        service.sidecars = vec![Sidecar {
            image: Some(format!("fluent/fluent-bit@sha256:{}", "f".repeat(64))),
            log_router: Some(LogRouter::FluentBit),
            container: router,
            ..Sidecar::default()
        }];
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let router = registered(&world, &["containerDefinitions", "router"]).await;
        assert_eq!(router["firelensConfiguration"], json!({ "type": "fluentbit" }));
        assert_eq!(router["logConfiguration"]["logDriver"], "awslogs");
        let own = registered(&world, &["containerDefinitions", "backend", "logConfiguration"]).await;
        assert_eq!(own, json!({ "logDriver": "awsfirelens", "options": { "Name": "loki" } }));
        let again = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!((again.exit, again.writes), (ExitCode::Done, vec![]), "{:#?}", again.events);
    });
}

/// There is no file system and no S3 in the embedded cloud: a task stops with AWS's own reason.
#[test]
fn storage_that_is_not_there_is_named_and_the_previous_revision_serves() {
    story(async || {
        let mut world = World::new().await;
        assert_eq!(Box::pin(world.deploy("v1", "v1")).await.exit, ExitCode::Done);
        let service = &mut world.environment.services[0];
        let uploads = Volume {
            name: "uploads".to_owned(),
            efs: "fs-0123456789abcdef0".to_owned(),
            access_point: Some("fsap-0123456789abcdef0".to_owned()),
            iam: true,
            mount: Some("/uploads".to_owned()),
            ..Volume::default()
        };
        service.volumes = vec![uploads];
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let mounted =
            registered(&world, &["containerDefinitions", "backend", "mountPoints", "/uploads"]).await;
        assert_eq!(mounted, json!({ "sourceVolume": "uploads" }));
        let efs = registered(&world, &["volumes", "uploads", "efsVolumeConfiguration"]).await;
        assert_eq!(
            efs,
            json!({
                "fileSystemId": "fs-0123456789abcdef0",
                "transitEncryption": "ENABLED",
                "authorizationConfig": { "accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED" },
            })
        );
        let cause = diagnosed(&ended).cause.as_ref().unwrap();
        assert!(cause.cause.contains("fs-0123456789abcdef0.efs."), "{}", cause.cause);
        assert!(cause.remedy.contains("mount target"), "{}", cause.remedy);

        let service = &mut world.environment.services[0];
        service.volumes[0].efs.clear();
        service.container.environment_files = vec!["arn:aws:s3:::ielts/prod.env".to_owned()];
        let ended = Box::pin(world.deploy("v3", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let cause = diagnosed(&ended).cause.as_ref().unwrap();
        assert!(cause.cause.contains("arn:aws:s3:::ielts/prod.env"), "{}", cause.cause);

        world.environment.services[0].container.environment_files.clear();
        let ended = Box::pin(world.deploy("v3", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    });
}
