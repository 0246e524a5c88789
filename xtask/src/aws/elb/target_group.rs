//! Target groups, their attributes and the health of their targets.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::operation::create_target_group::CreateTargetGroupOutput;
use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup, TargetGroupAttribute, TargetHealthDescription, TargetTypeEnum,
};
use deploy::model::TargetGroupState;
use deploy::model::spec::{HealthCheckSpec, TargetGroupSpec};
use deploy::rollout::TargetSnapshot;
use futures_util::future::try_join_all;

use super::wire_tags;
use crate::aws::call::Op;
use crate::aws::error::{found, gone};
use crate::aws::names::{count, port, wire};
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeTargetGroups");
const ATTRIBUTES: Op = Op::read("elasticloadbalancing", "DescribeTargetGroupAttributes");
const HEALTH: Op = Op::read("elasticloadbalancing", "DescribeTargetHealth");
/// A second call with the same settings makes nothing; AWS mostly answers it with success.
const CREATE: Op = Op::write("elasticloadbalancing", "CreateTargetGroup");
const MODIFY: Op = Op::write("elasticloadbalancing", "ModifyTargetGroup").patient(LATE);
const MODIFY_ATTRIBUTES: Op = Op::write("elasticloadbalancing", "ModifyTargetGroupAttributes").patient(LATE);
/// Patient about a rule or a load balancer that was deleted a moment ago.
const DELETE: Op = Op::write("elasticloadbalancing", "DeleteTargetGroup").patient(&["ResourceInUse"]);
/// What a call answers about a target group that was created a moment ago.
pub(super) const LATE: &[&str] = &["TargetGroupNotFound"];

/// How many names one DescribeTargetGroups takes.
const BATCH: usize = 20;

/// A target group as it was found; its attributes are read by [`Aws::describe_target_group_attributes`].
#[derive(Clone, Debug, PartialEq)]
pub struct FoundTargetGroup {
    /// Its ARN and settings, without attributes.
    pub state: TargetGroupState,
}

