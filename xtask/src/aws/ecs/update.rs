//! UpdateService, with only the members that are to change.

use std::collections::BTreeSet;

use aws_sdk_ecs::operation::update_service::UpdateServiceOutput;
use aws_sdk_ecs::types::PropagateTags;
use deploy::model::spec::{Member, ServiceSpec};
use deploy::rollout::ServiceSnapshot;

use super::settings::{self, Arns};
use super::snapshot;
use crate::aws::call::Op;
use crate::aws::names::wire;
use crate::aws::raw::Raw;
use crate::aws::{Aws, Error};

const UPDATE: Op = Op::write("ecs", "UpdateService").patient(&["NamespaceNotFoundException"]);
/// A forced deployment is started by each call.
const FORCE: Op = Op::write_once("ecs", "UpdateService");

/// An update of a service.
#[derive(Clone, Copy, Debug)]
pub struct UpdateService<'a> {
    /// The settings it shall have; only `members` of them are sent.
    pub spec: &'a ServiceSpec,
    /// Which settings are sent. Those that are not stay as they are.
    pub members: &'a BTreeSet<Member>,
    /// The revision's ARN, when it is to change.
    pub task_definition: Option<&'a str>,
    /// The count, when it is to change; never where a scalable target decides it.
    pub desired: Option<u32>,
    /// Start a deployment even when nothing changes.
    pub force_new_deployment: bool,
    /// The PRIMARY deployment's id before the update, to see after a lost reply whether a forced one was started.
    pub previous_primary: Option<&'a str>,
    /// ARNs of what the settings name.
    pub arns: &'a Arns,
}

impl Aws {
    /// Updates a service. The snapshot has the id of its PRIMARY deployment, which is a new one exactly when
    /// the update started a deployment.
    pub async fn update_service(&self, update: &UpdateService<'_>) -> Result<ServiceSnapshot, Error> {
        let op = if update.force_new_deployment { FORCE } else { UPDATE };
        match self.update_once(op, update).await {
            Err(error) if update.force_new_deployment && error.may_have_happened => {
                let spec = update.spec;
                let now = self.describe_services(&spec.cluster, &[&spec.name]).await?.into_iter().next();
                let primary = |snapshot: &ServiceSnapshot| {
                    let primary = snapshot.primary()?;
                    Some(primary.id.clone())
                };
                let started = now.filter(|now| primary(now).as_deref() != update.previous_primary);
                match (started, update.previous_primary) {
                    (Some(snapshot), Some(_)) => Ok(snapshot),
                    _ => self.update_once(op, update).await,
                }
            }
            result => result,
        }
    }

    /// Gives a service another desired count.
    pub async fn set_desired_count(&self, cluster: &str, service: &str, count: u32) -> Result<(), Error> {
        let call =
            || self.ecs.update_service().cluster(cluster).service(service).desired_count(wire(count)).send();
        self.call(UPDATE, call).await.map(drop)
    }

    async fn update_once(&self, op: Op, update: &UpdateService<'_>) -> Result<ServiceSnapshot, Error> {
        let spec = update.spec;
        let sends = |member: &Member| update.members.contains(member);
        let unsendable = |error| Error::unsendable(op, &error);
        let network = sends(&Member::NetworkConfiguration).then(|| settings::network(spec)).transpose();
        let network = network.map_err(unsendable)?;
        let connect = sends(&Member::ServiceConnectConfiguration)
            .then(|| settings::connect(spec, update.arns))
            .transpose();
        let connect = connect.map_err(unsendable)?;
        let rolling = sends(&Member::DeploymentConfiguration).then(|| settings::deployment(spec)).transpose();
        let rolling = rolling.map_err(unsendable)?;
        let balancers =
            sends(&Member::LoadBalancers).then(|| settings::load_balancers(spec, update.arns)).transpose();
        let balancers = balancers.map_err(|name| Error::unknown_arn(op, &name))?;
        let extra = Raw::with(settings::extra(spec, update.arns, update.members));
        let tags = sends(&Member::Tags);
        let call = || {
            self.ecs
                .update_service()
                .cluster(&spec.cluster)
                .service(&spec.name)
                .set_task_definition(update.task_definition.map(str::to_owned))
                .set_desired_count(update.desired.map(wire))
                .set_force_new_deployment(update.force_new_deployment.then_some(true))
                .set_network_configuration(network.clone())
                .set_load_balancers(balancers.clone())
                .set_service_connect_configuration(connect.clone())
                .set_platform_version(sends(&Member::PlatformVersion).then(|| spec.platform_version.clone()))
                .set_deployment_configuration(rolling.clone())
                .set_health_check_grace_period_seconds(
                    sends(&Member::HealthCheckGracePeriodSeconds).then(|| wire(spec.health_check_grace_secs)),
                )
                .set_enable_execute_command(
                    sends(&Member::EnableExecuteCommand).then_some(spec.enable_execute_command),
                )
                .set_enable_ecs_managed_tags(tags.then_some(spec.managed_tags))
                .set_propagate_tags(tags.then(|| PropagateTags::from(spec.propagate_tags.as_str())))
                .customize()
                .interceptor(extra.clone())
                .send()
        };
        let service = |reply: UpdateServiceOutput| {
            reply.service.as_ref().map(snapshot::service).ok_or_else(|| "service".to_owned())
        };
        self.call_for(op, call, service).await
    }
}
