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
    for (service, at) in scope.services() {
        let (container, at) = (&service.container, at.key("container"));
        let plain = |name: &str| at.key("environment").key(name).name();
        for name in container.environment.keys() {
            VARIABLE.check(RULE.code, name, plain(name), found);
        }
        for name in container.secrets.keys() {
            let secret = at.key("secrets").key(name).name();
            VARIABLE.check(RULE.code, name, &secret, found);
            let twice = || Diagnostic::error(RULE.code, format!("`{name}` has two sources"));
            if ["PORT", COMMIT_VARIABLE].contains(&name.as_str()) {
                found.push(
                    twice()
                        .at(&secret, "a secret")
                        .note("the tool sets this variable itself, and ECS refuses a name that is both")
                        .help("give the secret another name"),
                );
            }
            if let Some(plain) = plain(name) {
                found.push(
                    twice()
                        .at(plain, "a plain value")
                        .at(secret, "a secret")
                        .help("keep the secret and take the plain value out"),
                );
            }
        }
    }
}
