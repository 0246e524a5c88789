//! Logs are kept for a number of days that CloudWatch Logs offers.
//!
//! Source: CloudWatch Logs API, PutRetentionPolicy. A log group that two services share has one retention: with two, each
//! deploy would set it to and fro, and no plan would ever be empty.

use super::{Diagnostic, Rule, Scope, Setting};

pub(super) const RULE: Rule = Rule {
    code: "log-retention",
    about: "Logs are kept for a number of days that CloudWatch offers.",
    check,
};

const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let mut seen: Vec<(&str, &Setting<u32>)> = Vec::new();
    for (_, service) in scope.services() {
        let group = &service.log_group.value;
        let days = &group.retention_days;
        if let Some(name) = &group.name {
            let other =
                seen.iter().find(|(shared, other)| *shared == name.value && other.value != days.value);
            if let Some((_, other)) = other {
                found.push(
                    Diagnostic::error(RULE.code, "two services keep one log group for different times")
                        .at(*other, format!("{} days", other.value))
                        .at(days, format!("{} days", days.value))
                        .context(name, "the same log group")
                        .help("give both the same number, or each service a log group of its own"),
                );
            }
            seen.push((&name.value, days));
        }
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
