//! Clusters.

use aws_sdk_ecs::operation::create_cluster::CreateClusterOutput;
use aws_sdk_ecs::operation::describe_clusters::DescribeClustersOutput;
use aws_sdk_ecs::types::{CapacityProviderStrategyItem, ClusterField};
use aws_smithy_types::error::operation::BuildError;
use deploy::model::ClusterState;
use deploy::model::spec::ClusterSpec;

use crate::aws::call::Op;
use crate::aws::ecs::tags::{read_tags, wire_tags};
use crate::aws::error::gone;
use crate::aws::names::{count, wire};
use crate::aws::{Aws, Error, Tags};

const CREATE: Op = Op::write("ecs", "CreateCluster");
/// Patient about a change of the same kind that is not complete.
const PROVIDERS: Op = Op::write("ecs", "PutClusterCapacityProviders").patient(&["UpdateInProgressException"]);
const DESCRIBE: Op = Op::read("ecs", "DescribeClusters");
/// Patient about services and tasks that are still ending.
const DELETE: Op = Op::write("ecs", "DeleteCluster").patient(&[
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "UpdateInProgressException",
]);

impl Aws {
    /// Creates a cluster; one that exists stays as it is. Returns its ARN.
    pub async fn create_cluster(&self, spec: &ClusterSpec, tags: &Tags) -> Result<String, Error> {
        let providers = &spec.capacity_providers;
        let call = || {
            let create = self.ecs.create_cluster().cluster_name(&spec.name).set_tags(wire_tags(tags));
            create.set_capacity_providers((!providers.is_empty()).then(|| providers.clone())).send()
        };
        let arn = |reply: CreateClusterOutput| {
            reply.cluster.and_then(|cluster| cluster.cluster_arn).ok_or_else(|| "clusterArn".to_owned())
        };
        self.call_for(CREATE, call, arn).await
    }

    /// Gives a cluster these capacity providers and this default strategy, in place of those that it had.
    pub async fn put_capacity_providers(
        &self,
        spec: &ClusterSpec,
        default_strategy: &[(String, u32, u32)],
    ) -> Result<(), Error> {
        let item = |(provider, weight, base): &(String, u32, u32)| {
            let item = CapacityProviderStrategyItem::builder().capacity_provider(provider);
            item.weight(wire(*weight)).base(wire(*base)).build()
        };
        let strategy: Vec<_> = default_strategy
            .iter()
            .map(item)
            .collect::<Result<_, _>>()
            .map_err(|error: BuildError| Error::unsendable(PROVIDERS, &error))?;
        let call = || {
            let put = self.ecs.put_cluster_capacity_providers().cluster(&spec.name);
            put.set_capacity_providers(Some(spec.capacity_providers.clone()))
                .set_default_capacity_provider_strategy(Some(strategy.clone()))
                .send()
        };
        self.call(PROVIDERS, call).await.map(drop)
    }

    /// A cluster; one that was deleted is still shown as `INACTIVE` for a while.
    pub async fn describe_cluster(&self, name: &str) -> Result<Option<ClusterState>, Error> {
        // A reply that neither has the cluster nor calls it missing is a gateway's empty body, not an account without it.
        let found =
            |reply: DescribeClustersOutput| match reply.clusters.unwrap_or_default().into_iter().next() {
                None if reply.failures.unwrap_or_default().is_empty() => {
                    Err(format!("cluster {name}, nor calls it missing"))
                }
                found => Ok(found),
            };
        let call = |include: &[ClusterField]| {
            let include = (!include.is_empty()).then(|| include.to_vec());
            self.ecs.describe_clusters().clusters(name).set_include(include).send()
        };
        let read = match self.call_for(DESCRIBE, || call(&[ClusterField::Tags]), found).await {
            // Where the call with `include: [TAGS]` is refused, the cluster may still be readable without.
            Err(error) if error.is_unavailable() => self.call_for(DESCRIBE, || call(&[]), found).await,
            read => read,
        };
        Ok(read?.map(|cluster| ClusterState {
            arn: cluster.cluster_arn.unwrap_or_default(),
            status: cluster.status.unwrap_or_default(),
            capacity_providers: cluster.capacity_providers.unwrap_or_default(),
            default_strategy: cluster
                .default_capacity_provider_strategy
                .unwrap_or_default()
                .into_iter()
                .map(|item| (item.capacity_provider, count(item.weight), count(item.base)))
                .collect(),
            tags: cluster.tags.map(|tags| read_tags(Some(tags))),
            active: (
                count(cluster.active_services_count),
                count(cluster.running_tasks_count) + count(cluster.pending_tasks_count),
            ),
        }))
    }

    /// Deletes an empty cluster. A missing one is not an error.
    ///
    /// # Errors
    /// When AWS refuses, as it does while services or tasks are in it.
    pub async fn delete_cluster(&self, name: &str) -> Result<(), Error> {
        self.call(DELETE, || self.ecs.delete_cluster().cluster(name).send()).await.map(drop).or_else(gone)
    }
}
