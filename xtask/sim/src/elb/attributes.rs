//! Attributes of load balancers, target groups and listeners: what there is, the defaults, and what a value may be.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::invalid;
use super::state::State;
use crate::wire::{ApiError, ApiRequest, Outcome, list, params, text};

/// How long a deregistered target drains, in seconds.
pub(super) const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";
/// Whether a client keeps its target, how, and for how long.
pub(super) const STICKY: &str = "stickiness.enabled";
pub(super) const STICKY_SECS: &str = "stickiness.lb_cookie.duration_seconds";
const STICKY_TYPE: &str = "stickiness.type";
const SLOW_START: &str = "slow_start.duration_seconds";
const ALGORITHM: &str = "load_balancing.algorithm.type";
pub(super) const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// What an attribute's value may be.
enum Values {
    Flag,
    Text,
    OneOf(&'static [&'static str]),
    /// Whole numbers, inclusive; the first may be 0 for "off" where the range begins higher.
    Number {
        off: bool,
        low: u64,
        high: u64,
    },
}

type Row = (&'static str, &'static str, Values);

const fn number(low: u64, high: u64) -> Values {
    Values::Number { off: false, low, high }
}

/// Key, default and values, of an HTTP target group of type `ip` or `instance`.
const TARGET_GROUP: &[Row] = &[
    (DEREGISTRATION_DELAY, "300", number(0, 3600)),
    ("load_balancing.algorithm.anomaly_mitigation", "off", Values::OneOf(&["on", "off"])),
    (
        ALGORITHM,
        "round_robin",
        Values::OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        Values::OneOf(&["true", "false", "use_load_balancer_configuration"]),
    ),
    (SLOW_START, "0", Values::Number { off: true, low: 30, high: 900 }),
    ("stickiness.app_cookie.cookie_name", "", Values::Text),
    ("stickiness.app_cookie.duration_seconds", "86400", number(1, 604_800)),
    (STICKY, "false", Values::Flag),
    (STICKY_SECS, "86400", number(1, 604_800)),
    (STICKY_TYPE, "lb_cookie", Values::OneOf(&["lb_cookie", "app_cookie"])),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", Values::Text),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", Values::Text),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", Values::Text),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", Values::Text),
];

/// Key, default and values, of an application load balancer.
const LOAD_BALANCER: &[Row] = &[
    ("access_logs.s3.bucket", "", Values::Text),
    ("access_logs.s3.enabled", "false", Values::Flag),
    ("access_logs.s3.prefix", "", Values::Text),
    ("client_keep_alive.seconds", "3600", number(60, 604_800)),
    ("connection_logs.s3.bucket", "", Values::Text),
    ("connection_logs.s3.enabled", "false", Values::Flag),
    ("connection_logs.s3.prefix", "", Values::Text),
    (DELETION_PROTECTION, "false", Values::Flag),
    ("idle_timeout.timeout_seconds", "60", number(1, 4000)),
    ("load_balancing.cross_zone.enabled", "true", Values::Flag),
    (
        "routing.http.desync_mitigation_mode",
        "defensive",
        Values::OneOf(&["monitor", "defensive", "strictest"]),
    ),
    ("routing.http.drop_invalid_header_fields.enabled", "false", Values::Flag),
    ("routing.http.preserve_host_header.enabled", "false", Values::Flag),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Values::Flag),
    ("routing.http.xff_client_port.enabled", "false", Values::Flag),
    ("routing.http.xff_header_processing.mode", "append", Values::OneOf(&["append", "preserve", "remove"])),
    ("routing.http2.enabled", "true", Values::Flag),
    ("waf.fail_open.enabled", "false", Values::Flag),
    ("zonal_shift.config.enabled", "false", Values::Flag),
];

/// Key and default of a listener's attributes; those of requests are for HTTPS. Other values are refused: the local load
/// balancer writes no such header.
const LISTENER: &[&str] = &[
    "routing.http.response.access_control_allow_credentials.header_value",
    "routing.http.response.access_control_allow_headers.header_value",
    "routing.http.response.access_control_allow_methods.header_value",
    "routing.http.response.access_control_allow_origin.header_value",
    "routing.http.response.access_control_expose_headers.header_value",
    "routing.http.response.access_control_max_age.header_value",
    "routing.http.response.content_security_policy.header_value",
    "routing.http.response.server.enabled",
    "routing.http.response.strict_transport_security.header_value",
    "routing.http.response.x_content_type_options.header_value",
    "routing.http.response.x_frame_options.header_value",
    "routing.http.request.x_amzn_mtls_clientcert.header_name",
    "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
    "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
    "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
    "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
    "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
    "routing.http.request.x_amzn_tls_cipher_suite.header_name",
    "routing.http.request.x_amzn_tls_version.header_name",
];

