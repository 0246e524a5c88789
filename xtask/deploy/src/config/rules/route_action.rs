//! A service's routes lead to it; the load balancer's own redirect or respond.
//!
//! Source: ELBv2 API, RedirectActionConfig ("You must modify at least one of the following components to avoid a redirect
//! loop: protocol, hostname, port or path") and FixedResponseActionConfig (2XX, 4XX or 5XX).

use super::{Diagnostic, Place, Rule, Scope};
use crate::model::{Redirect, Route};

pub(super) const RULE: Rule = Rule {
    code: "route-action",
    about: "A service's routes lead to it; the load balancer's own redirect or respond.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scope.listener {
        let (route, at) = (&rule.route, scope.at(&rule.place));
        match (&rule.service, &route.redirect, &route.respond) {
            (Some(service), redirect, respond) => {
                for key in [redirect.as_ref().map(|_| "redirect"), respond.as_ref().map(|_| "respond")]
                    .into_iter()
                    .flatten()
                {
                    found.push(
                        Diagnostic::error(RULE.code, format!("a route of a service has no `{key}`"))
                            .at(at.key(key), format!("the route leads to `{service}`"))
                            .help("move the route to `[[load-balancer.routes]]`"),
                    );
                }
            }
            (None, None, None) => found.push(
                Diagnostic::error(RULE.code, "a route of the load balancer leads nowhere")
                    .at(&at, "neither `redirect` nor `respond`")
                    .help("add one, or move the route to the service that it is for"),
            ),
            (None, Some(_), Some(_)) => found.push(
                Diagnostic::error(RULE.code, "a route either redirects or responds")
                    .at(at.key("redirect"), "one")
                    .at(at.key("respond"), "the other"),
            ),
            (None, Some(redirect), None) => goes(redirect, &at.key("redirect"), found),
            (None, None, Some(_)) => status(route, &at.key("respond.status"), found),
        }
    }
}

fn goes(redirect: &Redirect, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let same = Redirect::default();
    let parts = |it: &Redirect| (it.protocol.clone(), it.host.clone(), it.port.clone(), it.path.clone());
    if parts(redirect) == parts(&same) {
        found.push(
            Diagnostic::error(RULE.code, "a redirect to the same address is a loop")
                .at(at, "as it was asked for")
                .help("change `protocol`, `host`, `port` or `path`"),
        );
    }
    if !["HTTP", "HTTPS", "#{protocol}"].contains(&redirect.protocol.as_str()) {
        found.push(
            Diagnostic::error(RULE.code, "not a protocol of a redirect")
                .at(at.key("protocol"), "`HTTP`, `HTTPS` or `#{protocol}`"),
        );
    }
    if redirect.port != "#{port}" && redirect.port.parse::<u16>().is_err() {
        found.push(
            Diagnostic::error(RULE.code, "not a port")
                .at(at.key("port"), "\"1\" to \"65535\", or \"#{port}\""),
        );
    }
    if !redirect.path.starts_with('/') {
        let wrong = Diagnostic::error(RULE.code, "a path begins with a slash").at(at.key("path"), "no slash");
        found.push(wrong.replace(at.key("path"), format!("\"/{}\"", redirect.path), "begin with one"));
    }
}

fn status(route: &Route, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let status = route.respond.as_ref().map_or(0, |respond| respond.status);
    if status / 100 == 3 {
        let wrong = Diagnostic::error(RULE.code, "a response is 2xx, 4xx or 5xx")
            .at(at, format!("{status} is a redirect"));
        found.push(wrong.help("use `redirect = { … }`"));
    }
}
