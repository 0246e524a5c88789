//! What belongs to one service is not shared by two.
//!
//! Two services of one name are one service to ECS; two families of one name mix their revisions, and a
//! rollback of one takes the other's; a shared repository lets one service's lifecycle policy delete the
//! other's images. Log groups may be shared: streams carry the container's name.

use super::{Diagnostic, Rule, Scope, Setting};
use crate::config::raw::Service;

pub(super) const RULE: Rule =
    Rule { code: "unique-name", about: "What belongs to one service is not shared by two.", check };

type Name = fn(&Service) -> Option<&Setting<String>>;

const NAMES: [(&str, Name); 5] = [
    ("service name", |service| service.name.as_ref()),
    ("task definition family", |service| service.family.as_ref()),
    ("target group", |service| service.target_group.value.name.as_ref()),
    ("repository", |service| service.repository.value.name.as_ref()),
    ("Service Connect discovery name", |service| {
        let container = &service.container.value;
        let connect = &service.connect.as_ref()?.value;
        connect.discovery_name.as_ref().or(container.port_name.as_ref()).or(container.name.as_ref())
    }),
];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (what, name_of) in NAMES {
        let mut seen: Vec<(&str, &Setting<String>)> = Vec::new();
        for (key, service) in scope.services() {
            let Some(name) = name_of(service) else { continue };
            if let Some((owner, first)) = seen.iter().find(|(_, first)| first.value == name.value) {
                found.push(
                    Diagnostic::error(RULE.code, format!("two services have the {what} `{}`", name.value))
                        .at(*first, format!("`{owner}` has it"))
                        .at(name, format!("and so has `{}`", key.value)),
                );
            }
            seen.push((&key.value, name));
        }
    }
}
