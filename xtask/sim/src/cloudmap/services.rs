//! Services of a namespace and their instances: those that CreateService made, and the endpoints of Service Connect.
//!
//! Both have ECS tasks as instances and no others: RegisterInstance is not served.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::namespaces::{List, namespace};
use super::registered::{Instance, Registered};
use super::state::INVALID;
use super::state::State;
use crate::base::{Base, Millis, Tag, tags};
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params, text};

/// A service of a namespace.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    namespace: String,
    description: Option<String>,
    dns: Option<Value>,
    custom_check: Option<Value>,
    created: Millis,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    namespace_id: Option<String>,
    description: Option<String>,
    dns_config: Option<Value>,
    health_check_custom_config: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn create(
    base: &mut Base,
    cloudmap: &mut State,
    registered: &Registered,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let asked: Create = params(request)?;
    let id = asked.namespace_id.clone();
    let id = id.or_else(|| asked.dns_config.as_ref()?["NamespaceId"].as_str().map(str::to_owned));
    let id = id.ok_or_else(|| ApiError::new(INVALID, "A NamespaceId must be specified"))?;
    let namespace = cloudmap.namespaces.values().find(|own| own.id == id || own.arn == id);
    let namespace = namespace
        .ok_or_else(|| ApiError::new("NamespaceNotFound", format!("Failed to find namespace {id}")))?
        .id
        .clone();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if asked.name.is_empty() || asked.name.len() > 127 || !asked.name.chars().all(fits) {
        return Err(ApiError::new(INVALID, format!("Service name '{}' is not valid", asked.name)));
    }
    tags::check(Api::CloudMap, &asked.tags)?;
    if let Some(there) =
        all(cloudmap, registered).iter().find(|own| own.namespace == namespace && own.name == asked.name)
    {
        let text = format!("Service {} with name {} already exists", there.id, there.name);
        return Err(ApiError::new("ServiceAlreadyExists", text));
    }
    let id = format!("srv-{}", base.ids.hex(16));
    let service = Service {
        arn: base.arn("servicediscovery", &format!("service/{id}")),
        id: id.clone(),
        name: asked.name,
        namespace,
        description: asked.description,
        dns: asked.dns_config,
        custom_check: asked.health_check_custom_config,
        created: now,
    };
    base.tags.put(&service.arn, asked.tags);
    let view = service.describe(base, registered);
    cloudmap.services.insert(id, service);
    Ok(json!({ "Service": view }))
}

/// Every service, those of Service Connect last.
fn all(cloudmap: &State, registered: &Registered) -> Vec<Service> {
    let made = cloudmap.services.values().cloned();
    let connected = registered.services.iter().filter_map(|endpoint| {
        let namespace = cloudmap.namespaces.values().find(|own| own.arn == endpoint.namespace)?;
        Some(Service {
            id: endpoint.id.clone(),
            arn: endpoint.arn.clone(),
            name: endpoint.name.clone(),
            namespace: namespace.id.clone(),
            description: Some("Managed by Amazon ECS Service Connect".to_owned()),
            dns: None,
            custom_check: Some(json!({ "FailureThreshold": 1 })),
            created: endpoint.created,
        })
    });
    made.chain(connected).collect()
}

/// The service with this ARN that CreateService made, which a `serviceRegistries` may name.
pub(crate) fn registry<'a>(cloudmap: &'a State, arn: &str) -> Option<&'a Service> {
    cloudmap.services.values().find(|own| own.arn == arn)
}

fn named(cloudmap: &State, registered: &Registered, id: &str) -> Result<Service, ApiError> {
    let found = all(cloudmap, registered).into_iter().find(|own| own.id == id || own.arn == id);
    found.ok_or_else(|| ApiError::new("ServiceNotFound", format!("Service not found: {id}")))
}

pub(super) fn get(base: &Base, cloudmap: &State, registered: &Registered, request: &ApiRequest) -> Outcome {
    Ok(json!({ "Service": named(cloudmap, registered, &text(request, "Id")?)?.describe(base, registered) }))
}

