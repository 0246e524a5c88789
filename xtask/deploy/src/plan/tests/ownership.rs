//! What belongs to somebody else, what was renamed, and what is no longer in deploy.toml.

use std::collections::BTreeMap;

use super::account::{converged, desired};
use super::*;
use crate::model::spec::{Condition, ConditionField, FixedResponseSpec, RuleAction, RuleSpec, normal};
use crate::model::{Neighbour, Owner, RuleState};

/// What is changed, how, and a part of the refusal.
type Case = (&'static str, fn(&mut Desired, &mut Observed), &'static str);

const CASES: [Case; 17] = [
    (
        "a target group of another environment",
        |_, now| another(now, "ielts-backend-tg"),
        "target group ielts-backend-tg belongs to environment `staging`",
    ),
    (
        "a load balancer of another environment",
        |_, now| another(now, "lb"),
        "load balancer ielts-prod-alb belongs to",
    ),
    (
        "a cluster of another environment, with its lease",
        |_, now| another(now, "cluster"),
        "cluster ielts-prod-cluster belongs to",
    ),
    ("a namespace of another environment", |_, now| another(now, "ns"), "namespace ielts.local belongs to"),
    (
        "a scalable target of another environment",
        |_, now| another(now, "target-backend"),
        "the scalable target of ielts-backend-service belongs to",
    ),
    (
        "a family of another environment",
        |_, now| another(now, "arn:aws:ecs:r:a:task-definition/ielts-backend:1"),
        "task definition family ielts-backend belongs to",
    ),
    ("another application", |wanted, _| wanted.environment.app = "acme".into(), "of application `ielts`"),
    (
        "a target group that another service uses",
        |_, now| now.neighbours.push(neighbour("web", "shop")),
        "is used by service web of cluster shop",
    ),
    (
        "a target group with targets of nobody known",
        |_, now| {
            now.strays.insert("ielts-backend-tg".into(), 2);
        },
        "has 2 registered targets",
    ),
    (
        "BLUE_GREEN",
        |_, now| backend(now).foreign_way = Some("BLUE_GREEN".into()),
        "is deployed by BLUE_GREEN",
    ),
    (
        "several target groups",
        |_, now| {
            let one = backend(now).spec.load_balancers[0].clone();
            backend(now).spec.load_balancers.push(one);
        },
        "has 2 target groups",
    ),
    ("a network load balancer", |_, now| group(now).spec.protocol = "TCP".into(), "takes TCP"),
    (
        "a renamed target group",
        |wanted, _| wanted.environment.services[0].target_group.name = "new-tg".into(),
        "is served through target group ielts-backend-tg",
    ),
    ("a renamed load balancer", |_, now| now.load_balancer = None, "belongs to load balancer lb"),
    (
        "a renamed namespace",
        |wanted, _| wanted.environment.namespace = "new.local".into(),
        "is in namespace ielts.local",
    ),
    (
        "a renamed endpoint",
        |wanted, _| {
            wanted.environment.services[0].connect.as_mut().unwrap().own.discovery_name = "api".into()
        },
        "reach it as `backend`",
    ),
    (
        "a Service Connect name that is taken",
        |_, now| {
            now.services.remove(&ServiceKey("backend".into()));
            now.neighbours.push(Neighbour {
                target_groups: Vec::new(),
                endpoints: vec!["backend".into()],
                ..neighbour("old", "ielts-prod-cluster")
            });
        },
        "Service Connect name backend is used by service old",
    ),
];

fn another(observed: &mut Observed, arn: &str) {
    let owner = Owner { app: "ielts".into(), environment: "staging".into() };
    assert!(observed.made.as_mut().unwrap().insert(arn.to_owned(), owner).is_some(), "{arn}");
}

fn group(observed: &mut Observed) -> &mut crate::model::TargetGroupState {
    observed.target_groups.get_mut("ielts-backend-tg").unwrap()
}

fn neighbour(name: &str, cluster: &str) -> Neighbour {
    Neighbour {
        name: name.into(),
        cluster: cluster.into(),
        arn: format!("arn:aws:ecs:r:a:service/{cluster}/{name}"),
        target_groups: vec!["ielts-backend-tg".into()],
        endpoints: Vec::new(),
    }
}

#[test]
fn what_would_take_from_others_or_fail_requests_is_refused_before_anything_is_written() {
    for (about, change, words) in CASES {
        let (mut wanted, mut now) = (desired(), converged());
        change(&mut wanted, &mut now);
        let refusals = plan(&wanted, &now).refusals;
        assert!(refusals.iter().any(|refusal| refusal.what.contains(words)), "{about}: {refusals:#?}");
    }
}

#[test]
fn a_selected_load_balancer_may_be_another_environment_s() {
    let (mut wanted, mut now) = (desired(), converged());
    another(&mut now, "lb");
    wanted.environment.load_balancer.existing = true;
    assert_eq!(plan(&wanted, &now).refusals, []);
}

/// A rule that somebody made.
fn by_hand(priority: u32, on: ConditionField, values: &[&str], action: RuleAction) -> RuleState {
    let values = values.iter().map(ToString::to_string).collect();
    let spec = RuleSpec { priority, conditions: normal(vec![Condition { on, values }]), action };
    RuleState { arn: format!("by hand {priority}"), spec }
}

