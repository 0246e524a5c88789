//! Service deployments and revisions: what ECS remembers of each deployment for 90 days.

use aws_sdk_ecs::types::{ServiceDeploymentStatus, StopServiceDeploymentStopType};
use deploy::model::ImageDigest;
use deploy::rollout::ServiceDeploymentSnapshot;
use futures_util::future::try_join_all;

use super::snapshot;
use crate::aws::call::Op;
use crate::aws::{Aws, Error};

const LIST: Op = Op::read("ecs", "ListServiceDeployments");
const DESCRIBE: Op = Op::read("ecs", "DescribeServiceDeployments");
const REVISIONS: Op = Op::read("ecs", "DescribeServiceRevisions");
const STOP: Op = Op::write("ecs", "StopServiceDeployment");

/// How many service deployments or revisions one call takes.
const BATCH: usize = 20;

/// An immutable snapshot of what a service deployment brings live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRevision {
    pub arn: String,
    pub task_definition: String,
    pub images: Vec<RevisionImage>,
    /// Its endpoints of Service Connect, each as text that is the same for the same one.
    pub endpoints: Vec<String>,
}

/// The image of a container of a service revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionImage {
    pub container: String,
    /// The image as the task definition names it.
    pub image: String,
    /// What it was resolved to.
    pub digest: Option<ImageDigest>,
}

impl Aws {
    /// The latest service deployments of a service, newest first; of these `statuses` only, unless that is empty.
    /// They lack circuit breaker and rollback.
    ///
    /// # Errors
    /// [`crate::aws::Kind::Unsupported`] where an endpoint lacks it; when AWS refuses.
    pub async fn list_service_deployments(
        &self,
        cluster: &str,
        service: &str,
        statuses: &[&str],
    ) -> Result<Vec<ServiceDeploymentSnapshot>, Error> {
        let statuses: Vec<_> = statuses.iter().map(|status| ServiceDeploymentStatus::from(*status)).collect();
        let call = || {
            self.ecs
                .list_service_deployments()
                .cluster(cluster)
                .service(service)
                .set_status((!statuses.is_empty()).then(|| statuses.clone()))
                .send()
        };
        let found = self.call(LIST, call).await?.service_deployments.unwrap_or_default();
        let mut found: Vec<_> = found.iter().map(snapshot::service_deployment_brief).collect();
        // The API reference promises no order.
        found.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_ms));
        Ok(found)
    }

    /// # Errors
    /// [`crate::aws::Kind::Unsupported`] where an endpoint lacks it; when AWS refuses.
    pub async fn describe_service_deployments(
        &self,
        arns: &[String],
    ) -> Result<Vec<ServiceDeploymentSnapshot>, Error> {
        let batch = |arns: &[String]| {
            let arns = arns.to_vec();
            async move {
                let call = || {
                    self.ecs
                        .describe_service_deployments()
                        .set_service_deployment_arns(Some(arns.clone()))
                        .send()
                };
                Ok::<_, Error>(self.call(DESCRIBE, call).await?.service_deployments.unwrap_or_default())
            }
        };
        let found = try_join_all(arns.chunks(BATCH).map(batch)).await?;
        // An ARN that ECS no longer knows is listed under `failures` and is left out here: whoever asked sees that it lacks.
        Ok(found.iter().flatten().map(snapshot::service_deployment).collect())
    }

    /// # Errors
    /// [`crate::aws::Kind::Unsupported`] where an endpoint lacks it; when AWS refuses.
    pub async fn describe_service_revisions(&self, arns: &[String]) -> Result<Vec<ServiceRevision>, Error> {
        let batch = |arns: &[String]| {
            let arns = arns.to_vec();
            async move {
                let call = || {
                    self.ecs.describe_service_revisions().set_service_revision_arns(Some(arns.clone())).send()
                };
                Ok::<_, Error>(self.call(REVISIONS, call).await?.service_revisions.unwrap_or_default())
            }
        };
        let found = try_join_all(arns.chunks(BATCH).map(batch)).await?;
        let image = |image: aws_sdk_ecs::types::ContainerImage| RevisionImage {
            container: image.container_name.unwrap_or_default(),
            image: image.image.unwrap_or_default(),
            digest: image.image_digest.map(ImageDigest),
        };
        Ok(found
            .into_iter()
            .flatten()
            .map(|revision| ServiceRevision {
                endpoints: revision
                    .service_connect_configuration
                    .map(|connect| connect.services().iter().map(|it| format!("{it:?}")).collect())
                    .unwrap_or_default(),
                arn: revision.service_revision_arn.unwrap_or_default(),
                task_definition: revision.task_definition.unwrap_or_default(),
                images: revision.container_images.unwrap_or_default().into_iter().map(image).collect(),
            })
            .collect())
    }

    /// Stops a service deployment and rolls back to the previous revision.
    ///
    /// # Errors
    /// [`crate::aws::Kind::Conflict`] when it is over already; [`crate::aws::Kind::Unsupported`] where an endpoint
    /// lacks it; when AWS refuses.
    pub async fn stop_service_deployment(&self, arn: &str) -> Result<(), Error> {
        // The API has ABORT as well; its reference describes ROLLBACK only.
        let rollback = StopServiceDeploymentStopType::Rollback;
        let call = || {
            self.ecs.stop_service_deployment().service_deployment_arn(arn).stop_type(rollback.clone()).send()
        };
        self.call(STOP, call).await.map(drop)
    }
}
