//! `logs`: what tasks print, through rolls, refusals and ends.

use std::cell::RefCell;
use std::time::Duration;

use deploy::event::ExitCode;
use deploy::logs::{LogEntry, LogEvent};
use deploy::model::{LogGroup, Service};
use sim::fault::{Fault, On};
use sim::workload::scripted::Script;
use xtask::logs::{self, Error, Wanted};
use xtask::observe;
use xtask::report::{Format, LogScreen};

use crate::transcripts::shows;
use crate::world::{World, story};

fn wanted<'a>(services: &'a [&'a Service]) -> Wanted<'a> {
    Wanted { services, task: None, container: None, grep: None, since_ms: 0 }
}

fn lines(entries: &[LogEntry]) -> Vec<String> {
    let line = |entry: &LogEntry| match &entry.what {
        LogEvent::Line { message, .. } => Some(format!("{}: {message}", entry.service)),
        _ => None,
    };
    entries.iter().filter_map(line).collect()
}

async fn shown(world: &World, wanted: Wanted<'_>) -> Result<Vec<LogEntry>, Error> {
    let mut entries = Vec::new();
    logs::show(&world.aws, &world.environment, wanted, &mut |entry| entries.push(entry)).await?;
    Ok(entries)
}

#[test]
fn lines_of_all_services_are_one_story_by_time_and_no_secret_is_in_it() {
    story(|| async {
        let mut world = World::new().await;
        let chatty = Script::default().printing(1_000, "up").printing(2_000, "password=hunter2");
        world.scripts.set("ielts-backend:1", chatty);
        world.scripts.set("ielts-frontend:1", Script::default().printing(1_500, "ready for \"work\""));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let services: Vec<_> = world.environment.services.iter().collect();
        let all = shown(&world, wanted(&services)).await.unwrap();
        assert!(all.is_sorted_by_key(|entry| entry.at_ms), "{all:#?}");
        let text = lines(&all).join("\n");
        assert_eq!(
            (text.matches("backend: up").count(), text.matches("backend: password=***").count()),
            (2, 2)
        );
        assert!(text.contains("frontend: ready for") && !text.contains("hunter2"), "{text}");

        let grep = |text| Wanted { grep: Some(text), ..wanted(&services) };
        assert_eq!(lines(&shown(&world, grep("up")).await.unwrap()), ["backend: up", "backend: up"]);
        // A phrase of CloudWatch's takes no quotation mark.
        assert_eq!(shown(&world, grep("\"work\"")).await.unwrap().len(), 2);
        let id = all[0].task.clone().unwrap();
        let one = shown(&world, Wanted { task: Some(&id[..8]), ..wanted(&services) }).await.unwrap();
        assert!(!one.is_empty() && one.iter().all(|entry| entry.task.as_ref() == Some(&id)), "{one:#?}");
        let is_known = async |task| {
            let wanted = Wanted { task: Some(task), ..wanted(&services) };
            logs::known(&world.aws, &world.environment, wanted).await
        };
        is_known(&id[..8]).await.unwrap();
        let error = is_known("feed").await.unwrap_err();
        assert!(error.to_string().starts_with("no task `feed` of backend or frontend runs"), "{error}");
        assert!(error.hint().unwrap().contains(&id[..8]), "{error:?}");
        world.cloud.add_rule(On::operation("ListTasks").then(Fault::AccessDenied));
        is_known("feed").await.unwrap();
        let none = shown(&world, Wanted { container: Some("envoy"), ..wanted(&services) }).await;
        let text = none.unwrap_err().to_string();
        assert_eq!(text, "no container `envoy` logs to CloudWatch; there are backend, frontend");
        let none = shown(&world, Wanted { container: Some("envoy"), ..wanted(&services[..1]) }).await;
        let text = none.unwrap_err().to_string();
        assert_eq!(text, "backend has no container `envoy` that logs to CloudWatch; it has backend");
    });
}

#[test]
fn a_service_without_a_log_group_says_so() {
    story(|| async {
        let world = World::new().await;
        let services: Vec<_> = world.environment.services.iter().take(1).collect();
        let early = shown(&world, wanted(&services)).await.unwrap_err();
        assert_eq!(early.to_string(), "backend: no log group yet");
        let both: Vec<_> = world.environment.services.iter().collect();
        let early = shown(&world, wanted(&both)).await.unwrap_err();
        assert_eq!(early.to_string(), "backend and frontend: no log group yet");
    });
}

#[test]
fn a_roll_that_is_followed_reads_well() {
    story(|| async {
        let mut world = World::new().await;
        let asked = r#"{"level":"info","message":"request","method":"GET","path":"/api/skills","status":200,"latency_ms":0.412}"#;
        let speaks = |name: &str| {
            let ready = format!("ready in 1.2 s, {name}");
            Script::default()
                .printing(500, &ready)
                .printing(30_000, asked)
                .printing(60_000, "pool: 3 of 10 connections are open")
        };
        world.scripts.set("ielts-backend:1", speaks("v1"));
        world.scripts.set("ielts-backend:2", speaks("v2"));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let environment = world.environment.clone();
        let services: Vec<_> = environment.services.iter().take(1).collect();
        let (aws, clock) = (world.rival().await.aws, world.host.clock.clone());
        let since_ms = clock.now_ms();
        let mut entries = Vec::new();
        let mut show = |entry| entries.push(entry);
        let wanted = Wanted { since_ms, ..wanted(&services) };
        tokio::select! {
            ended = logs::follow(&aws, &environment, &clock, wanted, &mut show) => panic!("{ended:?}"),
            ended = world.deploy("v2", "v1") => assert_eq!(ended.exit, ExitCode::Done),
        }
        shows("logs-follow", |columns| {
            let mut screen = LogScreen::new(Format::Text, &environment, &services, false);
            let text: String = entries.iter().map(|entry| screen.text(entry, Some(columns))).collect();
            anstream::adapter::strip_str(&text).to_string()
        });
    });
}

#[test]
fn following_survives_a_roll_and_throttling_and_repeats_and_loses_nothing() {
    story(|| async {
        let mut world = World::new().await;
        let talking = |name: &str| {
            (1..120).fold(Script::default(), |script, second| {
                script.printing(second * 1_000, &format!("{name} {second}"))
            })
        };
        world.scripts.set("ielts-backend:1", talking("old"));
        world.scripts.set("ielts-backend:2", talking("new"));
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let environment = world.environment.clone();
        let services: Vec<_> = environment.services.iter().take(1).collect();
        let (aws, clock) = (world.rival().await.aws, world.host.clock.clone());
        let since_ms = clock.now_ms();
        let entries = RefCell::new(Vec::new());
        let mut show = |entry| entries.borrow_mut().push(entry);
        let follow =
            logs::follow(&aws, &environment, &clock, Wanted { since_ms, ..wanted(&services) }, &mut show);
        let cloud = world.cloud.clone();
        let act = async {
            assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Done);
            cloud.add_rule(On::operation("FilterLogEvents").nth(1..=60).then(Fault::Throttle));
            world.host.clock.sleep(Duration::from_secs(150)).await;
        };
        tokio::select! {
            ended = follow => panic!("{ended:?}"),
            () = act => {}
        }
        let entries = entries.into_inner();
        let mut new = lines(&entries);
        new.retain(|line| line.contains("new "));
        // Two tasks, each line of each once.
        for second in 1..120 {
            let line = format!("backend: new {second}");
            assert_eq!(new.iter().filter(|it| **it == line).count(), 2, "{line}: {new:#?}");
        }
        let count = |meant: fn(&LogEvent) -> bool| entries.iter().filter(|entry| meant(&entry.what)).count();
        assert_eq!(
            count(|it| matches!(it, LogEvent::Started { revision } if revision == "ielts-backend:2")),
            2
        );
        assert_eq!(
            count(|it| matches!(it, LogEvent::Stopped { reason, .. } if reason.contains("Scaling activity"))),
            2
        );
        assert_eq!(count(|it| matches!(it, LogEvent::Interrupted { .. })), 1);
    });
}

