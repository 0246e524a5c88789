//! A list names nothing twice.

use super::{Diagnostic, Rule, Scope, Setting};

pub(super) const RULE: Rule = Rule { code: "duplicate-entry", about: "A list names nothing twice.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let settings = scope.settings;
    let shared = [
        &settings.network.value.subnets,
        &settings.load_balancer.value.subnets,
        &settings.load_balancer.value.security_groups,
    ];
    let own = scope.services().map(|(_, service)| &service.security_groups);
    for list in shared.into_iter().chain(own).flatten() {
        twice(&list.value, found);
    }
    for (_, service) in scope.services() {
        twice(&service.depends_on, found);
    }
}

fn twice(list: &[Setting<String>], found: &mut Vec<Diagnostic>) {
    for (at, entry) in list.iter().enumerate() {
        if let Some(first) = list[..at].iter().find(|first| *first == entry) {
            found.push(
                Diagnostic::error(RULE.code, format!("`{}` is in the list twice", entry.value))
                    .at(first, "here")
                    .at(entry, "and here again"),
            );
        }
    }
}
