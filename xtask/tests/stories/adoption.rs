//! Services that somebody made by hand, and the first release onto them.

use std::collections::BTreeMap;

use deploy::event::{ExitCode, Kind};
use deploy::model::spec::{Members, TaskDefinitionSpec};
use serde_json::{Value, json};
use sim::fault::{Fault, On};

use crate::ended::Ended;
use crate::somebody::{Moment, ecs};
use crate::world::{FILE, World, production, story};

/// Service Connect as the console and the AWS CLI can set it, and no key of the tool's said for long.
fn connect() -> Value {
    json!({
        "enabled": true,
        "namespace": "ielts.local",
        "logConfiguration": { "logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/connect", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "proxy" } },
        "accessLogConfiguration": { "format": "JSON" },
        "services": [{
            "portName": "backend",
            "discoveryName": "backend",
            "clientAliases": [{ "port": 8080, "dnsName": "backend.ielts.local" }],
            "ingressPortOverride": 15000,
            "timeout": { "perRequestTimeoutSeconds": 120, "idleTimeoutSeconds": 600 },
            "tls": {
                "issuerCertificateAuthority": { "awsPcaAuthorityArn": "arn:aws:acm-pca:ap-southeast-1:123456789012:certificate-authority/1" },
                "kmsKey": "arn:aws:kms:ap-southeast-1:123456789012:key/1",
                "roleArn": "arn:aws:iam::123456789012:role/ielts-prod-task-role",
            },
        }],
    })
}

impl World {
    /// Production as somebody's hand left it: a backend of these members, and nothing with this tool's tags.
    pub(crate) async fn hand_made(own: Value, update: Value) -> Self {
        let mut world = Self::new().await;
        world.rights = None;
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        world.cloud.add_rule(On::operation("GetResources").then(Fault::AccessDenied));
        world.by_hand(own, update).await;
        world
    }

    /// Registers the backend's definition with other members and updates the service, as with the AWS CLI.
    async fn by_hand(&self, own: Value, mut update: Value) {
        let backend = self.environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
        let mut members =
            self.aws.describe_task_definition(&backend.family).await.unwrap().spec.members().clone();
        members.put(&["containerDefinitions", "backend"], Value::from(&Members::of(own)));
        let spec = TaskDefinitionSpec::of(members);
        let made = self.aws.register_task_definition(&spec, &BTreeMap::new()).await.unwrap();
        update["cluster"] = json!(self.environment.cluster);
        update["service"] = json!(backend.name);
        update["taskDefinition"] = json!(made.arn);
        ecs(&self.cloud, "UpdateService", &update).unwrap();
        let (_, revision) = made.arn.rsplit_once('/').unwrap();
        self.somebody().await.waits_for(Moment::Complete, revision).await;
    }

    /// `serviceConnectConfiguration` as DescribeServices shows it.
    pub(crate) fn connect_of_backend(&self) -> Value {
        let backend = self.environment.services.iter().find(|service| service.key.0 == "backend").unwrap();
        let body = json!({ "cluster": self.environment.cluster, "services": [backend.name] });
        let reply = ecs(&self.cloud, "DescribeServices", &body).unwrap();
        reply["services"][0]["deployments"][0]["serviceConnectConfiguration"].clone()
    }
}

fn refusal(ended: &Ended) -> (String, String) {
    let failed = ended.events.iter().find_map(|event| match event {
        Kind::Failed { error, hint } => Some((error.clone(), hint.clone().unwrap_or_default())),
        _ => None,
    });
    failed.unwrap_or_else(|| panic!("{:?}", ended.events))
}

