//! What a release is worth when the load balancer answers wrongly, or cannot be asked from this machine.

use std::time::Duration;

use deploy::event::{Event, ExitCode, Kind, ProbeAnswer};
use deploy::model::{Listener, Protocol, Scheme};
use deploy::verify::faults;
use xtask::host::HttpError;

use crate::ended::Ended;
use crate::world::{World, story};

/// A second release whose front door is as `prepare` makes it.
async fn second(prepare: impl FnOnce(&mut World)) -> Ended {
    let mut world = World::new().await;
    world.environment.availability.enable = true;
    assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
    prepare(&mut world);
    world.deploy("v2", "v2").await
}

fn answers(ended: &Ended) -> Vec<&ProbeAnswer> {
    let probed = ended.events.iter().filter_map(|event| match event {
        Kind::Probed { answer, .. } => Some(answer),
        _ => None,
    });
    probed.collect()
}

fn is_undone(ended: &Ended) -> bool {
    ended.events.iter().any(|event| matches!(event, Kind::Undoing { .. }))
}

/// What stops the command, and what to do about it.
fn failures(ended: &Ended) -> Vec<(&str, Option<&str>)> {
    let failed = ended.events.iter().filter_map(|event| match event {
        Kind::Failed { error, hint } => Some((error.as_str(), hint.as_deref())),
        _ => None,
    });
    failed.collect()
}

#[test]
fn a_door_that_cannot_be_reached_from_here_undoes_nothing() {
    let unsent = [
        HttpError::Unresolved,
        HttpError::Refused,
        HttpError::Unconnected("no connection within 5s".to_owned()),
        HttpError::Tls("certificate not valid for name".to_owned()),
    ];
    for error in unsent {
        story(|| async {
            let ended = second(|world| world.front_door.closes(error.clone())).await;
            assert_eq!(ended.exit, ExitCode::Unknown, "{error}: {:#?}", ended.events);
            assert!(!is_undone(&ended), "{error}: {:#?}", ended.events);
            let unreachable = ProbeAnswer::Unreachable { error: error.to_string() };
            assert_eq!(answers(&ended), [&unreachable; 3], "{error}");
            let [(said, hint)] = failures(&ended)[..] else { panic!("{error}: {:#?}", ended.events) };
            assert!(said.contains(&error.to_string()) && hint.is_some(), "{said} {hint:?}");
            let seen = ended.events.iter().find_map(|event| match event {
                Kind::Availability(seen) => Some(seen),
                _ => None,
            });
            let seen = seen.unwrap();
            assert!(seen.unsent > 10 && seen.requests == 0 && seen.failed == 0, "{error}: {seen:?}");
        });
    }
}

#[test]
fn a_wrong_answer_is_undone_and_so_is_one_that_does_not_come() {
    let late = HttpError::TimedOut(Duration::from_secs(8));
    let ways: [&dyn Fn(&mut World); 3] = [
        &|world| world.front_door.answers(500),
        &|world| world.front_door.closes(HttpError::Broken("reset".to_owned())),
        &|world| world.front_door.closes(late.clone()),
    ];
    for prepare in ways {
        story(|| async {
            let ended = second(prepare).await;
            assert!(is_undone(&ended), "{:#?}", ended.events);
            // What was restored answers no better, and did not before.
            assert_eq!(ended.exit, ExitCode::NotRecovered, "{:#?}", ended.events);
            let as_before =
                "not deployed; all is as before, and as before GET /actuator/health: expected 200";
            assert!(ended.summary.starts_with(as_before), "{}", ended.summary);
        });
    }
}

#[test]
fn a_check_that_what_served_before_does_not_answer_either_is_said_to_be_one() {
    story(|| async {
        let ended = second(|world| world.front_door.answers(404)).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let serves = "not deployed; the previous release serves, and as before GET /actuator/health: expected 200 from \
                      backend, got 404";
        assert!(ended.summary.starts_with(serves), "{}", ended.summary);
        let often = ended.events.iter().filter_map(|event| match event {
            Kind::Probed { attempts, .. } => Some(*attempts),
            _ => None,
        });
        // 10 s while rules may still be late, and once after the undo.
        assert!(often.clone().all(|attempts| attempts <= 21), "{:?}", often.collect::<Vec<_>>());
    });
}

#[test]
fn a_release_that_does_not_answer_makes_way_for_one_that_does() {
    story(|| async {
        let ended = second(|world| world.front_door.new_revisions_answer(500)).await;
        assert_eq!(
            (ended.exit, &*ended.summary),
            (ExitCode::Failed, "not deployed; the previous release serves"),
            "{:#?}",
            ended.events
        );
        assert!(answers(&ended).last().is_some_and(|it| matches!(it, ProbeAnswer::Right { .. })));
    });
}

#[test]
fn a_release_without_smoke_checks_is_proven_by_its_tasks_and_targets() {
    story(|| async {
        let ended = second(|world| {
            for service in &mut world.environment.services {
                service.smoke.clear();
            }
        })
        .await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        assert_eq!(answers(&ended), Vec::<&ProbeAnswer>::new());
    });
}

