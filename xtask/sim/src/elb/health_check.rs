//! A target group's health check settings: defaults, ranges and which statuses pass.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::invalid;
use crate::wire::{ApiError, leaf};
use crate::workload::Version;

/// The health check of a target group over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HealthCheck {
    /// `traffic-port` or a port's number.
    pub(crate) port: String,
    pub(crate) protocol: String,
    pub(crate) path: String,
    pub(crate) interval_secs: u64,
    pub(crate) timeout_secs: u64,
    pub(crate) healthy_threshold: u32,
    pub(crate) unhealthy_threshold: u32,
    /// `Matcher.HttpCode`, such as `200,302` or `200-299`; `Matcher.GrpcCode` of a gRPC group.
    pub(crate) matcher: String,
    pub(crate) version: Version,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            port: "traffic-port".to_owned(),
            protocol: "HTTP".to_owned(),
            path: "/".to_owned(),
            // ELBv2's defaults for targets of type `ip` (API reference, CreateTargetGroup; the timeout as the user guide has
            // it).
            interval_secs: 30,
            timeout_secs: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".to_owned(),
            version: Version::Http1,
        }
    }
}

/// The health check members of CreateTargetGroup and ModifyTargetGroup; what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HealthCheckParams {
    health_check_protocol: Option<String>,
    health_check_port: Option<String>,
    health_check_path: Option<String>,
    #[serde(default, deserialize_with = "leaf")]
    health_check_enabled: Option<bool>,
    #[serde(default, deserialize_with = "leaf")]
    health_check_interval_seconds: Option<u64>,
    #[serde(default, deserialize_with = "leaf")]
    health_check_timeout_seconds: Option<u64>,
    #[serde(default, deserialize_with = "leaf")]
    healthy_threshold_count: Option<u32>,
    #[serde(default, deserialize_with = "leaf")]
    unhealthy_threshold_count: Option<u32>,
    matcher: Option<Matcher>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Matcher {
    http_code: Option<String>,
    grpc_code: Option<String>,
}

impl HealthCheckParams {
    /// The settings that follow from `current` and these members.
    pub(super) fn apply(self, current: &HealthCheck) -> Result<HealthCheck, ApiError> {
        // Only groups of type `lambda` may go without (CreateTargetGroup, `HealthCheckEnabled`).
        if self.health_check_enabled == Some(false) {
            return Err(invalid("Health check enabled must be true for target groups with target type 'ip'"));
        }
        let matcher = match self.matcher {
            None | Some(Matcher { http_code: None, grpc_code: None }) => None,
            Some(Matcher { http_code: None, grpc_code }) if current.version == Version::Grpc => grpc_code,
            Some(Matcher { http_code, grpc_code: None }) if current.version != Version::Grpc => http_code,
            Some(_) => {
                let member = if current.version == Version::Grpc { "GrpcCode" } else { "HttpCode" };
                return Err(invalid(format!(
                    "The matcher of this target group's protocol version is '{member}'"
                )));
            }
        };
        let next = HealthCheck {
            port: self.health_check_port.unwrap_or_else(|| current.port.clone()),
            protocol: self.health_check_protocol.unwrap_or_else(|| current.protocol.clone()),
            path: self.health_check_path.unwrap_or_else(|| current.path.clone()),
            interval_secs: self.health_check_interval_seconds.unwrap_or(current.interval_secs),
            timeout_secs: self.health_check_timeout_seconds.unwrap_or(current.timeout_secs),
            healthy_threshold: self.healthy_threshold_count.unwrap_or(current.healthy_threshold),
            unhealthy_threshold: self.unhealthy_threshold_count.unwrap_or(current.unhealthy_threshold),
            matcher: matcher.unwrap_or_else(|| current.matcher.clone()),
            version: current.version,
        };
        next.check()?;
        Ok(next)
    }
}

