//! Services that the console made, and what a first release does to them.

use super::*;
use crate::config;
use crate::model::spec::{Members, TaskDefinitionSpec, ThresholdSpec, changes};
use crate::model::{Environment, ServiceKey};
use crate::plan::{refuse_losses, service_spec, task_definition_spec};

const FILE: &str = include_str!("../../../tests/fixtures/ielts.toml");

fn load(lines: &str) -> Environment {
    parse(&format!("{FILE}\n{lines}"))
}

fn parse(text: &str) -> Environment {
    let loaded = config::load("deploy.toml", text, Some("prod"));
    loaded.unwrap_or_else(|report| panic!("{}", report.render(false))).environment
}

/// A file with the lines of a refusal, which a reader puts into the tables that they name.
fn pasted(file: &str, remedy: &str) -> String {
    fn lay(under: &mut toml::Table, over: toml::Table) {
        for (key, value) in over {
            match (under.get_mut(&key), value) {
                (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay(under, over),
                (_, value) => drop(under.insert(key, value)),
            }
        }
    }
    let (_, lines) = remedy.split_once("\n\n").unwrap();
    let mut all: toml::Table = file.parse().unwrap();
    lay(&mut all, lines.parse().unwrap());
    all.to_string()
}

/// A backend that runs what the file says, by somebody else's hand, with these members on top.
fn hand_made(environment: &Environment, own: Value, over: Value) -> (Desired, Observed) {
    let desired = Desired { environment: environment.clone(), release: desired().release };
    let service = environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
    let mut observed = converged();
    observed.made = Some(std::collections::BTreeMap::new());
    observed.services.retain(|key, _| key.0 == "backend");
    let settings = service_spec(environment, service, &empty());
    let mut members = task_definition_spec(&desired, service, &observed).members().clone();
    members.lay(&Members::of(over));
    members.put(&["containerDefinitions", "backend"], (&Members::of(own)).into());
    let running = observed.services.get_mut(&ServiceKey("backend".into())).unwrap();
    running.spec = settings;
    running.task_definition.spec = TaskDefinitionSpec::of(members);
    (desired, observed)
}

fn refused(desired: &Desired, observed: &Observed) -> Option<Refusal> {
    let mut plan = Plan::default();
    refuse_losses(&mut plan, desired, observed);
    plan.refusals.pop()
}

fn console() -> (Value, Value) {
    let own = json!({
        "user": "1000", "memory": 1024, "stopTimeout": 60,
        "ulimits": [{ "name": "nofile", "softLimit": 1024, "hardLimit": 2048 }],
        "portMappings": [{ "containerPort": 9000, "name": "metrics" }],
        "environment": [{ "name": "EXTRA", "value": "1" }, { "name": "API_TOKEN", "value": "hunter2" }],
        "logConfiguration": { "options": { "awslogs-create-group": "true", "mode": "non-blocking", "max-buffer-size": "25m" } },
        "mountPoints": [
            { "containerPath": "/data", "sourceVolume": "data" },
            { "containerPath": "/uploads", "sourceVolume": "uploads", "readOnly": true },
        ],
    });
    let over = json!({
        "volumes": [
            { "name": "data", "efsVolumeConfiguration": { "fileSystemId": "fs-1" } },
            { "name": "uploads", "efsVolumeConfiguration": {
                "fileSystemId": "fs-2", "transitEncryption": "ENABLED",
                "authorizationConfig": { "accessPointId": "fsap-3", "iam": "ENABLED" },
            } },
        ],
        "ephemeralStorage": { "sizeInGiB": 50 }, "cpu": "1024", "memory": "4096",
        "containerDefinitions": [{
            "name": "datadog", "image": "datadog/agent:7", "essential": false, "cpu": 64, "memory": 128,
            "environment": [{ "name": "DD_SITE", "value": "datadoghq.eu" }],
            "secrets": [{ "name": "DD_API_KEY", "valueFrom": "/datadog/key" }],
            "healthCheck": { "command": ["CMD-SHELL", "agent health"], "interval": 15 },
            "mountPoints": [{ "containerPath": "/in", "sourceVolume": "uploads", "readOnly": true }],
            "ulimits": [{ "name": "nofile", "softLimit": 1024, "hardLimit": 2048 }],
            "logConfiguration": { "logDriver": "awslogs", "options": {
                "awslogs-group": "/datadog", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "dd",
            } },
        }],
    });
    (own, over)
}

#[test]
fn a_first_release_that_would_lose_what_the_console_added_is_refused_with_the_lines_that_keep_it() {
    let (own, over) = console();
    let (desired, mut observed) = hand_made(&load(""), own, over);
    let running = observed.services.values_mut().next().unwrap();
    running.spec.enable_execute_command = true;
    running.spec.connect.as_mut().unwrap().services[0].discovery_name = "api".into();
    let refusal = refused(&desired, &observed).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", refusal.what, refusal.remedy));
}

/// What CreateService was given beside the definition, and what is around the service.
#[test]
fn settings_of_the_service_and_around_it_that_somebody_chose_are_kept_by_their_lines() {
    // Nothing of this is in the file: all of it would become what the tool has by default.
    let bare = FILE
        .replace("circuit-breaker = {", "# {")
        .replace("readonly-root = true", "")
        .replace("keep-images = 30", "")
        .replace("retention-days = 30", "")
        .replace("matcher = \"200\"\ninterval-secs = 10\n", "")
        .replace("deregistration-delay-secs = 30", "");
    let environment = parse(&bare);
    let (desired, mut observed) = hand_made(&environment, json!({}), json!({}));
    let group = observed.target_groups.get_mut("ielts-backend-tg").unwrap();
    group.spec.health.matcher = "200-399".into();
    group.spec.health.interval_secs = 30;
    group.spec.attributes = [
        ("deregistration_delay.timeout_seconds", "120"),
        ("slow_start.duration_seconds", "90"),
        ("load_balancing.algorithm.type", "least_outstanding_requests"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    observed.log_groups.get_mut("/ecs/ielts-backend").unwrap().retention_days = None;
    observed.repositories.get_mut("ielts/backend").unwrap().spec.keep_images = None;
    let running = observed.services.values_mut().next().unwrap();
    let mut definition = running.task_definition.spec.members().clone();
    definition.take(&["containerDefinitions", "backend", "readonlyRootFilesystem"]);
    definition.take(&["containerDefinitions", "backend", "mountPoints"]);
    definition.take(&["volumes"]);
    running.task_definition.spec = TaskDefinitionSpec::of(definition);
    let spec = &mut running.spec;
    spec.circuit_breaker_threshold = ThresholdSpec { kind: "UNBOUNDED_PERCENT".into(), value: 20 };
    spec.circuit_breaker_reset = false;
    spec.platform_version = "1.3.0".into();
    spec.propagate_tags = "SERVICE".into();
    let refusal = refused(&desired, &observed).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", refusal.what, refusal.remedy));
    let kept = Desired { environment: parse(&pasted(&bare, &refusal.remedy)), ..desired };
    assert_eq!(refused(&kept, &observed), None);
    let service = kept.environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
    let found = &observed.services.values().next().unwrap().spec;
    let wanted = service_spec(&kept.environment, service, &observed);
    assert_eq!(changes(found, &wanted), []);
}

/// AWS has them so where nobody says anything, and whoever follows the owner's document by hand says nothing.
#[test]
fn what_nobody_chose_is_no_loss() {
    let (desired, mut observed) = hand_made(&load(""), json!({}), json!({}));
    let spec = &mut observed.services.values_mut().next().unwrap().spec;
    (spec.circuit_breaker, spec.circuit_breaker_rollback) = (false, false);
    spec.circuit_breaker_threshold = ThresholdSpec::default();
    spec.propagate_tags = "NONE".into();
    spec.managed_tags = false;
    spec.health_check_grace_secs = 0;
    assert_eq!(refused(&desired, &observed), None);
}

#[test]
fn with_the_printed_lines_in_the_file_nothing_is_lost() {
    let (mut own, over) = console();
    // A secret is not printed, so its line is not one to paste.
    own["environment"].as_array_mut().unwrap().pop();
    let (desired, observed) = hand_made(&load(""), own, over);
    let refusal = refused(&desired, &observed).unwrap();
    let lines = &refusal.remedy;
    let kept = Desired { environment: parse(&pasted(FILE, lines)), ..desired };
    assert_eq!(refused(&kept, &observed), None, "{lines}");
    let service = kept.environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
    let wanted = task_definition_spec(&kept, service, &observed);
    let running = &observed.services.values().next().unwrap().task_definition.spec;
    let changes: Vec<String> = running.changes(&wanted).into_iter().map(|change| change.field).collect();
    assert_eq!(
        changes,
        ["cpu", "memory", "containers.backend.stopTimeout"],
        "what the file says otherwise\n{lines}"
    );
}

/// Pasted unseen, the mask would take the secret's place, and nothing would say so.
/// A tag in the file is resolved, and so never equals the one that runs.
#[test]
fn what_the_file_says_of_a_sidecar_is_no_loss() {
    let (own, over) = console();
    let (mut desired, observed) = hand_made(&load(""), own, over);
    let agent = "[service.backend.sidecar.datadog]\nimage = 'datadog/agent:7'\nmemory-mib = 256\n";
    desired.environment = load(agent);
    let digest = account::digest('d');
    desired.release.tagged.insert("datadog/agent:7".to_owned(), digest);
    let refusal = refused(&desired, &observed).unwrap();
    assert!(
        !refusal.remedy.contains("image =") && !refusal.remedy.contains("memory-mib"),
        "{}",
        refusal.remedy
    );
    assert!(
        !refusal.what.contains("datadog.image") && refusal.what.contains("datadog.cpu"),
        "{}",
        refusal.what
    );
}

#[test]
fn a_masked_secret_is_no_line_to_paste() {
    let environment = json!([{ "name": "API_TOKEN", "value": "hunter2" }]);
    let agent = json!({ "name": "agent", "image": "agent:7", "environment": environment });
    let over = json!({ "containerDefinitions": [agent] });
    let (desired, observed) = hand_made(&load(""), json!({ "environment": environment }), over);
    let refusal = refused(&desired, &observed).unwrap();
    let (_, lines) = refusal.remedy.split_once("\n\n").unwrap();
    let masked: Vec<&str> = lines.lines().filter(|line| line.contains("***")).collect();
    assert_eq!(masked.len(), 2, "{lines}");
    assert!(masked.iter().all(|line| line.starts_with("# ")), "{lines}");
    assert!(!lines.contains("hunter2"), "{lines}");
}

#[test]
fn what_this_tool_deployed_before_follows_the_file() {
    let (own, over) = console();
    let (desired, mut observed) = hand_made(&load(""), own, over);
    let tags = [("release".to_owned(), "r1".to_owned())];
    observed.services.values_mut().next().unwrap().task_definition.tags = tags.into();
    assert_eq!(refused(&desired, &observed), None);
}

#[test]
fn what_the_file_says_may_change_and_what_only_a_release_sets_too() {
    let own = json!({ "image": "nginx:1", "stopTimeout": 60, "logConfiguration": { "options": { "awslogs-stream-prefix": "ecs" } } });
    let environment = load("");
    assert!(environment.written.contains("service.backend.container.stop-timeout-secs"));
    let (desired, observed) =
        hand_made(&environment, own, json!({ "requiresCompatibilities": ["EC2", "FARGATE"] }));
    assert_eq!(refused(&desired, &observed), None);
}

#[test]
fn a_new_revision_keeps_the_tags_that_others_put_on_the_one_before() {
    let (desired, mut observed) = hand_made(&load(""), json!({ "user": "1000" }), json!({}));
    let running = observed.services.values_mut().next().unwrap();
    let tags = [("team", "core"), ("aws:cloudformation:stack-name", "s"), ("release", "r0"), ("proven", "t")];
    running.task_definition.tags =
        tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    let plan = plan(&desired, &observed);
    let kept = plan.steps().find_map(|step| match &step.action {
        Action::RegisterTaskDefinition { service, kept, .. } if service.0 == "backend" => Some(kept.clone()),
        _ => None,
    });
    assert_eq!(kept.unwrap().into_iter().collect::<Vec<_>>(), [("team".to_owned(), "core".to_owned())]);
}

#[test]
fn a_port_variable_that_names_another_port_is_kept_by_lines_that_are_not_refused() {
    let own = json!({ "environment": [{ "name": "PORT", "value": "8000" }] });
    let (desired, observed) = hand_made(&load(""), own.clone(), json!({}));
    let remedy = refused(&desired, &observed).unwrap().remedy;
    assert!(remedy.contains("port-variable = \"\"") && remedy.contains("PORT = \"8000\""), "{remedy}");
    let environment = parse(&pasted(FILE, &remedy));
    let desired = Desired { environment, release: desired.release };
    assert_eq!(refused(&desired, &observed), None);
    let backend = &desired.environment.services[0];
    let spec = task_definition_spec(&desired, backend, &observed);
    assert_eq!(spec.of_container("backend", "environment").unwrap()["PORT"], "8000");
}
