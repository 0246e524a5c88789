//! One read of the account.

use std::collections::BTreeMap;
use std::pin::pin;

use deploy::model::{ClusterState, Environment, LoadBalancerState, Observed, RunningTask};
use futures_util::future::{Either, join3, select, try_join, try_join3};

use super::error::{Error, Missing};
use super::expiry::expiring;
use super::foundation::{self, Foundation};
use super::services::{Services, before_roll};
use super::{landing, owned, routing, services};
use crate::aws::{self, Aws, Caller, Namespace};

/// Reads the account. Which images its repositories hold is read by [`super::held`].
///
/// The caller's account is checked beside the reads, and before any of them counts: what another account holds says nothing.
///
/// # Errors
/// [`Error::Account`] when it is another one than the file names; [`Error::Landing`] with everything that the
/// operator must bring and that is missing; [`Error::Aws`] when a call fails.
pub async fn account(aws: &Aws, environment: &Environment) -> Result<Observed, Error> {
    Ok(read(aws, environment, false).await?.0)
}

/// The same with warnings about running images that few further pushes would expire; notes which of them the repositories hold.
pub async fn with_expiry(aws: &Aws, environment: &Environment) -> Result<(Observed, Vec<String>), Error> {
    read(aws, environment, true).await
}

async fn read(
    aws: &Aws,
    environment: &Environment,
    with_expiry: bool,
) -> Result<(Observed, Vec<String>), Error> {
    // Boxed: the futures together would add kilobytes to every future that awaits this one.
    let reads = try_join3(
        Box::pin(landing::read(aws, environment)),
        Box::pin(try_join(routing::read(aws, environment), async { Ok(owned::made(aws).await?) })),
        Box::pin(running(aws, environment, with_expiry)),
    );
    // A caller that is nobody, or somebody else, is the one error of a run whose every read fails.
    let (caller, reads) = match select(pin!(guard(aws, environment)), pin!(reads)).await {
        Either::Left((caller, reads)) => (caller?, reads.await),
        Either::Right((reads, caller)) => (caller.await?, reads),
    };
    let (landing, (routing, (made, unread)), found) = reads?;
    let Found { foundation, namespace, services, listed, before_roll, expiring } = found;
    let mut missing = landing.missing;
    missing.extend(routing.missing);
    if let Some(balancer) = &routing.load_balancer {
        missing.extend(elsewhere(environment, balancer, &landing.ids));
    }
    // All at once: an operator who creates what is missing should not find the next gap in the next run.
    if !missing.is_empty() {
        missing.sort();
        missing.dedup();
        return Err(Error::Landing(missing));
    }
    let mut warnings = landing.warnings;
    warnings.extend([foundation.warnings, routing.warnings, services.warnings].concat());
    warnings.extend(unread);
    let mut observed = Observed {
        read_at_ms: aws.now_ms(),
        account: caller.account,
        caller: caller.arn,
        ids: landing.ids,
        repositories: foundation.repositories,
        log_groups: foundation.log_groups,
        cluster: foundation.cluster,
        namespace: namespace.map(Into::into),
        load_balancer: routing.load_balancer,
        listener: routing.listener,
        redirect: routing.redirect,
        rules: routing.rules,
        target_groups: routing.target_groups,
        services: services.services,
        latest: services.latest,
        scaling: services.scaling,
        before_roll,
        made,
        warnings,
        ..Observed::default()
    };
    // After the rest: which services and targets are somebody else's follows from what was found.
    Box::pin(owned::complete(aws, environment, listed, &mut observed)).await?;
    Ok((observed, expiring))
}

/// What runs, and what it needs first.
struct Found {
    foundation: Foundation,
    namespace: Option<Namespace>,
    services: Services,
    /// The services of the file's cluster, where there are others than the file's.
    listed: Result<Vec<String>, aws::Error>,
    before_roll: Vec<RunningTask>,
    expiring: Vec<String>,
}

async fn running(aws: &Aws, environment: &Environment, with_expiry: bool) -> Result<Found, Error> {
    let (mut foundation, (namespace, mut services)) =
        try_join(Box::pin(foundation::read(aws, environment)), Box::pin(services::read(aws, environment)))
            .await?;
    let active = || services.services.values().filter(|state| state.is_active());
    let runs = active().map(|state| state.running).sum::<u32>();
    // A cluster that counts no other services and tasks than the file's has nobody else's in it: two calls less.
    let alone =
        |cluster: &ClusterState| (cluster.active.0 as usize == active().count(), cluster.active.1 == runs);
    let (services_alone, tasks_alone) = foundation.cluster.as_ref().map_or((true, true), alone);
    let runs_before = environment.services.iter().any(|service| service.before_roll.is_some());
    let listed = async {
        match services_alone {
            true => Ok(Vec::new()),
            false => aws.list_services(&environment.cluster).await,
        }
    };
    let left = async {
        match runs_before || !tasks_alone {
            true => before_roll(aws, &environment.cluster).await,
            false => Ok((Vec::new(), None)),
        }
    };
    let expiring = async {
        match with_expiry {
            true => expiring(aws, environment, &mut foundation.repositories, &services.services).await,
            false => Vec::new(),
        }
    };
    let (listed, before_roll, expiring) = join3(listed, left, expiring).await;
    let (before_roll, unread) = before_roll?;
    services.warnings.extend(unread);
    Ok(Found { foundation, namespace, services, listed, before_roll, expiring })
}

/// Who calls, when it is somebody of the right account.
///
/// # Errors
/// [`Error::Account`] when the caller is of another account than the file names; [`Error::Aws`] when the call fails.
pub async fn guard(aws: &Aws, environment: &Environment) -> Result<Caller, Error> {
    let caller = aws.get_caller_identity().await?;
    match &environment.account {
        Some(wanted) if *wanted != caller.account => {
            Err(Error::Account { wanted: wanted.clone(), found: caller.account, caller: caller.arn })
        }
        _ => Ok(caller),
    }
}

/// A load balancer can only lead to target groups of its own VPC.
fn elsewhere(
    environment: &Environment,
    balancer: &LoadBalancerState,
    ids: &BTreeMap<String, String>,
) -> Option<Missing> {
    let vpc = &environment.network.vpc;
    let wanted = ids.get(vpc.text())?;
    // Some emulators leave the VPC out.
    (!balancer.vpc.is_empty() && balancer.vpc != *wanted).then(|| Missing {
        what: "load balancer",
        reference: environment.load_balancer.name.clone(),
        problem: format!("is in {}, and the services in {} ({wanted})", balancer.vpc, vpc.text()),
        hint: "select a load balancer in the services' VPC, or give the created one another name".to_owned(),
    })
}