impl HealthCheck {
    /// The defaults of a target group with this `ProtocolVersion`.
    pub(super) fn of_version(name: &str) -> Result<Self, ApiError> {
        let version = match name {
            "HTTP1" => Version::Http1,
            "HTTP2" => Version::Http2,
            "GRPC" => {
                // Nobody serves this path: UNIMPLEMENTED shows that a gRPC server answers.
                let (path, matcher) = ("/AWS.ALB/healthcheck".to_owned(), "12".to_owned());
                return Ok(Self { path, matcher, version: Version::Grpc, ..Self::default() });
            }
            other => {
                let text = format!("Protocol version '{other}' must be one of '[GRPC, HTTP1, HTTP2]'");
                return Err(invalid(text));
            }
        };
        Ok(Self { version, ..Self::default() })
    }

    fn check(&self) -> Result<(), ApiError> {
        in_range("healthCheckIntervalSeconds", self.interval_secs, 5, 300)?;
        in_range("healthCheckTimeoutSeconds", self.timeout_secs, 2, 120)?;
        in_range("healthyThresholdCount", u64::from(self.healthy_threshold), 2, 10)?;
        in_range("unhealthyThresholdCount", u64::from(self.unhealthy_threshold), 2, 10)?;
        if self.timeout_secs >= self.interval_secs {
            return Err(invalid("Health check interval must be greater than the timeout."));
        }
        if !self.path.starts_with('/') || self.path.len() > 1024 {
            return Err(invalid(format!(
                "Health check path '{}' must begin with a '/' character, and can have a length of up to '1024' characters",
                self.path
            )));
        }
        if !matches!(self.protocol.as_str(), "HTTP" | "HTTPS") {
            return Err(invalid(format!(
                "Health check protocol '{}' must be one of '[HTTP, HTTPS]'",
                self.protocol
            )));
        }
        if self.port != "traffic-port" && !self.port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(invalid(format!(
                "Health check port '{}' must be either 'traffic-port' or in range [1..65535]",
                self.port
            )));
        }
        let (kind, lowest, highest) =
            if self.version == Version::Grpc { ("GRPC", 0, 99) } else { ("HTTP", 200, 499) };
        let codes = ranges(&self.matcher);
        let outside = |(low, high): &(u16, u16)| *low < lowest || *high > highest || low > high;
        if codes.is_none_or(|codes| codes.iter().any(outside)) {
            return Err(invalid(format!(
                "Health check matcher {kind} code '{}' must be within '{lowest}-{highest}' inclusive",
                self.matcher
            )));
        }
        Ok(())
    }

    /// Whether a target that answers with this status passes.
    pub(crate) fn passes(&self, status: u16) -> bool {
        ranges(&self.matcher)
            .is_some_and(|codes| codes.iter().any(|(low, high)| (*low..=*high).contains(&status)))
    }

    /// The settings by the API's names.
    pub(super) fn describe(&self) -> Value {
        json!({
            "HealthCheckProtocol": self.protocol,
            "HealthCheckPort": self.port,
            "HealthCheckEnabled": true,
            "HealthCheckIntervalSeconds": self.interval_secs,
            "HealthCheckTimeoutSeconds": self.timeout_secs,
            "HealthyThresholdCount": self.healthy_threshold,
            "UnhealthyThresholdCount": self.unhealthy_threshold,
            "HealthCheckPath": self.path,
            "Matcher": { if self.version == Version::Grpc { "GrpcCode" } else { "HttpCode" }: self.matcher },
        })
    }
}

/// `200`, `200,302` and `200-299` as inclusive ranges.
fn ranges(matcher: &str) -> Option<Vec<(u16, u16)>> {
    matcher
        .split(',')
        .map(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
        })
        .collect()
}

/// Refuses a number outside its range in the words of the API's own model check.
pub(super) fn in_range(member: &str, value: u64, low: u64, high: u64) -> Result<(), ApiError> {
    let constraint = match value {
        value if value < low => format!("greater than or equal to {low}"),
        value if value > high => format!("less than or equal to {high}"),
        _ => return Ok(()),
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {constraint}"
    )))
}
