//! Judgements of facts that the embedded cloud does not show.

use serde_json::json;

use super::*;
use crate::model::Protocol;

const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:1:certificate/c";

fn environment() -> Environment {
    let text = include_str!("../../tests/fixtures/ielts.toml");
    crate::config::load("deploy.toml", text, Some("prod")).unwrap().environment
}

/// All names of the file are found, and the private subnets lead to this target.
fn facts(environment: &Environment, target: &str, state: &str) -> Facts {
    let named = environment.services.iter().flat_map(|it| environment.subnets(it));
    let mut ids: std::collections::BTreeMap<_, _> =
        named.map(|name| (name.text().to_owned(), format!("subnet-{}", name.text()))).collect();
    ids.insert(environment.network.vpc.text().to_owned(), "vpc-1".to_owned());
    let route = Route { to: "0.0.0.0/0".into(), target: target.into(), state: state.into() };
    let table = RouteTable { id: "rtb-1".into(), main: true, routes: vec![route], ..RouteTable::default() };
    Facts {
        landing: Some(Ok(Landing { ids, ..Landing::default() })),
        route_tables: Some(Ok(vec![table])),
        nat_gateways: Some(Ok([("nat-1".to_owned(), "failed".to_owned())].into())),
        endpoints: Some(Ok(Vec::new())),
        ..Facts::default()
    }
}

/// The first line of a group.
fn first(environment: &Environment, facts: &Facts, group: &str) -> (State, String) {
    let report = judge(environment, facts);
    let group = report.groups.into_iter().find(|own| own.name == group).unwrap();
    (group.checks[0].state, group.checks[0].evidence.clone())
}

#[test]
fn a_default_route_is_judged_by_what_it_leads_to() {
    let mut environment = environment();
    let cases = [
        ("nat-2", "active", false, State::Ok),
        ("nat-1", "active", false, State::Fail),
        ("nat-2", "blackhole", false, State::Fail),
        ("igw-1", "active", false, State::Fail),
        ("igw-1", "active", true, State::Ok),
        ("tgw-1", "active", false, State::Unknown),
    ];
    for (target, state, public, wanted) in cases {
        environment.network.assign_public_ip = public;
        let found = first(&environment, &facts(&environment, target, state), "routes");
        assert_eq!(found.0, wanted, "{target} {state} {public}: {}", found.1);
    }
}

#[test]
fn an_image_of_another_registry_needs_the_internet() {
    let mut environment = environment();
    let mut facts = facts(&environment, "nat-2", "active");
    facts.route_tables.as_mut().unwrap().as_mut().unwrap()[0].routes.clear();
    let endpoint = |name: &str| Endpoint {
        service: format!("com.amazonaws.{}.{name}", environment.region),
        interface: true,
        private_dns: true,
        state: "available".into(),
        ..Endpoint::default()
    };
    let all = ["ecr.api", "ecr.dkr", "s3", "logs", "ssmmessages"].map(endpoint);
    facts.endpoints = Some(Ok(all.to_vec()));
    assert_eq!(first(&environment, &facts, "routes").0, State::Ok);
    environment.services[0].image = Some("ghcr.io/them/app:1".into());
    let (state, text) = first(&environment, &facts, "routes");
    assert!(state == State::Fail && text.ends_with("no endpoint leads to registries of others"), "{text}");
}

#[test]
fn a_role_is_trusted_under_conditions_that_tasks_meet() {
    let environment = environment();
    let account = "123456789012";
    let trusted = |condition: serde_json::Value| {
        let mut trust = json!({ "Statement": { "Effect": "Allow", "Principal": { "Service": ["ecs-tasks.amazonaws.com"] }, "Action": "sts:AssumeRole" } });
        trust["Statement"]["Condition"] = condition;
        let role = TaskRole { trust, rights: None };
        let facts = Facts {
            caller: Some(Ok((account.into(), "arn".into()))),
            roles: [("role".to_owned(), Ok(Some(role)))].into(),
            ..Facts::default()
        };
        first(&environment, &facts, "roles").0 == State::Ok
    };
    let source = |arn: &str| json!({ "ArnLike": { "aws:SourceArn": arn } });
    assert!(trusted(json!(null)));
    assert!(trusted(json!({ "StringEquals": { "aws:SourceAccount": account } })));
    assert!(!trusted(json!({ "StringEquals": { "aws:SourceAccount": "999999999999" } })));
    assert!(trusted(source(&format!("arn:aws:ecs:{}:{account}:*", environment.region))));
    assert!(trusted(source("arn:aws:ecs:*")));
    // No task's ARN is ever there.
    assert!(!trusted(source(&format!("arn:aws:ecs:{}:{account}:task/prod/1", environment.region))));
    assert!(!trusted(source(&format!("arn:aws:ecs:xx-west-1:{account}:*"))));
}

#[test]
fn an_action_is_allowed_when_it_is_on_everything_of_one_kind() {
    let decision =
        |resource: &str, allowed| Decision { action: "elb:X".into(), resource: resource.into(), allowed };
    let elb = |rest: &str| format!("arn:aws:elasticloadbalancing:r:1:{rest}");
    let of_groups = [decision(&elb("targetgroup/a/*"), true), decision(&elb("loadbalancer/app/l/*"), false)];
    assert_eq!(account::denied(&[of_groups.to_vec()]), []);
    let one_group = [decision(&elb("targetgroup/a/*"), true), decision(&elb("targetgroup/b/*"), false)];
    let refused = elb("targetgroup/b/*");
    assert_eq!(account::denied(&[one_group.to_vec()]), [("elb:X", refused.as_str())]);
}

#[test]
fn a_certificate_that_ends_soon_is_a_warning_and_is_of_one_label() {
    let mut environment = environment();
    environment.load_balancer.host = Some("www.app.test".into());
    environment.load_balancer.listener.protocol = Protocol::Https;
    environment.load_balancer.listener.certificate = Some(CERTIFICATE.into());
    let state = |days: u64, name: &str| {
        let certificate = Certificate {
            status: "ISSUED".into(),
            names: vec![name.into()],
            not_after_ms: Some(days * 86_400_000),
        };
        let facts = Facts {
            certificates: [(CERTIFICATE.to_owned(), Ok(Some(certificate)))].into(),
            ..Facts::default()
        };
        first(&environment, &facts, "public name").0
    };
    assert_eq!(
        [state(90, "*.app.test"), state(5, "*.app.test"), state(90, "*.test")],
        [State::Ok, State::Warn, State::Fail]
    );
}

#[test]
fn the_tree_fits_into_its_columns_and_colors_only_the_state() {
    let environment = environment();
    let mut facts = facts(&environment, "nat-2", "blackhole");
    facts.quotas = Some(Err(Unread {
        why: "not allowed to read quotas (servicequotas:ListServiceQuotas)".into(),
        remedy: Some("allow servicequotas:ListServiceQuotas in the policy of the caller's role".into()),
    }));
    let text = crate::view::doctor(&judge(&environment, &facts), Some(80), |_, word| format!("<{word}>"));
    insta::assert_snapshot!(text);
}
