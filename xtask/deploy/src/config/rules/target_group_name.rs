//! A target group's name has its length and alphabet.
//!
//! Source: ELBv2 API, CreateTargetGroup.

use super::naming::Naming;
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "target-group-name", about: "A target group's name has its length and alphabet.", check };

const NAME: Naming = Naming {
    what: "target group name",
    length: 1..=32,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-',
    law: "1 to 32 letters, digits and hyphens, not beginning or ending with a hyphen \
          (ELBv2 API, CreateTargetGroup)",
    form: |name| (name.starts_with('-') || name.ends_with('-')).then_some("a hyphen at its edge"),
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        NAME.check(RULE.code, &service.target_group.name, at.key("target-group.name"), found);
    }
}
