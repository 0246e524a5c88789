//! Scaling policies and scheduled actions, in AWS's own JSON and not in the SDK's types: what is restored after a failed
//! release must be all that was there, such as metric math or the steps of somebody's policy.

use deploy::model::spec::{PolicySpec, ScheduledActionSpec, normal_members};
use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};

use crate::aws::call::Op;
use crate::aws::error::gone;
use crate::aws::lite::{self, Api};
use crate::aws::{Aws, Error};

const SERVICE: &str = "application-autoscaling";
const TARGET: &str = "AnyScaleFrontendService";
const POLICIES: Op = Op::read(SERVICE, "DescribeScalingPolicies");
/// Patient about a target that was registered a moment ago, and about its service-linked role.
const PUT: Op = Op::write(SERVICE, "PutScalingPolicy").patient(LATE);
const DELETE: Op = Op::write(SERVICE, "DeleteScalingPolicy");
const SCHEDULES: Op = Op::read(SERVICE, "DescribeScheduledActions");
const SCHEDULE: Op = Op::write(SERVICE, "PutScheduledAction").patient(LATE);
const UNSCHEDULE: Op = Op::write(SERVICE, "DeleteScheduledAction");
const LATE: &[&str] = &["ObjectNotFoundException", "FailedResourceAccessException"];

/// What makes a scheduled action, of all that is shown of one.
const SCHEDULED: [&str; 5] = ["Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"];

/// How many services' policies a page of 10 holds (DescribeScalingPolicies), at two for each.
const EACH_PAGE: usize = 5;

/// Of a target-tracking policy for ECS that has none (API reference, TargetTrackingScalingPolicyConfiguration).
const COOLDOWN_SECS: u32 = 300;

type Found = Map<String, Value>;

impl Aws {
    /// The policies of these resources, by name.
    pub async fn describe_scaling_policies(&self, resources: &[String]) -> Result<Vec<PolicySpec>, Error> {
        let read = |resource_id: String, mut found: Found| {
            let kind = text(&mut found, "PolicyType")?;
            let mut configuration = found.remove(&format!("{kind}PolicyConfiguration"))?;
            if kind == PolicySpec::TRACKING {
                for cooldown in ["ScaleOutCooldown", "ScaleInCooldown"] {
                    configuration.as_object_mut()?.entry(cooldown).or_insert_with(|| json!(COOLDOWN_SECS));
                }
            }
            Some(PolicySpec {
                name: text(&mut found, "PolicyName")?,
                resource_id,
                kind,
                configuration: normal_members(configuration),
            })
        };
        let mut policies: Vec<_> = self.all_scaling(POLICIES, resources, read).await?;
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(policies)
    }

    /// The scheduled actions of these resources, by name.
    pub async fn describe_scheduled_actions(
        &self,
        resources: &[String],
    ) -> Result<Vec<ScheduledActionSpec>, Error> {
        let read = |resource_id: String, mut found: Found| {
            let name = text(&mut found, "ScheduledActionName")?;
            found.retain(|member, _| SCHEDULED.contains(&member.as_str()));
            found.entry("Timezone").or_insert_with(|| json!("UTC"));
            let action = normal_members(Value::Object(found));
            Some(ScheduledActionSpec { name, resource_id, action })
        };
        let mut actions: Vec<_> = self.all_scaling(SCHEDULES, resources, read).await?;
        actions.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(actions)
    }

    /// Makes a policy or changes it.
    ///
    /// # Errors
    /// When AWS refuses; also where a policy of the name has another type.
    pub async fn put_scaling_policy(&self, spec: &PolicySpec) -> Result<(), Error> {
        let PolicySpec { name, resource_id, kind, configuration } = spec;
        let mut members = of(resource_id);
        members["PolicyName"] = json!(name);
        members["PolicyType"] = json!(kind);
        members[format!("{kind}PolicyConfiguration")] = configuration.clone();
        self.scaling_json(PUT, &members, "PolicyARN").await.map(drop)
    }

