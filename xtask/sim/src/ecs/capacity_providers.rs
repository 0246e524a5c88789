//! PutClusterCapacityProviders and DescribeCapacityProviders.

use serde::Deserialize;
use serde_json::json;

use super::capacity::{KNOWN, Share, check_cluster};
use super::cluster;
use super::params::{described, short_name};
use super::region::Region;
use crate::wire::{ApiError, ApiRequest, Outcome, params};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    cluster: String,
    capacity_providers: Vec<String>,
    default_capacity_provider_strategy: Vec<Share>,
}

/// Both lists are required, and replace those that the cluster had.
pub(super) fn put(region: &mut Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Put = params(request)?;
    let name = region.ecs.active_cluster(Some(&asked.cluster))?;
    check_cluster(&asked.capacity_providers, &asked.default_capacity_provider_strategy)?;
    let services = region.ecs.services.values().filter(|it| it.key.cluster == name && it.is_alive());
    let mut used = services.flat_map(|service| &service.knobs.capacity_provider_strategy);
    if used.any(|share| !asked.capacity_providers.contains(&share.capacity_provider)) {
        let text = "The specified capacity provider is in use and cannot be removed.";
        return Err(ApiError::new("ResourceInUseException", text));
    }
    if let Some(cluster) = region.ecs.clusters.get_mut(&name) {
        cluster.capacity_providers = asked.capacity_providers;
        cluster.default_strategy = asked.default_capacity_provider_strategy;
    }
    Ok(json!({ "cluster": cluster::view(region, &name, &["TAGS", "SETTINGS"]) }))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    capacity_providers: Vec<String>,
    cluster: Option<String>,
}

pub(super) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.cluster.is_some() {
        region.ecs.active_cluster(asked.cluster.as_deref())?;
    }
    let arn = |name: &str| region.base.arn("ecs", &format!("capacity-provider/{name}"));
    let all = || KNOWN.map(str::to_owned).to_vec();
    let asked = if asked.capacity_providers.is_empty() { all() } else { asked.capacity_providers };
    described("capacityProviders", &asked, |reference| match short_name(reference) {
        name if KNOWN.contains(&name) => {
            Ok(json!({ "capacityProviderArn": arn(name), "name": name, "status": "ACTIVE", "tags": [] }))
        }
        name => Err(arn(name)),
    })
}
