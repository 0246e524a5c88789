//! The application listens where the port mapping points.
//!
//! The tool sets `PORT` from `container.port`; a different `PORT` in the environment would win, and every
//! health check would knock at a closed door.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "container-port",
    about: "`PORT` in the environment agrees with the container's port.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (container, at) = (&service.container, at.key("container"));
        let told = container.environment.get("PORT");
        if container.port != 0 && told.is_some_and(|told| *told != container.port.to_string()) {
            found.push(
                Diagnostic::error(RULE.code, "the application is told another port than the load balancer")
                    .at(at.key("environment.PORT"), "where the application listens")
                    .at(at.key("port"), "where health checks and requests go")
                    .help("leave `PORT` out: it is set from `container.port`"),
            );
        }
    }
}
