//! ListServiceDeployments, DescribeServiceDeployments and DescribeServiceRevisions. The records are deleted with their
//! service: an INACTIVE one has none.

use serde::Deserialize;
use serde_json::{Value, json};

use super::revision::Revision;
use super::service_deployment::ServiceDeployment;
use crate::ecs::errors::invalid;
use crate::ecs::params::described;
use crate::ecs::reference::cluster_arn;
use crate::ecs::region::Region;
use crate::ecs::service::model::Service;
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

pub(in crate::ecs) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: List = params(request)?;
    let key = region.ecs.service_key(asked.cluster.as_deref(), &asked.service)?;
    let Some(service) = region.ecs.services.get(&key).filter(|service| service.is_alive()) else {
        // ECS keeps them for 90 days, and no longer than the service.
        return Ok(json!({ "serviceDeployments": [] }));
    };
    let wanted = service.service_deployments.iter().filter(|deployment| {
        let at = deployment.created_at.epoch_secs();
        (asked.status.is_empty() || asked.status.iter().any(|status| status == deployment.status.as_str()))
            && asked.created_at.after.is_none_or(|after| at >= after)
            && asked.created_at.before.is_none_or(|before| at <= before)
    });
    let brief = |deployment: &ServiceDeployment| deployment.brief(region, service);
    listing(request, "serviceDeployments", (20, 100), wanted.collect(), brief)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    service_deployment_arns: Vec<String>,
}

pub(in crate::ecs) fn describe(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.service_deployment_arns.is_empty() || asked.service_deployment_arns.len() > 20 {
        return Err(invalid("serviceDeploymentArns must have between 1 and 20 items."));
    }
    described("serviceDeployments", &asked.service_deployment_arns, |arn| {
        let mut alive = region.ecs.services.values().filter(|service| service.is_alive());
        let known = alive.find_map(|service| {
            let deployment = service.service_deployments.iter().find(|deployment| deployment.arn == arn)?;
            Some(deployment.full(region, service))
        });
        known.ok_or_else(|| arn.to_owned())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeRevisions {
    service_revision_arns: Vec<String>,
}

pub(in crate::ecs) fn describe_revisions(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: DescribeRevisions = params(request)?;
    if asked.service_revision_arns.is_empty() || asked.service_revision_arns.len() > 20 {
        return Err(invalid("serviceRevisionArns must have between 1 and 20 items."));
    }
    described("serviceRevisions", &asked.service_revision_arns, |arn| {
        let mut services = region.ecs.services.values();
        let known = services.find_map(|service| Some(revision_view(region, service, service.revision(arn)?)));
        known.ok_or_else(|| arn.to_owned())
    })
}

fn revision_view(region: &Region<'_>, service: &Service, revision: &Revision) -> Value {
    let images = revision.images.iter().map(
        |image| json!({ "containerName": image.container, "image": image.image, "imageDigest": image.digest }),
    );
    json!({
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": cluster_arn(region.base, &service.key.cluster),
        "taskDefinition": revision.spec.task_definition,
        "platformVersion": revision.spec.platform_version,
        "platformFamily": "Linux",
        "loadBalancers": revision.spec.load_balancers,
        "serviceRegistries": revision.spec.service_registries,
        "networkConfiguration": { "awsvpcConfiguration": revision.spec.network },
        "containerImages": images.collect::<Vec<Value>>(),
        "guardDutyEnabled": false,
        "volumeConfigurations": revision.spec.volumes,
        "vpcLatticeConfigurations": revision.spec.vpc_lattice,
        "createdAt": revision.created_at.epoch_secs(),
        "launchType": revision.launch_type,
        "serviceConnectConfiguration": revision.spec.connect,
    })
}
