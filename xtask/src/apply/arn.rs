//! The ARNs that the names of a step mean: found on the account, or made by an earlier step.

use deploy::model::spec::{PolicySpec, RuleSpec};

use super::ResourceIds;
use super::step::StepError;
use crate::aws::Aws;

pub(super) fn load_balancer(ids: &ResourceIds) -> Result<String, StepError> {
    ids.load_balancer().map(|(arn, _)| arn).ok_or_else(|| StepError::Unknown("the load balancer".to_owned()))
}

pub(super) fn listener(ids: &ResourceIds) -> Result<String, StepError> {
    ids.listener().ok_or_else(|| StepError::Unknown("the listener".to_owned()))
}

pub(super) fn target_group(ids: &ResourceIds, name: &str) -> Result<String, StepError> {
    ids.target_group(name).ok_or_else(|| StepError::Unknown(format!("target group {name}")))
}

/// The same for a group that the file may not name: of a service or a rule that gets again what it had.
pub(super) async fn any_target_group(aws: &Aws, ids: &ResourceIds, name: &str) -> Result<String, StepError> {
    match target_group(ids, name) {
        Ok(arn) => Ok(arn),
        Err(unknown) => {
            let found = aws.find_target_groups(&[name]).await?;
            found.into_iter().next().map(|found| found.state.arn).ok_or(unknown)
        }
    }
}

/// A policy that counts requests, with the label of a target group that this run made.
pub(super) fn labelled(ids: &ResourceIds, spec: &PolicySpec) -> Result<PolicySpec, StepError> {
    let Some(name) = spec.unlabelled() else { return Ok(spec.clone()) };
    // ALBRequestCountPerTarget wants `app/<lb>/<id>/targetgroup/<tg>/<id>`, made of both ARNs: it cannot be written before both exist.
    let label = PolicySpec::resource_label(&load_balancer(ids)?, &target_group(ids, name)?);
    let label = label.ok_or_else(|| StepError::Unknown(format!("the resource label of {name}")))?;
    Ok(spec.clone().labelled(&label))
}

/// The ARN of the target group that a rule forwards to; empty for one that answers itself.
pub(super) async fn forwards(aws: &Aws, ids: &ResourceIds, spec: &RuleSpec) -> Result<String, StepError> {
    match spec.forwards().first() {
        Some(name) => any_target_group(aws, ids, name).await,
        None => Ok(String::new()),
    }
}

pub(super) fn rule(ids: &ResourceIds, spec: &RuleSpec) -> Result<String, StepError> {
    ids.rule(spec.priority).ok_or_else(|| StepError::Unknown(format!("rule {}", spec.priority)))
}
