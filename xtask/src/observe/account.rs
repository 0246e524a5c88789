//! One read of the account.

use std::collections::BTreeMap;
use std::pin::pin;

use deploy::model::{Environment, LoadBalancerState, Observed};
use futures_util::future::{Either, join, select, try_join, try_join4};

use super::error::{Error, Missing};
use super::{foundation, landing, owned, routing, services};
use crate::aws::{Aws, Caller};

/// Reads the account. Which images its repositories hold is read by [`super::held`].
///
/// The caller's account is checked beside the reads, and before any of them counts: what another account holds says nothing.
///
/// # Errors
/// [`Error::Account`] when it is another one than the file names; [`Error::Landing`] with everything that the
/// operator must bring and that is missing; [`Error::Aws`] when a call fails.
pub async fn account(aws: &Aws, environment: &Environment) -> Result<Observed, Error> {
    // Boxed: the four futures together would add kilobytes to every future that awaits this one.
    let reads = try_join4(
        Box::pin(landing::read(aws, environment)),
        Box::pin(foundation::read(aws, environment)),
        Box::pin(try_join(routing::read(aws, environment), async { Ok(owned::made(aws).await?) })),
        Box::pin(services::read(aws, environment)),
    );
    let beside = join(reads, aws.list_services(&environment.cluster));
    // A caller that is nobody, or somebody else, is the one error of a run whose every read fails.
    let (caller, (reads, listed)) = match select(pin!(guard(aws, environment)), pin!(beside)).await {
        Either::Left((caller, beside)) => (caller?, beside.await),
        Either::Right((beside, caller)) => (caller.await?, beside),
    };
    let (landing, foundation, (routing, (made, unread)), (namespace, services)) = reads?;
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
        before_roll: services.before_roll,
        made,
        warnings,
        ..Observed::default()
    };
    // After the rest: which services and targets are somebody else's follows from what was found.
    Box::pin(owned::complete(aws, environment, listed, &mut observed)).await?;
    Ok(observed)
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
