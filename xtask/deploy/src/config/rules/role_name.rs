//! A role is named by its name alone, or by its whole ARN.
//!
//! Source: IAM API, GetRole: `RoleName` has no path.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "role-name", about: "A role is named by its name alone, or by its whole ARN.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        for role in service.execution_role.iter().chain(&service.task_role) {
            let Some((_, name)) = role.value.rsplit_once('/') else { continue };
            if !role.value.starts_with("arn:") {
                found.push(
                    Diagnostic::error(RULE.code, "a role's name has no path")
                        .at(role, "IAM finds no role by its path")
                        .replace(role, format!("\"{name}\""), "leave the path out"),
                );
            }
        }
    }
}
