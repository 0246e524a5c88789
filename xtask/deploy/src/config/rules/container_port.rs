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
    for (_, service) in scope.services() {
        let container = &service.container.value;
        let Some(port) = &container.port else { continue };
        let told =
            container.environment.iter().find(|(name, _)| name.value == "PORT").map(|(_, value)| value);
        if let Some(told) = told.filter(|told| told.value != port.value.to_string()) {
            found.push(
                Diagnostic::error(RULE.code, "the application is told another port than the load balancer")
                    .at(told, "where the application listens")
                    .at(port, "where health checks and requests go")
                    .help("leave `PORT` out: it is set from `container.port`"),
            );
        }
    }
}
