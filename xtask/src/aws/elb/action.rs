//! Where listeners and rules lead.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, FixedResponseActionConfig, RedirectActionConfig, RedirectActionStatusCodeEnum,
};

/// Forwards to one target group.
pub(super) fn forward(target_group_arn: &str) -> Action {
    Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group_arn).build()
}

/// The default of the tool's listeners: only rules lead to a service.
pub(super) fn not_found() -> Action {
    let response = FixedResponseActionConfig::builder()
        .status_code("404")
        .content_type("text/plain")
        .message_body("not found")
        .build();
    Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(response).build()
}

/// Redirects to HTTPS on `port`, for good: browsers remember it.
pub(super) fn to_https(port: u16) -> Action {
    let redirect = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port(port.to_string())
        .status_code(RedirectActionStatusCodeEnum::Http301)
        .build();
    Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect).build()
}

/// The HTTPS port that actions redirect to, if they do.
pub(super) fn redirects_to(actions: &[Action]) -> Option<u16> {
    let redirect = actions.iter().find_map(|action| action.redirect_config())?;
    let https = redirect.protocol().is_some_and(|protocol| protocol.eq_ignore_ascii_case("HTTPS"));
    redirect.port().filter(|_| https)?.parse().ok()
}

/// The ARNs of the target groups that actions forward to.
pub(super) fn forwards(actions: &[Action]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for action in actions {
        let groups = action.forward_config().map(|config| config.target_groups()).unwrap_or_default();
        let weighted = groups.iter().filter_map(|group| group.target_group_arn());
        for arn in action.target_group_arn().into_iter().chain(weighted) {
            // One target group stands in both places.
            if !found.iter().any(|known| known == arn) {
                found.push(arn.to_owned());
            }
        }
    }
    found
}
