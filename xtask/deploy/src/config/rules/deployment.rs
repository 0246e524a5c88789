//! How a release rolls, and what is kept of former ones.

use super::{Findings, Place, Rule, Scope};
use crate::config::percent::{healthy_at_least, running_at_most, waves};
use crate::model::{CapacityProvider, Kind, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("deployment-deadlock", deployment_deadlock),
    Rule::EachService("early-success", early_success),
    Rule::EachService("circuit-breaker", circuit_breaker),
    Rule::EachService("stop-timeout", stop_timeout),
    Rule::Environment("settle-time", settle_time),
    Rule::EachService("keep-revisions", keep_revisions),
    Rule::EachService("placement", placement),
];

/// A deployment can start or stop at least one task, at every count that the service may have.
///
/// Source: ECS API, DeploymentConfiguration: at least ceil(count × minimum %) tasks stay healthy, at most
/// floor(count × maximum %) run. When neither a start nor a stop fits between them, the roll never begins.
fn deployment_deadlock(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (rollout, desired) = (&service.deployment, service.desired_count);
    let (minimum, maximum) = (rollout.minimum_healthy_percent, rollout.maximum_percent);
    // A bound that is missing is 0.
    let bounds = service.scaling.iter().flat_map(|scaling| [scaling.min, scaling.max]);
    let (least, most) = bounds
        .filter(|bound| *bound != 0)
        .fold((desired, desired), |(least, most), bound| (least.min(bound), most.max(bound)));
    let stuck: Vec<u32> = (least..=most).filter(|&count| !moves(count, minimum, maximum)).collect();
    let Some(&count) = stuck.first() else { return };
    let keep = healthy_at_least(count, minimum);
    let run = running_at_most(count, maximum);
    found
        .error("no deployment could ever start or stop a task")
        .at(
            at.key("deployment.minimum-healthy-percent"),
            format!("{minimum} % of {count}, rounded up, is {keep}: none may stop"),
        )
        .at(
            at.key("deployment.maximum-percent"),
            format!("{maximum} % of {count}, rounded down, is {run}: none may start"),
        )
        .note(format!("this happens at {}, which the service may have", counts(&stuck)))
        .help("`minimum-healthy-percent = 100` with `maximum-percent = 200` can roll at every count");
}

/// Whether one task may start beside the old ones or one of these may stop.
fn moves(count: u32, minimum: u32, maximum: u32) -> bool {
    count == 0
        || running_at_most(count, maximum) > u64::from(count)
        || healthy_at_least(count, minimum) < u64::from(count)
}

fn tasks(count: u32) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

