//! Every listener rule can be taken: none stands behind a wider one.

use super::{Diagnostic, Rule, Scope};
use crate::model::spec::covers;

pub(super) const RULE: Rule =
    Rule { code: "route-shadowed", about: "No listener rule stands behind a wider one.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (at, rule) in scope.listener.iter().enumerate() {
        // The same pattern twice is `route-clash`'s.
        let wider = |first: &&_| {
            let first: &crate::config::routing::ListenerRule = first;
            first.priority < rule.priority
                && first.pattern != rule.pattern
                && covers(&first.pattern, &rule.pattern)
        };
        let Some(first) =
            scope.listener[..at].iter().find(wider).filter(|first| first.service != rule.service)
        else {
            continue;
        };
        found.push(
            Diagnostic::warning(RULE.code, format!("requests for `{}` never get here", rule.pattern))
                .at(&rule.pattern_at, format!("priority {}", rule.priority))
                .context(
                    &first.pattern_at,
                    format!("takes all of it first, for `{}`: priority {}", first.service, first.priority),
                )
                .help(format!("give it a priority below {}", first.priority)),
        );
    }
}
