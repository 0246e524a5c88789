//! Lifecycle policies: checked as ECR checks them, kept, and never carried out.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::invalid;
use super::repositories::{named, named_mut};
use super::store::State;
use crate::base::Base;
use crate::wire::{ApiError, ApiRequest, Outcome, text};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    rule_priority: u32,
    #[serde(rename = "description")]
    _description: Option<String>,
    selection: Selection,
    action: Action,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selection {
    tag_status: String,
    #[serde(default)]
    tag_prefix_list: Vec<String>,
    #[serde(default)]
    tag_pattern_list: Vec<String>,
    count_type: String,
    count_unit: Option<String>,
    count_number: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    r#type: String,
}

/// Characters of a policy (PutLifecyclePolicy).
const LENGTH: std::ops::RangeInclusive<usize> = 100..=30_720;

pub(super) fn put(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let policy = text(request, "lifecyclePolicyText")?;
    named(base, ecr, request)?;
    check(&policy)?;
    let repository = named_mut(base, ecr, request)?;
    repository.lifecycle_policy = Some(policy);
    get(base, ecr, request)
}

pub(super) fn get(base: &Base, ecr: &State, request: &ApiRequest) -> Outcome {
    let repository = named(base, ecr, request)?;
    let registry = &base.settings.account;
    let text = repository.lifecycle_policy.as_ref().ok_or_else(|| {
        ApiError::new(
            "LifecyclePolicyNotFoundException",
            format!(
                "Lifecycle policy does not exist for the repository with name '{}' in the registry with id '{registry}'",
                repository.name
            ),
        )
    })?;
    Ok(json!({ "registryId": registry, "repositoryName": repository.name, "lifecyclePolicyText": text }))
}

pub(super) fn delete(base: &Base, ecr: &mut State, request: &ApiRequest) -> Outcome {
    let deleted: Value = get(base, ecr, request)?;
    named_mut(base, ecr, request)?.lifecycle_policy = None;
    Ok(deleted)
}

fn check(text: &str) -> Result<(), ApiError> {
    let refuse =
        |why: String| invalid("LifecyclePolicyText", &format!("Lifecycle policy validation failure: {why}"));
    if !LENGTH.contains(&text.chars().count()) {
        return Err(refuse(format!("length must be between {} and {}", LENGTH.start(), LENGTH.end())));
    }
    let policy: Policy = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    if policy.rules.is_empty() {
        return Err(refuse("at least one rule is required".to_owned()));
    }
    let mut priorities = BTreeSet::new();
    for rule in &policy.rules {
        if rule.rule_priority == 0 || !priorities.insert(rule.rule_priority) {
            return Err(refuse(format!("rulePriority {} must be positive and unique", rule.rule_priority)));
        }
        rule.check().map_err(|why| refuse(format!("rule {}: {why}", rule.rule_priority)))?;
    }
    let last = priorities.last().copied();
    match policy
        .rules
        .iter()
        // It matches what all others match: evaluated earlier, it would leave them nothing (ECR user guide, lifecycle
        // policies).
        .find(|rule| rule.selection.tag_status == "any" && Some(rule.rule_priority) != last)
    {
        Some(rule) => {
            Err(refuse(format!("rule {}: tagStatus 'any' must have the lowest priority", rule.rule_priority)))
        }
        None => Ok(()),
    }
}

impl Rule {
    fn check(&self) -> Result<(), &'static str> {
        let Selection { tag_status, tag_prefix_list, tag_pattern_list, count_type, count_unit, count_number } =
            &self.selection;
        let lists = usize::from(!tag_prefix_list.is_empty()) + usize::from(!tag_pattern_list.is_empty());
        match (tag_status.as_str(), lists) {
            // A rule for tagged images names them by prefixes or by patterns, and never by both (ECR user guide, lifecycle
            // policies).
            ("tagged", 1) | ("untagged" | "any", 0) => {}
            ("tagged", _) => return Err("tagStatus 'tagged' needs either tagPrefixList or tagPatternList"),
            ("untagged" | "any", _) => return Err("tag lists are for tagStatus 'tagged' only"),
            _ => return Err("tagStatus must be one of 'tagged', 'untagged', 'any'"),
        }
        if tag_pattern_list.iter().any(|pattern| pattern.matches('*').count() > 4) {
            return Err("a tag pattern can have at most four wildcards");
        }
        match (count_type.as_str(), count_unit.as_deref()) {
            ("imageCountMoreThan", None) => {}
            ("sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned", Some("days")) => {}
            ("imageCountMoreThan", Some(_)) => {
                return Err("countUnit is for countTypes that begin with 'since'");
            }
            ("sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned", _) => {
                return Err("countUnit must be 'days'");
            }
            _ => return Err("countType is not known"),
        }
        if *count_number == 0 {
            return Err("countNumber must be positive");
        }
        if !matches!(self.action.r#type.as_str(), "expire" | "transition") {
            return Err("action type must be 'expire' or 'transition'");
        }
        Ok(())
    }
}
