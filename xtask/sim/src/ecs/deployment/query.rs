//! ListServiceDeployments and DescribeServiceDeployments. The records go with their service: an INACTIVE one has
//! none.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Account;
use crate::ecs::errors::invalid;
use crate::ecs::params::{decode, page};
use crate::ecs::state::service_key;
use crate::wire::{ApiRequest, Outcome};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    service: String,
    cluster: Option<String>,
    status: Vec<String>,
    created_at: Window,
    next_token: Option<String>,
    max_results: Option<u32>,
}

/// Epoch seconds.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Window {
    before: Option<f64>,
    after: Option<f64>,
}

pub(in crate::ecs) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: List = decode(request)?;
    let key = service_key(account, asked.cluster.as_deref(), &asked.service)?;
    let Some(service) = account.ecs.services.get(&key).filter(|service| service.is_alive()) else {
        return Ok(json!({ "serviceDeployments": [] }));
    };
    let wanted = service.service_deployments.iter().filter(|deployment| {
        let at = deployment.created_at.epoch_secs();
        (asked.status.is_empty() || asked.status.iter().any(|status| status == deployment.status.as_str()))
            && asked.created_at.after.is_none_or(|after| at >= after)
            && asked.created_at.before.is_none_or(|before| at <= before)
    });
    let views: Vec<Value> = wanted.map(|deployment| deployment.brief(account, service)).collect();
    let (views, next) = page(&views, asked.next_token.as_deref(), asked.max_results, 20, 100)?;
    let mut reply = json!({ "serviceDeployments": views });
    if let Some(next) = next {
        reply["nextToken"] = json!(next);
    }
    Ok(reply)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    service_deployment_arns: Vec<String>,
}

pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = decode(request)?;
    if asked.service_deployment_arns.is_empty() || asked.service_deployment_arns.len() > 20 {
        return Err(invalid("serviceDeploymentArns must have between 1 and 20 items."));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in &asked.service_deployment_arns {
        let known = account.ecs.services.values().filter(|service| service.is_alive()).find_map(|service| {
            let deployment = service.service_deployments.iter().find(|deployment| deployment.arn == *arn)?;
            Some(deployment.full(account, service))
        });
        match known {
            Some(view) => found.push(view),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "serviceDeployments": found, "failures": failures }))
}
