//! Listener rules that change: what is answered in between is answered as before or as wanted.

use std::collections::BTreeMap;

use super::account::{converged, desired};
use super::*;
use crate::model::spec::{Condition, ConditionField, RuleSpec};

/// The rules of an account by priority, as a plan's steps change them, after each step; deletions last.
fn rules_after_each_step(plan: &Plan, observed: &Observed) -> Vec<BTreeMap<u32, String>> {
    let of = |rule: &RuleSpec| (rule.priority, format!("{} → {}", rule.requests(), rule.action));
    let mut rules: BTreeMap<u32, String> = observed.rules.iter().map(|it| of(&it.spec)).collect();
    let mut all = Vec::new();
    for step in plan.steps() {
        match &step.action {
            Action::CreateRule(rule) => {
                assert_eq!(rules.insert(rule.priority, of(rule).1), None, "{plan:#?}")
            }
            Action::ModifyRule(rule) => assert!(rules.insert(rule.priority, of(rule).1).is_some()),
            Action::DeleteRule(rule) => assert_eq!(rules.remove(&rule.priority), Some(of(rule).1)),
            Action::MoveRules { moves } => {
                let moved: Vec<_> = moves.iter().map(|it| (it.to, rules.remove(&it.from).unwrap())).collect();
                for (to, rule) in moved {
                    assert_eq!(rules.insert(to, rule), None, "{plan:#?}");
                }
            }
            _ => continue,
        }
        all.push(rules.clone());
    }
    all
}

fn route(desired: &mut Desired, path: &str) -> usize {
    desired.environment.services[0].routes.iter().position(|route| route.path == path).unwrap()
}

#[test]
fn rules_that_change_places_do_so_in_one_call() {
    let mut desired = desired();
    let (one, other) = (route(&mut desired, "/actuator/health"), route(&mut desired, "/api/*"));
    let routes = &mut desired.environment.services[0].routes;
    let priority = std::mem::replace(&mut routes[one].priority, 100);
    routes[other].priority = priority;
    let observed = converged();
    let plan = plan(&desired, &observed);
    assert_eq!(titles(&plan), ["move rules /actuator/health 10 → 100, /api/* 100 → 10"]);
    rules_after_each_step(&plan, &observed);
}

#[test]
fn a_route_with_another_path_is_added_before_the_old_one_is_deleted_after_the_proof() {
    let mut desired = desired();
    let at = route(&mut desired, "/api/*");
    desired.environment.services[0].routes[at].path = "/v2/*".into();
    let observed = converged();
    let plan = plan(&desired, &observed);
    assert_eq!(
        titles(&plan),
        ["move rules /api/* 100 → 101", "create rule 100 /v2/* → ielts-backend-tg", "delete rule 101 /api/*"]
    );
    let steps = rules_after_each_step(&plan, &observed);
    let answered = |rules: &BTreeMap<u32, String>| rules.values().any(|rule| rule.starts_with("/api/*"));
    assert_eq!(steps.iter().map(answered).collect::<Vec<_>>(), [true, true, false]);
    assert!(plan.stages.iter().flat_map(|stage| &stage.lanes).all(|lane| lane.name != "rule 101"));
}

#[test]
fn what_is_deleted_is_deleted_after_the_last_roll() {
    let mut desired = desired();
    desired.environment.services[0].routes.retain(|route| route.path != "/actuator/health");
    desired.environment.services[0].scaling.as_mut().unwrap().policies.clear();
    let plan = plan(&desired, &converged());
    assert_eq!(plan.stages, []);
    assert_eq!(
        titles(&plan),
        ["delete rule 10 /actuator/health", "delete scaling policy backend-cpu-scaling"]
    );
}

#[test]
fn a_rule_for_the_same_path_on_one_host_is_another_rule() {
    let mut now = converged();
    let host = Condition { on: ConditionField::Host, values: vec!["app.example.com".into()] };
    let rule = now.rules.iter_mut().find(|rule| rule.spec.priority == 100).unwrap();
    rule.spec.conditions.push(host);
    assert_eq!(
        titles(&plan(&desired(), &now)),
        [
            "move rules /api/* · host app.example.com 100 → 101",
            "create rule 100 /api/* → ielts-backend-tg",
            "delete rule 101 /api/* · host app.example.com",
        ]
    );
}
