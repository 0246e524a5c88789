//! A scheduled action is one that Application Auto Scaling takes, and it changes a bound.
//!
//! Source: Application Auto Scaling API, PutScheduledAction: `at(yyyy-mm-ddThh:mm:ss)`, `rate(value unit)`, or `cron(…)` with
//! six fields.

use super::{Diagnostic, Place, Rule, Scope};
use crate::model::Schedule;

pub(super) const RULE: Rule = Rule {
    code: "scaling-schedule",
    about: "A scheduled action is one that Application Auto Scaling takes, and it changes a bound.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let Some(scaling) = &service.scaling else { continue };
        let all = scaling.schedules.iter().zip(at.key("scaling.schedule").entries());
        let mut before: Vec<&str> = Vec::new();
        for (schedule, at) in all {
            one(schedule, &at, found);
            if before.contains(&schedule.name.as_str()) && at.key("name").written() {
                found.push(
                    Diagnostic::error(RULE.code, "two scheduled actions have one name")
                        .at(at.key("name"), "again"),
                );
            }
            before.push(&schedule.name);
        }
    }
}

fn one(schedule: &Schedule, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    if at.key("schedule").written() && !is_expression(&schedule.schedule) {
        found.push(
            Diagnostic::error(RULE.code, "not a schedule")
                .at(at.key("schedule"), "neither at, rate nor cron")
                .note("`cron(minute hour day month weekday year)`, such as `cron(0 20 * * ? *)`; `rate(1 hour)`; `at(2026-12-24T18:00:00)`"),
        );
    }
    match (schedule.min, schedule.max) {
        (None, None) => found.push(
            Diagnostic::error(RULE.code, "a scheduled action that changes nothing")
                .at(at, "neither `min` nor `max`"),
        ),
        (Some(min), Some(max)) if min > max => found.push(
            Diagnostic::error(RULE.code, "a scheduled action has more tasks at least than at most")
                .at(at.key("min"), format!("at least {min}"))
                .at(at.key("max"), format!("at most {max}")),
        ),
        _ => {}
    }
}

fn is_expression(text: &str) -> bool {
    let inside = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(fields) = inside("cron") {
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // Of day and weekday one is a question mark.
        return matches!(fields[..], [_, _, day, _, weekday, _] if (day == "?") != (weekday == "?"));
    }
    if let Some(rate) = inside("rate") {
        let units = ["minute", "minutes", "hour", "hours", "day", "days"];
        return rate
            .split_once(' ')
            .is_some_and(|(count, unit)| count.parse::<u32>().is_ok_and(|n| n > 0) && units.contains(&unit));
    }
    inside("at").is_some_and(|at| at.len() == 19 && at.as_bytes()[10] == b'T')
}
