//! DescribeServices and ListServices.

use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::account::Account;
use crate::ecs::errors::invalid;
use crate::ecs::params::{decode, listed, page, short_name};
use crate::ecs::reference::service_arn;
use crate::ecs::state::{ServiceKey, active_cluster};
use crate::wire::{ApiRequest, Outcome};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    cluster: Option<String>,
    services: Vec<String>,
    include: Vec<String>,
}

/// An unknown service is no error: it is a failure MISSING in a reply with status 200.
pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = decode(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    if asked.services.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if asked.services.len() > 10 {
        return Err(invalid("Service count is limited to 10."));
    }
    let with_tags = asked.include.iter().any(|what| what == "TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for reference in &asked.services {
        let key = ServiceKey::new(&cluster, short_name(reference));
        if account.ecs.services.contains_key(&key) {
            found.push(view::view(account, &key, with_tags));
        } else {
            failures.push(json!({ "arn": service_arn(account, &key), "reason": "MISSING" }));
        }
    }
    Ok(json!({ "services": found, "failures": failures }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    cluster: Option<String>,
    launch_type: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
}

/// DRAINING and INACTIVE services are not listed.
pub(in crate::ecs) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: List = decode(request)?;
    let cluster = active_cluster(account, asked.cluster.as_deref())?;
    let services = account.ecs.services.values().filter(|service| {
        service.key.cluster == cluster
            && service.is_active()
            && (asked.launch_type.is_none() || asked.launch_type == service.knobs.launch_type)
    });
    let arns: Vec<String> = services.map(|service| service.arn.clone()).collect();
    let (arns, next) = page(&arns, asked.next_token.as_deref(), asked.max_results, 10, 100)?;
    Ok(listed("serviceArns", arns, next))
}
