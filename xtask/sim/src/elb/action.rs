//! What a listener or a rule does with a request: forward it, answer it, or redirect it.

use serde::{Deserialize, Serialize};

use super::error::invalid;
use super::state::State;
use crate::wire::{ApiError, leaf, list};

/// An action, in the API's names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Action {
    pub(super) r#type: String,
    pub(super) target_group_arn: Option<String>,
    #[serde(default, deserialize_with = "leaf")]
    order: Option<u32>,
    pub(super) redirect_config: Option<Redirect>,
    pub(super) fixed_response_config: Option<FixedResponse>,
    pub(super) forward_config: Option<Forward>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Forward {
    #[serde(default, deserialize_with = "list")]
    pub(super) target_groups: Vec<Weighted>,
    #[serde(default)]
    target_group_stickiness_config: Stickiness,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Weighted {
    pub(super) target_group_arn: String,
    #[serde(default, deserialize_with = "leaf")]
    pub(super) weight: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stickiness {
    #[serde(default, deserialize_with = "leaf")]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "leaf")]
    duration_seconds: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FixedResponse {
    pub(super) message_body: Option<String>,
    pub(super) status_code: String,
    pub(super) content_type: Option<String>,
}

/// `RedirectConfig`; each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Redirect {
    pub(super) protocol: String,
    pub(super) port: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) status_code: String,
}

impl Default for Redirect {
    fn default() -> Self {
        let [protocol, port, host, path, query] = UNCHANGED.map(str::to_owned);
        Self { protocol, port, host, path, query, status_code: String::new() }
    }
}

/// The parts of a redirect that changes nothing, which are the defaults too.
const UNCHANGED: [&str; 5] = ["#{protocol}", "#{port}", "#{host}", "/#{path}", "#{query}"];

impl Action {
    /// Whether the action sends requests to the target group.
    pub(super) fn forwards_to(&self, target_group: &str) -> bool {
        self.forward_config.as_ref().is_some_and(|forward| {
            forward.target_groups.iter().any(|weighted| weighted.target_group_arn == target_group)
        })
    }
}

/// Checks the actions of a listener of `load_balancer` that speaks `protocol`, or of its rule, and completes them, as AWS shows them afterwards.
pub(super) fn complete(
    state: &State,
    load_balancer: &str,
    protocol: &str,
    actions: Vec<Action>,
) -> Result<Vec<Action>, ApiError> {
    let groups = actions.iter().flat_map(|action| {
        let weighted = action.forward_config.iter().flat_map(|forward| &forward.target_groups);
        action.target_group_arn.iter().chain(weighted.map(|weighted| &weighted.target_group_arn))
    });
    for group in groups.filter_map(|arn| state.target_groups.get(arn)) {
        if protocol != "HTTPS" && group.protocol_version != "HTTP1" {
            return Err(ApiError::new(
                "InvalidLoadBalancerAction",
                format!(
                    "Listener protocol '{protocol}' is not supported with a target group with the protocol-version '{}'",
                    group.protocol_version
                ),
            ));
        }
    }
    match actions.as_slice() {
        [] => Err(invalid("At least one action must be specified")),
        [action] => Ok(vec![complete_one(state, load_balancer, action.clone())?]),
        _ => Err(ApiError::new(
            "TooManyActions",
            "Only one action of type 'forward', 'redirect' or 'fixed-response' can be specified",
        )),
    }
}

fn complete_one(state: &State, load_balancer: &str, action: Action) -> Result<Action, ApiError> {
    match action.r#type.as_str() {
        "forward" => forward(state, load_balancer, action),
        "fixed-response" => {
            let fixed = action.fixed_response_config.as_ref();
            let fixed = fixed.ok_or_else(|| unconfigured("fixed-response", "FixedResponseConfig"))?;
            let status = fixed.status_code.parse::<u16>();
            if !status.is_ok_and(|status| matches!(status / 100, 2 | 4 | 5)) {
                let text =
                    format!("The fixed-response status code '{}' must be 2XX, 4XX or 5XX", fixed.status_code);
                return Err(invalid(text));
            }
            if fixed.message_body.as_ref().is_some_and(|body| body.len() > 1024) {
                return Err(invalid(
                    "The fixed-response message body cannot be longer than '1024' characters",
                ));
            }
            Ok(action)
        }
        "redirect" => {
            let redirect = action.redirect_config.as_ref();
            let redirect = redirect.ok_or_else(|| unconfigured("redirect", "RedirectConfig"))?;
            if !matches!(redirect.status_code.as_str(), "HTTP_301" | "HTTP_302") {
                let text = format!(
                    "The redirect status code '{}' must be 'HTTP_301' or 'HTTP_302'",
                    redirect.status_code
                );
                return Err(invalid(text));
            }
            let unchanged =
                [&redirect.protocol, &redirect.port, &redirect.host, &redirect.path, &redirect.query];
            if unchanged == UNCHANGED {
                let text = "The redirect must modify at least one of: protocol, port, hostname, or path";
                return Err(ApiError::new("InvalidLoadBalancerAction", text));
            }
            Ok(action)
        }
        other => Err(ApiError::new(
            "InvalidLoadBalancerAction",
            format!(
                "Actions of type '{other}' are not served: use 'forward', 'redirect' or 'fixed-response'"
            ),
        )),
    }
}

fn unconfigured(kind: &str, member: &str) -> ApiError {
    invalid(format!("A {member} must be specified for an action of type '{kind}'"))
}

/// AWS shows a forward action in both forms, whichever it was given in.
fn forward(state: &State, load_balancer: &str, action: Action) -> Result<Action, ApiError> {
    let mut config = action.forward_config.unwrap_or(Forward {
        target_groups: Vec::new(),
        target_group_stickiness_config: Stickiness::default(),
    });
    match (&action.target_group_arn, config.target_groups.as_slice()) {
        (Some(arn), []) => {
            config.target_groups.push(Weighted { target_group_arn: arn.clone(), weight: None });
        }
        (Some(arn), [only]) if only.target_group_arn == *arn => {}
        (None, [_, ..]) => {}
        (None, []) => return Err(invalid("A target group ARN must be specified")),
        (Some(_), _) => {
            let text = "You must use either the TargetGroupArn or the ForwardConfig of an action, not both";
            return Err(invalid(text));
        }
    }
    if config.target_groups.len() > 5 {
        let text = "A forward action can have at most '5' target groups";
        return Err(ApiError::new("TooManyTargetGroups", text));
    }
    for weighted in &mut config.target_groups {
        let arn = &weighted.target_group_arn;
        state.target_group(arn)?;
        // A target group serves one load balancer (ELB quotas).
        if state.load_balancers_of(arn).iter().any(|other| *other != load_balancer) {
            let text = format!(
                "The following target groups cannot be associated with more than one load balancer: {arn}"
            );
            return Err(ApiError::new("TargetGroupAssociationLimit", text));
        }
        weighted.weight.get_or_insert(1);
    }
    config.target_group_stickiness_config.enabled.get_or_insert(false);
    // Shown beside `ForwardConfig` where there is one group alone.
    let target_group_arn = match config.target_groups.as_slice() {
        [only] => Some(only.target_group_arn.clone()),
        _ => None,
    };
    Ok(Action { target_group_arn, forward_config: Some(config), ..action })
}
