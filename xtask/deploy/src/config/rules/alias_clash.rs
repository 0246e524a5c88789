//! A Service Connect alias (name and port) belongs to one service of the namespace.
//!
//! Source: ECS API, ServiceConnectClientAlias; ECS refuses the second service when it is created.

use super::{Diagnostic, Rule, Scope};
use crate::config::endpoint::endpoints;

pub(super) const RULE: Rule =
    Rule { code: "alias-clash", about: "A Service Connect alias belongs to one service.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let endpoints = endpoints(scope);
    for (at, endpoint) in endpoints.iter().enumerate() {
        let before = &endpoints[..at];
        if let Some(first) =
            before.iter().find(|first| (first.dns, first.port) == (endpoint.dns, endpoint.port))
        {
            found.push(
                Diagnostic::error(
                    RULE.code,
                    format!("two services answer to `{}:{}`", endpoint.dns, endpoint.port),
                )
                .at(&first.place, format!("`{}` does", first.service))
                .at(&endpoint.place, format!("and so does `{}`", endpoint.service))
                .help("give one of them another name or port"),
            );
        }
    }
}
