//! `status`: what is not as it should be, and a service in detail.

use deploy::event::ExitCode;
use deploy::model::Service;
use deploy::output::Status;
use deploy::status::{Detail, Problem, problems};
use sim::workload::scripted::Script;
use xtask::observe;
use xtask::report::{Recorder, Screen};
use xtask::verify::{self, Door};

use crate::schema;
use crate::transcripts::shows;
use crate::world::{World, story};

async fn looked(world: &World) -> (Vec<Problem>, Detail) {
    let (problems, detail, _) = looked_at(world).await;
    (problems, detail)
}

/// The same, and `status backend` on a terminal of so many columns.
async fn looked_at(world: &World) -> (Vec<Problem>, Detail, impl Fn(usize) -> String) {
    let (aws, environment) = (&world.aws, &world.environment);
    let door = observe::door(aws, environment).await.unwrap();
    let door = Door { target_groups: door.target_groups, front: None };
    let readings = verify::readings(aws, environment, &door).await.unwrap();
    let services: Vec<&Service> = environment.services.iter().collect();
    let found = problems(services.iter().copied().zip(&readings), &[]);
    let events = Recorder::new(world.host.clock.clone(), Screen::silent());
    let detail = verify::detail(aws, &events, environment, services[0], &readings[0]).await;
    let mut rows = verify::rows_of(environment, &door, &readings);
    let status = Status {
        environment: &environment.name,
        url: None,
        services: &rows,
        problems: &found,
        secrets: &[],
        lease: None,
        orphans: &[],
        detail: Some(&detail),
    };
    schema::check("Status", &status);
    rows.truncate(1);
    let (name, key, now_ms) = (environment.name.clone(), services[0].key.clone(), world.host.clock.now_ms());
    let (problems, shown) = (found.clone(), detail.clone());
    let text = move |columns| {
        let status = Status {
            environment: &name,
            url: None,
            services: &rows,
            problems: &problems,
            secrets: &[],
            lease: None,
            orphans: &[],
            detail: Some(&shown),
        };
        deploy::view::status(&status, Some(&key), None, now_ms, Some(columns))
    };
    (found, detail, text)
}

#[test]
fn a_healthy_service_has_no_problem_and_its_tasks_have_zone_address_and_target() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let (problems, detail) = looked(&world).await;
        assert_eq!((problems, detail.unread.len(), detail.stopped), (Vec::new(), 0, None));
        assert_eq!(detail.tasks.len(), 2);
        for task in &detail.tasks {
            assert_eq!((task.health.as_str(), task.target.as_deref()), ("HEALTHY", Some("healthy")));
            assert!(task.zone.as_ref().is_some_and(|zone| zone.starts_with("ap-southeast-1")), "{task:?}");
            assert!(task.address.is_some() && task.age_ms > 0 && task.revision == "ielts-backend:1");
        }
        assert!(!detail.events.is_empty() && detail.events.len() <= 10);
        let all: Vec<&Service> = world.environment.services.iter().collect();
        assert_eq!(observe::deployed(&world.aws, &world.environment, &all).await.unwrap().len(), 2);
    });
}

#[test]
fn before_the_first_deploy_services_are_missing_and_nothing_is_unreadable() {
    story(|| async {
        let world = World::new().await;
        let (problems, _) = looked(&world).await;
        assert_eq!(problems.len(), 2, "{problems:?}");
        let all: Vec<&Service> = world.environment.services.iter().collect();
        let none = observe::deployed(&world.aws, &world.environment, &all).await.unwrap_err();
        let text =
            "nothing is deployed: services ielts-backend-service and ielts-frontend-service do not exist";
        assert_eq!(
            (none.to_string().as_str(), none.hint().as_deref()),
            (text, Some("`cargo xtask deploy` creates them"))
        );
    });
}

#[test]
fn tasks_that_crash_after_the_release_are_a_problem_with_its_cause() {
    story(|| async {
        let mut world = World::new().await;
        let late = Script::crashes(120_000, 3).printing(119_000, "no DATABASE_URL");
        world.scripts.set("ielts-backend:1", late);
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.host.clock.sleep(std::time::Duration::from_secs(300)).await;
        let (problems, detail, text) = looked_at(&world).await;
        shows("status-with-a-crashed-task", text);
        assert!(
            problems.iter().any(|it| it.service.0 == "backend" && it.text.contains("exit code 3")),
            "{problems:?}"
        );
        let stopped = detail.stopped.unwrap();
        assert_eq!(stopped.stopped[0].log.as_ref().unwrap().lines, ["no DATABASE_URL"]);
        assert!(stopped.cause.is_some(), "{stopped:#?}");
    });
}

#[test]
fn scaling_that_acted_and_what_could_not_be_read_are_shown() {
    story(|| async {
        let mut world = World::new().await;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.environment.services[0].scaling.as_mut().unwrap().min = 3;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let (_, detail) = looked(&world).await;
        assert_eq!(detail.scaling[0].description, "Setting desired count to 3.", "{:#?}", detail.scaling);
        world.cloud.add_rule(crate::policy::printed(&world.environment).without("cloudwatch:DescribeAlarms"));
        let (_, detail) = looked(&world).await;
        assert_eq!(detail.unread.len(), 1, "{:?}", detail.unread);
        assert!(detail.unread[0].contains("cloudwatch:DescribeAlarms") && detail.alarms.is_empty());
    });
}
