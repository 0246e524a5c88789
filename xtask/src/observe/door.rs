//! What is deployed and where it is reached, without reading the rest of the account.

use deploy::model::{Environment, Service};
use deploy::rollout::ServiceSnapshot;
use futures_util::future::try_join;

use super::account::guard;
use super::error::Error;
use crate::aws::Aws;

/// Where an environment is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The load balancer's DNS name; `None` without a load balancer.
    pub dns_name: Option<String>,
    /// ARNs of the services' target groups, in the order of the services; `None` for workers and those that do not exist.
    pub target_groups: Vec<Option<String>>,
}

/// Those of the services that exist.
///
/// # Errors
/// [`Error::NotDeployed`] when none of them does.
pub async fn deployed(
    aws: &Aws,
    environment: &Environment,
    services: &[&Service],
) -> Result<Vec<ServiceSnapshot>, Error> {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let mut found = aws.describe_services(&environment.cluster, &names).await?;
    found.retain(|service| service.is_active());
    if found.is_empty() {
        return Err(Error::NotDeployed(names.into_iter().map(str::to_owned).collect()));
    }
    Ok(found)
}

/// Reads where an environment is reached.
///
/// # Errors
/// [`Error::Account`] when the caller is of another account than the file names; [`Error::Aws`] when a call fails.
pub async fn door(aws: &Aws, environment: &Environment) -> Result<Reach, Error> {
    guard(aws, environment).await?;
    let names: Vec<&str> =
        environment.services.iter().filter_map(Service::group).map(|group| group.name.as_str()).collect();
    let balancer = async {
        match environment.balancer() {
            Some(balancer) => aws.describe_load_balancer(&balancer.name).await,
            None => Ok(None),
        }
    };
    let (balancer, groups) = try_join(balancer, aws.find_target_groups(&names)).await?;
    let arn = |service: &Service| {
        let name = &service.group()?.name;
        let group = groups.iter().find(|group| group.state.spec.name == *name)?;
        Some(group.state.arn.clone())
    };
    Ok(Reach {
        dns_name: balancer.map(|balancer| balancer.state.dns_name),
        target_groups: environment.services.iter().map(arn).collect(),
    })
}
