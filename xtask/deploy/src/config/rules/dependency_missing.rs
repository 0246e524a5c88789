//! Who calls a service over Service Connect waits for it.
//!
//! Source: ECS developer guide, Service Connect: a client's proxy knows only the endpoints that existed when
//! the client's deployment was made. A frontend created before its backend can never reach it.

use std::collections::BTreeMap;

use super::alias_url::host_and_port;
use super::{Diagnostic, Rule, Scope};
use crate::config::endpoint::endpoints;

pub(super) const RULE: Rule = Rule {
    code: "dependency-missing",
    about: "Who calls a service over Service Connect waits for it.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let endpoints = endpoints(scope);
    let endpoints: BTreeMap<_, _> = endpoints.iter().rev().map(|e| ((e.dns, e.port), e)).collect();
    for (service, at) in scope.services() {
        for (name, value) in &service.container.environment {
            let Some(called) = host_and_port(value) else { continue };
            let Some(endpoint) = endpoints.get(&called) else {
                continue;
            };
            let waits = service.depends_on.iter().any(|wait| wait.0 == endpoint.service);
            if waits || endpoint.service == service.key.0 {
                continue;
            }
            let server = endpoint.service;
            found.push(
                Diagnostic::warning(
                    RULE.code,
                    format!("`{}` calls `{server}` and does not wait for it", service.key),
                )
                .at(
                    at.key("container.environment").key(name),
                    format!("reaches `{server}` over Service Connect"),
                )
                .note("a client's proxy knows only the endpoints that existed when the client was deployed")
                .help(format!("add `depends-on = [\"{server}\"]` to `[service.{}]`", service.key)),
            );
        }
    }
}
