//! What users and roles may do, as SimulatePrincipalPolicy says it. Who has no policy may do everything.
//!
//! Calls are not held to these policies; a rule of [`crate::policy`] holds them to one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::State;
use crate::wire::{ApiError, ApiRequest, Outcome, list, params, text, wildcard};

/// Documents by principal (`role/NAME`, `user/NAME`) and name.
#[derive(Debug, Default)]
pub(super) struct Rights(BTreeMap<String, BTreeMap<String, Value>>);

/// The principal that a policy is put on.
fn principal(request: &ApiRequest) -> Result<String, ApiError> {
    let role = text(request, "RoleName").map(|name| format!("role/{name}"));
    role.or_else(|_| text(request, "UserName").map(|name| format!("user/{name}")))
}

/// The policy document of a request.
pub(super) fn document(request: &ApiRequest) -> Result<Value, ApiError> {
    let malformed = |_| ApiError::new("MalformedPolicyDocument", "Syntax errors in policy.");
    serde_json::from_str(&text(request, "PolicyDocument")?).map_err(malformed)
}

pub(super) fn put_policy(identity: &mut State, request: &ApiRequest) -> Outcome {
    let (principal, name, document) = (principal(request)?, text(request, "PolicyName")?, document(request)?);
    identity.rights.0.entry(principal).or_default().insert(name, document);
    Ok(json!({}))
}

pub(super) fn delete_policy(identity: &mut State, request: &ApiRequest) -> Outcome {
    let (principal, name) = (principal(request)?, text(request, "PolicyName")?);
    let policies = identity.rights.0.get_mut(&principal);
    let gone = policies.and_then(|policies| policies.remove(&name));
    let absent = || {
        ApiError::new("NoSuchEntity", format!("The policy with name {name} cannot be found."))
            .with_status(404)
    };
    gone.map(|_| json!({})).ok_or_else(absent)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simulate {
    policy_source_arn: String,
    #[serde(deserialize_with = "list")]
    action_names: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    resource_arns: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    context_entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    context_key_name: String,
    #[serde(default, deserialize_with = "list")]
    context_key_values: Vec<String>,
}

/// One result for each action: of several resources the strictest decision, with each resource's own beside it
/// (IAM API reference, EvaluationResult).
pub(super) fn simulate(identity: &State, request: &ApiRequest) -> Outcome {
    let asked: Simulate = params(request)?;
    let Some((_, principal)) =
        asked.policy_source_arn.split_once(":iam::").and_then(|(_, rest)| rest.split_once(':'))
    else {
        let text = format!(
            "Invalid Entity Arn: {} does not clearly define entity type and name.",
            asked.policy_source_arn
        );
        return Err(ApiError::new("InvalidInput", text));
    };
    // `role/PATH/NAME` is the role NAME.
    let kind = principal.split('/').next().unwrap_or_default();
    let principal = format!("{kind}/{}", principal.rsplit('/').next().unwrap_or_default());
    let policies = identity.rights.0.get(&principal).filter(|policies| !policies.is_empty());
    let statements: Option<Vec<&Value>> = policies.map(|policies| {
        policies.values().filter_map(|policy| policy["Statement"].as_array()).flatten().collect()
    });
    let decide = |action: &str, resource: &str| match &statements {
        None => "allowed",
        Some(all) => decision(all, action, resource, &asked.context_entries),
    };
    let any = vec!["*".to_owned()];
    let resources = if asked.resource_arns.is_empty() { &any } else { &asked.resource_arns };
    let result = |action: &String| {
        let each: Vec<_> = resources.iter().map(|resource| (resource, decide(action, resource))).collect();
        let strictest =
            ["explicitDeny", "implicitDeny"].into_iter().find(|it| each.iter().any(|(_, own)| own == it));
        let specific = |(resource, decision): &(&String, &str)| json!({ "EvalResourceName": resource, "EvalResourceDecision": decision });
        json!({
            "EvalActionName": action,
            "EvalResourceName": resources[0],
            "EvalDecision": strictest.unwrap_or("allowed"),
            "ResourceSpecificResults": each.iter().map(specific).collect::<Vec<_>>(),
        })
    };
    let results: Vec<Value> = asked.action_names.iter().map(result).collect();
    Ok(json!({ "IsTruncated": false, "EvaluationResults": results }))
}

fn decision(statements: &[&Value], action: &str, resource: &str, context: &[Entry]) -> &'static str {
    let fits = |statement: &&&Value| {
        let action = action.to_ascii_lowercase();
        let actions = each(&statement["Action"]);
        let resources = each(&statement["Resource"]);
        actions.iter().any(|own| wildcard(&own.to_ascii_lowercase(), &action))
            && resources.iter().any(|own| wildcard(own, resource))
            && holds(&statement["Condition"], context)
    };
    let effect = |effect: &str| statements.iter().filter(fits).any(|statement| statement["Effect"] == effect);
    // A deny wins over every allow, and nothing is allowed by itself (IAM user guide, policy evaluation logic).
    match (effect("Deny"), effect("Allow")) {
        (true, _) => "explicitDeny",
        (false, true) => "allowed",
        (false, false) => "implicitDeny",
    }
}

/// Whether every key of the condition has a value that it names. Operators of equality only: others hold never.
fn holds(condition: &Value, context: &[Entry]) -> bool {
    condition.as_object().into_iter().flatten().all(|(operator, keys)| {
        let known = ["StringEquals", "StringLike", "ArnEquals", "ArnLike"].contains(&operator.as_str());
        let given = |key: &str| context.iter().find(|entry| entry.context_key_name == key);
        known
            && keys.as_object().into_iter().flatten().all(|(key, wanted)| {
                let values = given(key).map(|entry| entry.context_key_values.as_slice()).unwrap_or_default();
                each(wanted).iter().any(|own| values.iter().any(|value| wildcard(own, value)))
            })
    })
}

fn each(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}
