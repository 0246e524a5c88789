//! A whole file of two services, `fixtures/ielts.toml`, setting by setting; and the schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use deploy::config;
use serde_json::{Value, json};

const TEXT: &str = include_str!("fixtures/ielts.toml");

fn environment(name: Option<&str>) -> Value {
    let loaded = config::load("deploy.toml", TEXT, name).map_err(|report| report.render(false)).unwrap();
    serde_json::to_value(loaded.environment).unwrap()
}

/// What both environments say: the target by its very names.
fn target() -> Vec<(&'static str, Value)> {
    vec![
        ("/app", json!("ielts")),
        ("/region", json!("ap-southeast-1")),
        ("/cluster", json!("ielts-prod-cluster")),
        ("/namespace", json!("ielts.local")),
        ("/network/vpc", json!("ielts-prod-vpc")),
        ("/network/subnets", json!(["ielts-prod-private-app-1a", "ielts-prod-private-app-1b"])),
        ("/network/assign-public-ip", json!(false)),
        ("/load-balancer/name", json!("ielts-prod-alb")),
        ("/load-balancer/subnets", json!(["ielts-prod-public-1a", "ielts-prod-public-1b"])),
        ("/load-balancer/security-groups", json!(["ielts-prod-alb-sg"])),
        ("/load-balancer/scheme", json!("internet-facing")),
        (
            "/load-balancer/listener",
            json!({
                "port": 80, "protocol": "HTTP", "certificate": null, "further-certificates": [], "ssl-policy": null,
                "redirect-http": false,
            }),
        ),
        // The backend comes first: the frontend needs it.
        ("/service/0/key", json!("backend")),
        ("/service/0/name", json!("ielts-backend-service")),
        ("/service/0/family", json!("ielts-backend")),
        ("/service/0/build/cargo", json!("backend")),
        ("/service/0/repository/name", json!("ielts/backend")),
        ("/service/0/log-group/name", json!("/ecs/ielts-backend")),
        ("/service/0/cpu", json!(512)),
        ("/service/0/memory-mib", json!(1024)),
        ("/service/0/desired-count", json!(2)),
        ("/service/0/security-groups", json!(["ielts-prod-ecs-be-sg"])),
        ("/service/0/execution-role", json!("ecsTaskExecutionRole")),
        ("/service/0/task-role", json!("ielts-prod-task-role")),
        ("/service/0/container/name", json!("backend")),
        ("/service/0/container/port", json!(8080)),
        ("/service/0/container/port-name", json!("backend")),
        ("/service/0/container/environment", json!({ "PORT": "8080" })),
        ("/service/0/container/health-check/command", json!(["CMD", "/app/backend", "probe"])),
        ("/service/0/connect/discovery-name", json!("backend")),
        ("/service/0/connect/alias/port", json!(8080)),
        ("/service/0/connect/alias/dns", json!("backend.ielts.local")),
        ("/service/0/target-group/name", json!("ielts-backend-tg")),
        ("/service/0/target-group/health/path", json!("/actuator/health")),
        ("/service/0/routes/0/path", json!("/actuator/health")),
        ("/service/0/routes/0/priority", json!(10)),
        ("/service/0/routes/1/path", json!("/api/*")),
        ("/service/0/routes/1/priority", json!(100)),
        ("/service/0/deployment/minimum-healthy-percent", json!(100)),
        ("/service/0/deployment/maximum-percent", json!(200)),
        (
            "/service/0/deployment/circuit-breaker",
            json!({ "enable": true, "rollback": true, "threshold": 3, "reset-on-healthy-task": true }),
        ),
        ("/service/0/depends-on", json!([])),
        (
            "/service/0/scaling",
            json!({ "min": 2, "max": 10, "policy": [{
                "name": "backend-cpu-scaling",
                "metric": "ECSServiceAverageCPUUtilization",
                "custom-metric": null,
                "disable-scale-in": false,
                "target": 70.0,
                "scale-out-cooldown-secs": 60,
                "scale-in-cooldown-secs": 120,
            }], "schedule": [] }),
        ),
        ("/service/0/smoke", json!([{ "path": "/actuator/health", "status": 200, "identity": "backend" }])),
        ("/service/1/key", json!("frontend")),
        ("/service/1/name", json!("ielts-frontend-service")),
        ("/service/1/family", json!("ielts-frontend")),
        ("/service/1/build/cargo", json!("frontend")),
        ("/service/1/repository/name", json!("ielts/frontend")),
        ("/service/1/log-group/name", json!("/ecs/ielts-frontend")),
        ("/service/1/cpu", json!(512)),
        ("/service/1/memory-mib", json!(1024)),
        ("/service/1/desired-count", json!(2)),
        ("/service/1/security-groups", json!(["ielts-prod-ecs-fe-sg"])),
        ("/service/1/execution-role", json!("ecsTaskExecutionRole")),
        ("/service/1/task-role", json!("ielts-prod-task-role")),
        ("/service/1/container/name", json!("frontend")),
        ("/service/1/container/port", json!(3000)),
        ("/service/1/container/port-name", json!("frontend")),
        (
            "/service/1/container/environment",
            json!({ "BACKEND_URL": "http://backend.ielts.local:8080", "PORT": "3000" }),
        ),
        ("/service/1/container/health-check/command", json!(["CMD", "/app/frontend", "probe"])),
        ("/service/1/connect/discovery-name", json!("frontend")),
        ("/service/1/connect/alias/port", json!(3000)),
        ("/service/1/connect/alias/dns", json!("frontend.ielts.local")),
        ("/service/1/target-group/name", json!("ielts-frontend-tg")),
        ("/service/1/target-group/health/path", json!("/api/health")),
        // `/api/health` matches `/api/*`: its own rule is tried before.
        ("/service/1/routes/0/path", json!("/api/health")),
        ("/service/1/routes/0/priority", json!(20)),
        ("/service/1/routes/1/path", json!("/*")),
        ("/service/1/routes/1/priority", json!(200)),
        ("/service/1/deployment/minimum-healthy-percent", json!(100)),
        ("/service/1/deployment/maximum-percent", json!(200)),
        (
            "/service/1/deployment/circuit-breaker",
            json!({ "enable": true, "rollback": true, "threshold": 3, "reset-on-healthy-task": true }),
        ),
        ("/service/1/depends-on", json!(["backend"])),
        ("/service/1/scaling", json!({ "min": 2, "max": 10, "policy": [], "schedule": [] })),
        (
            "/service/1/smoke",
            json!([
                { "path": "/api/health", "status": 200, "identity": "frontend" },
                { "path": "/", "status": 200, "identity": null },
            ]),
        ),
    ]
}