#[test]
fn a_first_release_that_would_lose_something_writes_nothing_and_names_the_lines_that_keep_it() {
    story(async || {
        let own = json!({ "ulimits": [{ "name": "nofile", "softLimit": 1024, "hardLimit": 2048 }],
                          "environment": [{ "name": "EXTRA", "value": "1" }] });
        let mut world = World::hand_made(own, json!({ "propagateTags": "SERVICE" })).await;
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{:?}", ended.events);
        let (error, hint) = refusal(&ended);
        assert!(error.ends_with("environment.EXTRA, ulimits, propagateTags"), "{error}");

        // The lines that it prints, and the same again.
        let (_, lines) = hint.split_once("\n\n").unwrap();
        world.environment = production(&format!("{FILE}\n{lines}"));
        let kept = world.deploy("v1", "v1").await;
        assert_eq!(kept.exit, ExitCode::Done, "{:?}", kept.events);
        assert_eq!(kept.rolled(), Vec::<String>::new(), "nothing differs\n{lines}");
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes.len()), (ExitCode::Done, 0), "{:?}", again.writes);
    });
}

#[test]
fn endpoints_that_the_file_does_not_say_are_refused_with_the_lines_that_keep_them() {
    story(async || {
        let own = json!({ "portMappings": [
            { "containerPort": 8080, "name": "backend", "appProtocol": "http" },
            { "containerPort": 9090, "name": "rpc", "appProtocol": "grpc" }] });
        let mut connect = connect();
        let further = json!([
            { "portName": "rpc", "discoveryName": "grpc", "clientAliases": [{ "port": 9090 }],
              "timeout": { "perRequestTimeoutSeconds": 0 } },
            { "portName": "backend", "discoveryName": "legacy", "clientAliases": [{ "port": 80, "dnsName": "api" }] }]);
        connect["services"].as_array_mut().unwrap().extend(further.as_array().unwrap().clone());
        let mut world = World::hand_made(own, json!({ "serviceConnectConfiguration": connect })).await;
        let before = world.connect_of_backend();
        let ended = world.deploy("v1", "v1").await;
        assert_eq!((ended.exit, ended.writes.len()), (ExitCode::Usage, 0), "{:?}", ended.events);
        let (error, hint) = refusal(&ended);
        assert!(error.contains("connect.endpoint.grpc, connect.endpoint.legacy"), "{error}");
        let (_, lines) = hint.split_once("\n\n").unwrap();
        for line in [
            "[service.backend.connect.endpoint.grpc]",
            "port = 9090",
            "app-protocol = \"grpc\"",
            "port-name = \"rpc\"",
        ] {
            assert!(lines.contains(line), "{line} is not in\n{lines}");
        }
        let mut file: toml::Table = toml::from_str(FILE).unwrap();
        crate::wants::merge(&mut file, toml::from_str(lines).unwrap());
        world.environment = production(&toml::to_string(&file).unwrap());
        let kept = world.deploy("v1", "v1").await;
        // Its client was made before the further endpoints, and does not know them.
        assert_eq!(
            (kept.exit, kept.rolled()),
            (ExitCode::Done, vec!["frontend"]),
            "{:?}\n{lines}",
            kept.events
        );
        // Another release keeps each of them with what only `aws` tables say.
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Done);
        let names = |shown: &Value| {
            let all = shown["services"].as_array().unwrap().iter();
            all.map(|it| (it["discoveryName"].to_string(), it.clone())).collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (names(&before), names(&world.connect_of_backend()));
        assert_eq!(before["\"backend\""], after["\"backend\""]);
        assert_eq!(before["\"legacy\""], after["\"legacy\""]);
        assert_eq!(before["\"grpc\""]["timeout"], after["\"grpc\""]["timeout"]);
        assert_eq!(after.len(), 3);
    });
}

#[test]
fn with_adopt_the_first_release_goes_on_and_the_next_one_is_like_any_other() {
    story(async || {
        let mut world = World::hand_made(json!({ "user": "1000" }), json!({})).await;
        world.adopts = true;
        let before = world.aws.describe_task_definition("ielts-backend").await.unwrap().arn;
        world.aws.tag_ecs_resource(&before, &[("team".to_owned(), "core".to_owned())].into()).await.unwrap();
        let ended = world.deploy("v1", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:?}", ended.events);
        let now = world.aws.describe_task_definition("ielts-backend").await.unwrap();
        assert_ne!(now.arn, before);
        assert_eq!((&*now.tags["team"], &*now.tags["release"]), ("core", "release-2"), "{:?}", now.tags);
        world.adopts = false;
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes.len()), (ExitCode::Done, 0), "{:?}", again.writes);
    });
}

