//! A scaling policy's name has its length and alphabet.
//!
//! Source: Application Auto Scaling API, PutScalingPolicy.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "policy-name", about: "A scaling policy's name has its length and alphabet.", check };

const NAME: Naming = Naming {
    what: "scaling policy name",
    length: 1..=256,
    allowed: |c| c.is_ascii_graphic() || c == ' ',
    law: "1 to 256 printable characters (Application Auto Scaling API, PutScalingPolicy)",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        for name in service.scaling.iter().flat_map(|scaling| scaling.value.policy.keys()) {
            NAME.check(RULE.code, name, found);
        }
    }
}
