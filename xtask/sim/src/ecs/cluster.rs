//! Clusters: CreateCluster, UpdateCluster, UpdateClusterSettings, DescribeClusters, ListClusters, DeleteCluster.

use serde::Deserialize;
use serde_json::{Value, json};

use super::account_settings;
use super::capacity::{self, Share};
use super::errors::{cluster_not_found, invalid};
use super::params::{cluster_name, described};
use super::reference::cluster_arn;
use super::state::{Cluster, Setting};

use super::task::model::TaskStatus;
use crate::base::{Millis, Tag, tags};
use crate::cloudmap;
use crate::ecs::region::Region;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params, text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectDefaults {
    namespace: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Create {
    cluster_name: Option<String>,
    tags: Vec<Tag>,
    settings: Vec<Setting>,
    configuration: Option<Value>,
    capacity_providers: Vec<String>,
    default_capacity_provider_strategy: Vec<Share>,
    service_connect_defaults: Option<ConnectDefaults>,
}

/// Creates the cluster, or returns the one of that name that is already ACTIVE, unchanged.
pub(super) fn create(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    tags::check(Api::Ecs, &asked.tags)?;
    capacity::check_cluster(&asked.capacity_providers, &asked.default_capacity_provider_strategy)?;
    let name = asked.cluster_name.unwrap_or_else(|| "default".to_owned());
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
        return Err(invalid("Invalid cluster name."));
    }
    check_settings(&asked.settings)?;
    if region.ecs.clusters.get(&name).is_none_or(|cluster| !cluster.active) {
        let namespace = asked.service_connect_defaults.map(|defaults| defaults.namespace);
        if let Some(namespace) = &namespace {
            ensure_namespace(region, now, namespace)?;
        }
        let cluster = Cluster {
            active: true,
            namespace,
            settings: with_default(region, asked.settings),
            configuration: asked.configuration,
            capacity_providers: asked.capacity_providers,
            default_strategy: asked.default_capacity_provider_strategy,
        };
        region.ecs.clusters.insert(name.clone(), cluster);
        let arn = cluster_arn(region.base, &name);
        // A deleted cluster keeps its tags while it is INACTIVE; a new one of its name starts without them.
        region.base.tags.forget(&arn);
        region.base.tags.put(&arn, asked.tags);
    }
    Ok(json!({ "cluster": view(region, &name, &["TAGS", "SETTINGS"]) }))
}

/// `containerInsights` is the only setting that clusters have.
fn check_settings(settings: &[Setting]) -> Result<(), ApiError> {
    for Setting { name, value } in settings {
        if name != "containerInsights" {
            return Err(invalid(format!("Setting name {name} is invalid.")));
        }
        if !["enabled", "disabled", "enhanced"].contains(&value.as_str()) {
            return Err(invalid(format!("Setting value {value} is invalid for the setting {name}.")));
        }
    }
    Ok(())
}

fn with_default(region: &Region<'_>, given: Vec<Setting>) -> Vec<Setting> {
    if !given.is_empty() {
        return given;
    }
    let name = "containerInsights";
    vec![Setting { name: name.to_owned(), value: account_settings::default_of(region, name) }]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    cluster: String,
    settings: Option<Vec<Setting>>,
    configuration: Option<Value>,
    service_connect_defaults: Option<ConnectDefaults>,
}

/// UpdateCluster and UpdateClusterSettings, which is the former's part for settings.
pub(super) fn update(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Update = params(request)?;
    let name = region.ecs.active_cluster(Some(&asked.cluster))?;
    if request.operation == "UpdateClusterSettings" && asked.settings.is_none() {
        return Err(invalid("Settings can not be null."));
    }
    check_settings(asked.settings.as_deref().unwrap_or_default())?;
    let namespace = asked.service_connect_defaults.map(|defaults| defaults.namespace);
    if let Some(namespace) = namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        ensure_namespace(region, now, namespace)?;
    }
    let cluster = region.ecs.clusters.get_mut(&name).ok_or_else(cluster_not_found)?;
    cluster.settings = asked.settings.unwrap_or_else(|| std::mem::take(&mut cluster.settings));
    cluster.configuration = asked.configuration.or_else(|| cluster.configuration.take());
    if let Some(namespace) = namespace {
        // An empty one takes the default away; the namespace stays.
        cluster.namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    }
    Ok(json!({ "cluster": view(region, &name, &["TAGS", "SETTINGS", "CONFIGURATIONS"]) }))
}

/// Fargate has no container instances.
pub(super) fn list_instances(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    region.ecs.active_cluster(request.params["cluster"].as_str())?;
    Ok(json!({ "containerInstanceArns": [] }))
}

/// A cluster's default namespace is made when it does not exist; a service's never is.
fn ensure_namespace(region: &mut Region<'_>, now: Millis, namespace: &str) -> Result<(), ApiError> {
    if namespace.starts_with("arn:") || cloudmap::namespace(region.cloudmap, namespace).is_some() {
        return Ok(());
    }
    cloudmap::create_http(region.base, region.cloudmap, region.identity, now, namespace)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    clusters: Vec<String>,
    include: Vec<String>,
}

