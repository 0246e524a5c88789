//! Clusters: CreateCluster, UpdateCluster, UpdateClusterSettings, DescribeClusters, ListClusters, DeleteCluster.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account_settings;
use super::capacity::{self, Share};
use super::errors::{cluster_not_found, invalid};
use super::params::{cluster_name, described};
use super::reference::cluster_arn;
use super::state::active_cluster;

use super::task::TaskStatus;
use crate::account::Account;
use crate::base::tags::{self, Tag};
use crate::clock::Millis;
use crate::cloudmap;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, listing, params, text};

/// A cluster. It is never removed: a deleted one stays describable as INACTIVE.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) active: bool,
    /// `serviceConnectDefaults.namespace` as it was given: a name or an ARN.
    pub(super) namespace: Option<String>,
    settings: Vec<Setting>,
    /// As it was given: nothing here reads it.
    configuration: Option<Value>,
    pub(super) capacity_providers: Vec<String>,
    pub(super) default_strategy: Vec<Share>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Setting {
    name: String,
    value: String,
}

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
pub(super) fn create(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Create = params(request)?;
    tags::check(Api::Ecs, &asked.tags)?;
    capacity::check_cluster(&asked.capacity_providers, &asked.default_capacity_provider_strategy)?;
    let name = asked.cluster_name.unwrap_or_else(|| "default".to_owned());
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
        return Err(invalid("Invalid cluster name."));
    }
    check_settings(&asked.settings)?;
    if account.ecs.clusters.get(&name).is_none_or(|cluster| !cluster.active) {
        let namespace = asked.service_connect_defaults.map(|defaults| defaults.namespace);
        if let Some(namespace) = &namespace {
            ensure_namespace(account, now, namespace)?;
        }
        let cluster = Cluster {
            active: true,
            namespace,
            settings: with_default(account, asked.settings),
            configuration: asked.configuration,
            capacity_providers: asked.capacity_providers,
            default_strategy: asked.default_capacity_provider_strategy,
        };
        account.ecs.clusters.insert(name.clone(), cluster);
        let arn = cluster_arn(account, &name);
        // A deleted cluster keeps its tags while it is INACTIVE; a new one of its name starts without them.
        account.base.tags.forget(&arn);
        account.base.tags.put(&arn, asked.tags);
    }
    Ok(json!({ "cluster": view(account, &name, &["TAGS", "SETTINGS"]) }))
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

fn with_default(account: &Account, given: Vec<Setting>) -> Vec<Setting> {
    if !given.is_empty() {
        return given;
    }
    let name = "containerInsights";
    vec![Setting { name: name.to_owned(), value: account_settings::default_of(account, name) }]
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
pub(super) fn update(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Update = params(request)?;
    let name = active_cluster(account, Some(&asked.cluster))?;
    if request.operation == "UpdateClusterSettings" && asked.settings.is_none() {
        return Err(invalid("Settings can not be null."));
    }
    check_settings(asked.settings.as_deref().unwrap_or_default())?;
    let namespace = asked.service_connect_defaults.map(|defaults| defaults.namespace);
    if let Some(namespace) = namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        ensure_namespace(account, now, namespace)?;
    }
    let cluster = account.ecs.clusters.get_mut(&name).ok_or_else(cluster_not_found)?;
    cluster.settings = asked.settings.unwrap_or_else(|| std::mem::take(&mut cluster.settings));
    cluster.configuration = asked.configuration.or_else(|| cluster.configuration.take());
    if let Some(namespace) = namespace {
        // An empty one takes the default away; the namespace stays.
        cluster.namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    }
    Ok(json!({ "cluster": view(account, &name, &["TAGS", "SETTINGS", "CONFIGURATIONS"]) }))
}

/// Fargate has no container instances.
pub(super) fn list_instances(account: &Account, request: &ApiRequest) -> Outcome {
    active_cluster(account, request.params["cluster"].as_str())?;
    Ok(json!({ "containerInstanceArns": [] }))
}

