//! Plans for accounts in all stages of completeness.

mod account;
mod adopt;
mod aws;
mod before_roll;
mod connect;
mod listener;
mod older;
mod ownership;
mod prune;
mod rollback;
mod rules;
mod scaling;
mod target_groups;
mod undo;

use account::{converged, desired, empty};
use serde_json::{Value, json};

use super::*;
use crate::model::spec::RuleAction;
use crate::model::{Desired, Observed};

fn titles(plan: &Plan) -> Vec<String> {
    plan.steps().map(|step| step.action.title()).collect()
}

fn stages(plan: &Plan) -> Vec<(String, Vec<&str>)> {
    plan.stages
        .iter()
        .map(|stage| (stage.name.clone(), stage.settle.iter().map(|key| key.0.as_str()).collect()))
        .collect()
}

fn backend(observed: &mut Observed) -> &mut crate::model::ServiceState {
    observed.services.get_mut(&ServiceKey("backend".into())).unwrap()
}

#[test]
fn an_empty_account_gets_everything_with_the_backend_first() {
    let plan = plan(&desired(), &empty());
    assert_eq!(plan.refusals, []);
    assert_eq!(
        stages(&plan),
        [
            ("foundation".into(), vec![]),
            ("routing and definitions".into(), vec![]),
            ("roll backend".into(), vec!["backend"]),
            ("roll frontend".into(), vec!["frontend"]),
        ]
    );
    let titles = titles(&plan);
    for wanted in [
        "create repository ielts/backend",
        "create cluster ielts-prod-cluster",
        "create namespace ielts.local",
        "create load balancer ielts-prod-alb",
        "create listener HTTP:80",
        "create target group ielts-backend-tg",
        "create rule 100 /api/* → ielts-backend-tg",
        "register task definition ielts-backend",
        "create service ielts-backend-service",
        "register scalable target service/ielts-prod-cluster/ielts-backend-service 2 to 10",
        "put scaling policy backend-cpu-scaling",
    ] {
        assert!(titles.iter().any(|title| title == wanted), "{wanted} is not in {titles:#?}");
    }
}

#[test]
fn an_account_as_desired_is_left_alone() {
    let plan = plan(&desired(), &converged());
    assert_eq!(titles(&plan), Vec::<String>::new());
    assert_eq!(plan.stages, []);
}

#[test]
fn a_new_commit_with_the_same_images_rolls_nothing() {
    let mut desired = desired();
    desired.release.commit = Some("another".into());
    assert!(plan(&desired, &converged()).is_empty());
}

#[test]
fn a_changed_backend_image_leaves_the_frontend_alone() {
    let mut desired = desired();
    desired.release.images.insert(ServiceKey("backend".into()), account::digest('c'));
    let plan = plan(&desired, &converged());
    assert_eq!(
        titles(&plan),
        [
            "push image ielts/backend@cccccccccccc",
            "register task definition ielts-backend",
            "update service ielts-backend-service"
        ]
    );
    assert_eq!(stages(&plan).last(), Some(&("roll backend".into(), vec!["backend"])));
}

#[test]
fn desired_count_is_never_sent_on_update() {
    let mut observed = converged();
    backend(&mut observed).desired = 7;
    assert!(plan(&desired(), &observed).is_empty());
}

#[test]
fn a_run_killed_after_registering_does_not_register_again() {
    let mut desired = desired();
    desired.release.images.insert(ServiceKey("backend".into()), account::digest('c'));
    let mut observed = converged();
    observed
        .repositories
        .get_mut("ielts/backend")
        .unwrap()
        .holds
        .as_mut()
        .unwrap()
        .push(account::digest('c'));
    let service = desired.environment.services[0].clone();
    let spec = task_definition_spec(&desired, &service, &observed);
    observed.latest.insert(service.key.clone(), account::revision(spec, 2));
    assert_eq!(titles(&plan(&desired, &observed)), ["update service ielts-backend-service"]);
}

#[test]
fn a_run_killed_after_updating_waits_for_the_deployment_under_way() {
    let mut observed = converged();
    backend(&mut observed).rollout = Some("IN_PROGRESS".into());
    let plan = plan(&desired(), &observed);
    assert!(plan.is_empty());
    assert_eq!(stages(&plan), [("roll backend".into(), vec!["backend"])]);
}

#[test]
fn a_failed_deployment_of_the_same_revision_is_deployed_anew() {
    let mut observed = converged();
    backend(&mut observed).rollout = Some("FAILED".into());
    assert_eq!(titles(&plan(&desired(), &observed)), ["redeploy service ielts-backend-service"]);
}

