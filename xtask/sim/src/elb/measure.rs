//! What load balancers count, minute by minute, for CloudWatch.

use super::state::State;
use super::target_health::TargetState;
use crate::clock::Millis;
use crate::cloudwatch::{Metric, Metrics, Samples};

/// Adds the minute that has ended, for each group with targets behind a load balancer.
pub(crate) fn measure(elb: &State, metrics: &mut Metrics, minute: Millis) {
    let mut found = Vec::new();
    for group in elb.target_groups.values() {
        let requests = group.requests.take();
        let Some(balancer) = elb.load_balancers_of(&group.arn).first().map(|arn| short(arn, "loadbalancer/"))
        else {
            continue;
        };
        if group.targets.is_empty() {
            continue;
        }
        let in_state = |wanted: fn(TargetState) -> bool| {
            group.targets.iter().filter(|own| wanted(own.health().state)).count() as f64
        };
        let healthy = in_state(|state| state == TargetState::Healthy);
        let unhealthy = in_state(|state| state == TargetState::Unhealthy);
        found.push((balancer, short(&group.arn, ""), requests as f64, healthy, unhealthy));
    }
    let mut add = |name: &str, dimensions: &[(&str, &str)], samples| {
        metrics.add(minute, Metric::new("AWS/ApplicationELB", name, dimensions), samples);
    };
    for (balancer, group, requests, healthy, unhealthy) in found {
        let both = [("LoadBalancer", balancer.as_str()), ("TargetGroup", group.as_str())];
        let counted = Samples { count: requests.max(1.0), sum: requests, minimum: 1.0, maximum: 1.0 };
        add("RequestCount", &both, counted);
        add("RequestCount", &both[..1], counted);
        let each = Samples::one(requests / healthy.max(1.0));
        add("RequestCountPerTarget", &both, each);
        add("RequestCountPerTarget", &both[1..], each);
        add("HealthyHostCount", &both, Samples::one(healthy));
        add("UnHealthyHostCount", &both, Samples::one(unhealthy));
    }
}

/// The end of an ARN as dimensions have it: `app/NAME/ID`, `targetgroup/NAME/ID`.
fn short(arn: &str, prefix: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    resource.strip_prefix(prefix).unwrap_or(resource).to_owned()
}
