//! A build's secret says where its value is read from, in words that every engine understands.
//!
//! Source: `docker buildx build --secret`: `id=…,env=…` or `id=…,src=…`, separated by commas.

use super::naming::{Naming, VARIABLE};
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "build-secret",
    about: "A build's secret has one place that its value is read from.",
    check,
};

const ID: Naming = Naming {
    what: "name for a build's secret",
    length: 1..=64,
    allowed: |c| c.is_ascii_alphanumeric() || "_.-".contains(c),
    law: "letters, digits, `_`, `.` and `-`: it is a file's name under /run/secrets",
    form: |name| name.starts_with('.').then_some("begins with a dot"),
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        for (id, secret) in &service.build.secrets {
            let at = at.key("build.secrets").key(id);
            ID.check(RULE.code, id, at.name(), found);
            match (&secret.env, &secret.file) {
                (Some(_), Some(_)) => found.push(
                    Diagnostic::error(RULE.code, format!("`{}` has two sources", id))
                        .at(at.key("env"), "a variable")
                        .at(at.key("file"), "a file")
                        .help("keep one of the two"),
                ),
                (None, None) => found.push(
                    Diagnostic::error(RULE.code, format!("`{}` is read from nowhere", id))
                        .at(&at, "neither `env` nor `file`")
                        .help("say `{ env = \"VARIABLE\" }` or `{ file = \"PATH\" }`"),
                ),
                (Some(env), None) => VARIABLE.check(RULE.code, env, at.key("env"), found),
                (None, Some(file)) if file.contains([',', '"', '\n']) => found.push(
                    Diagnostic::error(RULE.code, "engines cannot be told of a file with such a name")
                        .at(at.key("file"), "with a comma, a quote or a line break")
                        .help("give the file another name"),
                ),
                (None, Some(_)) => {}
            }
        }
    }
}