#[test]
fn a_client_is_redeployed_when_the_server_s_endpoint_is_new() {
    let mut observed = converged();
    observed.services.remove(&ServiceKey("backend".into()));
    let plan = plan(&desired(), &observed);
    assert_eq!(
        titles(&plan),
        ["create service ielts-backend-service", "redeploy service ielts-frontend-service"]
    );
    assert_eq!(
        stages(&plan),
        [("roll backend".into(), vec!["backend"]), ("roll frontend".into(), vec!["frontend"])]
    );
}

#[test]
fn a_forced_deployment_hides_nothing_else_that_its_call_changes() {
    let (mut desired, observed) = (desired(), converged());
    desired.environment.services[0].connect.as_mut().unwrap().own.alias.port = 9090;
    desired.environment.services[1].deployment.health_check_grace_secs = 77;
    let plan = plan(&desired, &observed);
    let steps: Vec<&Step> = plan.steps().collect();
    let Why::Changed(changes) = &steps[1].why else { panic!("{:?}", steps[1]) };
    let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["health_check_grace_secs", "new deployment"]);
}

#[test]
fn a_setting_that_starts_no_deployment_is_not_waited_for() {
    let mut desired = desired();
    desired.environment.services[0].deployment.health_check_grace_secs = 77;
    let plan = plan(&desired, &converged());
    assert_eq!(titles(&plan), ["update service ielts-backend-service"]);
    assert!(plan.stages.iter().all(|stage| stage.settle.is_empty()));
}

#[test]
fn a_foreign_rule_at_our_priority_is_refused_and_not_overwritten() {
    let mut observed = converged();
    let rule = observed.rules.iter_mut().find(|rule| rule.spec.priority == 100).unwrap();
    rule.spec.action = RuleAction::Other { what: "weights".into(), forwards: vec!["a".into(), "b".into()] };
    rule.arn = "made by hand".into();
    let plan = plan(&desired(), &observed);
    assert_eq!(plan.refusals.len(), 1);
    assert!(plan.refusals[0].what.contains("100"));
}

#[test]
fn a_route_taken_out_of_the_file_is_deleted() {
    let mut desired = desired();
    desired.environment.services[0].routes.retain(|route| route.path != "/actuator/health");
    assert_eq!(titles(&plan(&desired, &converged())), ["delete rule 10 /actuator/health"]);
}

#[test]
fn a_service_that_is_only_a_memory_is_created_again() {
    let mut observed = converged();
    backend(&mut observed).status = "INACTIVE".into();
    assert!(
        titles(&plan(&desired(), &observed)).contains(&"create service ielts-backend-service".to_owned())
    );
}

#[test]
fn exec_and_tmp_get_writable_paths_in_a_read_only_root() {
    let mut desired = desired();
    desired.environment.services[0].enable_execute_command = true;
    let spec =
        |desired: &Desired| task_definition_spec(desired, &desired.environment.services[0], &converged());
    let mounts = |desired: &Desired| {
        let spec = spec(desired);
        let mounts = spec.of_container("backend", "mountPoints").and_then(|mounts| mounts.as_object());
        mounts.map(|mounts| mounts.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    assert_eq!(mounts(&desired), ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"]);
    assert_eq!(spec(&desired).of_container("backend", "readonlyRootFilesystem"), Some(&json!(true)));
    let init = json!({ "initProcessEnabled": true });
    assert_eq!(spec(&desired).of_container("backend", "linuxParameters"), Some(&init));
    let notes = plan(&desired, &converged()).notes;
    assert!(notes.iter().any(|note| note.starts_with("backend: /managed-agents, ")), "{notes:?}");
    desired.environment.services[0].container.tmp = true;
    desired.environment.services[0].enable_execute_command = false;
    assert_eq!(mounts(&desired), ["/tmp"]);
    assert_eq!(spec(&desired).members().get(&["volumes", "tmp"]), Some(&json!({})));
    desired.environment.services[0].container.readonly_root = false;
    assert_eq!(mounts(&desired), [""; 0]);
}

#[test]
fn a_person_reads_what_will_change_and_why() {
    let mut desired = desired();
    desired.release.images.insert(ServiceKey("backend".into()), account::digest('c'));
    desired.environment.services[0].cpu = 512;
    desired.environment.services[1].deployment.health_check_grace_secs = 45;
    insta::assert_snapshot!(crate::view::plan_text(&plan(&desired, &converged())));
}

#[test]
fn what_is_in_the_way_is_the_failure_and_not_part_of_the_plan() {
    let mut observed = converged();
    observed.target_groups.get_mut("ielts-backend-tg").unwrap().spec.vpc = "vpc-other".into();
    assert_eq!(crate::view::plan_text(&plan(&desired(), &observed)), "plan: refused\n");
}
