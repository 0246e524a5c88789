//! A production environment on AWS asks before it writes.

use crate::model::Kind;

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "confirm", about: "Production asks before it writes.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let environment = scope.environment;
    let production = ["prod", "production", "live"]
        .iter()
        .any(|word| scope.env().split(['-', '_']).any(|part| part == *word));
    if environment.kind == Kind::Local || environment.confirm || !production {
        return;
    }
    // Said nowhere, it is missing from the environment's section.
    let place = scope.at("confirm").or(&scope.env_at);
    found.push(
        Diagnostic::warning(RULE.code, format!("`{}` writes without asking", scope.env()))
            .at(&place, "`confirm` is false")
            .help("set `confirm = true`; unattended runs then say `--yes`"),
    );
}