fn of_listener(https: bool) -> BTreeMap<String, String> {
    let served = LISTENER.iter().filter(|key| https || !key.starts_with("routing.http.request."));
    let default = |key: &str| match (key.rsplit('.').next(), key.split('.').nth(3)) {
        (Some("enabled"), _) => "true".to_owned(),
        // `x_amzn_tls_version` is sent as `X-Amzn-Tls-Version`.
        (Some("header_name"), Some(name)) => {
            let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
            words.collect::<Vec<_>>().join("-")
        }
        _ => String::new(),
    };
    served.map(|key| ((*key).to_owned(), default(key))).collect()
}

pub(super) fn describe_listener(elb: &State, request: &ApiRequest) -> Outcome {
    let listener = elb.listener(&text(request, "ListenerArn")?)?;
    Ok(describe(&of_listener(listener.protocol == "HTTPS")))
}

pub(super) fn modify_listener(elb: &State, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let own = of_listener(elb.listener(&asked.arn)?.protocol == "HTTPS");
    for Attribute { key, value } in &asked.attributes {
        let default = own.get(key);
        let default =
            default.ok_or_else(|| invalid(format!("Listener attribute key '{key}' is not recognized")))?;
        if default != value {
            let text = format!(
                "Listener attribute '{key}' is not served by the embedded cloud: it stays '{default}'"
            );
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
    }
    Ok(describe(&own))
}

fn defaults(rows: &[Row]) -> BTreeMap<String, String> {
    rows.iter().map(|(key, default, _)| ((*key).to_owned(), (*default).to_owned())).collect()
}

pub(super) fn target_group_defaults() -> BTreeMap<String, String> {
    defaults(TARGET_GROUP)
}

pub(super) fn load_balancer_defaults() -> BTreeMap<String, String> {
    defaults(LOAD_BALANCER)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(alias = "TargetGroupArn", alias = "LoadBalancerArn", alias = "ListenerArn")]
    arn: String,
    #[serde(default, deserialize_with = "list")]
    attributes: Vec<Attribute>,
}

pub(super) fn describe_target_group(elb: &State, request: &ApiRequest) -> Outcome {
    Ok(describe(&elb.target_group(&text(request, "TargetGroupArn")?)?.attributes))
}

pub(super) fn modify_target_group(elb: &mut State, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let group = elb.target_group_mut(&asked.arn)?;
    let after = |key: &str| {
        let changed = asked.attributes.iter().find(|change| change.key == key).map(|change| &change.value);
        changed.or(group.attributes.get(key)).map(String::as_str).unwrap_or_default()
    };
    if after(SLOW_START) != "0" && after(ALGORITHM) != "round_robin" {
        let text = format!("Slow start mode is not supported with the algorithm '{}'", after(ALGORITHM));
        return Err(ApiError::new("InvalidConfigurationRequest", text));
    }
    if after(STICKY) == "true" && after(STICKY_TYPE) == "app_cookie" {
        let text = "Stickiness of type 'app_cookie' is not served: use 'lb_cookie'";
        return Err(ApiError::new("InvalidConfigurationRequest", text));
    }
    modify(&mut group.attributes, asked.attributes, TARGET_GROUP, "Target group")
}

pub(super) fn describe_load_balancer(elb: &State, request: &ApiRequest) -> Outcome {
    Ok(describe(&elb.load_balancer(&text(request, "LoadBalancerArn")?)?.attributes))
}

pub(super) fn modify_load_balancer(elb: &mut State, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let balancer = elb.load_balancer_mut(&asked.arn)?;
    modify(&mut balancer.attributes, asked.attributes, LOAD_BALANCER, "Load balancer")
}

fn describe(attributes: &BTreeMap<String, String>) -> Value {
    let rows: Vec<Value> =
        attributes.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({ "Attributes": rows })
}

/// Takes all changes or none.
fn modify(
    attributes: &mut BTreeMap<String, String>,
    changes: Vec<Attribute>,
    rows: &[Row],
    kind: &str,
) -> Outcome {
    for change in &changes {
        let row = rows.iter().find(|(key, ..)| *key == change.key);
        let (_, _, values) =
            row.ok_or_else(|| invalid(format!("{kind} attribute key '{}' is not recognized", change.key)))?;
        check(change, values, kind)?;
    }
    attributes.extend(changes.into_iter().map(|change| (change.key, change.value)));
    Ok(describe(attributes))
}

fn check(change: &Attribute, values: &Values, kind: &str) -> Result<(), ApiError> {
    let Attribute { key, value } = change;
    let allowed = match values {
        Values::Text => return Ok(()),
        Values::Flag if matches!(value.as_str(), "true" | "false") => return Ok(()),
        Values::Flag => "'true' or 'false'".to_owned(),
        Values::OneOf(choices) if choices.contains(&value.as_str()) => return Ok(()),
        Values::OneOf(choices) => format!("one of '{}'", choices.join(", ")),
        Values::Number { off, low, high } => match value.parse::<u64>() {
            Ok(0) if *off => return Ok(()),
            Ok(number) if (*low..=*high).contains(&number) => return Ok(()),
            _ => format!("between '{low}' and '{high}'"),
        },
    };
    Err(invalid(format!("{kind} attribute value '{value}' for '{key}' must be {allowed}")))
}
