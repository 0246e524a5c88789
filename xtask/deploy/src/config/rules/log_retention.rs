//! Logs are kept for a number of days that CloudWatch Logs offers.
//!
//! Source: CloudWatch Logs API, PutRetentionPolicy.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "log-retention",
    about: "Logs are kept for a number of days that CloudWatch offers.",
    check,
};

const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let days = &service.log_group.value.retention_days;
        if DAYS.contains(&days.value) {
            continue;
        }
        let below = DAYS.iter().rfind(|&&offer| offer < days.value);
        let above = DAYS.iter().find(|&&offer| offer > days.value);
        let near: Vec<String> = below.into_iter().chain(above).map(u32::to_string).collect();
        found.push(
            Diagnostic::error(RULE.code, "CloudWatch Logs has no such retention")
                .at(days, format!("{} days", days.value))
                .note(format!("the nearest that it has: {}", near.join(" and "))),
        );
    }
}
