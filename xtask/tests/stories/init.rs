//! `init --cluster`: what it writes for accounts made at random, and whether a plan of that changes nothing.

use std::collections::BTreeMap;

use deploy::config;
use deploy::model::spec::{
    Condition, ConditionField, FixedResponseSpec, LogGroupSpec, PolicySpec, RepositorySpec, RuleAction,
    RuleSpec, ScalableTargetSpec, ScheduledActionSpec, TargetGroupSpec, normal_members,
};
use deploy::model::{Environment, Service, ServiceKey};
use serde_json::{Value, json};
use xtask::host::Rng;
use xtask::observe;

use crate::somebody::ecs;
use crate::wants::asked;
use crate::world::{World, story};

mod account;
mod refused;

use account::Account;

const SEEDS: u64 = 24;

/// The file that is written, and what a plan of it would change.
async fn written(world: &World) -> (String, Vec<String>, Vec<String>) {
    let Environment { region, cluster, .. } = &world.environment;
    let before = world.cloud.calls().len();
    let draft = observe::draft(&world.aws, region, cluster, &[], &[]).await.unwrap();
    let calls = world.cloud.calls().split_off(before);
    assert!(calls.iter().all(|call| !call.write), "init only reads");
    let text = draft.text();
    // As the file's first lines say, the embedded cloud takes it too.
    if let Err(report) = config::load("deploy.toml", &text, None) {
        return (text, draft.left.clone(), vec![report.render(false)]);
    }
    let environment = match config::load("deploy.toml", &text, Some(&draft.env)) {
        Ok(loaded) => loaded.environment,
        Err(report) => return (text, draft.left.clone(), vec![report.render(false)]),
    };
    let observed = observe::account(&world.aws, &environment).await.unwrap();
    let mut release = world.release("init", None);
    release.images = draft.images().clone();
    let desired = deploy::model::Desired { environment, release };
    let mut plan = deploy::plan::plan(&desired, &observed);
    // Each rule is a route of the file, or named as left out.
    let is_left = |note: &&String| {
        draft.left.iter().any(|left| note.starts_with(left.split(':').next().unwrap_or(left)))
    };
    let strangers =
        plan.notes.iter().filter(|note| note.contains("is asked before routes") && !is_left(note));
    assert_eq!(strangers.count(), 0, "{:?}\n{text}", plan.notes);
    deploy::plan::refuse_losses(&mut plan, &desired, &observed);
    let refused = plan.refusals.iter().map(|refusal| format!("{} {}", refusal.what, refusal.remedy));
    let changes = plan.steps().map(|step| format!("{} {:?}", step.action.title(), step.why)).chain(refused);
    (text, draft.left.clone(), changes.collect())
}

