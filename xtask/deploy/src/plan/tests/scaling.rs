//! Policies of every kind, and schedules that act between two deploys.

use serde_json::{Value, json};

use super::account::{converged, desired};
use super::*;
use crate::model::spec::{PolicySpec, ScalableTargetSpec, ScheduledActionSpec};
use crate::model::{CustomMetric, Metric, Scaling, ScalingState, Schedule, Statistic};

const RESOURCE: &str = "service/ielts-prod-cluster/ielts-backend-service";

fn scaling(desired: &mut Desired) -> &mut Scaling {
    desired.environment.services[0].scaling.as_mut().unwrap()
}

fn found(observed: &mut Observed) -> &mut ScalingState {
    observed.scaling.get_mut(&ServiceKey("backend".into())).unwrap()
}

/// What is put for the only policy of the backend, after `change`.
fn configuration(observed: &Observed, change: impl FnOnce(&mut crate::model::Policy)) -> Value {
    let mut desired = desired();
    change(&mut scaling(&mut desired).policies[0]);
    let plan = plan(&desired, observed);
    let put = plan.steps().find_map(|step| match &step.action {
        Action::PutScalingPolicy(spec) => Some(spec.configuration.clone()),
        _ => None,
    });
    put.unwrap()
}

#[test]
fn requests_are_counted_for_the_target_group_behind_the_load_balancer() {
    let requests = |policy: &mut crate::model::Policy| policy.metric = Some(Metric::Requests);
    let mut observed = converged();
    let label = |value: &Value| value["PredefinedMetricSpecification"]["ResourceLabel"].clone();
    // ARNs that are not known yet: completed when the policy is put.
    assert_eq!(label(&configuration(&observed, requests)), "targetgroup/ielts-backend-tg");
    observed.load_balancer.as_mut().unwrap().arn = "arn:aws:elb:r:1:loadbalancer/app/alb/1a".into();
    observed.target_groups.get_mut("ielts-backend-tg").unwrap().arn =
        "arn:aws:elb:r:1:targetgroup/tg/2b".into();
    assert_eq!(label(&configuration(&observed, requests)), "app/alb/1a/targetgroup/tg/2b");
}

#[test]
fn scaling_that_somebody_suspended_in_an_incident_is_not_forgotten() {
    let (desired, mut observed) = (desired(), converged());
    assert_eq!(plan(&desired, &observed).notes, [""; 0]);
    found(&mut observed).suspended = vec!["DynamicScalingOutSuspended".into()];
    observed.services.get_mut(&ServiceKey("backend".into())).unwrap().desired = 14;
    let plan = plan(&desired, &observed);
    assert!(plan.is_empty(), "{:?}", plan.notes);
    let [suspended, above] = plan.notes.try_into().unwrap();
    assert!(suspended.contains("suspended (DynamicScalingOutSuspended), and stays so"), "{suspended}");
    assert!(above.contains("is to run 14 tasks, more than `scaling.max` = 10"), "{above}");
}

#[test]
fn a_metric_of_one_s_own_is_put_with_its_dimensions() {
    let put = configuration(&converged(), |policy| {
        policy.metric = None;
        policy.custom_metric = Some(CustomMetric {
            namespace: "AWS/SQS".into(),
            name: "Visible".into(),
            dimensions: [("QueueName".into(), "jobs".into())].into(),
            statistic: Statistic::Maximum,
        });
        policy.disable_scale_in = true;
    });
    let expected = json!({
        "TargetValue": 70, "ScaleOutCooldown": 60, "ScaleInCooldown": 120, "DisableScaleIn": true,
        "CustomizedMetricSpecification": {"Namespace": "AWS/SQS", "MetricName": "Visible", "Statistic": "Maximum",
            "Dimensions": [{"Name": "QueueName", "Value": "jobs"}]},
    });
    assert_eq!(put, expected);
}

/// The backend scaled to 0 to 3 tasks in the evening, by deploy.toml; and the account that has the action.
fn evening() -> (Desired, Observed) {
    let (mut desired, mut observed) = (desired(), converged());
    scaling(&mut desired).schedules = vec![Schedule {
        name: "evening".into(),
        schedule: "cron(0 20 * * ? *)".into(),
        timezone: Some("Asia/Singapore".into()),
        min: Some(1),
        max: Some(3),
    }];
    let service = &desired.environment.services[0];
    let actions =
        super::super::wanted::schedules(&desired.environment, service, service.scaling.as_ref().unwrap());
    found(&mut observed).schedules = actions;
    (desired, observed)
}