    /// Deletes a policy with its alarms. A missing one is not an error.
    pub async fn delete_scaling_policy(&self, spec: &PolicySpec) -> Result<(), Error> {
        let mut members = of(&spec.resource_id);
        members["PolicyName"] = json!(spec.name);
        self.scaling_empty(DELETE, &members).await.or_else(gone)
    }

    /// Makes a scheduled action or changes it: a start or an end that is not sent is deleted (API reference, PutScheduledAction).
    pub async fn put_scheduled_action(&self, spec: &ScheduledActionSpec) -> Result<(), Error> {
        let mut members = of(&spec.resource_id);
        members["ScheduledActionName"] = json!(spec.name);
        for (name, value) in spec.action.as_object().into_iter().flatten() {
            members[name] = value.clone();
        }
        self.scaling_empty(SCHEDULE, &members).await
    }

    /// Deletes a scheduled action. A missing one is not an error.
    pub async fn delete_scheduled_action(&self, spec: &ScheduledActionSpec) -> Result<(), Error> {
        let mut members = of(&spec.resource_id);
        members["ScheduledActionName"] = json!(spec.name);
        self.scaling_empty(UNSCHEDULE, &members).await.or_else(gone)
    }

    /// What these resources have. AWS lists it for one resource, or for all of the region: of several it is read from the list
    /// of all, where that is short.
    async fn all_scaling<T>(
        &self,
        op: Op,
        resources: &[String],
        read: impl Fn(String, Found) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let all = match resources.len() {
            0 | 1 => None,
            // Without `ScalableDimension`, which takes a resource beside it (DescribeScalingPolicies).
            several => {
                self.scaling_pages(op, json!({ "ServiceNamespace": "ecs" }), several.div_ceil(EACH_PAGE))
                    .await?
            }
        };
        let found = match all {
            Some(all) => all,
            None => {
                let each = resources.iter().map(|resource| self.scaling_pages(op, of(resource), usize::MAX));
                try_join_all(each).await?.into_iter().flatten().flatten().collect()
            }
        };
        let own = |mut found: Found| {
            let resource = text(&mut found, "ResourceId").filter(|id| resources.contains(id))?;
            read(resource, found)
        };
        Ok(found.into_iter().filter_map(own).collect())
    }

    /// At most so many pages; `None` when there are more.
    async fn scaling_pages(
        &self,
        op: Op,
        mut members: Value,
        pages: usize,
    ) -> Result<Option<Vec<Found>>, Error> {
        let list = if op.name == POLICIES.name { "ScalingPolicies" } else { "ScheduledActions" };
        let mut found: Vec<Found> = Vec::new();
        for _ in 0..pages {
            let mut reply = self.scaling_json(op, &members, list).await?;
            found.extend(serde_json::from_value::<Vec<Found>>(reply[list].take()).unwrap_or_default());
            match reply["NextToken"].take() {
                Value::Null => return Ok(Some(found)),
                next => members["NextToken"] = next,
            }
        }
        Ok(None)
    }

    /// The reply, which must have this member.
    async fn scaling_json(&self, op: Op, members: &Value, member: &str) -> Result<Value, Error> {
        let part = |body: Vec<u8>| {
            let reply: Option<Value> = lite::json(&body).ok();
            reply.filter(|reply| reply.get(member).is_some()).ok_or_else(|| member.to_owned())
        };
        self.call_for(op, || self.lite.json(Api::Scaling, op.name, TARGET, members), part).await
    }

    /// For operations that answer without members.
    async fn scaling_empty(&self, op: Op, members: &Value) -> Result<(), Error> {
        self.call(op, || self.lite.json(Api::Scaling, op.name, TARGET, members)).await.map(drop)
    }
}

fn of(resource: &str) -> Value {
    json!({ "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": "ecs:service:DesiredCount" })
}

fn text(found: &mut Found, member: &str) -> Option<String> {
    found.get(member)?.as_str().map(str::to_owned)
}
