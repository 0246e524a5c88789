//! No secret stands in plain environment variables.
//!
//! A task definition is readable for everybody with ecs:DescribeTaskDefinition, and every revision keeps it
//! for ever. The value itself is never shown: `redact` has masked it in what is quoted here.

use super::{Diagnostic, Rule, Scope};
use crate::redact::{secret_name, secret_value};

pub(super) const RULE: Rule =
    Rule { code: "secret-in-environment", about: "No secret stands in plain environment variables.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        for (name, value) in &service.container.value.environment {
            let form = secret_value(&value.value);
            let switch = ["", "true", "false"].contains(&value.value.as_str());
            if switch || (form.is_none() && !secret_name(&name.value)) {
                continue;
            }
            let label = form.map_or_else(
                || "its name says that it is a secret".to_owned(),
                |form| format!("it is {form}"),
            );
            let variable = &name.value;
            found.push(
                Diagnostic::error(RULE.code, format!("a secret in the plain environment: `{variable}`"))
                    .at(name, label)
                    .note(
                        "whoever may read the task definition can read it, in every revision there ever was",
                    )
                    .note("if it was ever committed or deployed, replace the secret itself too")
                    .help(format!(
                        "keep it in Secrets Manager or the SSM parameter store, and say where in the container's \
                         `secrets`: `{variable} = \"/APP/ENV/NAME\"`"
                    )),
            );
        }
    }
}
