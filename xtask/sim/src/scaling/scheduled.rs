//! Scheduled actions: put, describe, delete, and what they do to a target's bounds when their time comes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dimension::{DESIRED_COUNT, Resource, named, selected};
use super::region::Region;
use super::schedule::Schedule;
use super::state::INVALID;
use super::state::State;
use super::targets;
use super::zone::Zone;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params, text};

#[derive(Debug)]
pub(super) struct Scheduled {
    arn: String,
    resource: Resource,
    name: String,
    expression: String,
    schedule: Schedule,
    timezone: Option<String>,
    action: Bounds,
    start: Option<Millis>,
    end: Option<Millis>,
    created: Millis,
    /// Which version this is: a timer of an earlier one is void.
    epoch: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Bounds {
    pub(super) min_capacity: Option<u32>,
    pub(super) max_capacity: Option<u32>,
}

/// A scheduled action's time has come.
#[derive(Debug)]
pub(crate) struct Due {
    key: (String, String),
    epoch: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    scheduled_action_name: String,
    schedule: Option<String>,
    timezone: Option<String>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    scalable_target_action: Option<Bounds>,
}

/// Creates an action, or changes the one of the same name: without `StartTime` and `EndTime` it has none any more.
pub(super) fn put(base: &mut Base, scaling: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let invalid = |text: String| ApiError::new(INVALID, text);
    let resource = named(request)?;
    let asked: Put = params(request)?;
    let name = asked.scheduled_action_name;
    if name.is_empty() || name.len() > 256 || name.contains(|c: char| c.is_control() || ":/|".contains(c)) {
        return Err(invalid(format!("Scheduled action name '{name}' is not valid")));
    }
    if !scaling.targets.contains_key(&resource.id) {
        return Err(resource.not_registered());
    }
    let key = (resource.id.clone(), name.clone());
    let existing = scaling.scheduled.get(&key);
    let timezone = asked.timezone.or(existing.and_then(|own| own.timezone.clone()));
    let zone = timezone.as_deref().unwrap_or("UTC");
    let zone = Zone::named(zone)
        .ok_or_else(|| invalid(format!("Timezone '{zone}' is not one that the embedded cloud knows")))?;
    let expression = asked.schedule.or(existing.map(|own| own.expression.clone()));
    let expression = expression.ok_or_else(|| invalid("A schedule must be specified".to_owned()))?;
    let schedule = Schedule::of(&expression, zone)
        .ok_or_else(|| invalid(format!("Invalid schedule expression. Details: {expression}.")))?;
    let action = asked.scalable_target_action.or(existing.map(|own| own.action)).unwrap_or_default();
    match (action.min_capacity, action.max_capacity) {
        (None, None) => return Err(invalid("Min capacity or max capacity must be specified".to_owned())),
        (Some(min), Some(max)) if max < min => {
            return Err(invalid("Maximum capacity cannot be less than minimum capacity".to_owned()));
        }
        _ => {}
    }
    let millis = |secs: f64| Millis((secs.max(0.0) * 1000.0) as u64);
    let (start, end) = (asked.start_time.map(millis), asked.end_time.map(millis));
    if end.is_some_and(|end| start.is_some_and(|start| end <= start)) {
        return Err(invalid("The end time must be after the start time".to_owned()));
    }
    let (arn, created) = match existing {
        Some(own) => (own.arn.clone(), own.created),
        None => {
            let id = base.ids.uuid();
            let path =
                format!("scheduledAction:{id}:resource/ecs/{}:scheduledActionName/{name}", resource.id);
            (base.arn("autoscaling", &path), now)
        }
    };
    // Timers are not taken back: one of an older version finds another epoch and does nothing.
    scaling.epochs += 1;
    let epoch = scaling.epochs;
    let own =
        Scheduled { arn, resource, name, expression, schedule, timezone, action, start, end, created, epoch };
    arrange(base, scaling, now, &key, &own);
    scaling.scheduled.insert(key, own);
    Ok(json!({}))
}

/// Makes the next time due.
fn arrange(base: &mut Base, scaling: &mut State, now: Millis, key: &(String, String), own: &Scheduled) {
    let since = own.start.unwrap_or(own.created);
    // A rate begins with the start time itself.
    let after = own.start.filter(|start| *start > now).map_or(now, |start| Millis(start.0 - 1));
    let next = own.schedule.next(since, after);
    if let Some(at) = next.filter(|at| own.end.is_none_or(|end| *at < end)) {
        scaling.timers.push(base.moment(at), Due { key: key.clone(), epoch: own.epoch });
    }
}

/// Lets an action act, and arranges its next time.
pub(crate) fn due(region: &mut Region<'_>, now: Millis, due: Due) {
    let Some(own) = region.scaling.scheduled.remove(&due.key) else { return };
    if own.epoch == due.epoch {
        let cause = format!("scheduled action name {} was triggered", own.name);
        targets::rebound(region, now, &own.resource, own.action, &cause);
        arrange(region.base, region.scaling, now, &due.key, &own);
    }
    region.scaling.scheduled.insert(due.key, own);
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default)]
    scheduled_action_names: Vec<String>,
}

pub(super) fn describe(scaling: &State, request: &ApiRequest) -> Outcome {
    let resource_id = selected(request)?;
    let asked: Describe = params(request)?;
    let names = &asked.scheduled_action_names;
    let all = scaling.scheduled.values();
    let chosen = all.filter(|own| resource_id.as_ref().is_none_or(|id| *id == own.resource.id));
    let found: Vec<&Scheduled> = chosen.filter(|own| names.is_empty() || names.contains(&own.name)).collect();
    listing(request, "ScheduledActions", (50, 50), found, Scheduled::describe)
}

pub(super) fn delete(scaling: &mut State, request: &ApiRequest) -> Outcome {
    let resource = named(request)?;
    let name = text(request, "ScheduledActionName")?;
    match scaling.scheduled.remove(&(resource.id.clone(), name.clone())) {
        Some(_) => Ok(json!({})),
        None => Err(resource.without("scheduled action found", &format!(", scheduled action name: {name}"))),
    }
}

impl Scheduled {
    fn describe(&self) -> Value {
        json!({
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "ServiceNamespace": "ecs",
            "Schedule": self.expression,
            "ResourceId": self.resource.id,
            "ScalableDimension": DESIRED_COUNT,
            "ScalableTargetAction": self.action,
            "CreationTime": self.created.epoch_secs(),
            "Timezone": self.timezone,
            "StartTime": self.start.map(Millis::epoch_secs),
            "EndTime": self.end.map(Millis::epoch_secs),
        })
    }
}
