//! Where listeners and rules lead.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, FixedResponseActionConfig, RedirectActionConfig, RedirectActionStatusCodeEnum,
    Rule,
};
use deploy::model::spec::{FixedResponseSpec, RedirectSpec, RuleAction};

use crate::aws::names::target_group_name;

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
            // ELBv2 reports one target group in both places.
            if !found.iter().any(|known| known == arn) {
                found.push(arn.to_owned());
            }
        }
    }
    found
}

/// A rule's action; `target_group` is the ARN of the one that it forwards to.
pub(super) fn of(action: &RuleAction, target_group: &str) -> Action {
    match action {
        RuleAction::Redirect(RedirectSpec { protocol, host, port, path, query, permanent }) => {
            let status = match permanent {
                true => RedirectActionStatusCodeEnum::Http301,
                false => RedirectActionStatusCodeEnum::Http302,
            };
            let redirect = RedirectActionConfig::builder()
                .protocol(protocol)
                .host(host)
                .port(port)
                .path(path)
                .query(query)
                .status_code(status)
                .build();
            Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect).build()
        }
        RuleAction::Respond(FixedResponseSpec { status, content_type, body }) => {
            let response = FixedResponseActionConfig::builder()
                .status_code(status.to_string())
                .set_content_type(content_type.clone())
                .set_message_body(body.clone())
                .build();
            Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(response).build()
        }
        RuleAction::Forward(_) | RuleAction::Other { .. } => forward(target_group),
    }
}

/// What a rule does, with the parts that AWS leaves out written out.
pub(super) fn read(rule: &Rule) -> RuleAction {
    let forwards: Vec<String> =
        forwards(rule.actions()).iter().map(|arn| target_group_name(arn).to_owned()).collect();
    let other = |what: &str, forwards| RuleAction::Other { what: what.to_owned(), forwards };
    // A rewrite changes which requests the target sees: this tool does not write such a rule, and must not replace one.
    if !rule.transforms().is_empty() {
        return other("rewritten", forwards);
    }
    let [action] = rule.actions() else { return other("several actions", forwards) };
    let part = |part: Option<&str>, same: &str| part.unwrap_or(same).to_owned();
    match (action.r#type(), forwards.as_slice()) {
        (Some(ActionTypeEnum::Forward), [one]) => RuleAction::Forward(one.clone()),
        (Some(ActionTypeEnum::Forward), _) => other("by weight", forwards),
        (Some(ActionTypeEnum::Redirect), _) => match action.redirect_config() {
            Some(redirect) => RuleAction::Redirect(RedirectSpec {
                protocol: part(redirect.protocol(), "#{protocol}"),
                host: part(redirect.host(), "#{host}"),
                port: part(redirect.port(), "#{port}"),
                path: part(redirect.path(), "/#{path}"),
                query: part(redirect.query(), "#{query}"),
                permanent: redirect.status_code() == Some(&RedirectActionStatusCodeEnum::Http301),
            }),
            None => other("redirect", forwards),
        },
        (Some(ActionTypeEnum::FixedResponse), _) => {
            let response = action.fixed_response_config();
            let status = response.and_then(|it| it.status_code()).and_then(|code| code.parse().ok());
            let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
            RuleAction::Respond(FixedResponseSpec {
                status: status.unwrap_or_default(),
                content_type: text(response.and_then(|it| it.content_type())),
                body: text(response.and_then(|it| it.message_body())),
            })
        }
        (kind, _) => other(kind.map_or("no action", ActionTypeEnum::as_str), forwards),
    }
}
