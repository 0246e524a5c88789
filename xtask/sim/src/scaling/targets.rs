//! Scalable targets: register (which moves the desired count inside the bounds), describe, deregister.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dimension::{DESIRED_COUNT, Resource, named, selected};
use super::region::Region;
use super::scheduled::Bounds;
use super::state::{INVALID, State};
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params};
use crate::{cloudwatch, ecs};

#[derive(Debug)]
pub(super) struct Target {
    resource_id: String,
    arn: String,
    min: u32,
    max: u32,
    suspended: Suspended,
    created: Millis,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Suspended {
    #[serde(default)]
    dynamic_scaling_in_suspended: bool,
    #[serde(default)]
    dynamic_scaling_out_suspended: bool,
    #[serde(default)]
    scheduled_scaling_suspended: bool,
}

/// A change of the desired count that scaling made.
#[derive(Debug)]
pub(super) struct Activity {
    id: String,
    resource_id: String,
    description: String,
    cause: String,
    failure: Option<&'static str>,
    /// The desired count that it set, if it set one.
    count: Option<u32>,
    at: Millis,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Register {
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
    suspended_state: Option<Suspended>,
    #[serde(default, deserialize_with = "tags::given")]
    tags: Vec<Tag>,
}

pub(super) fn register(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let resource = named(request)?;
    let asked: Register = params(request)?;
    let Some(desired) = ecs::desired_count(region.ecs, &resource.cluster, &resource.service) else {
        return Err(ApiError::new(INVALID, format!("ECS service doesn't exist: {}", resource.id)));
    };
    tags::check(Api::Scaling, &asked.tags)?;
    let existing = region.scaling.targets.get(&resource.id);
    let min = asked.min_capacity.or(existing.map(|target| target.min));
    let max = asked.max_capacity.or(existing.map(|target| target.max));
    let (Some(min), Some(max)) = (min, max) else {
        let text = "Min capacity and max capacity must be specified when a new scalable target is registered";
        return Err(ApiError::new(INVALID, text));
    };
    if max < min {
        return Err(ApiError::new(INVALID, "Maximum capacity cannot be less than minimum capacity"));
    }
    let arn = match existing {
        Some(target) => target.arn.clone(),
        None => {
            let id = region.base.ids.hex(34);
            region.base.arn("application-autoscaling", &format!("scalable-target/{id}"))
        }
    };
    let target = region.scaling.targets.entry(resource.id.clone()).or_insert_with(|| Target {
        resource_id: resource.id.clone(),
        arn: arn.clone(),
        min,
        max,
        suspended: Suspended::default(),
        created: now,
    });
    (target.min, target.max) = (min, max);
    target.suspended = asked.suspended_state.unwrap_or(target.suspended);
    region.base.tags.put(&arn, asked.tags);
    // Each registration does, also one that only suspends scaling (RegisterScalableTarget).
    move_inside(region, now, &resource, desired, (min, max));
    Ok(json!({ "ScalableTargetARN": arn }))
}

/// The ARN, where the target exists.
pub(super) fn taggable(own: &State, arn: &str) -> Result<String, ApiError> {
    if own.targets.values().any(|own| own.arn == arn) {
        return Ok(arn.to_owned());
    }
    let text = format!("The specified resource does not exist: {arn}");
    Err(ApiError::new("ResourceNotFoundException", text))
}

/// Moves a desired count that the bounds exclude to the nearer one.
fn move_inside(
    region: &mut Region<'_>,
    now: Millis,
    resource: &Resource,
    desired: u32,
    (min, max): (u32, u32),
) {
    let inside = desired.clamp(min, max);
    if inside == desired {
        return;
    }
    let cause = if inside == min {
        format!("minimum capacity was set to {min}")
    } else {
        format!("maximum capacity was set to {max}")
    };
    set(region, now, resource, inside, cause);
}

pub(super) fn set(region: &mut Region<'_>, now: Millis, resource: &Resource, count: u32, cause: String) {
    ecs::set_desired_count(region.ecs, &resource.cluster, &resource.service, count);
    note(
        region.base,
        region.scaling,
        now,
        resource,
        format!("Setting desired count to {count}."),
        cause,
        None,
    );
    if let Some(activity) = region.scaling.activities.last_mut() {
        activity.count = Some(count);
    }
}

/// The bounds between which a policy moves the count; `None` where that is suspended or there is no such target.
pub(super) fn dynamic_bounds(scaling: &State, id: &str, out: bool) -> Option<(u32, u32)> {
    let target = scaling.targets.get(id)?;
    let Suspended { dynamic_scaling_in_suspended, dynamic_scaling_out_suspended, .. } = target.suspended;
    let suspended = if out { dynamic_scaling_out_suspended } else { dynamic_scaling_in_suspended };
    (!suspended).then_some((target.min, target.max))
}

fn note(
    base: &mut Base,
    scaling: &mut State,
    now: Millis,
    resource: &Resource,
    description: String,
    cause: String,
    failure: Option<&'static str>,
) {
    let (id, resource_id) = (base.ids.uuid(), resource.id.clone());
    scaling.activities.push(Activity { id, resource_id, description, cause, failure, count: None, at: now });
}

/// Gives a target other bounds, as a scheduled action does.
pub(super) fn rebound(
    region: &mut Region<'_>,
    now: Millis,
    resource: &Resource,
    bounds: Bounds,
    cause: &str,
) {
    let Some(target) = region.scaling.targets.get_mut(&resource.id) else { return };
    if target.suspended.scheduled_scaling_suspended {
        return;
    }
    let (min, max) = (bounds.min_capacity.unwrap_or(target.min), bounds.max_capacity.unwrap_or(target.max));
    let description = match (bounds.min_capacity, bounds.max_capacity) {
        (Some(min), Some(max)) => format!("Setting min capacity to {min} and max capacity to {max}"),
        (Some(min), None) => format!("Setting min capacity to {min}"),
        _ => format!("Setting max capacity to {max}"),
    };
    let failure = (max < min).then_some("Maximum capacity cannot be less than minimum capacity");
    if failure.is_none() {
        (target.min, target.max) = (min, max);
    }
    note(region.base, region.scaling, now, resource, description, cause.to_owned(), failure);
    let desired = ecs::desired_count(region.ecs, &resource.cluster, &resource.service);
    if let Some(desired) = desired.filter(|_| failure.is_none()) {
        move_inside(region, now, resource, desired, (min, max));
    }
}

/// Deregisters a target, and its policies and scheduled actions with it.
pub(super) fn deregister(region: &mut Region<'_>, request: &ApiRequest) -> Outcome {
    let resource = named(request)?;
    let target = region.scaling.targets.remove(&resource.id).ok_or_else(|| resource.not_registered())?;
    region.base.tags.forget(&target.arn);
    let own = region.scaling.policies.iter().filter(|((id, _), _)| *id == resource.id);
    let alarms: Vec<String> = own.flat_map(|(_, policy)| policy.alarms().cloned()).collect();
    cloudwatch::take_down(region.cloudwatch, &alarms);
    region.scaling.policies.retain(|(id, _), _| *id != resource.id);
    region.scaling.scheduled.retain(|(id, _), _| *id != resource.id);
    Ok(Value::Null)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default)]
    resource_ids: Vec<String>,
}