/// A cluster's default namespace is made when it does not exist; a service's never is.
fn ensure_namespace(account: &mut Account, now: Millis, namespace: &str) -> Result<(), ApiError> {
    if namespace.starts_with("arn:") || cloudmap::namespace(&account.cloudmap, namespace).is_some() {
        return Ok(());
    }
    let params = json!({ "Name": namespace, "CreatorRequestId": format!("ecs-{namespace}") });
    let request = ApiRequest::of(Api::CloudMap, "CreateHttpNamespace", params);
    account.carry_out(now, &request).map(drop)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    clusters: Vec<String>,
    include: Vec<String>,
}

pub(super) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
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
        let known = account.ecs.clusters.contains_key(&name);
        if known { Ok(view(account, &name, &include)) } else { Err(cluster_arn(account, &name)) }
    })
}

pub(super) fn list(account: &Account, request: &ApiRequest) -> Outcome {
    let active = account.ecs.clusters.iter().filter(|(_, cluster)| cluster.active);
    let arns: Vec<String> = active.map(|(name, _)| cluster_arn(account, name)).collect();
    listing(request, "clusterArns", (100, 100), arns, Value::from)
}

pub(super) fn delete(account: &mut Account, request: &ApiRequest) -> Outcome {
    let name = active_cluster(account, Some(&text(request, "cluster")?))?;
    let refuse = |code: &'static str, what: &str| {
        Err(ApiError::new(code, format!("The Cluster cannot be deleted while {what} are active.")))
    };
    if account.ecs.services.iter().any(|(key, service)| key.cluster == name && service.is_alive()) {
        return refuse("ClusterContainsServicesException", "Services");
    }
    // Tasks outlive their service by the drain: DeleteCluster right after DeleteService fails for a while.
    if account.ecs.live().any(|task| task.service.cluster == name) {
        return refuse("ClusterContainsTasksException", "Tasks");
    }
    let cluster = account.ecs.clusters.get_mut(&name).ok_or_else(cluster_not_found)?;
    cluster.active = false;
    Ok(json!({ "cluster": view(account, &name, &[]) }))
}

/// A cluster as a reply shows it, with the members of `include`: `TAGS`, `SETTINGS`, `STATISTICS`, `CONFIGURATIONS`.
pub(super) fn view(account: &Account, name: &str, include: &[&str]) -> Value {
    let arn = cluster_arn(account, name);
    let Some(cluster) = account.ecs.clusters.get(name) else { return Value::Null };
    let mut running = 0;
    let mut pending = 0;
    for task in account.ecs.live().filter(|task| task.service.cluster == name) {
        match task.status {
            TaskStatus::Running => running += 1,
            status if status < TaskStatus::Running => pending += 1,
            _ => {}
        }
    }
    let services = account.ecs.services.iter();
    let active = services.filter(|(key, service)| key.cluster == name && service.is_active()).count();
    let ready = cluster
        .namespace
        .as_deref()
        .is_none_or(|namespace| cloudmap::namespace(&account.cloudmap, namespace).is_some());
    let status = match (cluster.active, ready) {
        (false, _) => "INACTIVE",
        // The default namespace is still being created.
        (true, false) => "PROVISIONING",
        (true, true) => "ACTIVE",
    };
    let namespace = cluster.namespace.as_ref().map(|namespace| {
        let known = cloudmap::namespace(&account.cloudmap, namespace);
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
        "statistics": if include.contains(&"STATISTICS") { statistics(account, name) } else { Vec::new() },
        "settings": if include.contains(&"SETTINGS") { json!(cluster.settings) } else { json!([]) },
        "configuration": cluster.configuration.as_ref().filter(|_| include.contains(&"CONFIGURATIONS")),
        "capacityProviders": cluster.capacity_providers,
        "defaultCapacityProviderStrategy": cluster.default_strategy,
        "tags": if include.contains(&"TAGS") { account.base.tags.of(&arn) } else { Vec::new() },
        "serviceConnectDefaults": namespace,
    })
}

/// Counts by launch type, in AWS's order of names. Here all of them are Fargate's.
fn statistics(account: &Account, name: &str) -> Vec<Value> {
    let tasks = |running: bool| {
        let tasks = account.ecs.live().filter(|task| task.service.cluster == name);
        tasks.filter(|task| (task.status == TaskStatus::Running) == running && task.desired_running).count()
    };
    let services = |active: bool| {
        let services = account.ecs.services.iter().filter(|(key, _)| key.cluster == name);
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
