//! Which health check failed, the container's or the load balancer's, and what it met.

use super::*;
use crate::model::spec::{HealthCheckSpec, TargetGroupSpec};

#[test]
fn what_ecs_stopped_the_newest_task_for_wins_over_what_the_targets_met_at_the_start() {
    let command = BTreeMap::from([("web".to_owned(), "curl -f http://localhost:8080/".to_owned())]);
    for leftover in
        ["Health checks failed", "Request timed out", "Health checks failed with these codes: [404]"]
    {
        let mut evidence = Evidence {
            stopped: vec![unfit("b", "container"), unfit("a", "container")],
            health_commands: command.clone(),
            ..unhealthy(leftover)
        };
        assert_eq!(found(&evidence), ("container-health", true), "{leftover}");
        let cause = explain(&evidence).unwrap();
        assert!(cause.cause.ends_with("`curl -f http://localhost:8080/`"), "{}", cause.cause);
        evidence.stopped.insert(0, unfit("c", "ELB"));
        assert_ne!(found(&evidence).0, "container-health", "{leftover}");
    }
}

#[test]
fn what_the_load_balancer_met_explains_a_probe_that_asks_the_same_path() {
    let remedy = |met: &str, command: &str| {
        let evidence = Evidence {
            stopped: vec![unfit("b", "container"), unfit("a", "container")],
            health_commands: BTreeMap::from([("web".to_owned(), command.to_owned())]),
            port: 8080,
            health_path: "/health".into(),
            ..unhealthy(met)
        };
        explain(&evidence).unwrap().remedy
    };
    let refused = remedy("Health checks failed with these codes: [401]", "/app/app probe");
    assert!(refused.contains("(GET /health on port 8080, answered with 401)"), "{refused}");
    let slow = remedy("Request timed out", "/app/app probe");
    assert!(slow.contains("(GET /health on port 8080, not answered in time)"), "{slow}");
    // Starting, and a program that is not there.
    for (met, command) in [
        ("Health checks failed with these codes: [503]", "/app/app probe"),
        ("Request timed out", "curl -f http://localhost:8080/health"),
    ] {
        assert!(remedy(met, command).starts_with("run that command in the image"), "{met}");
    }
}

#[test]
fn a_health_check_on_another_port_is_named_with_that_port() {
    for met in ["Health checks failed", "Request timed out"] {
        let evidence = Evidence { port: 8080, check_port: Some(9090), ..unhealthy(met) };
        let cause = explain(&evidence).unwrap();
        assert!(cause.cause.contains("on port 9090 (the container's port is 8080)"), "{}", cause.cause);
        assert!(
            cause.remedy.starts_with("leave `target-group.health.port` out of deploy.toml"),
            "{}",
            cause.remedy
        );
        let same = Evidence { check_port: Some(8080), ..evidence };
        assert!(explain(&same).unwrap().cause.contains("on port 8080,"));
    }
}

#[test]
fn a_slow_start_is_reported_with_the_number_to_write() {
    let remedy = |grace_secs, last_ms, line: &str| {
        let lines = vec![line.to_owned()];
        let log = TaskLog { task: "a".into(), last_ms: Some(last_ms), lines, ..Default::default() };
        let (stopped, logs) = (vec![unfit("a", "ELB")], vec![log]);
        explain(&Evidence { stopped, logs, grace_secs, ..unhealthy("Health checks failed") }).unwrap().remedy
    };
    assert!(remedy(20, 45_000, "x").starts_with("raise `health-check-grace-secs` to 60 (it is 20)"));
    assert!(remedy(60, 58_000, "x").starts_with("raise `health-check-grace-secs` to 80 (it is 60)"));
    // It printed one line and then nothing until it was stopped: it is slow, or it listens elsewhere.
    let either = remedy(3, 400, "starting");
    assert!(either.starts_with("the application must listen on 0.0.0.0"), "{either}");
    assert!(
        either.ends_with(
            "raise `health-check-grace-secs` to 60 (it is 3): a task printed its last line after 1 s and was stopped after 2 s"
        ),
        "{either}"
    );
    let elsewhere = remedy(60, 2_000, "Listening on 127.0.0.1:3000");
    assert!(elsewhere.ends_with("; it said: Listening on 127.0.0.1:3000"), "{elsewhere}");
}

#[test]
fn what_the_newest_health_checks_met_wins_over_what_earlier_ones_did() {
    let event = |reason: &str| {
        format!(
            "(service web) (task a) (port 8080) is unhealthy in (target-group g) due to (reason {reason})."
        )
    };
    let (refused, timeout) = ("Health checks failed", "Request timed out");
    for (events, expected) in [
        (vec![event(timeout), event(refused)], "health-refused"),
        (vec![event(refused), event(timeout)], "health-timeout"),
    ] {
        for target in [refused, timeout] {
            assert_eq!(found(&Evidence { events: events.clone(), ..unhealthy(target) }).0, expected);
        }
    }
}

#[test]
fn tasks_that_fail_a_changed_check_name_the_port_that_it_asks() {
    let health =
        HealthCheckSpec { path: "/up".into(), port: Some(9090), matcher: "201".into(), ..Default::default() };
    let group = TargetGroupSpec { name: "web-tg".into(), health, ..Default::default() };
    let said = |check_port, description: &str| {
        let target = TargetSnapshot {
            port: 8080,
            check_port,
            description: Some(description.into()),
            ..Default::default()
        };
        changed_check(&group, &target)
    };
    let head = "tasks that run fail the changed health check of web-tg: GET /up on port ";
    let other = format!("{head}9090 (the container's port is 8080): ");
    assert_eq!(
        said(Some(9090), "Health checks failed"),
        format!("{other}nobody listens there (Health checks failed)")
    );
    assert_eq!(said(None, "Request timed out"), format!("{other}no answer in time (Request timed out)"));
    assert_eq!(
        said(Some(8080), "Health checks failed with these codes: [200]"),
        format!("{head}8080: answered 200; `health.matcher` in deploy.toml wants 201")
    );
}