/// Where the environments differ: pointer, production, embedded cloud.
fn differences() -> Vec<(&'static str, Value, Value)> {
    let mut differences = vec![
        ("/name", json!("prod"), json!("local")),
        ("/kind", json!("aws"), json!("local")),
        ("/account", json!("123456789012"), json!(null)),
        ("/confirm", json!(true), json!(false)),
        ("/timeouts/smoke-secs", json!(120), json!(30)),
        ("/timeouts/poll-secs", json!(5), json!(1)),
    ];
    for service in ["/service/0", "/service/1"] {
        for (pointer, prod, local) in [
            ("/container/stop-timeout-secs", 30, 10),
            ("/target-group/deregistration-delay-secs", 30, 5),
            ("/target-group/health/interval-secs", 10, 5),
            ("/target-group/health/timeout-secs", 4, 2),
            ("/deployment/health-check-grace-secs", 60, 30),
            ("/deployment/bake-secs", 30, 2),
            ("/deployment/patience/roll_secs", 700, 160),
            ("/deployment/patience/back_secs", 350, 80),
            ("/deployment/patience/finish_secs", 150, 25),
        ] {
            let pointer: &'static str = format!("{service}{pointer}").leak();
            differences.push((pointer, json!(prod), json!(local)));
        }
    }
    differences
}

#[test]
fn both_environments_say_the_target_by_its_very_names() {
    for name in ["prod", "local"] {
        let environment = environment(Some(name));
        for (pointer, expected) in target() {
            assert_eq!(environment.pointer(pointer), Some(&expected), "{name} {pointer}");
        }
    }
}

#[test]
fn the_environments_differ_where_it_is_meant_and_nowhere_else() {
    let (mut prod, mut local) = (environment(Some("prod")), environment(Some("local")));
    for (pointer, in_prod, in_local) in differences() {
        assert_eq!(prod.pointer(pointer), Some(&in_prod), "prod {pointer}");
        assert_eq!(local.pointer(pointer), Some(&in_local), "local {pointer}");
        *prod.pointer_mut(pointer).unwrap() = Value::Null;
        *local.pointer_mut(pointer).unwrap() = Value::Null;
    }
    assert_eq!(prod, local);
}

#[test]
fn production_is_only_meant_when_it_is_named() {
    assert_eq!(environment(None).pointer("/name"), Some(&json!("local")));
}

#[test]
fn the_only_warning_is_the_account_that_the_owner_has_to_fill_in() {
    for (name, expected) in [("prod", vec!["account-open"]), ("local", vec![])] {
        let warnings = config::load("deploy.toml", TEXT, Some(name)).unwrap().warnings;
        let codes: Vec<&str> = warnings.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, expected, "{name}:\n{warnings}");
    }
}

#[test]
fn without_health_routes_the_file_is_refused_because_smoke_checks_would_ask_the_wrong_service() {
    let text = TEXT.replace("health-routes = true", "health-routes = false");
    let report = config::load("deploy.toml", &text, None).unwrap_err();
    let messages: Vec<&str> = report.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        messages,
        ["`backend` does not answer `/actuator/health`", "`frontend` does not answer `/api/health`"]
    );
}

#[test]
fn every_key_in_the_schema_is_explained_and_every_number_has_a_range() {
    let schema: Value = serde_json::from_str(&config::schema()).unwrap();
    // AWS's own members are explained by AWS.
    let ours =
        schema["definitions"].as_object().unwrap().iter().filter(|(name, _)| !name.starts_with("aws."));
    let tables = ours.map(|(_, table)| table).chain([&schema]);
    let mut keys = 0;
    for (name, key) in tables.filter_map(|table| table["properties"].as_object()).flatten() {
        keys += 1;
        assert!(key["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}: {key}");
        if ["integer", "number"].contains(&key["type"].as_str().unwrap_or_default()) {
            assert!(key["minimum"].is_number() && key["maximum"].is_number(), "{name}: {key}");
        }
    }
    assert!(keys > 80, "{keys} keys");
}