#[test]
fn a_schedule_is_made_and_what_it_has_set_is_left() {
    let (desired, mut observed) = evening();
    assert!(plan(&desired, &observed).is_empty());
    let bounds = |min, max| Some(ScalableTargetSpec { resource_id: RESOURCE.into(), min, max });
    found(&mut observed).target = bounds(1, 3);
    backend(&mut observed).desired = 1;
    assert_eq!(titles(&plan(&desired, &observed)), Vec::<String>::new());
    found(&mut observed).target = bounds(1, 4);
    let register = format!("register scalable target {RESOURCE} 1 to 10");
    assert_eq!(titles(&plan(&desired, &observed)), [register], "4 is nobody's: the file's bound is restored");
    found(&mut observed).schedules.clear();
    let register = format!("register scalable target {RESOURCE} 2 to 10");
    let raise = "raise desired count of ielts-backend-service 1 → 2".to_owned();
    assert_eq!(
        titles(&plan(&desired, &observed)),
        [register, raise, "put scheduled action evening".to_owned()]
    );
}

#[test]
fn a_schedule_that_is_not_in_the_file_any_more_is_deleted_after_the_proof_if_it_is_ours() {
    let (_, mut observed) = evening();
    let plan_without = plan(&desired(), &observed);
    assert_eq!(titles(&plan_without), ["delete scheduled action evening"]);
    assert_eq!(plan_without.stages, []);
    found(&mut observed).arn = Some("by hand".into());
    let plan = plan(&desired(), &observed);
    assert!(plan.is_empty());
    assert_eq!(plan.notes, ["scheduled action evening: kept, not created by this tool"]);
}

#[test]
fn a_policy_with_another_name_replaces_the_one_of_its_metric_and_an_undo_restores_that() {
    let (mut desired, mut now) = (desired(), converged());
    scaling(&mut desired).policies[0].name = "cpu".into();
    let planned = plan(&desired, &now);
    assert_eq!(titles(&planned), ["delete scaling policy backend-cpu-scaling", "put scaling policy cpu"]);
    let record = Undo::of(&planned, &desired, &now);
    found(&mut now).policies[0].name = "cpu".into();
    assert_eq!(
        titles(&undo(&record, &desired, &now)),
        ["delete scaling policy cpu", "put scaling policy backend-cpu-scaling"]
    );
    let mut theirs = converged();
    found(&mut theirs).arn = Some("by hand".into());
    let [refusal] = &plan(&desired, &theirs).refusals[..] else { panic!() };
    assert_eq!(refusal.remedy, "name yours `backend-cpu-scaling`, or delete that one");
}

/// A policy of the backend's name with metric math, and one with steps: neither can be said in deploy.toml.
fn of_somebody() -> [PolicySpec; 2] {
    let policy = |kind: &str, configuration| PolicySpec {
        name: "backend-cpu-scaling".into(),
        resource_id: RESOURCE.into(),
        kind: kind.into(),
        configuration,
    };
    let math = json!({"TargetValue": 5, "CustomizedMetricSpecification": {"Metrics": [{"Id": "m", "Expression": "a / b"}]}});
    let steps = json!({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 2}]});
    [policy(PolicySpec::TRACKING, math), policy("StepScaling", steps)]
}

#[test]
fn whatever_policy_and_schedule_was_there_is_restored_exactly() {
    for before in of_somebody() {
        let (desired, written) = evening();
        let mut observed = written.clone();
        found(&mut observed).policies = vec![before.clone()];
        let old =
            json!({"Schedule": "rate(1 hour)", "StartTime": 1.5, "ScalableTargetAction": {"MaxCapacity": 4}});
        let old = ScheduledActionSpec { name: "evening".into(), resource_id: RESOURCE.into(), action: old };
        found(&mut observed).schedules = vec![old.clone()];
        let record = Undo::of(&plan(&desired, &observed), &desired, &observed);
        let record: Undo = serde_json::from_value(serde_json::to_value(record).unwrap()).unwrap();
        let plan = undo(&record, &desired, &written);
        let actions: Vec<&Action> = plan.steps().map(|step| &step.action).collect();
        assert!(actions.contains(&&Action::PutScalingPolicy(before.clone())), "{actions:#?}");
        assert!(actions.contains(&&Action::PutScheduledAction(old)), "{actions:#?}");
        let deletes = actions.iter().any(|action| matches!(action, Action::DeleteScalingPolicy(_)));
        assert_eq!(
            deletes,
            before.kind == "StepScaling",
            "AWS refuses another type for a policy that exists"
        );
    }
}

#[test]
fn a_plan_names_what_somebody_scaled_to_0_and_what_a_deploy_would_end_with() {
    let (desired, mut observed) = (desired(), converged());
    assert!(plan(&desired, &observed).parked.is_empty());
    observed.services.get_mut(&ServiceKey("backend".into())).unwrap().desired = 0;
    let plan = plan(&desired, &observed);
    assert!(plan.is_empty());
    assert_eq!(plan.parked, [ServiceKey("backend".into())]);
    let text = crate::view::plan_text(&plan);
    assert!(
        text.contains("nothing to change; backend runs no task, so no deploy can prove it (exit code 8)"),
        "{text}"
    );
}
