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
    for (service, at) in scope.services() {
        for policy in service.scaling.iter().flat_map(|scaling| &scaling.policies) {
            NAME.check(RULE.code, &policy.name, at.key("scaling.policy").key(&policy.name).name(), found);
        }
    }
}