pub(super) fn describe(base: &Base, scaling: &State, request: &ApiRequest) -> Outcome {
    selected(request)?;
    let asked: Describe = params(request)?;
    let targets = scaling.targets.values();
    let chosen = |id: &String| asked.resource_ids.is_empty() || asked.resource_ids.contains(id);
    let found = targets.filter(|target| chosen(&target.resource_id)).collect();
    let role = format!(
        "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        base.settings.account
    );
    listing(request, "ScalableTargets", (50, 50), found, |target: &Target| {
        json!({
            "ServiceNamespace": "ecs",
            "ResourceId": target.resource_id,
            "ScalableDimension": DESIRED_COUNT,
            "MinCapacity": target.min,
            "MaxCapacity": target.max,
            "RoleARN": role,
            "CreationTime": target.created.epoch_secs(),
            "SuspendedState": target.suspended,
            "ScalableTargetARN": target.arn,
        })
    })
}

/// The changes that scaling made, newest first.
pub(super) fn describe_activities(scaling: &State, ecs: &ecs::State, request: &ApiRequest) -> Outcome {
    let chosen = selected(request)?;
    let activities = scaling.activities.iter().rev();
    let found = activities.filter(|own| chosen.as_ref().is_none_or(|id| *id == own.resource_id)).collect();
    listing(request, "ScalingActivities", (50, 50), found, |activity: &Activity| {
        let (status, message) = activity.status(scaling, ecs);
        let ended = status != "InProgress";
        json!({
            "ActivityId": activity.id,
            "ServiceNamespace": "ecs",
            "ResourceId": activity.resource_id,
            "ScalableDimension": DESIRED_COUNT,
            "Description": activity.description,
            "Cause": activity.cause,
            "StartTime": activity.at.epoch_secs(),
            "EndTime": ended.then(|| activity.at.epoch_secs()),
            "StatusCode": status,
            "StatusMessage": message,
        })
    })
}

impl Activity {
    /// The last one of a service is in progress until its tasks run.
    fn status(&self, scaling: &State, ecs: &ecs::State) -> (&'static str, String) {
        if let Some(failure) = self.failure {
            return ("Failed", failure.to_owned());
        }
        let Some(count) = self.count else {
            return (
                "Successful",
                format!("Successfully set {}", self.description.trim_start_matches("Setting ")),
            );
        };
        let newest = scaling.activities.iter().rev().find(|own| own.resource_id == self.resource_id);
        let open = newest.is_some_and(|newest| newest.id == self.id)
            && Resource::of(&self.resource_id)
                .is_some_and(|it| ecs::running_count(ecs, &it.cluster, &it.service) != count);
        if open {
            let text = format!(
                "Successfully set desired count to {count}. Waiting for change to be fulfilled by ecs."
            );
            return ("InProgress", text);
        }
        (
            "Successful",
            format!("Successfully set desired count to {count}. Change successfully fulfilled by ecs."),
        )
    }
}
