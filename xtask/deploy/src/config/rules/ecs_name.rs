//! Clusters, services, families and containers have names of ECS's alphabet.
//!
//! Source: ECS API, CreateCluster, CreateService, RegisterTaskDefinition: up to 255 letters, digits, `_` and
//! `-`. Cloud Map API, CreateHttpNamespace: up to 1024 printable characters.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "ecs-name",
    about: "Clusters, services, families and containers have names of ECS's alphabet.",
    check,
};

const fn naming(what: &'static str) -> Naming {
    Naming {
        what,
        length: 1..=255,
        allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
        law: "1 to 255 letters, digits, `-` and `_` (ECS API)",
        form: any_form,
    }
}

const NAMESPACE: Naming = Naming {
    what: "namespace name",
    length: 1..=1024,
    allowed: |c| c.is_ascii_graphic(),
    law: "1 to 1024 printable characters without spaces (Cloud Map API, CreateHttpNamespace)",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let environment = scope.environment;
    naming("cluster name").check(RULE.code, &environment.cluster, scope.at("cluster"), found);
    NAMESPACE.check(RULE.code, &environment.namespace, scope.at("namespace"), found);
    for (service, at) in scope.services() {
        for (what, name, key) in [
            ("service name", &service.name, "name"),
            ("task definition family", &service.family, "family"),
            ("container name", &service.container.name, "container.name"),
        ] {
            naming(what).check(RULE.code, name, at.key(key), found);
        }
    }
}
