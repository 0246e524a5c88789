//! Service Connect's port names, discovery names and alias names have their own lengths and alphabets.
//!
//! Source: ECS API, PortMapping, ServiceConnectService, ServiceConnectClientAlias.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "connect-name", about: "Service Connect names have their lengths and alphabets.", check };

const ENDPOINT: Naming = Naming {
    what: "Service Connect name",
    length: 1..=64,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'),
    law: "1 to 64 lowercase letters, digits, `_` and `-`, not starting with `-` (ECS API, PortMapping)",
    form: |name| name.starts_with('-').then_some("starts with a hyphen"),
};

const ALIAS: Naming = Naming {
    what: "Service Connect alias",
    length: 1..=127,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.'),
    law: "1 to 127 lowercase letters, digits, `_`, `-` and `.` (ECS API, ServiceConnectClientAlias)",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let container = &service.container.value;
        // The container's name becomes the port's name where the port has none.
        if let Some(port_name) = container.port_name.as_ref().or(container.name.as_ref()) {
            ENDPOINT.check(RULE.code, port_name, found);
        }
        let Some(connect) = &service.connect else { continue };
        if let Some(discovery) = &connect.value.discovery_name {
            ENDPOINT.check(RULE.code, discovery, found);
        }
        if let Some(dns) = &connect.value.alias.value.dns {
            ALIAS.check(RULE.code, dns, found);
        }
    }
}
