//! Attributes of the load balancer and of target groups, which `aws` tables take as texts.

use std::collections::BTreeMap;

use super::{Findings, Place, Rule, Scope};
use crate::config::shape::truth;
use crate::config::suggest;

pub(super) const RULES: &[Rule] = &[Rule::Environment("attribute", attribute)];

use Takes::{Number, OneOf, Text};

#[derive(Clone, Copy)]
enum Takes {
    Text,
    OneOf(&'static [&'static str]),
    /// A whole number between two.
    Number(u32, u32),
}

const SWITCH: Takes = OneOf(&["true", "false"]);
const WEEK: u32 = 604_800;

/// Of an Application Load Balancer. Source: ELBv2 API, LoadBalancerAttribute, as the SDK documents it; a test of this
/// repository holds the names to it (`xtask/tests/aws_members.rs`).
const LOAD_BALANCER: [(&str, Takes); 23] = [
    ("access_logs.s3.bucket", Text),
    ("access_logs.s3.enabled", SWITCH),
    ("access_logs.s3.prefix", Text),
    ("client_keep_alive.seconds", Number(60, WEEK)),
    ("connection_logs.s3.bucket", Text),
    ("connection_logs.s3.enabled", SWITCH),
    ("connection_logs.s3.prefix", Text),
    ("deletion_protection.enabled", SWITCH),
    ("health_check_logs.s3.bucket", Text),
    ("health_check_logs.s3.enabled", SWITCH),
    ("health_check_logs.s3.prefix", Text),
    ("idle_timeout.timeout_seconds", Number(1, 4_000)),
    ("ipv6.deny_all_igw_traffic", SWITCH),
    // An Application Load Balancer's cannot be switched off.
    ("load_balancing.cross_zone.enabled", OneOf(&["true"])),
    ("routing.http.desync_mitigation_mode", OneOf(&["monitor", "defensive", "strictest"])),
    ("routing.http.drop_invalid_header_fields.enabled", SWITCH),
    ("routing.http.preserve_host_header.enabled", SWITCH),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", SWITCH),
    ("routing.http.xff_client_port.enabled", SWITCH),
    ("routing.http.xff_header_processing.mode", OneOf(&["append", "preserve", "remove"])),
    ("routing.http2.enabled", SWITCH),
    ("waf.fail_open.enabled", SWITCH),
    ("zonal_shift.config.enabled", SWITCH),
];

/// Of the target group of addresses behind one. Source: ELBv2 API, TargetGroupAttribute, likewise.
const TARGET_GROUP: [(&str, Takes); 14] = [
    ("deregistration_delay.timeout_seconds", Number(0, 3_600)),
    ("load_balancing.algorithm.anomaly_mitigation", OneOf(&["on", "off"])),
    (
        "load_balancing.algorithm.type",
        OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    ("load_balancing.cross_zone.enabled", OneOf(&["true", "false", "use_load_balancer_configuration"])),
    // 0 is off; from 1 to 29 AWS refuses it.
    ("slow_start.duration_seconds", Number(0, 900)),
    ("stickiness.app_cookie.cookie_name", Text),
    ("stickiness.app_cookie.duration_seconds", Number(1, WEEK)),
    ("stickiness.enabled", SWITCH),
    ("stickiness.lb_cookie.duration_seconds", Number(1, WEEK)),
    ("stickiness.type", OneOf(&["lb_cookie", "app_cookie"])),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", Text),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", Text),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", Text),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", Text),
];

/// The names that are known: of a load balancer's attributes, and of a target group's.
pub fn attribute_names() -> [Vec<&'static str>; 2] {
    let names = |table: &[(&'static str, Takes)]| table.iter().map(|(name, _)| *name).collect();
    [names(&LOAD_BALANCER), names(&TARGET_GROUP)]
}

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
    known: &[(&'static str, Takes)],
    at: &Place<'_>,
    found: &mut Findings,
) {
    for (name, value) in given {
        let at = at.key(name);
        let Some((_, takes)) = known.iter().find(|(known, _)| known == name) else {
            let wrong = found.warning(format!("unknown attribute `{name}`"));
            wrong.at(at.clone().name(), "a release fails where AWS does not know it");
            if let Some(meant) = suggest::closest(name, known.iter().map(|(known, _)| *known)) {
                wrong.meant(at.name(), meant);
            }
            continue;
        };
        match *takes {
            OneOf(options) if !options.contains(&value.as_str()) => {
                let choice = suggest::either(options.iter().copied());
                let wrong = found.error(format!("`{name}` must be {choice}")).at(&at, "not one of these");
                let meant = truth(value).filter(|meant| options.contains(meant));
                if let Some(meant) = meant.or_else(|| suggest::choice(value, options)) {
                    wrong.meant(&at, meant);
                }
            }
            Number(low, high) if !value.parse().is_ok_and(|number| (low..=high).contains(&number)) => {
                found.error(format!("`{name}` must be {low} to {high}")).at(&at, "out of range");
            }
            _ => {}
        }
    }
}
