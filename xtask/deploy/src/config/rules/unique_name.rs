//! What belongs to one service is not shared by two.
//!
//! Two services of one name are one service to ECS; two families of one name mix their revisions, and a
//! rollback of one takes the other's; a shared repository lets one service's lifecycle policy delete the
//! other's images. Log groups may be shared: streams carry the container's name.

use std::collections::BTreeMap;

use super::{Diagnostic, Rule, Scope};
use crate::config::place::{Place, Span};
use crate::model::Service;

pub(super) const RULE: Rule =
    Rule { code: "unique-name", about: "What belongs to one service is not shared by two.", check };

/// What it is, its name, and where that is written; what it is derived from, where it is not written itself.
type Name = (&'static str, fn(&Service) -> Option<&String>, fn(&Place<'_>) -> Option<Span>);

const NAMES: [Name; 5] = [
    ("service name", |service| Some(&service.name), |at| at.key("name").span()),
    ("task definition family", |service| Some(&service.family), |at| at.key("family").span()),
    ("target group", |service| Some(&service.target_group.name), |at| at.key("target-group.name").span()),
    ("repository", |service| Some(&service.repository.name), |at| at.key("repository.name").span()),
    (
        "Service Connect discovery name",
        |service| Some(&service.connect.as_ref()?.discovery_name),
        |at| {
            let port = at.key("container.port-name").or(at.key("container.name"));
            at.key("connect.discovery-name").or(port)
        },
    ),
];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (what, name_of, place_of) in NAMES {
        let mut seen: BTreeMap<&String, (&str, Span)> = BTreeMap::new();
        for (service, at) in scope.services() {
            let (Some(name), Some(place)) = (name_of(service), place_of(&at)) else { continue };
            if let Some((owner, first)) = seen.get(name) {
                found.push(
                    Diagnostic::error(RULE.code, format!("two services have the {what} `{name}`"))
                        .at(first, format!("`{owner}` has it"))
                        .at(&place, format!("and so has `{}`", service.key)),
                );
            }
            seen.entry(name).or_insert((&service.key.0, place));
        }
    }
}
