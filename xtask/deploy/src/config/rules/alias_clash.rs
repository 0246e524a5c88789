//! A Service Connect alias (name and port) belongs to one service of the namespace.
//!
//! Source: ECS API, ServiceConnectClientAlias; ECS refuses the second service when it is created.

use std::collections::BTreeMap;

use super::{Diagnostic, Rule, Scope};
use crate::config::endpoint::{Endpoint, endpoints};

pub(super) const RULE: Rule =
    Rule { code: "alias-clash", about: "A Service Connect alias belongs to one service.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let endpoints = endpoints(scope);
    let mut seen = BTreeMap::new();
    for endpoint in &endpoints {
        let first: &Endpoint<'_> = seen.entry((endpoint.dns, endpoint.port)).or_insert(endpoint);
        if first.service != endpoint.service {
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
