//! A dependency is a service of the same file, and not the service itself.

use std::collections::BTreeSet;

use super::{Diagnostic, Rule, Scope};
use crate::config::suggest;

pub(super) const RULE: Rule =
    Rule { code: "dependency-unknown", about: "A dependency is another service of the same file.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let known: BTreeSet<&str> = scope.services().map(|(service, _)| service.key.0.as_str()).collect();
    for (service, at) in scope.services() {
        let others = || known.iter().copied().filter(|name| *name != service.key.0);
        for (wait, at) in service.depends_on.iter().zip(at.key("depends-on").entries()) {
            if *wait == service.key {
                found
                    .push(Diagnostic::error(RULE.code, "a service cannot wait for itself").at(&at, "itself"));
            } else if !known.contains(wait.0.as_str()) {
                let wrong = Diagnostic::error(RULE.code, format!("there is no service `{wait}` to wait for"))
                    .at(&at, "no such service");
                found.push(match suggest::closest(&wait.0, others()) {
                    Some(meant) => {
                        wrong.replace(&at, format!("\"{meant}\""), format!("did you mean `{meant}`?"))
                    }
                    None => wrong.note(format!("other services: {}", suggest::all(others()))),
                });
            }
        }
    }
}
