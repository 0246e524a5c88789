//! A log group's name has its length and alphabet.
//!
//! Source: CloudWatch Logs API, CreateLogGroup.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "log-group-name", about: "A log group's name has its length and alphabet.", check };

const NAME: Naming = Naming {
    what: "log group name",
    length: 1..=512,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '#'),
    law: "1 to 512 letters, digits, `_`, `-`, `/`, `.` and `#` (CloudWatch Logs API, CreateLogGroup)",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        NAME.check(RULE.code, &service.log_group.name, at.key("log-group.name"), found);
    }
}
