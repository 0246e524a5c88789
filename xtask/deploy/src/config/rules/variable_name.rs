//! Environment variables have names that a shell can read, and each comes from one place.
//!
//! Source: POSIX, Environment Variable Definition; ECS RegisterTaskDefinition refuses a name that is both in
//! `environment` and in `secrets`, also when it is the tool that sets it.

use super::naming::VARIABLE;
use super::{Diagnostic, Rule, Scope};
use crate::model::spec::COMMIT_VARIABLE;

pub(super) const RULE: Rule = Rule {
    code: "variable-name",
    about: "Environment variables have readable names and one source each.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let container = &service.container.value;
        for name in container.environment.keys().chain(container.secrets.keys()) {
            VARIABLE.check(RULE.code, name, found);
        }
        for secret in container.secrets.keys() {
            if ["PORT", COMMIT_VARIABLE].contains(&secret.value.as_str()) {
                found.push(
                    Diagnostic::error(RULE.code, format!("`{}` has two sources", secret.value))
                        .at(secret, "a secret")
                        .note("the tool sets this variable itself, and ECS refuses a name that is both")
                        .help("give the secret another name"),
                );
            }
            if let Some((plain, _)) = container.environment.iter().find(|(name, _)| *name == secret) {
                found.push(
                    Diagnostic::error(RULE.code, format!("`{}` has two sources", secret.value))
                        .at(plain, "a plain value")
                        .at(secret, "a secret")
                        .help("keep the secret and take the plain value out"),
                );
            }
        }
    }
}
