//! A service's short name can be typed, tagged and shown: lowercase letters, digits and hyphens.

use super::naming::Naming;
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "service-key", about: "A service's short name is lowercase and short.", check };

const NAME: Naming = Naming {
    what: "short name for a service",
    length: 1..=32,
    allowed: |c| matches!(c, 'a'..='z' | '0'..='9' | '-'),
    law: "1 to 32 lowercase letters, digits and hyphens, beginning with a letter; AWS sees `name`, not this",
    form: |name| {
        (!name.starts_with(|c: char| c.is_ascii_lowercase())).then_some("does not begin with a letter")
    },
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        NAME.check(RULE.code, &service.key.0, at.name(), found);
    }
}
