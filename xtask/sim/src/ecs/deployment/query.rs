//! ListServiceDeployments and DescribeServiceDeployments. The records are deleted with their service: an INACTIVE one
//! has none.

use serde::Deserialize;
use serde_json::json;

use super::service_deployment::ServiceDeployment;
use crate::account::Account;
use crate::ecs::errors::invalid;
use crate::ecs::params::described;
use crate::ecs::state::service_key;
use crate::wire::{ApiRequest, Outcome, listing, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    service: String,
    cluster: Option<String>,
    status: Vec<String>,
    created_at: Window,
}

/// A range of `createdAt`, in seconds since the Unix epoch.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Window {
    before: Option<f64>,
    after: Option<f64>,
}

pub(in crate::ecs) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let key = service_key(account, asked.cluster.as_deref(), &asked.service)?;
    let Some(service) = account.ecs.services.get(&key).filter(|service| service.is_alive()) else {
        // ECS keeps them for 90 days, and no longer than the service.
        return Ok(json!({ "serviceDeployments": [] }));
    };
    let wanted = service.service_deployments.iter().filter(|deployment| {
        let at = deployment.created_at.epoch_secs();
        (asked.status.is_empty() || asked.status.iter().any(|status| status == deployment.status.as_str()))
            && asked.created_at.after.is_none_or(|after| at >= after)
            && asked.created_at.before.is_none_or(|before| at <= before)
    });
    let brief = |deployment: &ServiceDeployment| deployment.brief(account, service);
    listing(request, "serviceDeployments", (20, 100), wanted.collect(), brief)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    service_deployment_arns: Vec<String>,
}

pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.service_deployment_arns.is_empty() || asked.service_deployment_arns.len() > 20 {
        return Err(invalid("serviceDeploymentArns must have between 1 and 20 items."));
    }
    described("serviceDeployments", &asked.service_deployment_arns, |arn| {
        let mut alive = account.ecs.services.values().filter(|service| service.is_alive());
        let known = alive.find_map(|service| {
            let deployment = service.service_deployments.iter().find(|deployment| deployment.arn == arn)?;
            Some(deployment.full(account, service))
        });
        known.ok_or_else(|| arn.to_owned())
    })
}