/// A worker as somebody makes it by hand: out of Service Connect, with a port without a name, and with whatever CreateService
/// has by default.
async fn worker(world: &World, name: &str, family: &str) {
    let World { aws, environment, cloud, .. } = world;
    let backend = &environment.services[0];
    let uri = &aws.find_repositories(&[&backend.repository.name]).await.unwrap()[0].uri;
    let digest = &world.images("v1", "v1")[&backend.key].digest;
    let definition = json!({
        "family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [{ "name": "Worker", "image": format!("{uri}@{digest}"),
            "portMappings": [{ "containerPort": 9464 }],
            "environment": [{ "name": "logging.level", "value": "info" }],
            "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/ielts-backend",
                "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "ecs" } } }],
    });
    let made = ecs(cloud, "RegisterTaskDefinition", &definition).unwrap();
    let found = aws.find_services(&environment.cluster, &[&backend.name], &Default::default()).await.unwrap();
    let spec = &found[0].spec;
    let service = json!({ "cluster": environment.cluster, "serviceName": name, "desiredCount": 1, "launchType": "FARGATE",
        "taskDefinition": made["taskDefinition"]["taskDefinitionArn"],
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": spec.subnets, "securityGroups": spec.security_groups } } });
    ecs(cloud, "CreateService", &service).unwrap();
}

#[test]
fn whatever_runs_a_plan_of_the_file_that_init_writes_changes_nothing() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        worker(&world, "mailer", "mailer").await;
        worker(&world, "sweeper", "sweeper").await;
        let (mut wrong, mut tags, mut endpoints) = (Vec::new(), 0, 0);
        for seed in 0..SEEDS {
            let account = Account { world: &world, rng: Rng::from_seed(seed) };
            account.change().await;
            let (text, mut left, changes) = written(&world).await;
            left.retain(|line| !line.contains(".sidecar.agent: runs datadog/agent:7, whatever"));
            endpoints = endpoints.max(text.matches("[service.backend.connect.endpoint.").count());
            tags += usize::from(text.contains(".sidecar.agent: runs datadog/agent:7"));
            if !changes.is_empty() || !left.is_empty() {
                wrong.push(format!("seed {seed}: {changes:?} {left:?}\n{text}"));
            }
        }
        assert!(tags > 0, "a sidecar that runs by a tag is named");
        assert!(endpoints > 3, "a service has endpoints beside its own");
        assert!(wrong.is_empty(), "{} accounts\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn a_rule_that_somebody_made_by_hand_is_a_route_of_the_file() {
    story(async || {
        let world = World::hand_made(json!({}), json!({})).await;
        let environment = &world.environment;
        let balancer =
            world.aws.describe_load_balancer(&environment.load_balancer.name).await.unwrap().unwrap();
        let listener = world.aws.describe_listeners(&balancer.state.arn).await.unwrap().remove(0).state;
        let rules = world.aws.describe_rules(&listener.arn).await.unwrap();
        let to_frontend = |rule: &RuleSpec| rule.forwards().iter().any(|name| name.contains("frontend"));
        let group = world.aws.find_target_groups(&["ielts-frontend-tg"]).await.unwrap().remove(0).state;
        let by_hand = RuleSpec {
            priority: 77,
            conditions: vec![Condition {
                on: ConditionField::Header("x-beta".into()),
                values: vec!["yes".into()],
            }],
            action: RuleAction::Forward("ielts-frontend-tg".into()),
        };
        world.aws.create_rule(&listener.arn, &by_hand, &group.arn, &BTreeMap::new()).await.unwrap();
        let (text, left, changes) = written(&world).await;
        assert_eq!((left, changes), (Vec::new(), Vec::new()), "{text}");
        assert!(text.contains("x-beta"), "{text}");
        assert_eq!(
            rules
                .iter()
                .filter_map(|rule| rule.state.as_ref())
                .filter(|rule| to_frontend(&rule.spec))
                .count(),
            2
        );
        let environment = config::load("deploy.toml", &text, Some("prod")).unwrap().environment;
        assert_eq!(environment.service(&ServiceKey("frontend".into())).unwrap().routes.len(), 3);
        let answers = FixedResponseSpec { status: 410, content_type: None, body: None };
        let answers = RuleSpec {
            priority: 78,
            conditions: vec![Condition { on: ConditionField::Path, values: vec!["/old".into()] }],
            action: RuleAction::Respond(answers),
        };
        world.aws.create_rule(&listener.arn, &answers, &group.arn, &BTreeMap::new()).await.unwrap();
        // Another for the same requests, which none of them ever gets to.
        let dead = RuleSpec { priority: 99, ..by_hand };
        world.aws.create_rule(&listener.arn, &dead, &group.arn, &BTreeMap::new()).await.unwrap();
        let (text, left, changes) = written(&world).await;
        assert!(left.len() == 2 && left[0].starts_with("rule 78 /old"), "{left:?}");
        assert!(left[1].ends_with("it stays; another takes the same requests first"), "{left:?}");
        assert!(changes.is_empty() && text.contains("# - rule 78 /old"), "{changes:?} {text}");
    });
}