#[test]
fn a_rule_of_somebody_else_that_takes_a_route_s_requests_is_refused_and_another_one_is_named_and_left() {
    use ConditionField::{Host, Other, Path};
    let to = |group: &str| RuleAction::Forward(group.to_owned());
    let closed = RuleAction::Respond(FixedResponseSpec { status: 503, content_type: None, body: None });
    for (on, values, action, refused, noted) in [
        (Path, &["/api/*"][..], to("other-tg"), true, false),
        (Path, &["/x", "/*"], to("other-tg"), true, false),
        (Path, &["/*"], closed, true, false),
        (Host, &["*"], to("other-tg"), true, false),
        (Path, &["/api/v1/*"], to("other-tg"), false, false),
        (Host, &["app.example.com"], to("other-tg"), false, true),
        (Other("path-pattern regex".into()), &["*"], to("other-tg"), false, true),
        (Path, &["/api/v1/*"], to("ielts-backend-tg"), false, true),
    ] {
        let mut now = converged();
        now.rules.push(by_hand(50, on.clone(), values, action));
        let plan = plan(&desired(), &now);
        let found = (!plan.refusals.is_empty(), !plan.notes.is_empty());
        assert_eq!(found, (refused, noted), "{on:?} {values:?}: {:#?} {:#?}", plan.refusals, plan.notes);
        assert!(plan.is_empty(), "{:#?}", plan.stages);
    }
}

#[test]
fn the_port_of_a_target_group_is_only_a_default() {
    let (mut wanted, mut now) = (desired(), converged());
    group(&mut now).spec.port = 80;
    assert!(plan(&wanted, &now).is_empty());
    wanted.environment.services[0].container.port = 8081;
    let plan = plan(&wanted, &now);
    assert_eq!(plan.refusals, []);
    assert_eq!(
        titles(&plan),
        ["register task definition ielts-backend", "update service ielts-backend-service"]
    );
}

/// An account of which this tool made these.
fn made(resources: &[&str]) -> Observed {
    let owner = Owner::of(&desired().environment);
    let arn = |resource: &&str| format!("arn:aws:{resource}");
    let made: BTreeMap<_, _> = resources.iter().map(arn).map(|arn| (arn, owner.clone())).collect();
    Observed { made: Some(made), ..converged() }
}

#[test]
fn what_is_not_in_deploy_toml_any_more_is_listed_once_and_data_is_not_deleted() {
    let now = made(&[
        "ecs:r:a:service/ielts-prod-cluster/ielts-backend-service",
        "ecs:r:a:service/ielts-prod-cluster/ielts-worker",
        "ecs:r:a:service/old-cluster/ielts-backend-service",
        "ecs:r:a:task-definition/ielts-worker:1",
        "ecs:r:a:task-definition/ielts-worker:2",
        "ecs:r:a:task/ielts-prod-cluster/1",
        "elasticloadbalancing:r:a:loadbalancer/app/old/1",
        "elasticloadbalancing:r:a:listener/app/old/1/2",
        "elasticloadbalancing:r:a:listener-rule/app/old/1/2/3",
        "elasticloadbalancing:r:a:listener-rule/app/ielts-prod-alb/1/2/3",
        "elasticloadbalancing:r:a:targetgroup/ielts-worker-tg/1",
        "ecr:r:a:repository/ielts/worker",
    ]);
    let found = orphans(&desired().environment, &now);
    let names: Vec<_> = found.iter().map(|owned| format!("{} {}", owned.kind.words(), owned.name)).collect();
    assert_eq!(
        names,
        [
            "service ielts-backend-service",
            "service ielts-worker",
            "rule 3",
            "load balancer old",
            "target group ielts-worker-tg",
            "repository ielts/worker",
            "task definitions of family ielts-worker",
        ]
    );
    let plan = removal(&found, &[], "gone from deploy.toml");
    assert_eq!(titles(&plan).len(), 5, "images and the record of releases are kept: {:#?}", titles(&plan));
    assert!(plan.steps().all(|step| step.sign() == "-"));
}

#[test]
fn down_deletes_what_this_tool_made_clients_first_and_names_the_rest() {
    let environment = desired().environment;
    let service = |name: &str| format!("arn:aws:ecs:r:a:service/ielts-prod-cluster/{name}");
    let there: Vec<_> = ["ielts-backend-service", "ielts-frontend-service"]
        .iter()
        .filter_map(|name| crate::model::Owned::parse(&service(name)))
        .collect();
    let mut now = converged();
    let made = now.made.as_mut().unwrap();
    made.remove("lb");
    let staging = Owner { app: "ielts".into(), environment: "staging".into() };
    let group = now.target_groups["ielts-backend-tg"].arn.clone();
    made.insert(group, staging);
    let plan = down(&environment, &now, &there);
    assert_eq!(
        titles(&plan),
        ["delete service ielts-frontend-service", "delete service ielts-backend-service"]
    );
    let notes = [
        "target group ielts-backend-tg: kept, created for environment `staging` of application `ielts`",
        "load balancer ielts-prod-alb: kept, not created by this tool",
    ];
    assert_eq!(plan.notes, notes);
}

#[test]
fn a_service_whose_endpoint_goes_rolls_after_the_clients_that_still_use_it() {
    let mut wanted = desired();
    wanted.environment.services[0].connect = None;
    wanted.environment.services[1].container.environment.insert("NEW".into(), "1".into());
    let plan = plan(&wanted, &converged());
    assert_eq!(plan.refusals, []);
    let order: Vec<_> = stages(&plan).into_iter().flat_map(|(_, settle)| settle).collect();
    assert_eq!(order, ["frontend", "backend"]);
}

#[test]
fn a_first_deploy_in_a_region_says_that_it_sees_no_other() {
    assert!(plan(&desired(), &empty()).notes.iter().any(|note| note.contains("another region is not seen")));
    assert_eq!(plan(&desired(), &converged()).notes, Vec::<String>::new());
}
