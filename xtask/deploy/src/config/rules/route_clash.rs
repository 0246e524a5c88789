//! Each listener rule has a priority and requests of its own.
//!
//! Source: ELBv2 API, CreateRule (`PriorityInUse`). The same path twice is accepted, and the second never
//! taken.

use std::collections::BTreeMap;

use super::{Diagnostic, Rule, Scope};
use crate::config::routing::ListenerRule;

pub(super) const RULE: Rule =
    Rule { code: "route-clash", about: "Each listener rule has a priority and requests of its own.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (mut priorities, mut taken) = (BTreeMap::new(), BTreeMap::new());
    for rule in scope.listener {
        let first: &ListenerRule = priorities.entry(rule.route.priority).or_insert(rule);
        if !std::ptr::eq(first, rule) {
            let place = |rule: &ListenerRule| rule.priority_at.clone().or(rule.at.clone());
            found.push(
                Diagnostic::error(
                    RULE.code,
                    format!("two listener rules have priority {}", rule.route.priority),
                )
                .at(place(first), named(first))
                .at(place(rule), named(rule))
                .help("give one of them another number; the lower one is tried first"),
            );
        }
        let first: &ListenerRule = taken.entry(rule.requests()).or_insert(rule);
        if !std::ptr::eq(first, rule) && first.conditions == rule.conditions {
            let wrong =
                Diagnostic::error(RULE.code, format!("two listener rules take `{}`", rule.requests()))
                    .at(&first.at, named(first))
                    .at(&rule.at, named(rule));
            found.push(if first.health && rule.health {
                wrong.help(
                    "give the services different health paths, or set `load-balancer.health-routes = false`",
                )
            } else {
                wrong.help("the same requests can lead to one service only")
            });
        }
    }
}

fn named(rule: &ListenerRule) -> String {
    let health = if rule.health { ", its health path" } else { "" };
    format!("`{}` → {}{health}", rule.requests(), rule.leads_to())
}
