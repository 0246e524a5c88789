//! DescribeServices, ListServices and ListServicesByNamespace.

use serde::Deserialize;
use serde_json::Value;

use super::model::Service;
use super::view;
use crate::cloudmap;
use crate::ecs::connect::configuration::ConnectConfiguration;
use crate::ecs::errors::{invalid, namespace_not_found};
use crate::ecs::key::ServiceKey;
use crate::ecs::params::{described, short_name};
use crate::ecs::reference::service_arn;
use crate::ecs::region::Region;
use crate::wire::{ApiRequest, Outcome, listing, params, text};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    cluster: Option<String>,
    services: Vec<String>,
    include: Vec<String>,
}

/// An unknown service is no error: it is a failure MISSING in a reply with status 200.
pub(in crate::ecs) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    if asked.services.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if asked.services.len() > 10 {
        return Err(invalid("Service count is limited to 10."));
    }
    let with_tags = asked.include.iter().any(|what| what == "TAGS");
    described("services", &asked.services, |reference| {
        let key = ServiceKey::new(&cluster, short_name(reference));
        let known = region.ecs.services.contains_key(&key);
        if known { Ok(view::view(region, &key, with_tags)) } else { Err(service_arn(region.base, &key)) }
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    cluster: Option<String>,
    launch_type: Option<String>,
}

/// DRAINING and INACTIVE services are not listed.
pub(in crate::ecs) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let cluster = region.ecs.active_cluster(asked.cluster.as_deref())?;
    let services = region.ecs.services.values().filter(|service| {
        service.key.cluster == cluster
            && service.is_active()
            && (asked.launch_type.is_none() || asked.launch_type == service.knobs.launch_type)
    });
    let arns: Vec<String> = services.map(|service| service.arn.clone()).collect();
    listing(request, "serviceArns", (10, 100), arns, Value::from)
}

/// Services of all clusters that use the namespace by Service Connect.
pub(in crate::ecs) fn list_by_namespace(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let reference = text(request, "namespace")?;
    let namespace = cloudmap::namespace(region.cloudmap, &reference)
        .ok_or_else(|| namespace_not_found(&reference))?
        .arn
        .clone();
    let uses = |service: &&Service| {
        let connect = ConnectConfiguration::enabled(service.primary.spec.connect.as_ref());
        let own = connect.and_then(|connect| connect.namespace.as_deref());
        service.is_active()
            && own
                .and_then(|own| cloudmap::namespace(region.cloudmap, own))
                .is_some_and(|own| own.arn == namespace)
    };
    let arns: Vec<String> = region.ecs.services.values().filter(uses).map(|it| it.arn.clone()).collect();
    listing(request, "serviceArns", (10, 100), arns, Value::from)
}
