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
    for (service, at) in scope.services() {
        // The container's name becomes the port's name where the port has none.
        let port = at.key("container.port-name").or(at.key("container.name"));
        ENDPOINT.check(RULE.code, &service.container.port_name, port, found);
        let Some(connect) = &service.connect else { continue };
        ENDPOINT.check(RULE.code, &connect.discovery_name, at.key("connect.discovery-name"), found);
        ALIAS.check(RULE.code, &connect.alias.dns, at.key("connect.alias.dns"), found);
    }
}
