//! Rules, target groups and scaling beyond the usual: deploy.toml says them, the load balancer and the schedules act by them,
//! and a second deploy finds them as they are.

use std::time::Duration;

use deploy::event::ExitCode;
use sim::workload::scripted::Script;

use crate::world::{FILE, World, production, story};

const MORE: &str = r#"
[[load-balancer.routes]]
hosts = ["example.com"]
priority = 5
redirect = { host = "www.example.com", permanent = true }

[[load-balancer.routes]]
path = "/internal/*"
priority = 6
respond = { status = 403, body = "closed" }

[service.frontend.scaling.policy.requests]
metric = "ALBRequestCountPerTarget"
target = 1000
disable-scale-in = true

[service.backend.scaling.policy.queue]
custom-metric = { namespace = "AWS/SQS", name = "Visible", dimensions = { QueueName = "jobs" } }
target = 0.5
"#;

async fn deployed(text: &str) -> World {
    let mut world = World::of(production(text), 0).await;
    let first = world.deploy("v1", "v1").await;
    assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
    let again = world.deploy("v1", "v1").await;
    assert_eq!((again.exit, again.writes), (ExitCode::Done, Vec::new()), "{:#?}", again.events);
    world
}

#[test]
fn a_rule_for_a_host_leads_to_its_service_and_the_load_balancer_redirects_and_responds_itself() {
    story(|| async {
        let text = FILE
            .replace(
                r#"routes = [{ path = "/*", priority = 200 }]"#,
                r#"routes = [{ path = "/*", priority = 200 }, { hosts = ["*.admin.test"], paths = ["/api/*", "/x"], methods = ["GET"], priority = 90 }]"#,
            )
            .replace(
                "health.path = \"/api/health\"",
                "health.path = \"/api/health\"\nstickiness-secs = 600\nslow-start-secs = 30",
            );
        let text = text
            .replace("port-name = \"frontend\"", "port-name = \"frontend\"\napp-protocol = \"http2\"")
            .replace(
                "discovery-name = \"frontend\"",
                "discovery-name = \"frontend\"\nrequest-timeout-secs = 60",
            );
        let world = deployed(&(text + MORE)).await;
        let asked = |host: &str, path: &str| world.front_door.asks(host, path);
        assert!(asked("any.test", "/api/users").1.contains("backend"));
        assert!(asked("a.admin.test", "/api/users").1.contains("frontend"));
        assert_eq!(asked("any.test", "/internal/metrics"), (403, "closed".to_owned()));
        assert_eq!(asked("example.com", "/a"), (301, "http://www.example.com:80/a".to_owned()));
    });
}

#[test]
fn what_a_schedule_has_set_is_not_undone_by_the_next_deploy() {
    story(|| async {
        let schedule = r#"
[[service.backend.scaling.schedule]]
name = "evening"
schedule = "rate(1 hour)"
min = 1
max = 1
"#;
        let mut world = deployed(&format!("{FILE}{schedule}")).await;
        tokio::time::sleep(Duration::from_secs(3700)).await;
        let bounds = async |world: &World| {
            let found = world.aws.list_scalable_targets().await.unwrap();
            let backend = found.iter().find(|it| it.spec.resource_id.ends_with("backend-service")).unwrap();
            (backend.spec.min, backend.spec.max)
        };
        assert_eq!(bounds(&world).await, (1, 1), "the schedule acts");
        let evening = world.deploy("v2", "v1").await;
        assert_eq!(evening.exit, ExitCode::Done, "{:#?}", evening.events);
        assert_eq!(bounds(&world).await, (1, 1));
        let writes = ["RegisterScalableTarget", "PutScheduledAction"].map(str::to_owned);
        assert!(!evening.writes.iter().any(|write| writes.contains(write)), "{:?}", evening.writes);
    });
}

#[test]
fn a_rule_of_a_service_that_the_file_has_no_more_is_given_back_when_the_release_is_undone() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let mut taken = world.environment.services.remove(1).routes;
        world.environment.services[0].routes.append(&mut taken);
        world.scripts.set("ielts-backend:2", Script::crashes(2_000, 3));
        let failed = world.deploy("v2", "v1").await;
        assert!(failed.writes.iter().any(|write| write == "ModifyRule"), "{:?}", failed.writes);
        assert_eq!(failed.exit, ExitCode::Failed, "{:#?}", failed.events);
        // Targets of a group that no rule led to are checked anew.
        world.host.clock.sleep(Duration::from_secs(60)).await;
        world.aws.find_target_groups(&["ielts-frontend-tg"]).await.unwrap();
        let (status, body) = world.front_door.asks("any.test", "/");
        assert!(body.contains("frontend"), "{status} {body}");
    });
}
