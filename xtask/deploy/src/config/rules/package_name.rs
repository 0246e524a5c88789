//! What `build.cargo` names can be a package of the workspace.
//!
//! The name becomes a path in the image (`/app/NAME`): nothing but a package name may get there.

use super::naming::Naming;
use super::{Diagnostic, Rule, Scope};

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
            NAME.check(RULE.code, package, at.key("build.cargo"), found);
        }
    }
}
