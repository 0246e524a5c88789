//! A role is named by its name alone, or by its whole ARN.
//!
//! Source: IAM API, GetRole: `RoleName` has no path.

use super::{Diagnostic, Rule, Scope};
use crate::model::Lookup;

pub(super) const RULE: Rule =
    Rule { code: "role-name", about: "A role is named by its name alone, or by its whole ARN.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let roles =
            [(Some(&service.execution_role), "execution-role"), (service.task_role.as_ref(), "task-role")];
        for (role, key) in roles {
            let (Some(role), at) = (role.map(Lookup::text), at.key(key)) else { continue };
            let Some((_, name)) = role.rsplit_once('/') else { continue };
            if !role.starts_with("arn:") {
                found.push(
                    Diagnostic::error(RULE.code, "a role's name has no path")
                        .at(&at, "IAM finds no role by its path")
                        .replace(&at, format!("\"{name}\""), "leave the path out"),
                );
            }
        }
    }
}
