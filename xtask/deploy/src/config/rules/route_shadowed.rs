//! Every listener rule can be taken: none stands behind a wider one.

use super::{Diagnostic, Rule, Scope};
use crate::config::routing::ListenerRule;
use crate::model::spec::takes_all;

pub(super) const RULE: Rule =
    Rule { code: "route-shadowed", about: "No listener rule stands behind a wider one.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (at, rule) in scope.listener.iter().enumerate() {
        // The same requests twice are `route-clash`'s.
        let wider = |first: &&ListenerRule| {
            first.route.priority < rule.route.priority
                && first.service != rule.service
                && first.conditions != rule.conditions
                && takes_all(&first.conditions, &rule.conditions)
        };
        let Some(first) = scope.listener[..at].iter().find(wider) else { continue };
        let (to, priority) = (first.leads_to(), first.route.priority);
        found.push(
            Diagnostic::warning(RULE.code, format!("requests for `{}` never get here", rule.requests()))
                .at(&rule.at, format!("priority {}", rule.route.priority))
                .context(&first.at, format!("takes all of it first, for {to}: priority {priority}"))
                .help(format!("give it a priority below {priority}")),
        );
    }
}
