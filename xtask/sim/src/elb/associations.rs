//! Which target groups are in use: targets are checked only while a listener or a rule forwards to their group.

use super::state::State;
use super::target_health;
use crate::base::{Base, Millis};

/// Whether a listener or a rule forwards to the target group.
pub(crate) fn has_load_balancer(elb: &State, arn: &str) -> bool {
    !elb.load_balancers_of(arn).is_empty()
}

/// Whether a load balancer that AWS could set up sends it health checks.
fn is_checked(state: &State, arn: &str) -> bool {
    let works = |arn: &&str| state.load_balancers.get(*arn).is_some_and(|own| own.failed.is_none());
    state.load_balancers_of(arn).iter().any(works)
}

/// Whether `app/<load balancer>/<id>/targetgroup/<target group>/<id>` names a load balancer and a group behind it.
pub(crate) fn is_request_count_label(elb: &State, label: &str) -> bool {
    let Some((balancer, group)) = label.split_once("/targetgroup/") else { return false };
    let ends = |arn: &str, kind: &str, name: &str| arn.ends_with(&format!(":{kind}/{name}"));
    let mut groups = elb.target_groups.keys().filter(|arn| ends(arn, "targetgroup", group));
    groups.any(|arn| elb.load_balancers_of(arn).iter().any(|own| ends(own, "loadbalancer", balancer)))
}

/// Starts or stops the health checks of groups whose use has changed. Call after every change of listeners or rules.
pub(super) fn refresh(base: &mut Base, elb: &mut State, now: Millis) {
    let state = &*elb;
    let changed: Vec<(String, bool)> = state
        .target_groups
        .values()
        .map(|group| (group, is_checked(state, &group.arn)))
        .filter(|(group, in_use)| group.in_use != *in_use)
        .map(|(group, in_use)| (group.arn.clone(), in_use))
        .collect();
    for (arn, in_use) in changed {
        target_health::put_in_use(base, elb, now, &arn, in_use);
    }
}
