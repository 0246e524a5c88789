//! Service revisions: the immutable snapshot that a deployment rolls out, and DescribeServiceRevisions.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::Millis;
use crate::ecs::errors::invalid;
use crate::ecs::params::described;
use crate::ecs::service::{Service, Spec};
use crate::wire::{ApiRequest, Outcome, params};

#[derive(Clone, Debug)]
pub(in crate::ecs) struct Revision {
    pub(in crate::ecs) arn: String,
    pub(in crate::ecs) created_at: Millis,
    pub(in crate::ecs) spec: Spec,
    pub(in crate::ecs) launch_type: Option<String>,
    pub(in crate::ecs) images: Vec<RevisionImage>,
}

/// A container's image in a revision. The first task resolves the digest, and all others of the revision
/// use it: a tag that is pushed again meanwhile changes nothing (`versionConsistency`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ecs) struct RevisionImage {
    pub(in crate::ecs) container: String,
    pub(in crate::ecs) image: String,
    pub(in crate::ecs) digest: Option<String>,
}

impl Revision {
    /// A new revision of what `spec` asks for.
    pub(super) fn new(
        account: &mut Account,
        now: Millis,
        service: &str,
        spec: &Spec,
        launch_type: Option<&str>,
    ) -> Self {
        let number = account.base.ids.digits(19);
        let arn = account.base.arn("ecs", &format!("service-revision/{service}/{number}"));
        let definition = account.ecs.families.by_arn(&spec.task_definition);
        let containers = definition.map(|definition| definition.spec.container_definitions.as_slice());
        let images = containers.unwrap_or_default().iter().map(|container| RevisionImage {
            container: container.name.clone(),
            image: container.image.clone(),
            digest: None,
        });
        Self {
            arn,
            created_at: now,
            spec: spec.clone(),
            launch_type: launch_type.map(str::to_owned),
            images: images.collect(),
        }
    }

    /// The digest that the revision's first task resolved for a container.
    pub(in crate::ecs) fn digest(&self, container: &str) -> Option<&str> {
        self.images.iter().find(|image| image.container == container)?.digest.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    service_revision_arns: Vec<String>,
}

pub(in crate::ecs) fn describe(account: &Account, request: &ApiRequest) -> Outcome {
    let asked: Describe = params(request)?;
    if asked.service_revision_arns.is_empty() || asked.service_revision_arns.len() > 20 {
        return Err(invalid("serviceRevisionArns must have between 1 and 20 items."));
    }
    described("serviceRevisions", &asked.service_revision_arns, |arn| {
        let mut services = account.ecs.services.values();
        let known = services.find_map(|service| Some(view(account, service, service.revision(arn)?)));
        known.ok_or_else(|| arn.to_owned())
    })
}

fn view(account: &Account, service: &Service, revision: &Revision) -> Value {
    let images = revision.images.iter().map(
        |image| json!({ "containerName": image.container, "image": image.image, "imageDigest": image.digest }),
    );
    json!({
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": crate::ecs::reference::cluster_arn(account, &service.key.cluster),
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