#[test]
fn the_task_before_shows_its_last_words_and_how_it_ended() {
    story(|| async {
        let mut world = World::new().await;
        let services = world.environment.services.clone();
        let services: Vec<_> = services.iter().collect();
        let previous = async |world: &World| {
            let mut entries = Vec::new();
            let show = &mut |entry| entries.push(entry);
            logs::previous(&world.aws, &world.environment, wanted(&services), show).await.map(|()| entries)
        };
        // Before the first deploy there is no cluster.
        let early = previous(&world).await.unwrap_err();
        assert!(matches!(early, Error::Observe(observe::Error::NotDeployed(_))), "{early}");
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let none = previous(&world).await.unwrap_err();
        assert_eq!(none.to_string(), "no stopped task of backend and frontend is known");
        world.scripts.set("ielts-backend:2", Script::crashes(1_500, 3).printing(500, "no DATABASE_URL"));
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Failed);
        let entries = previous(&world).await.unwrap();
        assert_eq!(lines(&entries), ["backend: no DATABASE_URL"]);
        let LogEvent::Stopped { reason, containers } = &entries[1].what else { panic!("{entries:#?}") };
        assert_eq!(reason, "EssentialContainerExited: Essential container in task exited");
        assert_eq!(*containers, ["backend exit code 3"]);
        world.rights = None;
        // The first one cannot be read: the others are shown all the same, and then it is said.
        let mut both = services.clone();
        let broken = Service {
            log_group: LogGroup { name: "/gone".into(), ..services[0].log_group.clone() },
            ..services[0].clone()
        };
        both.insert(0, &broken);
        let mut entries = Vec::new();
        let ended =
            logs::previous(&world.aws, &world.environment, wanted(&both), &mut |entry| entries.push(entry))
                .await;
        assert_eq!(ended.unwrap_err().to_string(), "backend: no log group yet");
        assert_eq!(lines(&entries), ["backend: no DATABASE_URL"]);
    });
}