#[test]
fn what_service_connect_has_beside_the_keys_survives_every_update() {
    story(async || {
        let mut world =
            World::hand_made(json!({}), json!({ "serviceConnectConfiguration": connect() })).await;
        let before = world.connect_of_backend();
        for name in
            ["/services/0/tls", "/services/0/timeout", "/services/0/ingressPortOverride", "/logConfiguration"]
        {
            assert!(before.pointer(name).is_some(), "{name}: {before}");
        }
        let members = ["tls", "timeout", "ingressPortOverride"];
        let kept = |now: &Value| {
            let same = |path: &str| before.pointer(path) == now.pointer(path);
            members.iter().all(|name| same(&format!("/services/0/{name}")))
                && same("/logConfiguration")
                && same("/accessLogConfiguration")
        };
        // Another revision, another alias, and other settings of the service.
        assert_eq!(world.deploy("v2", "v1").await.exit, ExitCode::Done);
        assert!(kept(&world.connect_of_backend()), "{}", world.connect_of_backend());
        let backend =
            world.environment.services.iter_mut().find(|service| service.key.0 == "backend").unwrap();
        backend.connect.as_mut().unwrap().own.alias.port = 9090;
        let ended = world.deploy("v2", "v1").await;
        assert_eq!(ended.exit, ExitCode::Done, "{:?}", ended.events);
        assert_eq!(world.connect_of_backend()["services"][0]["clientAliases"][0]["port"], 9090);
        assert!(kept(&world.connect_of_backend()), "{}", world.connect_of_backend());
        let rolled_back = world.rollback(None).await.unwrap();
        assert_eq!(rolled_back.exit, ExitCode::Done, "{:?}", rolled_back.events);
        assert!(kept(&world.connect_of_backend()), "{}", world.connect_of_backend());
    });
}

#[test]
fn attributes_of_the_load_balancer_are_set_once_and_those_of_others_stay() {
    story(async || {
        let mut world = World::new().await;
        let attributes = &mut world.environment.load_balancer.aws.attributes;
        attributes.insert("idle_timeout.timeout_seconds".to_owned(), "120".to_owned());
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let balancer = world.aws.describe_load_balancer("ielts-prod-alb").await.unwrap().unwrap().state.arn;
        let by_hand = [("routing.http.drop_invalid_header_fields.enabled".to_owned(), "true".to_owned())];
        world.aws.set_load_balancer_attributes(&balancer, &by_hand.into()).await.unwrap();
        let again = world.deploy("v1", "v1").await;
        assert_eq!((again.exit, again.writes.len()), (ExitCode::Done, 0), "{:?}", again.writes);
        world
            .environment
            .load_balancer
            .aws
            .attributes
            .insert("idle_timeout.timeout_seconds".into(), "90".into());
        assert_eq!(world.deploy("v1", "v1").await.exit, ExitCode::Done);
        let found = world.aws.describe_load_balancer_attributes(&balancer).await.unwrap();
        assert_eq!(found["idle_timeout.timeout_seconds"], "90");
        assert_eq!(found["routing.http.drop_invalid_header_fields.enabled"], "true");
    });
}

#[test]
fn a_threshold_that_an_endpoint_does_not_show_is_proven_as_the_aws_table_has_it() {
    story(async || {
        let mut world = World::hand_made(json!({}), json!({})).await;
        world.front_door.leaves_out("thresholdConfiguration");
        // As `init` writes it for a service that somebody made without one.
        let threshold = json!({ "thresholdConfiguration": { "type": "BOUNDED_PERCENT", "value": 50 } });
        let breaker = json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": threshold } });
        world.environment.services[0].aws.service = Members::of(breaker);
        let ended = world.deploy("v2", "v1").await;
        assert_eq!((ended.exit, ended.rolled()), (ExitCode::Done, vec!["backend"]), "{:?}", ended.events);
        let again = world.deploy("v2", "v1").await;
        assert_eq!((again.exit, again.writes.len()), (ExitCode::Done, 0), "{:?}", again.writes);
    });
}
