//! The ARNs that the names of a step mean: found on the account, or made by an earlier step.

use deploy::model::spec::{PolicySpec, RuleSpec};

use super::Known;
use super::step::StepError;

pub(super) fn load_balancer(known: &Known) -> Result<String, StepError> {
    known
        .load_balancer()
        .map(|(arn, _)| arn)
        .ok_or_else(|| StepError::Unknown("the load balancer".to_owned()))
}

pub(super) fn listener(known: &Known) -> Result<String, StepError> {
    known.listener().ok_or_else(|| StepError::Unknown("the listener".to_owned()))
}

pub(super) fn target_group(known: &Known, name: &str) -> Result<String, StepError> {
    known.target_group(name).ok_or_else(|| StepError::Unknown(format!("target group {name}")))
}

/// A policy that counts requests, with the label of a target group that this run made.
pub(super) fn labelled(known: &Known, spec: &PolicySpec) -> Result<PolicySpec, StepError> {
    let Some(name) = spec.unlabelled() else { return Ok(spec.clone()) };
    let label = PolicySpec::resource_label(&load_balancer(known)?, &target_group(known, name)?);
    let label = label.ok_or_else(|| StepError::Unknown(format!("the resource label of {name}")))?;
    Ok(spec.clone().labelled(&label))
}

/// The ARN of the target group that a rule forwards to; empty for one that answers itself.
pub(super) fn forwards(known: &Known, spec: &RuleSpec) -> Result<String, StepError> {
    spec.forwards().first().map_or(Ok(String::new()), |name| target_group(known, name))
}

pub(super) fn rule(known: &Known, spec: &RuleSpec) -> Result<String, StepError> {
    known.rule(spec.priority).ok_or_else(|| StepError::Unknown(format!("rule {}", spec.priority)))
}
