//! No secret stands in plain environment variables.
//!
//! A task definition is readable for everybody with ecs:DescribeTaskDefinition, and every revision keeps it
//! for ever. The value itself is never shown: `redact` has masked it in what is quoted here.
//!
//! A name says little: where it may as well be harmless, this is a warning, and `public` ends it.

use super::{Diagnostic, Rule, Scope};
use crate::redact::{doubtful_name, secret_name, secret_value};

pub(super) const RULE: Rule =
    Rule { code: "secret-in-environment", about: "No secret stands in plain environment variables.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (container, at) = (&service.container, at.key("container.environment"));
        let public = |name: &str| container.public.iter().any(|public| public == name);
        for (name, value) in &container.environment {
            let form = secret_value(value);
            let switch = ["", "true", "false"].contains(&value.as_str());
            if switch || public(name) || (form.is_none() && !secret_name(name)) {
                continue;
            }
            let (variable, at) = (name, at.key(name).name());
            let none = format!("if it is none, add `public = [\"{variable}\"]` to the container's table");
            if form.is_none() && doubtful_name(variable) {
                let text = format!("maybe a secret in the plain environment: `{variable}`");
                found
                    .push(Diagnostic::warning(RULE.code, text).at(at, "its name sounds like one").help(none));
                continue;
            }
            let label = form.map_or_else(
                || "its name says that it is a secret".to_owned(),
                |form| format!("it is {form}"),
            );
            found.push(
                Diagnostic::error(RULE.code, format!("a secret in the plain environment: `{variable}`"))
                    .at(at, label)
                    .note(
                        "whoever may read the task definition can read it, in every revision there ever was",
                    )
                    .note("if it was ever committed or deployed, replace the secret itself too")
                    .help(format!(
                        "keep it in Secrets Manager or the SSM parameter store, and say where in the container's \
                         `secrets`: `{variable} = \"/APP/ENV/NAME\"`; {none}"
                    )),
            );
        }
    }
}
