//! What policies make of the desired count when their alarms ring, and the alarms that target tracking has by itself.
//!
//! Source: Application Auto Scaling user guide, "How target tracking scaling works" and "Define cooldown periods".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dimension::Resource;
use super::policies::Policy;
use super::region::Region;
use super::state::State;
use super::{step, targets};
use crate::base::Millis;
use crate::{cloudwatch, ecs};

/// Where a policy gives no cooldown, in seconds.
const COOLDOWN_SECS: u64 = 300;

/// A policy scales in where the metric is well below its target, so that it does not scale out again at once.
const LOW_SHARE: f64 = 0.9;

/// Minutes above the target, and minutes below nine tenths of it.
const HIGH_MINUTES: u64 = 3;
const LOW_MINUTES: u64 = 15;

/// When a policy last scaled out and by how much, and when it last scaled in.
#[derive(Debug, Default)]
pub(super) struct Past {
    out: Option<(Millis, u32)>,
    into: Option<Millis>,
}

/// The members of a policy's alarm; null where its metric is computed from others.
pub(super) fn alarm(policy: &Policy, resource: &Resource, name: &str) -> Value {
    let tracking = policy.configuration();
    let target = tracking["TargetValue"].as_f64().unwrap_or_default();
    let high = is_high(name);
    let (comparison, threshold, minutes) = if high {
        ("GreaterThanThreshold", target, HIGH_MINUTES)
    } else {
        ("LessThanThreshold", target * LOW_SHARE, LOW_MINUTES)
    };
    let predefined = &tracking["PredefinedMetricSpecification"];
    let custom = &tracking["CustomizedMetricSpecification"];
    let dimension = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let of_service =
        || json!([dimension("ClusterName", &resource.cluster), dimension("ServiceName", &resource.service)]);
    let (namespace, metric, statistic, dimensions) = match predefined["PredefinedMetricType"].as_str() {
        Some("ECSServiceAverageCPUUtilization") => {
            (json!("AWS/ECS"), json!("CPUUtilization"), json!("Average"), of_service())
        }
        Some("ECSServiceAverageMemoryUtilization") => {
            (json!("AWS/ECS"), json!("MemoryUtilization"), json!("Average"), of_service())
        }
        Some(_) => {
            let label = predefined["ResourceLabel"].as_str().unwrap_or_default();
            let (balancer, group) = label.split_once("/targetgroup/").unwrap_or_default();
            let group = dimension("TargetGroup", &format!("targetgroup/{group}"));
            let dimensions = json!([dimension("LoadBalancer", balancer), group]);
            (json!("AWS/ApplicationELB"), json!("RequestCountPerTarget"), json!("Sum"), dimensions)
        }
        None => {
            let member = |name: &str| custom[name].clone();
            (member("Namespace"), member("MetricName"), member("Statistic"), member("Dimensions"))
        }
    };
    json!({
        "AlarmName": name,
        "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.", policy.arn()),
        "ActionsEnabled": true,
        "AlarmActions": [policy.arn()],
        "Namespace": namespace,
        "MetricName": metric,
        "Statistic": statistic,
        "Dimensions": dimensions,
        "Metrics": custom["Metrics"],
        "Period": 60,
        "EvaluationPeriods": minutes,
        "Threshold": threshold,
        "ComparisonOperator": comparison,
    })
}

fn is_high(alarm: &str) -> bool {
    alarm.contains("-AlarmHigh-")
}

/// What a policy makes of its alarm.
struct Proposal {
    resource: Resource,
    wanted: u32,
    desired: u32,
    /// How many tasks there were before the cooldown that this scale-out falls into.
    before: u32,
    policy: (String, String),
    alarm: String,
}

/// Lets the policies act that alarms call; each alarm comes with its metric's newest datapoint. Of several policies of one
/// service that which wants the most tasks acts alone (user guide, "Use multiple target tracking scaling policies").
pub(crate) fn alarms_ring(region: &mut Region<'_>, now: Millis, ringing: &[(String, f64)]) {
    let mut chosen: BTreeMap<String, Proposal> = BTreeMap::new();
    for (alarm, value) in ringing {
        let Some((actions, threshold)) = region.cloudwatch.alarm(alarm) else { continue };
        let called = region.scaling.policies.values().filter(|policy| actions.contains(&policy.arn()));
        for proposal in called.filter_map(|policy| propose(region, now, policy, alarm, (*value, threshold))) {
            if chosen.get(&proposal.resource.id).is_none_or(|other| proposal.wanted > other.wanted) {
                chosen.insert(proposal.resource.id.clone(), proposal);
            }
        }
    }
    for Proposal { resource, wanted, desired, before, policy: key, alarm } in chosen.into_values() {
        if let Some(policy) = region.scaling.policies.get_mut(&key) {
            if wanted > desired {
                // A scale-out ends the wait after a scale-in.
                policy.past = Past { out: Some((now, wanted - before)), into: None };
            } else {
                policy.past.into = Some(now);
            }
        }
        let cause = format!("monitor alarm {alarm} in state ALARM triggered policy {}", key.1);
        targets::set(region, now, &resource, wanted, cause);
    }
}

