//! Services do not wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::{Diagnostic, Rule, Scope};
use crate::config::order::in_order;

pub(super) const RULE: Rule =
    Rule { code: "dependency-cycle", about: "Services do not wait for each other in a circle.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (_, stuck) = in_order(&scope.environment.services);
    let stuck: BTreeSet<&str> = stuck.into_iter().collect();
    let services: BTreeMap<&str, _> =
        scope.services().map(|(service, at)| (service.key.0.as_str(), (service, at))).collect();
    let next = |name: &str| {
        let mut waits = services.get(name)?.0.depends_on.iter().map(|wait| wait.0.as_str());
        waits.find(|wait| stuck.contains(wait))
    };
    let mut seen = BTreeSet::new();
    for start in &stuck {
        // Each circle once; services that merely wait for a circle are not at fault.
        let cycle = cycle_from(start, next, &mut seen);
        if cycle.is_empty() {
            continue;
        }
        let mut path: Vec<&str> = cycle.clone();
        path.push(cycle[0]);
        let mut wrong =
            Diagnostic::error(RULE.code, format!("services wait for each other: {}", path.join(" → ")));
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            let Some((service, at)) = services.get(from) else { continue };
            let waits = service.depends_on.iter().zip(at.key("depends-on").entries());
            for (_, wait) in waits.filter(|(wait, _)| wait.0 == **to) {
                wrong = wrong.at(wait, format!("`{from}` waits for `{to}`"));
            }
        }
        found.push(wrong.help(
            "a service that another one calls over Service Connect comes first; break the circle there",
        ));
    }
}

/// Follows the first unfinished dependency until a service comes again: the circle, unless an earlier walk came by.
fn cycle_from<'a>(
    start: &'a str,
    next: impl Fn(&str) -> Option<&'a str>,
    seen: &mut BTreeSet<&'a str>,
) -> Vec<&'a str> {
    let (mut path, mut name) = (Vec::new(), start);
    while seen.insert(name) {
        path.push(name);
        let Some(waited) = next(name) else { return Vec::new() };
        name = waited;
    }
    let at = path.iter().position(|known| *known == name);
    at.map(|at| path.split_off(at)).unwrap_or_default()
}