impl Aws {
    /// The target groups of these names that exist.
    pub async fn find_target_groups(&self, names: &[&str]) -> Result<Vec<FoundTargetGroup>, Error> {
        let some = async |names: &[&str]| {
            let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let call = || self.elb.describe_target_groups().set_names(Some(wanted.clone())).send();
            let reply = self.call(DESCRIBE, call).await?;
            Ok::<Vec<_>, Error>(reply.target_groups.unwrap_or_default().iter().map(read).collect())
        };
        match try_join_all(names.chunks(BATCH).map(some)).await {
            Ok(found) => Ok(found.concat()),
            // One unknown name makes the whole call fail with TargetGroupNotFound, so all groups are listed instead.
            Err(error) if matches!(error.kind, Kind::NotFound) => {
                let mut found = self.list_target_groups().await?;
                found.retain(|group| names.contains(&group.state.spec.name.as_str()));
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is a target group of this ARN.
    pub async fn has_target_group(&self, arn: &str) -> Result<bool, Error> {
        let call = || self.elb.describe_target_groups().target_group_arns(arn).send();
        let groups = found(self.call(DESCRIBE, call).await)?.and_then(|reply| reply.target_groups);
        Ok(groups.is_some_and(|groups| !groups.is_empty()))
    }

    /// All target groups of the region.
    pub async fn list_target_groups(&self) -> Result<Vec<FoundTargetGroup>, Error> {
        let page = |next| self.elb.describe_target_groups().page_size(400).set_marker(next).send();
        let found = self.pages(DESCRIBE, page, |reply| (reply.target_groups, reply.next_marker)).await?;
        Ok(found.iter().map(read).collect())
    }

    /// A target group's attributes, by AWS's names.
    pub async fn describe_target_group_attributes(
        &self,
        arn: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let call = || self.elb.describe_target_group_attributes().target_group_arn(arn).send();
        let attributes = self.call(ATTRIBUTES, call).await?.attributes.unwrap_or_default();
        Ok(attributes.into_iter().filter_map(|it| Some((it.key?, it.value.unwrap_or_default()))).collect())
    }

    /// Creates a target group, without its attributes. Returns its ARN.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when there is one of that name with other settings; when AWS refuses.
    pub async fn create_target_group(&self, spec: &TargetGroupSpec, tags: &Tags) -> Result<String, Error> {
        let health = &spec.health;
        let call = || {
            self.elb
                .create_target_group()
                .name(&spec.name)
                .vpc_id(&spec.vpc)
                .port(i32::from(spec.port))
                .protocol(ProtocolEnum::from(spec.protocol.as_str()))
                .protocol_version(&spec.protocol_version)
                .target_type(TargetTypeEnum::from(spec.target_type.as_str()))
                .health_check_enabled(true)
                .health_check_protocol(ProtocolEnum::from(spec.protocol.as_str()))
                .health_check_port(health_port(health))
                .health_check_path(&health.path)
                .health_check_interval_seconds(wire(health.interval_secs))
                .health_check_timeout_seconds(wire(health.timeout_secs))
                .healthy_threshold_count(wire(health.healthy_threshold))
                .unhealthy_threshold_count(wire(health.unhealthy_threshold))
                .matcher(matcher(spec))
                .set_tags(wire_tags(tags))
                .send()
        };
        let arn = |reply: CreateTargetGroupOutput| {
            let group = reply.target_groups.unwrap_or_default().into_iter().next();
            group.and_then(|group| group.target_group_arn).ok_or_else(|| "target group".to_owned())
        };
        match self.call_for(CREATE, call, arn).await {
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => {
                let found = self.find_target_groups(&[&spec.name]).await?.into_iter().next();
                // DuplicateTargetGroupName compares the settings of this call only: attributes are set by another.
                let wanted = TargetGroupSpec { attributes: BTreeMap::new(), ..spec.clone() };
                found.map(|found| found.state).filter(|it| it.spec == wanted).map(|it| it.arn).ok_or(error)
            }
            made => made,
        }
    }

    /// Changes a target group's health check.
    pub async fn modify_target_group(&self, arn: &str, spec: &TargetGroupSpec) -> Result<(), Error> {
        let health = &spec.health;
        // Port, protocol, VPC and target type are immutable: ModifyTargetGroup has no members for them.
        let call = || {
            self.elb
                .modify_target_group()
                .target_group_arn(arn)
                .health_check_port(health_port(health))
                .health_check_path(&health.path)
                .health_check_interval_seconds(wire(health.interval_secs))
                .health_check_timeout_seconds(wire(health.timeout_secs))
                .healthy_threshold_count(wire(health.healthy_threshold))
                .unhealthy_threshold_count(wire(health.unhealthy_threshold))
                .matcher(matcher(spec))
                .send()
        };
        self.call(MODIFY, call).await.map(drop)
    }

    /// Sets these attributes of a target group.
    pub async fn set_target_group_attributes(
        &self,
        arn: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let one =
            |(key, value): (&String, &String)| TargetGroupAttribute::builder().key(key).value(value).build();
        let all: Vec<_> = attributes.iter().map(one).collect();
        let call = || {
            self.elb
                .modify_target_group_attributes()
                .target_group_arn(arn)
                .set_attributes(Some(all.clone()))
                .send()
        };
        self.call(MODIFY_ATTRIBUTES, call).await.map(drop)
    }

    /// Deletes a target group. A missing one is not an error.
    ///
    /// # Errors
    /// [`Kind::Conflict`] while a rule leads to it; when AWS refuses.
    pub async fn delete_target_group(&self, arn: &str) -> Result<(), Error> {
        self.call(DELETE, || self.elb.delete_target_group().target_group_arn(arn).send())
            .await
            .map(drop)
            .or_else(gone)
    }

    /// How the targets of a group are.
    ///
    /// # Errors
    /// When AWS refuses, or the group does not exist.
    pub async fn describe_target_health(&self, arn: &str) -> Result<Vec<TargetSnapshot>, Error> {
        let reply =
            self.call(HEALTH, || self.elb.describe_target_health().target_group_arn(arn).send()).await?;
        Ok(reply.target_health_descriptions.unwrap_or_default().iter().map(target).collect())
    }
}

fn matcher(spec: &TargetGroupSpec) -> Matcher {
    let codes = &spec.health.matcher;
    match spec.protocol_version.as_str() {
        "GRPC" => Matcher::builder().grpc_code(codes).build(),
        _ => Matcher::builder().http_code(codes).build(),
    }
}

fn health_port(health: &HealthCheckSpec) -> String {
    health.port.map_or_else(|| "traffic-port".to_owned(), |port| port.to_string())
}

fn read(found: &TargetGroup) -> FoundTargetGroup {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let number = |value: Option<i32>| value.map_or(0, count);
    FoundTargetGroup {
        state: TargetGroupState {
            arn: text(found.target_group_arn()),
            spec: TargetGroupSpec {
                name: text(found.target_group_name()),
                vpc: text(found.vpc_id()),
                port: found.port().map_or(0, port),
                target_type: found.target_type().map_or("instance", TargetTypeEnum::as_str).to_owned(),
                protocol: text(found.protocol().map(ProtocolEnum::as_str)),
                protocol_version: found.protocol_version().unwrap_or("HTTP1").to_owned(),
                health: HealthCheckSpec {
                    path: found.health_check_path().unwrap_or("/").to_owned(),
                    port: found.health_check_port().and_then(|port| port.parse().ok()),
                    matcher: found
                        .matcher()
                        .and_then(|matcher| matcher.grpc_code().or(matcher.http_code()))
                        .unwrap_or("200")
                        .to_owned(),
                    interval_secs: number(found.health_check_interval_seconds()),
                    timeout_secs: number(found.health_check_timeout_seconds()),
                    healthy_threshold: number(found.healthy_threshold_count()),
                    unhealthy_threshold: number(found.unhealthy_threshold_count()),
                },
                attributes: BTreeMap::new(),
            },
            load_balancers: found.load_balancer_arns().to_vec(),
        },
    }
}

fn target(found: &TargetHealthDescription) -> TargetSnapshot {
    let target = found.target();
    let health = found.target_health();
    TargetSnapshot {
        ip: target.and_then(|target| target.id()).unwrap_or_default().to_owned(),
        port: target.and_then(|target| target.port()).map_or(0, port),
        state: health
            .and_then(|health| health.state())
            .map(|state| state.as_str().to_owned())
            .unwrap_or_default(),
        reason: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description()).map(str::to_owned),
        check_port: found.health_check_port().and_then(|port| port.parse().ok()),
    }
}
