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
        ("/network/assign_public_ip", json!(false)),
        ("/load_balancer/source/create/name", json!("ielts-prod-alb")),
        ("/load_balancer/source/create/subnets", json!(["ielts-prod-public-1a", "ielts-prod-public-1b"])),
        ("/load_balancer/source/create/security_groups", json!(["ielts-prod-alb-sg"])),
        ("/load_balancer/source/create/internal", json!(false)),
        (
            "/load_balancer/listener",
            json!({
                "port": 80, "protocol": "HTTP", "certificate": null, "further_certificates": [], "ssl_policy": null,
                "redirect_http": false,
            }),
        ),
        // The backend comes first: the frontend needs it.
        ("/services/0/key", json!("backend")),
        ("/services/0/name", json!("ielts-backend-service")),
        ("/services/0/family", json!("ielts-backend")),
        ("/services/0/build", json!({ "cargo": { "package": "backend" } })),
        ("/services/0/repository/name", json!("ielts/backend")),
        ("/services/0/log_group/name", json!("/ecs/ielts-backend")),
        ("/services/0/cpu", json!(512)),
        ("/services/0/memory_mib", json!(1024)),
        ("/services/0/desired_count", json!(2)),
        ("/services/0/security_groups", json!(["ielts-prod-ecs-be-sg"])),
        ("/services/0/execution_role", json!("ecsTaskExecutionRole")),
        ("/services/0/task_role", json!("ielts-prod-task-role")),
        ("/services/0/container/name", json!("backend")),
        ("/services/0/container/port", json!(8080)),
        ("/services/0/container/port_name", json!("backend")),
        ("/services/0/container/environment", json!({ "PORT": "8080" })),
        ("/services/0/container/health_check/command", json!(["CMD", "/app/backend", "probe"])),
        ("/services/0/connect/discovery_name", json!("backend")),
        ("/services/0/connect/alias_port", json!(8080)),
        ("/services/0/connect/alias_dns", json!("backend.ielts.local")),
        ("/services/0/target_group/name", json!("ielts-backend-tg")),
        ("/services/0/target_group/health/path", json!("/actuator/health")),
        (
            "/services/0/routes",
            json!([{ "path": "/actuator/health", "priority": 10 }, { "path": "/api/*", "priority": 100 }]),
        ),
        ("/services/0/deployment/minimum_healthy_percent", json!(100)),
        ("/services/0/deployment/maximum_percent", json!(200)),
        (
            "/services/0/deployment/circuit_breaker",
            json!({ "enable": true, "rollback": true, "threshold": 3, "reset_on_healthy_task": true }),
        ),
        ("/services/0/depends_on", json!([])),
        (
            "/services/0/scaling",
            json!({ "min": 2, "max": 10, "policies": [{
                "name": "backend-cpu-scaling",
                "metric": "ECSServiceAverageCPUUtilization",
                "target": 70.0,
                "scale_out_cooldown_secs": 60,
                "scale_in_cooldown_secs": 120,
            }] }),
        ),
        ("/services/0/smoke", json!([{ "path": "/actuator/health", "status": 200, "identity": "backend" }])),
        ("/services/1/key", json!("frontend")),
        ("/services/1/name", json!("ielts-frontend-service")),
        ("/services/1/family", json!("ielts-frontend")),
        ("/services/1/build", json!({ "cargo": { "package": "frontend" } })),
        ("/services/1/repository/name", json!("ielts/frontend")),
        ("/services/1/log_group/name", json!("/ecs/ielts-frontend")),
        ("/services/1/cpu", json!(512)),
        ("/services/1/memory_mib", json!(1024)),
        ("/services/1/desired_count", json!(2)),
        ("/services/1/security_groups", json!(["ielts-prod-ecs-fe-sg"])),
        ("/services/1/execution_role", json!("ecsTaskExecutionRole")),
        ("/services/1/task_role", json!("ielts-prod-task-role")),
        ("/services/1/container/name", json!("frontend")),
        ("/services/1/container/port", json!(3000)),
        ("/services/1/container/port_name", json!("frontend")),
        (
            "/services/1/container/environment",
            json!({ "BACKEND_URL": "http://backend.ielts.local:8080", "PORT": "3000" }),
        ),
        ("/services/1/container/health_check/command", json!(["CMD", "/app/frontend", "probe"])),
        ("/services/1/connect/discovery_name", json!("frontend")),
        ("/services/1/connect/alias_port", json!(3000)),
        ("/services/1/connect/alias_dns", json!("frontend.ielts.local")),
        ("/services/1/target_group/name", json!("ielts-frontend-tg")),
        ("/services/1/target_group/health/path", json!("/api/health")),
        // `/api/health` matches `/api/*`: its own rule is tried before.
        (
            "/services/1/routes",
            json!([{ "path": "/api/health", "priority": 20 }, { "path": "/*", "priority": 200 }]),
        ),
        ("/services/1/deployment/minimum_healthy_percent", json!(100)),
        ("/services/1/deployment/maximum_percent", json!(200)),
        (
            "/services/1/deployment/circuit_breaker",
            json!({ "enable": true, "rollback": true, "threshold": 3, "reset_on_healthy_task": true }),
        ),
        ("/services/1/depends_on", json!(["backend"])),
        ("/services/1/scaling", json!({ "min": 2, "max": 10, "policies": [] })),
        (
            "/services/1/smoke",
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
        ("/timeouts/smoke_secs", json!(120), json!(30)),
        ("/timeouts/poll_secs", json!(5), json!(1)),
    ];
    for service in ["/services/0", "/services/1"] {
        for (pointer, prod, local) in [
            ("/container/stop_timeout_secs", 30, 10),
            ("/target_group/deregistration_delay_secs", 30, 5),
            ("/target_group/health/interval_secs", 10, 5),
            ("/target_group/health/timeout_secs", 4, 2),
            ("/deployment/health_check_grace_secs", 60, 30),
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
    let tables = schema["definitions"].as_object().unwrap().values().chain([&schema]);
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
