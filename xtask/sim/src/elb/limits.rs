//! DescribeAccountLimits and DescribeSSLPolicies.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::{ApiError, ApiRequest, Outcome, list, listing, params};

/// Quotas of a new account (ELB user guide, "Quotas for your Application Load Balancers").
const LIMITS: &[(&str, u32)] = &[
    ("application-load-balancers", 50),
    ("target-groups", 3000),
    ("target-groups-per-application-load-balancer", 100),
    ("target-groups-per-action-on-application-load-balancer", 5),
    ("targets-per-application-load-balancer", 1000),
    ("targets-per-target-group", 1000),
    ("listeners-per-application-load-balancer", 50),
    ("rules-per-application-load-balancer", 100),
    ("condition-values-per-alb-rule", 5),
    ("certificates-per-application-load-balancer", 25),
];

pub(super) fn describe(request: &ApiRequest) -> Outcome {
    listing(
        request,
        "Limits",
        (400, 400),
        LIMITS.to_vec(),
        |(name, most)| json!({ "Name": name, "Max": most.to_string() }),
    )
}

/// Name and protocols; the ciphers are those of the local listener, whatever the policy.
const POLICIES: &[(&str, &[&str])] = &[
    ("ELBSecurityPolicy-2016-08", &["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", &["TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", &["TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", &["TLSv1.3"]),
];

const CIPHERS: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(default, deserialize_with = "list")]
    names: Vec<String>,
}

pub(super) fn describe_policies(request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    if let Some(unknown) = asked.names.iter().find(|name| !POLICIES.iter().any(|(own, _)| own == name)) {
        return Err(ApiError::new("SSLPolicyNotFound", format!("SSL policy '{unknown}' not found")));
    }
    let chosen =
        |(name, _): &&(&str, &[&str])| asked.names.is_empty() || asked.names.iter().any(|own| own == name);
    let ciphers =
        CIPHERS.iter().zip(1..).map(|(name, priority)| json!({ "Name": name, "Priority": priority }));
    let ciphers: Vec<Value> = ciphers.collect();
    listing(
        request,
        "SslPolicies",
        (400, 400),
        POLICIES.iter().filter(chosen).collect(),
        |(name, protocols)| json!({ "Name": name, "SslProtocols": protocols, "Ciphers": ciphers, "SupportedLoadBalancerTypes": ["application"] }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Api;

    #[test]
    fn limits_and_policies_are_paged_and_an_unknown_policy_is_refused() {
        let page = describe(&ApiRequest::form(Api::Elb, "DescribeAccountLimits", "PageSize=3")).unwrap();
        assert_eq!(page["Limits"].as_array().unwrap().len(), 3);
        assert!(page["NextMarker"].is_string());
        let named = |name: &str| {
            describe_policies(&ApiRequest::form(
                Api::Elb,
                "DescribeSSLPolicies",
                &format!("Names.member.1={name}"),
            ))
        };
        assert_eq!(named(POLICIES[0].0).unwrap()["SslPolicies"][0]["Name"], POLICIES[0].0);
        assert_eq!(named("x").unwrap_err().code, "SSLPolicyNotFound");
    }
}
