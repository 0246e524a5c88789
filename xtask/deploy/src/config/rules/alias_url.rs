//! A URL in the environment that points into the namespace reaches an endpoint that exists.
//!
//! Service Connect names are no DNS records: a name without an endpoint resolves nowhere, and the mistake
//! shows only as a broken page after the deploy.

use std::collections::BTreeSet;

use super::{Diagnostic, Rule, Scope};
use crate::config::endpoint::endpoints;
use crate::config::suggest;

pub(super) const RULE: Rule =
    Rule { code: "alias-url", about: "A URL into the namespace reaches an endpoint that exists.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let namespace = &scope.environment.namespace;
    let endpoints = endpoints(scope);
    let aliases: BTreeSet<(&str, u16)> = endpoints.iter().map(|e| (e.dns, e.port)).collect();
    for (service, at) in scope.services() {
        for (name, value) in &service.container.environment {
            let at = at.key("container.environment").key(name);
            let Some((host, port)) = host_and_port(value) else { continue };
            if namespace.is_empty()
                || !host.ends_with(&format!(".{namespace}"))
                || aliases.contains(&(host, port))
            {
                continue;
            }
            // Its alias would be this one, if it had one: mostly its `connect` section was just taken out.
            let silent = scope.services().find(|(other, _)| {
                other.connect.is_none() && format!("{}.{namespace}", other.container.port_name) == host
            });
            if let Some((other, _)) = silent {
                let missing = Diagnostic::error(RULE.code, format!("nothing answers at `{host}:{port}`"))
                    .at(&at, format!("service `{0}` has no `[service.{0}.connect]`", other.key))
                    .help(
                        "give it one, or take this URL out; other services reach it by Service Connect only",
                    );
                found.push(missing);
                continue;
            }
            let known: Vec<String> = endpoints.iter().map(|e| format!("{}:{}", e.dns, e.port)).collect();
            let wanted = format!("{host}:{port}");
            let wrong = Diagnostic::error(RULE.code, format!("nothing answers at `{wanted}`"))
                .at(&at, "no service has this Service Connect alias")
                .note(format!("the aliases are {}", suggest::all(known.iter().map(String::as_str))));
            found.push(match suggest::closest(&wanted, known.iter().map(String::as_str)) {
                Some(meant) => wrong.help(format!("did you mean `{meant}`?")),
                None => wrong,
            });
        }
    }
}

/// Host and port of an HTTP URL.
pub(super) fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let (rest, default) = match url.strip_prefix("http://") {
        Some(rest) => (rest, 80),
        None => (url.strip_prefix("https://")?, 443),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    // Without the user's part, which may be a password: the host is shown in messages.
    let authority = authority.rsplit('@').next()?;
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, default)),
    }
}
