//! Services do not wait for each other in a circle.

use std::collections::BTreeSet;

use super::{Diagnostic, Rule, Scope};
use crate::config::order::in_order;

pub(super) const RULE: Rule =
    Rule { code: "dependency-cycle", about: "Services do not wait for each other in a circle.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (_, stuck) = in_order(&scope.environment.services);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in &stuck {
        let cycle = cycle_from(scope, start, &stuck);
        // Each circle once; services that merely wait for a circle are not at fault.
        if cycle.is_empty() || cycle.iter().any(|name| told.contains(name)) {
            continue;
        }
        told.extend(&cycle);
        let mut path: Vec<&str> = cycle.clone();
        path.push(cycle[0]);
        let mut wrong =
            Diagnostic::error(RULE.code, format!("services wait for each other: {}", path.join(" → ")));
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            for (service, at) in scope.services().filter(|(service, _)| service.key.0 == **from) {
                for (_, wait) in service
                    .depends_on
                    .iter()
                    .zip(at.key("depends-on").entries())
                    .filter(|(wait, _)| wait.0 == **to)
                {
                    wrong = wrong.at(wait, format!("`{from}` waits for `{to}`"));
                }
            }
        }
        found.push(wrong.help(
            "a service that another one calls over Service Connect comes first; break the circle there",
        ));
    }
}

/// Follows the first unfinished dependency until a service comes again.
fn cycle_from<'a>(scope: &Scope<'a>, start: &'a str, stuck: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        let services = scope.environment.services.iter().filter(|service| service.key.0 == last);
        let waits = services.flat_map(|service| &service.depends_on);
        let Some(next) = waits.map(|wait| wait.0.as_str()).find(|name| stuck.contains(name)) else {
            return Vec::new();
        };
        if let Some(at) = path.iter().position(|name| *name == next) {
            return path.split_off(at);
        }
        path.push(next);
    }
}
