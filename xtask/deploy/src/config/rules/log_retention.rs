//! Logs are kept for a number of days that CloudWatch Logs offers.
//!
//! Source: CloudWatch Logs API, PutRetentionPolicy. A log group that two services share has one retention: with two, each
//! deploy would set it to and fro, and no plan would ever be empty.

use std::collections::BTreeMap;

use super::{Diagnostic, Place, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "log-retention",
    about: "Logs are kept for a number of days that CloudWatch offers.",
    check,
};

const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, (u32, Place<'_>)> = BTreeMap::new();
    for (service, at) in scope.services() {
        let (group, at) = (&service.log_group, at.key("log-group"));
        let (days, days_at) = (group.retention_days, at.key("retention-days"));
        if at.key("name").written() {
            let (other, other_at) = seen.entry(&group.name).or_insert_with(|| (days, days_at.clone()));
            if *other != days {
                found.push(
                    Diagnostic::error(RULE.code, "two services keep one log group for different times")
                        .at(&*other_at, format!("{other} days"))
                        .at(&days_at, format!("{days} days"))
                        .context(at.key("name"), "the same log group")
                        .help("give both the same number, or each service a log group of its own"),
                );
            }
        }
        if DAYS.contains(&days) {
            continue;
        }
        let below = DAYS.iter().rfind(|&&offer| offer < days);
        let above = DAYS.iter().find(|&&offer| offer > days);
        let near: Vec<String> = below.into_iter().chain(above).map(u32::to_string).collect();
        found.push(
            Diagnostic::error(RULE.code, "CloudWatch Logs has no such retention")
                .at(days_at, format!("{days} days"))
                .note(format!("the nearest that it has: {}", near.join(" and "))),
        );
    }
}
