//! Attributes of the load balancer and of target groups, which `aws` tables take as texts.

use std::collections::BTreeMap;

use super::{Findings, Place, Rule, Scope};
use crate::config::shape::truth;
use crate::config::suggest;

pub(super) const RULES: &[Rule] = &[Rule::Environment("attribute", attribute)];

/// Source: ELBv2 API reference, LoadBalancerAttribute, `Key`.
const LOAD_BALANCER: [&str; 22] = [
    "access_logs.s3.bucket",
    "access_logs.s3.enabled",
    "access_logs.s3.prefix",
    "client_keep_alive.seconds",
    "connection_logs.s3.bucket",
    "connection_logs.s3.enabled",
    "connection_logs.s3.prefix",
    "deletion_protection.enabled",
    "health_check_logs.s3.bucket",
    "health_check_logs.s3.enabled",
    "health_check_logs.s3.prefix",
    "idle_timeout.timeout_seconds",
    "ipv6.deny_all_igw_traffic",
    "load_balancing.cross_zone.enabled",
    "routing.http.desync_mitigation_mode",
    "routing.http.drop_invalid_header_fields.enabled",
    "routing.http.preserve_host_header.enabled",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "routing.http.xff_client_port.enabled",
    "routing.http.xff_header_processing.mode",
    "routing.http2.enabled",
    "waf.fail_open.enabled",
];

/// Source: ELBv2 API reference, TargetGroupAttribute, `Key`.
const TARGET_GROUP: [&str; 14] = [
    "deregistration_delay.timeout_seconds",
    "load_balancing.algorithm.anomaly_mitigation",
    "load_balancing.algorithm.type",
    "load_balancing.cross_zone.enabled",
    "slow_start.duration_seconds",
    "stickiness.app_cookie.cookie_name",
    "stickiness.app_cookie.duration_seconds",
    "stickiness.enabled",
    "stickiness.lb_cookie.duration_seconds",
    "stickiness.type",
    "target_group_health.dns_failover.minimum_healthy_targets.count",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
];

/// Attributes have the names that AWS has, and a switch is on or off: ELBv2 refuses others, but only when the release runs.
///
/// A name that is not known is a warning: AWS has new ones from time to time.
fn attribute(scope: &Scope<'_>, found: &mut Findings) {
    let own = &scope.environment.load_balancer.aws.attributes;
    attributes(own, &LOAD_BALANCER, &scope.at("load-balancer.aws.attributes"), found);
    for (service, at) in scope.services() {
        let own = &service.aws.target_group_attributes;
        attributes(own, &TARGET_GROUP, &at.key("aws.target-group-attributes"), found);
    }
}

fn attributes(
    given: &BTreeMap<String, String>,
    known: &[&'static str],
    at: &Place<'_>,
    found: &mut Findings,
) {
    for (name, value) in given {
        let at = at.key(name);
        if !known.contains(&name.as_str()) {
            let wrong = found.warning(format!("no attribute `{name}` is known"));
            wrong.at(at.clone().name(), "a release fails where AWS does not know it");
            if let Some(meant) = suggest::closest(name, known.iter().copied()) {
                wrong.meant(at.name(), meant);
            }
            continue;
        }
        let options: &[&str] = match name.as_str() {
            "load_balancing.algorithm.type" => {
                &["round_robin", "least_outstanding_requests", "weighted_random"]
            }
            "load_balancing.cross_zone.enabled" => &["true", "false", "use_load_balancer_configuration"],
            _ if name.ends_with(".enabled") => &["true", "false"],
            _ => continue,
        };
        if !options.contains(&value.as_str()) {
            let wrong = found.error(format!("`{name}` must be {}", suggest::either(options.iter().copied())));
            wrong.at(&at, "no such choice");
            if let Some(meant) = truth(value).or_else(|| suggest::choice(value, options)) {
                wrong.meant(&at, meant);
            }
        }
    }
}
