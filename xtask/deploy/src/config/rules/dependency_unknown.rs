//! A dependency is a service of the same file, and not the service itself.

use super::{Diagnostic, Rule, Scope};
use crate::config::suggest;

pub(super) const RULE: Rule =
    Rule { code: "dependency-unknown", about: "A dependency is another service of the same file.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let known: Vec<&str> = scope.services().map(|(key, _)| key.value.as_str()).collect();
    for (key, service) in scope.services() {
        let others = || known.iter().copied().filter(|name| *name != key.value);
        for wait in &service.depends_on {
            if wait.value == key.value {
                found.push(
                    Diagnostic::error(RULE.code, "a service cannot wait for itself").at(wait, "itself"),
                );
            } else if !known.contains(&wait.value.as_str()) {
                let wrong =
                    Diagnostic::error(RULE.code, format!("there is no service `{}` to wait for", wait.value))
                        .at(wait, "no such service");
                found.push(match suggest::closest(&wait.value, others()) {
                    Some(meant) => {
                        wrong.replace(wait, format!("\"{meant}\""), format!("did you mean `{meant}`?"))
                    }
                    None => wrong.note(format!("other services: {}", suggest::all(others()))),
                });
            }
        }
    }
}