fn propose(
    region: &Region<'_>,
    now: Millis,
    policy: &Policy,
    alarm: &str,
    (value, threshold): (f64, f64),
) -> Option<Proposal> {
    let resource = Resource::of(policy.resource_id())?;
    let desired = ecs::desired_count(region.ecs, &resource.cluster, &resource.service)?;
    // While it cools down, what a step policy added counts towards what it adds next.
    let added =
        policy.past.out.filter(|(at, _)| policy.is_step() && now < at.plus_secs(cooldown(policy, true)));
    let before = added.map_or(desired, |(_, added)| desired.saturating_sub(added));
    let (out, wanted) = if policy.is_step() {
        let wanted = step::wanted(policy.configuration(), before, value - threshold)?;
        (wanted >= before, wanted)
    } else {
        let target = policy.configuration()["TargetValue"].as_f64().unwrap_or(f64::MAX);
        // So many tasks would be at the target if they shared what these have.
        let fitting = (f64::from(desired) * value / target).ceil() as u32;
        if is_high(alarm) { (true, fitting.max(desired + 1)) } else { (false, fitting) }
    };
    let (min, max) = targets::dynamic_bounds(region.scaling, &resource.id, out)?;
    let wanted = if out { wanted.min(max) } else { wanted.max(min) };
    let may = if out {
        may_add(policy, now, desired, wanted)
    } else {
        may_remove(region, policy, &resource, now, wanted, desired)
    };
    let policy = (resource.id.clone(), policy.name().to_owned());
    may.then(|| Proposal { resource, wanted, desired, before, policy, alarm: alarm.to_owned() })
}

/// While it cools down, a tracking policy adds only if it would add more than it did.
fn may_add(policy: &Policy, now: Millis, desired: u32, wanted: u32) -> bool {
    let free = policy.past.out.is_none_or(|(at, added)| {
        now >= at.plus_secs(cooldown(policy, true)) || wanted.saturating_sub(desired) > added
    });
    wanted > desired && (free || policy.is_step())
}

/// Tasks are removed when no deployment is in progress, no cooldown holds, and every tracking policy of the service
/// agrees (Application Auto Scaling guide, "Target tracking": scale in only if all are ready to).
fn may_remove(
    region: &Region<'_>,
    policy: &Policy,
    resource: &Resource,
    now: Millis,
    wanted: u32,
    desired: u32,
) -> bool {
    let after =
        |at: Option<Millis>, out: bool| at.is_none_or(|at| now >= at.plus_secs(cooldown(policy, out)));
    let others = region.scaling.policies.values().filter(|other| other.resource_id() == resource.id);
    let mut agree = others.flat_map(Policy::alarms).filter(|alarm| !is_high(alarm));
    wanted < desired
        && !ecs::is_deploying(region.ecs, &resource.cluster, &resource.service)
        && after(policy.past.into, false)
        && after(policy.past.out.map(|(at, _)| at), true)
        && (policy.is_step() || agree.all(|alarm| region.cloudwatch.rings(alarm)))
}

/// After a scale-out or a scale-in; a step policy has one for both.
fn cooldown(policy: &Policy, out: bool) -> u64 {
    let member = match (policy.is_step(), out) {
        (true, _) => "Cooldown",
        (false, true) => "ScaleOutCooldown",
        (false, false) => "ScaleInCooldown",
    };
    policy.configuration()[member].as_u64().unwrap_or(COOLDOWN_SECS)
}

/// Brings a policy's alarms to what its configuration says; those that it has no more go.
pub(super) fn arrange(
    scaling: &State,
    cloudwatch: &mut cloudwatch::State,
    now: Millis,
    key: &(String, String),
    before: &[String],
) {
    let Some(policy) = scaling.policies.get(key) else { return };
    let Some(resource) = Resource::of(&key.0) else { return };
    let alarms: Vec<(String, Value)> =
        policy.alarms().map(|name| (name.clone(), alarm(policy, &resource, name))).collect();
    let gone: Vec<String> =
        before.iter().filter(|old| !alarms.iter().any(|(name, _)| name == *old)).cloned().collect();
    cloudwatch::take_down(cloudwatch, &gone);
    for (name, members) in alarms {
        cloudwatch::set_up(cloudwatch, now, &name, members);
    }
}
