//! A list names nothing twice.

use super::{Diagnostic, Place, Rule, Scope};
use crate::model::Lookup;

pub(super) const RULE: Rule = Rule { code: "duplicate-entry", about: "A list names nothing twice.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let environment = scope.environment;
    let (network, balancer) = (&environment.network, &environment.load_balancer);
    twice(network.subnets.iter().map(Lookup::text), &scope.at("network.subnets"), found);
    twice(balancer.subnets.iter().map(Lookup::text), &scope.at("load-balancer.subnets"), found);
    twice(
        balancer.security_groups.iter().map(Lookup::text),
        &scope.at("load-balancer.security-groups"),
        found,
    );
    for (service, at) in scope.services() {
        twice(service.security_groups.iter().map(Lookup::text), &at.key("security-groups"), found);
        twice(service.depends_on.iter().map(|key| key.0.as_str()), &at.key("depends-on"), found);
    }
}

fn twice<'a>(list: impl Iterator<Item = &'a str>, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let mut seen: Vec<(&str, Place<'_>)> = Vec::new();
    for (entry, place) in list.zip(at.entries()) {
        if let Some((_, first)) = seen.iter().find(|(first, _)| *first == entry) {
            found.push(
                Diagnostic::error(RULE.code, format!("`{entry}` is in the list twice"))
                    .at(first, "here")
                    .at(&place, "and here again"),
            );
        }
        seen.push((entry, place));
    }
}