pub(super) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let mut asked: Describe = params(request)?;
    if asked.clusters.is_empty() {
        // Without names the default cluster is meant (ECS API, DescribeClusters).
        asked.clusters.push("default".to_owned());
    }
    if asked.clusters.len() > 100 {
        return Err(invalid("Cluster count is limited to 100."));
    }
    let include: Vec<&str> = asked.include.iter().map(String::as_str).collect();
    described("clusters", &asked.clusters, |reference| {
        let name = cluster_name(Some(reference));
        let known = region.ecs.clusters.contains_key(&name);
        if known { Ok(view(region, &name, &include)) } else { Err(cluster_arn(region.base, &name)) }
    })
}

pub(super) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let active = region.ecs.clusters.iter().filter(|(_, cluster)| cluster.active);
    let arns: Vec<String> = active.map(|(name, _)| cluster_arn(region.base, name)).collect();
    listing(request, "clusterArns", (100, 100), arns, Value::from)
}

pub(super) fn delete(region: &mut Region<'_>, request: &ApiRequest) -> Outcome {
    let name = region.ecs.active_cluster(Some(&text(request, "cluster")?))?;
    let refuse = |code: &'static str, what: &str| {
        Err(ApiError::new(code, format!("The Cluster cannot be deleted while {what} are active.")))
    };
    if region.ecs.services.iter().any(|(key, service)| key.cluster == name && service.is_alive()) {
        return refuse("ClusterContainsServicesException", "Services");
    }
    // Tasks outlive their service by the drain: DeleteCluster right after DeleteService fails for a while.
    if region.ecs.live().any(|task| task.service.cluster == name) {
        return refuse("ClusterContainsTasksException", "Tasks");
    }
    let cluster = region.ecs.clusters.get_mut(&name).ok_or_else(cluster_not_found)?;
    cluster.active = false;
    Ok(json!({ "cluster": view(region, &name, &[]) }))
}

/// A cluster as a reply shows it, with the members of `include`: `TAGS`, `SETTINGS`, `STATISTICS`, `CONFIGURATIONS`.
pub(super) fn view(region: &Region<'_>, name: &str, include: &[&str]) -> Value {
    let arn = cluster_arn(region.base, name);
    let Some(cluster) = region.ecs.clusters.get(name) else { return Value::Null };
    let mut running = 0;
    let mut pending = 0;
    for task in region.ecs.live().filter(|task| task.service.cluster == name) {
        match task.status {
            TaskStatus::Running => running += 1,
            status if status < TaskStatus::Running => pending += 1,
            _ => {}
        }
    }
    let services = region.ecs.services.iter();
    let active = services.filter(|(key, service)| key.cluster == name && service.is_active()).count();
    let ready = cluster
        .namespace
        .as_deref()
        .is_none_or(|namespace| cloudmap::namespace(region.cloudmap, namespace).is_some());
    let status = match (cluster.active, ready) {
        (false, _) => "INACTIVE",
        // The default namespace is still being created.
        (true, false) => "PROVISIONING",
        (true, true) => "ACTIVE",
    };
    let namespace = cluster.namespace.as_ref().map(|namespace| {
        let known = cloudmap::namespace(region.cloudmap, namespace);
        json!({ "namespace": known.map_or(namespace, |found| &found.arn) })
    });
    json!({
        "clusterArn": arn,
        "clusterName": name,
        "status": status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": active,
        "statistics": if include.contains(&"STATISTICS") { statistics(region, name) } else { Vec::new() },
        "settings": if include.contains(&"SETTINGS") { json!(cluster.settings) } else { json!([]) },
        "configuration": cluster.configuration.as_ref().filter(|_| include.contains(&"CONFIGURATIONS")),
        "capacityProviders": cluster.capacity_providers,
        "defaultCapacityProviderStrategy": cluster.default_strategy,
        "tags": if include.contains(&"TAGS") { region.base.tags.of(&arn) } else { Vec::new() },
        "serviceConnectDefaults": namespace,
    })
}

/// Counts by launch type, in AWS's order of names. Here all of them are Fargate's.
fn statistics(region: &Region<'_>, name: &str) -> Vec<Value> {
    let tasks = |running: bool| {
        let tasks = region.ecs.live().filter(|task| task.service.cluster == name);
        tasks.filter(|task| (task.status == TaskStatus::Running) == running && task.desired_running).count()
    };
    let services = |active: bool| {
        let services = region.ecs.services.iter().filter(|(key, _)| key.cluster == name);
        services.filter(|(_, service)| service.is_alive() && service.is_active() == active).count()
    };
    let (none, running, pending) = (0, tasks(true), tasks(false));
    [
        ("runningEC2TasksCount", none),
        ("runningFargateTasksCount", running),
        ("pendingEC2TasksCount", none),
        ("pendingFargateTasksCount", pending),
        ("runningExternalTasksCount", none),
        ("pendingExternalTasksCount", none),
        ("activeEC2ServiceCount", none),
        ("activeFargateServiceCount", services(true)),
        ("drainingEC2ServiceCount", none),
        ("drainingFargateServiceCount", services(false)),
        ("activeExternalServiceCount", none),
        ("drainingExternalServiceCount", none),
    ]
    .into_iter()
    .map(|(name, count)| json!({ "name": name, "value": count.to_string() }))
    .collect()
}