fn counts(stuck: &[u32]) -> String {
    match stuck {
        [only] => tasks(*only),
        [first, .., last] if stuck.len() == (last - first) as usize + 1 => format!("{first} to {last} tasks"),
        _ => format!("{} tasks", stuck.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// A deployment is not called successful with fewer healthy tasks than must stay healthy while it rolls.
///
/// Source: ECS API, DeploymentConfiguration: "healthyPercent must be greater than or equal to minimumHealthyPercent".
fn early_success(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (rollout, at) = (&service.deployment, at.key("deployment"));
    let Some(early) = &rollout.early_success else { return };
    let (enough, minimum) = (early.healthy_percent, rollout.minimum_healthy_percent);
    if enough < minimum {
        found
            .error("early success needs fewer healthy tasks than must stay healthy")
            .at(at.key("early-success.healthy-percent"), format!("{enough} % are enough"))
            .at(at.key("minimum-healthy-percent"), format!("{minimum} % must stay"))
            .note("ECS refuses a `healthyPercent` below `minimumHealthyPercent`");
    }
}

/// The circuit breaker watches and rolls back.
///
/// Source: ECS developer guide, deployment circuit breaker: without it a deployment of tasks that keep
/// failing stays IN_PROGRESS for ever.
fn circuit_breaker(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (breaker, at) = (&service.deployment.circuit_breaker, at.key("deployment.circuit-breaker"));
    if !breaker.enable {
        found
            .warning("a revision whose tasks keep failing is never stopped")
            .at(at.key("enable"), "the circuit breaker is off")
            .note(
                "ECS starts such tasks again for ever; the deploy ends at its deadline, without a rollback",
            );
    } else if !breaker.rollback {
        found
            .warning("a failed revision is not rolled back")
            .at(at.key("rollback"), "no rollback")
            .note("the circuit breaker then leaves the service on the failed deployment");
    }
}

/// ECS API, TimeoutConfiguration: perRequestTimeoutSeconds when it is not given.
const CONNECT_REQUEST_SECS: u32 = 15;

/// The time to drain and the time to stop fit together.
///
/// ECS takes a leaving task out of its target group first, waits for the whole deregistration delay, and only
/// then sends SIGTERM; `stop-timeout-secs` later comes SIGKILL (developer guide, task lifecycle). So the
/// delay is what a request from the load balancer has, and the stop timeout is for what does not come through
/// it: requests over Service Connect, which its proxy ends after 15 s (perRequestTimeout), and the
/// application's own tidying up. Two mistakes follow:
///
/// - no delay: requests in flight are cut while the task would still have answered them;
/// - a stop timeout longer than both the delay and Service Connect's 15 s: all that it can wait for is
///   already over, and a task that hangs on SIGTERM holds up each deploy for so much longer.
fn stop_timeout(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let Some(group) = service.group() else { return };
    let (delay, stop) = (group.deregistration_delay_secs, service.container.stop_timeout_secs);
    let delay_at = at.key("target-group.deregistration-delay-secs");
    if delay == 0 {
        found
            .warning("requests in flight are cut off when a task stops")
            .at(delay_at, "no time to finish them")
            .help("give the longest request's time, such as 30");
        return;
    }
    let server = if service.endpoints().next().is_some() { CONNECT_REQUEST_SECS } else { 0 };
    if stop > delay.max(server) {
        found.warning("a task may take longer to stop than any request can last")
            .at(at.key("container.stop-timeout-secs"), format!("{} s from SIGTERM to SIGKILL", stop))
            .at(delay_at, format!("requests were given {} s before SIGTERM", delay))
            .note("ECS sends SIGTERM after the deregistration delay: requests that are still open then have lost their client").help(format!("{} s are enough", delay.max(server).max(2)));
    }
}

/// Seconds from "start this task" to its first health check on Fargate: network interface, image pull, start.
const FARGATE_START_SECS: u64 = 30;

/// The tool waits at least as long as a roll takes when nothing goes wrong.
///
/// The least time of a roll, by the order in which ECS moves tasks (developer guide, task lifecycle): in each
/// wave new tasks start, pass one health check (a new target needs no more), and then the old ones keep their
/// connections for the whole deregistration delay. The estimate leaves out what only bad luck adds.
fn settle_time(scope: &Scope<'_>, found: &mut Findings) {
    let start = if scope.environment.kind == Kind::Local { 0 } else { FARGATE_START_SECS };
    for (service, at) in scope.services() {
        let own = service.deployment.settle_secs;
        let Some(settle) = own.or(scope.environment.timeouts.settle_secs) else { continue };
        let settle_at = at.key("deployment.settle-secs").or(scope.at("timeouts.settle-secs"));
        let Some(waves) = waves(service) else { continue };
        let check = u64::from(service.target_group.health.interval_secs);
        let delay = service.target_group.deregistration_delay_secs;
        let least = waves * (start + check + u64::from(delay));
        if settle < least {
            found
                .warning("a roll takes longer than the tool waits")
                .at(settle_at, format!("gives up after {} s", settle))
                .context(
                    at.key("target-group.deregistration-delay-secs"),
                    format!("{} s per wave go into draining", delay),
                )
                .note(format!(
                    "{waves} × ({start} s to start + {check} s to the first health check + {} s to drain) \
                         = {least} s",
                    delay
                ))
                .help(format!(
                    "leave it out: then the tool derives it; or wait {} s, twice as long as a good roll",
                    least * 2
                ));
        }
    }
}

const LEAST_IMAGES: u32 = 5;

/// A revision is kept for a rollback, which needs its image.
///
/// Source: ECR, lifecycle policies: images beyond the count expire within a day, whatever refers to them.
fn keep_revisions(service: &Service, at: &Place<'_>, found: &mut Findings) {
    if service.image.is_some() {
        return;
    }
    let (revisions, images) = (service.keep_revisions, service.repository.keep_images);
    // Attempts that failed are pushed as well: fewer would soon expire what runs.
    if (1..LEAST_IMAGES).contains(&images) {
        found
            .error(format!("fewer than {LEAST_IMAGES} images are kept"))
            .at(at.key("repository.keep-images"), format!("{images} images"))
            .help(format!("`repository.keep-images = {LEAST_IMAGES}`; 0 leaves the repository's lifecycle policy as it is"));
    }
    if images > 0 && revisions > images {
        found
            .error("more revisions are kept than images")
            .at(at.key("keep-revisions"), format!("{} revisions to roll back to", revisions))
            .at(at.key("repository.keep-images"), format!("{} images", images))
            .note("a revision whose image has expired starts no task")
            .help(format!("`repository.keep-images = {}`, or fewer revisions", revisions));
    }
}

/// Where tasks run is what ECS takes.
///
/// Sources: ECS API, CapacityProviderStrategyItem (one base, a weight above 0); developer guide, availability zone
/// rebalancing (a task is started elsewhere before one is stopped).
fn placement(service: &Service, at: &Place<'_>, found: &mut Findings) {
    shares(&service.capacity_providers, &at.key("capacity-providers"), found);
    let most = service.deployment.maximum_percent;
    if service.availability_zone_rebalancing == Some(true) && most <= 100 {
        found
            .error("rebalancing needs a task more than the desired count")
            .at(at.key("availability-zone-rebalancing"), "moves tasks between zones")
            .at(at.key("deployment.maximum-percent"), format!("leaves room for {most} percent"))
            .note("ECS starts a task in another zone before it stops one, and refuses the two together")
            .help("raise `maximum-percent`, or switch rebalancing off");
    }
}

fn shares(shares: &[CapacityProvider], at: &Place<'_>, found: &mut Findings) {
    for (n, share) in shares.iter().enumerate() {
        if let Some(first) = shares[..n].iter().position(|other| other.name == share.name) {
            found
                .error(format!("`{}` is named twice", share.name.wire()))
                .at(at.key(first), "here")
                .at(at.key(n), "and here")
                .help("give it one weight");
        }
    }
    let based = |n: &usize| shares[*n].base > 0;
    if let [first, second, ..] = (0..shares.len()).filter(based).collect::<Vec<_>>()[..] {
        found
            .error("two capacity providers have a base")
            .at(at.key(first).key("base"), "here")
            .at(at.key(second).key("base"), "and here")
            .note("ECS takes one: the tasks that run there before weights count")
            .help("remove one of the two");
    }
    if !shares.is_empty() && shares.iter().all(|share| share.weight == 0) {
        found
            .error("no capacity provider has a weight")
            .at(at, "all are 0")
            .note("tasks beyond the base would have no place, and ECS refuses it")
            .help("give one of them a `weight`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_awss_and_not_ours() {
        for (count, minimum, maximum, expected) in [
            (1, 100, 100, false),
            (1, 100, 200, true),
            (1, 0, 100, true),
            (2, 75, 100, false),
            (2, 50, 100, true),
            (3, 100, 125, false),
            (4, 100, 125, true),
            (10, 91, 109, false),
        ] {
            assert_eq!(moves(count, minimum, maximum), expected, "{count} {minimum} {maximum}");
        }
    }
}