pub(super) fn delete(
    base: &mut Base,
    cloudmap: &mut State,
    registered: &Registered,
    request: &ApiRequest,
) -> Outcome {
    let id = text(request, "Id")?;
    let service = named(cloudmap, registered, &id)?;
    if !cloudmap.services.contains_key(&service.id) || !registered.instances_of(&service.arn).is_empty() {
        let text =
            format!("Service {} contains registered instances; delete the instances first", service.id);
        return Err(ApiError::new("ResourceInUse", text));
    }
    cloudmap.services.remove(&service.id);
    base.tags.forget(&service.arn);
    Ok(json!({}))
}

pub(super) fn list(base: &Base, cloudmap: &State, registered: &Registered, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let found = asked.admitted(base, all(cloudmap, registered).into_iter(), |service, filter| {
        (filter == "NAMESPACE_ID").then(|| service.namespace.clone())
    })?;
    listing(request, "Services", (100, 100), found, |service| service.describe(base, registered))
}

pub(super) fn list_instances(cloudmap: &State, registered: &Registered, request: &ApiRequest) -> Outcome {
    let service = named(cloudmap, registered, &text(request, "ServiceId")?)?;
    listing(
        request,
        "Instances",
        (100, 100),
        registered.instances_of(&service.arn).iter().collect(),
        |own| json!({ "Id": own.task, "Attributes": own.attributes }),
    )
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Discover {
    namespace_name: String,
    service_name: String,
    max_results: Option<usize>,
    #[serde(default)]
    query_parameters: BTreeMap<String, String>,
    health_status: Option<String>,
}

pub(super) fn discover(cloudmap: &State, registered: &Registered, request: &ApiRequest) -> Outcome {
    let asked: Discover = params(request)?;
    let namespace = namespace(cloudmap, &asked.namespace_name).ok_or_else(|| {
        ApiError::new("NamespaceNotFound", format!("Failed to find namespace {}", asked.namespace_name))
    })?;
    let own = |service: &Service| service.namespace == namespace.id && service.name == asked.service_name;
    let service = all(cloudmap, registered).into_iter().find(own).ok_or_else(|| {
        ApiError::new("ServiceNotFound", format!("Service not found: {}", asked.service_name))
    })?;
    let mut found: Vec<&Instance> = registered.instances_of(&service.arn).iter().collect();
    found.retain(|own| {
        asked.query_parameters.iter().all(|(key, value)| own.attributes.get(key) == Some(value))
    });
    let healthy = found.iter().any(|own| own.healthy);
    match asked.health_status.as_deref() {
        Some("ALL") => {}
        Some("UNHEALTHY") => found.retain(|own| !own.healthy),
        // Without a healthy instance all are returned, as a load balancer fails open (DiscoverInstances, `HealthStatus`).
        None | Some("HEALTHY_OR_ELSE_ALL") if !healthy => {}
        None | Some("HEALTHY" | "HEALTHY_OR_ELSE_ALL") => found.retain(|own| own.healthy),
        Some(other) => return Err(ApiError::new(INVALID, format!("HealthStatus {other} is not valid"))),
    }
    found.truncate(asked.max_results.unwrap_or(100));
    let shown = found.into_iter().map(|own| {
        json!({
            "InstanceId": own.task,
            "NamespaceName": namespace.name,
            "ServiceName": service.name,
            "HealthStatus": if own.healthy { "HEALTHY" } else { "UNHEALTHY" },
            "Attributes": own.attributes,
        })
    });
    Ok(json!({ "Instances": shown.collect::<Vec<_>>(), "InstancesRevision": 1 }))
}

impl Service {
    pub(super) fn is_in(&self, namespace: &str) -> bool {
        self.namespace == namespace
    }

    fn describe(&self, base: &Base, registered: &Registered) -> Value {
        json!({
            "Id": self.id,
            "Arn": self.arn,
            "ResourceOwner": base.settings.account,
            "Name": self.name,
            "NamespaceId": self.namespace,
            "Description": self.description,
            "InstanceCount": registered.instances_of(&self.arn).len(),
            "DnsConfig": self.dns,
            "Type": if self.dns.is_some() { "DNS_HTTP" } else { "HTTP" },
            "HealthCheckCustomConfig": self.custom_check,
            "CreateDate": self.created.epoch_secs(),
        })
    }
}