fn https(world: &mut World) {
    let certificate = |name: &str| format!("arn:aws:acm:ap-southeast-1:123456789012:certificate/{name}");
    world.environment.load_balancer.host = Some("app.example.com".to_owned());
    world.environment.load_balancer.listener = Listener {
        port: 443,
        protocol: Protocol::Https,
        certificate: Some(certificate("own")),
        further_certificates: vec![certificate("further")],
        ssl_policy: Some("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09".to_owned()),
        redirect_http: Some(true),
    };
}

fn steps(ended: &Ended) -> Vec<String> {
    let steps = ended.events.iter().filter_map(|event| match event {
        Kind::StepEnded { step, .. } if step.contains("listener") => Some(step.clone()),
        _ => None,
    });
    steps.collect()
}

#[test]
fn https_is_asked_by_the_certificate_s_name_and_proven() {
    story(|| async {
        let mut world = World::new().await;
        https(&mut world);
        let first = world.deploy("v1", "v1").await;
        assert_eq!(first.exit, ExitCode::Done, "{:#?}", first.events);
        assert_eq!(steps(&first), ["create listener HTTPS:443", "create listener HTTP:80, redirects to 443"]);
        let urls = first.events.iter().filter_map(|event| match event {
            Kind::Probed { url, .. } => Some(url.as_str()),
            _ => None,
        });
        let urls = urls.collect::<Vec<_>>();
        assert!(
            urls.len() == 3 && urls.iter().all(|url| url.starts_with("https://app.example.com/")),
            "{urls:?}"
        );
        // Another policy, set by hand, is put right; then there is nothing left to do.
        world.environment.load_balancer.listener.ssl_policy =
            Some("ELBSecurityPolicy-TLS13-1-3-2021-06".to_owned());
        let second = world.deploy("v1", "v1").await;
        assert_eq!(
            (second.exit, steps(&second)),
            (ExitCode::Done, vec!["modify listener HTTPS:443".to_owned()])
        );
        let third = world.deploy("v1", "v1").await;
        assert_eq!((third.exit, steps(&third)), (ExitCode::Done, Vec::new()), "{:#?}", third.events);
    });
}

#[test]
fn an_internal_load_balancer_is_proven_without_being_asked_from_here() {
    story(|| async {
        let mut world = World::new().await;
        world.environment.load_balancer.scheme = Scheme::Internal;
        world.environment.availability.enable = true;
        world.front_door.closes(HttpError::Unresolved);
        let first = world.deploy("v1", "v1").await;
        let second = world.deploy("v2", "v2").await;
        for ended in [&first, &second] {
            assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
            assert_eq!(answers(ended), Vec::<&ProbeAnswer>::new());
            assert!(!ended.events.iter().any(|event| matches!(event, Kind::Availability(_))));
        }
        // Who says that it is reached from here is taken at his word.
        world.environment.load_balancer.smoke_from = Some(deploy::model::SmokeFrom::Here);
        assert_eq!(world.deploy("v3", "v3").await.exit, ExitCode::Unknown);
    });
}

#[test]
fn a_wrong_answer_is_not_asked_for_until_the_deadline_and_the_check_says_what_it_expected() {
    // The service itself, by another name than the check's; one that no service has; and another service, which a rule may still
    // change.
    let cases = [
        (
            ("/actuator/health", "billing", None),
            "from billing, got an answer from backend",
            "write `identity = ",
            2..3,
        ),
        (
            ("/actuator/health", "backend", Some("other")),
            "from backend, got an answer from other",
            "no service of deploy.toml is called other: let backend answer",
            2..3,
        ),
        (("/", "backend", None), "from backend, got an answer from frontend", "give backend a route", 15..30),
    ];
    for ((path, identity, answers_as), expected, help, attempts) in cases {
        story(|| async {
            let mut file = None;
            let ended = second(|world| {
                let check = &mut world.environment.services[0].smoke[0];
                (check.path, check.identity) = (path.to_owned(), Some(identity.to_owned()));
                answers_as.into_iter().for_each(|name| world.front_door.answers_as(name));
                file = Some(world.environment.clone());
            })
            .await;
            assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
            let wrong = ended.events.iter().find_map(|event| match event {
                Kind::Probed { passed: false, attempts, .. } => Some(*attempts),
                _ => None,
            });
            assert!(attempts.contains(&wrong.unwrap()), "twice a second: {wrong:?}");
            let events: Vec<Event> =
                ended.events.into_iter().map(|kind| Event { seq: 0, at_ms: 0, kind }).collect();
            let Kind::Failed { error, hint: Some(hint) } = &faults(&file.unwrap(), &events)[0] else {
                panic!("{events:#?}")
            };
            assert!(error.contains(expected), "{error}");
            assert!(hint.contains(help), "{hint}");
        });
    }
}
