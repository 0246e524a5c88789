//! Load balancers.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::operation::create_load_balancer::CreateLoadBalancerOutput;
use aws_sdk_elasticloadbalancingv2::types::{
    LoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use deploy::model::LoadBalancerState;
use deploy::model::spec::LoadBalancerSpec;

use super::wire_tags;
use crate::aws::call::Op;
use crate::aws::error::{found, gone};
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeLoadBalancers");
/// A second call with the same settings makes nothing; AWS mostly answers it with success.
const CREATE: Op = Op::write("elasticloadbalancing", "CreateLoadBalancer");
const ATTRIBUTES: Op = Op::read("elasticloadbalancing", "DescribeLoadBalancerAttributes");
/// Patient about one that was created a moment ago.
const MODIFY_ATTRIBUTES: Op =
    Op::write("elasticloadbalancing", "ModifyLoadBalancerAttributes").patient(&["LoadBalancerNotFound"]);
const DELETE: Op = Op::write("elasticloadbalancing", "DeleteLoadBalancer");

/// A load balancer as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Balancer {
    /// Its ARN, name and settings.
    pub state: LoadBalancerState,
    /// Whether it is an application load balancer, and not a network or gateway one.
    pub is_application: bool,
    /// `provisioning`, `active`, `active_impaired` or `failed`.
    pub status: String,
    /// Why it is in this state, where AWS says it.
    pub reason: Option<String>,
}

impl Aws {
    /// A load balancer by name or ARN.
    pub async fn describe_load_balancer(&self, reference: &str) -> Result<Option<Balancer>, Error> {
        let call = || {
            let call = self.elb.describe_load_balancers();
            if reference.starts_with("arn:") {
                call.load_balancer_arns(reference)
            } else {
                call.names(reference)
            }
            .send()
        };
        let reply = found(self.call(DESCRIBE, call).await)?;
        Ok(reply.and_then(|reply| reply.load_balancers?.first().map(read)))
    }

    /// Creates an application load balancer. It takes some minutes to become active; listeners can be made at once.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when there is one of that name with other settings; when AWS refuses.
    pub async fn create_load_balancer(
        &self,
        spec: &LoadBalancerSpec,
        tags: &Tags,
    ) -> Result<LoadBalancerState, Error> {
        let scheme = if spec.internal {
            LoadBalancerSchemeEnum::Internal
        } else {
            LoadBalancerSchemeEnum::InternetFacing
        };
        let call = || {
            self.elb
                .create_load_balancer()
                .name(&spec.name)
                .r#type(LoadBalancerTypeEnum::Application)
                .scheme(scheme.clone())
                .set_subnets(Some(spec.subnets.clone()))
                .set_security_groups(Some(spec.security_groups.clone()))
                .set_tags(wire_tags(tags))
                .send()
        };
        let made = |reply: CreateLoadBalancerOutput| {
            let made = reply.load_balancers.unwrap_or_default();
            made.first().map(|made| read(made).state).ok_or_else(|| "load balancer".to_owned())
        };
        match self.call_for(CREATE, call, made).await {
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => {
                let found = self.describe_load_balancer(&spec.name).await?.map(|found| found.state);
                let attributes = spec.attributes.clone();
                let same = |found: &LoadBalancerState| {
                    LoadBalancerSpec { attributes, ..found.spec.clone() } == *spec
                };
                found.filter(same).ok_or(error)
            }
            made => made,
        }
    }

    /// A load balancer's attributes, by AWS's names.
    pub async fn describe_load_balancer_attributes(
        &self,
        arn: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let call = || self.elb.describe_load_balancer_attributes().load_balancer_arn(arn).send();
        let attributes = self.call(ATTRIBUTES, call).await?.attributes.unwrap_or_default();
        Ok(attributes.into_iter().filter_map(|it| Some((it.key?, it.value.unwrap_or_default()))).collect())
    }

    /// Sets these attributes of a load balancer.
    pub async fn set_load_balancer_attributes(
        &self,
        arn: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let one =
            |(key, value): (&String, &String)| LoadBalancerAttribute::builder().key(key).value(value).build();
        let all: Vec<_> = attributes.iter().map(one).collect();
        let call = || {
            let call = self.elb.modify_load_balancer_attributes().load_balancer_arn(arn);
            call.set_attributes(Some(all.clone())).send()
        };
        self.call(MODIFY_ATTRIBUTES, call).await.map(drop)
    }

    /// Deletes a load balancer with its listeners and rules. A missing one is not an error.
    pub async fn delete_load_balancer(&self, arn: &str) -> Result<(), Error> {
        self.call(DELETE, || self.elb.delete_load_balancer().load_balancer_arn(arn).send())
            .await
            .map(drop)
            .or_else(gone)
    }
}

fn read(found: &LoadBalancer) -> Balancer {
    let mut subnets: Vec<String> =
        found.availability_zones().iter().filter_map(|zone| zone.subnet_id()).map(str::to_owned).collect();
    subnets.sort();
    let mut security_groups = found.security_groups().to_vec();
    security_groups.sort();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Balancer {
        state: LoadBalancerState {
            arn: text(found.load_balancer_arn()),
            dns_name: text(found.dns_name()),
            spec: LoadBalancerSpec {
                name: text(found.load_balancer_name()),
                subnets,
                security_groups,
                internal: found.scheme() == Some(&LoadBalancerSchemeEnum::Internal),
                attributes: BTreeMap::new(),
            },
            vpc: text(found.vpc_id()),
        },
        // Some emulators leave the type out.
        is_application: found.r#type().is_none_or(|kind| *kind == LoadBalancerTypeEnum::Application),
        status: text(found.state().and_then(|state| state.code()).map(LoadBalancerStateEnum::as_str)),
        reason: found.state().and_then(|state| state.reason()).map(str::to_owned),
    }
}
