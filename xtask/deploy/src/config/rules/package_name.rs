//! What `build.cargo` names can be a package of the workspace.
//!
//! The name becomes a path in the image (`/app/NAME`): nothing but a package name may get there.

use super::naming::Naming;
use super::{Diagnostic, Place, Rule, Scope};
use crate::config::suggest;

pub(super) const RULE: Rule = Rule { code: "package-name", about: "`build.cargo` names a package.", check };

const NAME: Naming = Naming {
    what: "package name",
    length: 1..=64,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
    law: "letters, digits, `-` and `_`, beginning with a letter (Cargo reference, the `name` field)",
    form: |name| {
        (!name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some("does not begin with a letter")
    },
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        if let Some(package) = &service.build.cargo {
            let (before, at) = (found.len(), at.key("build.cargo"));
            NAME.check(RULE.code, package, &at, found);
            if found.len() == before && scope.lacks_package(package) {
                found.push(unknown(scope, package, &at));
            }
        }
    }
}

fn unknown(scope: &Scope<'_>, package: &str, at: &Place<'_>) -> Diagnostic {
    let known = (scope.workspace.packages)();
    let known = || known.iter().map(String::as_str);
    let wrong = Diagnostic::error(RULE.code, format!("the workspace has no package `{package}`"))
        .at(at, "no such package");
    match suggest::closest(package, known()) {
        Some(meant) => wrong.replace(at, format!("\"{meant}\""), format!("did you mean `{meant}`?")),
        None => wrong.note(format!("its packages are {}", suggest::all(known()))),
    }
}
