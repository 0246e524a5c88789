//! How many tasks run, and what changes their number.

use super::naming::{Naming, any_form};
use super::{Findings, Place, Rule, Scope};
use crate::config::suggest;
use crate::model::{Metric, Policy, Scaling, Schedule, Service};

pub(super) const RULES: &[Rule] = &[
    Rule::EachService("count-range", count_range),
    Rule::EachService("policy-name", policy_name),
    Rule::EachService("policy-metric", policy_metric),
    Rule::EachService("policy-idle", policy_idle),
    Rule::Environment("scaling-schedule", scaling_schedule),
];

/// min ≤ desired ≤ max.
///
/// Source: Application Auto Scaling, RegisterScalableTarget: a desired count outside is moved inside at once,
/// so the file would say one thing and the account another.
fn count_range(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let Some(scaling) = &service.scaling else { return };
    let (min_at, max_at) = (at.key("scaling.min"), at.key("scaling.max"));
    let min = min_at.written().then_some(scaling.min);
    let max = max_at.written().then_some(scaling.max);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        found
            .error("scaling has more tasks at least than at most")
            .at(min_at, format!("at least {min}"))
            .at(max_at, format!("at most {max}"));
        return;
    }
    let desired = service.desired_count;
    let below = min.filter(|min| desired < *min).map(|min| (min, min_at, "min"));
    let above = max.filter(|max| desired > *max).map(|max| (max, max_at, "max"));
    if let Some((bound, place, name)) = below.or(above) {
        found
            .error("the desired count is outside the scaling range")
            .at(at.key("desired-count"), format!("`desired-count` is {desired}"))
            .at(place, format!("`{name}` is {bound}"))
            .note("Application Auto Scaling moves the count inside the range as soon as it is registered");
    }
}

const POLICY: Naming = Naming {
    what: "scaling policy name",
    length: 1..=256,
    allowed: |c| c.is_ascii_graphic() || c == ' ',
    law: "1 to 256 printable characters (Application Auto Scaling API, PutScalingPolicy)",
    form: any_form,
};

/// A scaling policy's name has its length and alphabet.
///
/// Source: Application Auto Scaling API, PutScalingPolicy.
fn policy_name(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for policy in service.scaling.iter().flat_map(|scaling| &scaling.policies) {
        POLICY.check(&policy.name, at.key("scaling.policy").key(&policy.name).name(), found);
    }
}

/// A scaling policy tracks one metric, with a target that the metric can have.
///
/// Source: Application Auto Scaling API, TargetTrackingScalingPolicyConfiguration: exactly one of a
/// predefined and a customized metric.
fn policy_metric(service: &Service, at: &Place<'_>, found: &mut Findings) {
    for policy in service.scaling.iter().flat_map(|scaling| &scaling.policies) {
        let at = at.key("scaling.policy").key(&policy.name);
        if policy.metric.is_some() && policy.custom_metric.is_some() {
            found
                .error("a policy tracks one metric")
                .at(at.key("metric"), "one")
                .at(at.key("custom-metric"), "the other")
                .help("make two policies of it: a service scales out when one of them asks for it");
        }
        let percent = matches!(policy.metric, Some(Metric::Cpu | Metric::Memory));
        if percent && policy.target > 100.0 {
            found
                .error("the target is more than the metric can be")
                .at(at.key("target"), format!("{}", policy.target))
                .context(at.key("metric"), "in percent");
        }
    }
}

/// A scaling policy can do something, and no two do the same.
///
/// Source: Application Auto Scaling, PutScalingPolicy: "Only one TargetTrackingScaling policy for a
/// given metric specification is allowed."
fn policy_idle(service: &Service, at: &Place<'_>, found: &mut Findings) {
    let (Some(scaling), at) = (&service.scaling, at.key("scaling")) else { return };
    let name = |policy: &Policy| at.key("policy").key(&policy.name).name();
    if scaling.min == scaling.max
        && at.key("min").written()
        && let Some(policy) = scaling.policies.first()
    {
        found
            .warning("a scaling policy that has no room to scale")
            .at(name(policy), "never does anything")
            .context(at.key("min"), format!("at least {}", scaling.min))
            .context(at.key("max"), format!("at most {}", scaling.max));
    }
    let wakes = |policy: &Policy| policy.custom_metric.is_some();
    let starts = scaling.schedules.iter().any(|schedule| schedule.min.is_some_and(|min| min > 0));
    if scaling.min == 0 && at.key("min").written() && !starts && !scaling.policies.iter().any(wakes) {
        found
            .warning("at 0 tasks nothing makes the service start again")
            .at(at.key("min"), "fewest tasks")
            .note("its own CPU, memory and requests are not measured without tasks (target tracking)")
            .help("add a schedule or a policy with a `custom-metric`, or let one task stay");
    }
    let followed = |policy: &Policy| {
        let own = policy.custom_metric.as_ref().map(|metric| metric.name.clone());
        own.or_else(|| policy.metric.map(|metric| metric.wire().to_owned()))
    };
    let same = |one: &Policy, other: &Policy| {
        (one.metric, &one.custom_metric) == (other.metric, &other.custom_metric)
    };
    for (nth, policy) in scaling.policies.iter().enumerate() {
        let Some(metric) = followed(policy) else { continue };
        if let Some(first) = scaling.policies[..nth].iter().find(|first| same(first, policy)) {
            found
                .error(format!("two policies follow {metric}"))
                .at(name(first), "one")
                .at(name(policy), "the other")
                .note("AWS allows one target-tracking policy for a metric (PutScalingPolicy)");
        }
    }
}

/// A scheduled action is one that Application Auto Scaling takes, and it changes a bound.
///
/// Source: Application Auto Scaling API, PutScheduledAction: `at(yyyy-mm-ddThh:mm:ss)`, `rate(value unit)`,
/// or `cron(…)` with six fields; time zones of the IANA database. It refuses others while the services roll already.
fn scaling_schedule(scope: &Scope<'_>, found: &mut Findings) {
    for (service, at) in scope.services() {
        if let Some(scaling) = &service.scaling {
            scheduled_actions(scaling, scope.workspace.now_secs, &at, found);
        }
    }
}

fn scheduled_actions(scaling: &Scaling, now_secs: Option<u64>, at: &Place<'_>, found: &mut Findings) {
    let all = scaling.schedules.iter().zip(at.key("scaling.schedule").entries());
    let mut before: Vec<&str> = Vec::new();
    for (schedule, at) in all {
        scheduled_action(schedule, &at, found);
        time_zone(schedule, &at.key("timezone"), found);
        let moment = moment(&schedule.schedule).zip(now_secs);
        if moment.is_some_and(|(moment, now)| moment + MOST_WEST < now) {
            found
                .warning("a scheduled action whose time is over")
                .at(at.key("schedule"), "never acts")
                .help("remove it, or give it a later time");
        }
        if before.contains(&schedule.name.as_str()) && at.key("name").written() {
            found.error("two scheduled actions have one name").at(at.key("name"), "again");
        }
        before.push(&schedule.name);
    }
}

fn scheduled_action(schedule: &Schedule, at: &Place<'_>, found: &mut Findings) {
    if at.key("schedule").written() && !is_expression(&schedule.schedule) {
        let wrong = found.error("not a schedule");
        wrong
                .at(at.key("schedule"), "neither at, rate nor cron")
                .note("`cron(minute hour day month weekday year)`, such as `cron(0 20 * * ? *)`; `rate(1 hour)`; `at(2026-12-24T18:00:00)`");
        if let Some(cron) = of_crontab(&schedule.schedule) {
            wrong.meant(at.key("schedule"), &cron);
        }
    }
    match (schedule.min, schedule.max) {
        (None, None) => {
            found.error("a scheduled action that changes nothing").at(at, "neither `min` nor `max`");
        }
        (Some(min), Some(max)) if min > max => {
            found
                .error("a scheduled action has more tasks at least than at most")
                .at(at.key("min"), format!("at least {min}"))
                .at(at.key("max"), format!("at most {max}"));
        }
        _ => {}
    }
}

/// No clock is more seconds behind UTC (`Etc/GMT+12`).
const MOST_WEST: u64 = 12 * 3600;

/// The names of the IANA database, release 2025b, with those of former releases.
const ZONES: &str = include_str!("zones.txt");

/// A name that is not known may be of a newer release, where its form is right and it is like none that is known.
fn time_zone(schedule: &Schedule, at: &Place<'_>, found: &mut Findings) {
    let Some(zone) = schedule.timezone.as_deref() else { return };
    if ZONES.lines().any(|known| known == zone) {
        return;
    }
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).replace(' ', "_").to_ascii_lowercase();
    let begins = |name: &str| city(name).chars().next();
    let near = ZONES.lines().filter(|known| begins(known) == begins(zone));
    let near: Vec<&str> = match near.clone().find(|known| city(known) == city(zone)) {
        Some(same) => vec![same],
        None => near.filter(|known| known.split('/').next() == zone.split('/').next()).collect(),
    };
    let meant = suggest::closest(zone, near);
    let form = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    let text = format!("no time zone is called `{zone}`");
    let wrong = match meant.is_none() && zone.contains('/') && zone.chars().all(form) {
        true => found.warning(text),
        false => found.error(text),
    };
    wrong
        .at(at, "not in the IANA database")
        .note("AWS takes its names, such as `Asia/Singapore`, and refuses others when the release rolls");
    if let Some(meant) = meant {
        wrong.meant(at, meant);
    }
}

/// A line of crontab(5) as AWS writes it: a year more, `?` for the day or the weekday, and weekdays from 1, which is Sunday.
fn of_crontab(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return None };
    let days = match (day, weekday) {
        (_, "*") => (day.to_owned(), "?".to_owned()),
        ("*", _) => ("?".to_owned(), aws_weekdays(weekday)?),
        // Crontab runs on either, which one expression of AWS cannot say.
        _ => return None,
    };
    let cron = format!("cron({minute} {hour} {} {month} {} *)", days.0, days.1);
    cron.chars().all(|c| c.is_ascii_alphanumeric() || " ()*,-/?".contains(c)).then_some(cron)
}

fn aws_weekdays(crontab: &str) -> Option<String> {
    let day = |c: char| match c {
        '0'..='6' => char::from_digit(c.to_digit(10)? + 1, 10),
        // Sunday's other number would turn a range round; a step counts from another first day.
        '7'..='9' | '/' => None,
        other => Some(other),
    };
    crontab.chars().map(day).collect()
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
    moment(text).is_some()
}

/// The time of an `at(…)`, in seconds since 1970 as the clocks of its zone show it.
fn moment(text: &str) -> Option<u64> {
    let at = text.strip_prefix("at(")?.strip_suffix(')').filter(|at| at.as_bytes().get(10) == Some(&b'T'))?;
    let moment = humantime::parse_rfc3339(&format!("{at}Z")).ok().filter(|_| at.len() == 19)?;
    Some(moment.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_crontab_is_written_as_aws_would() {
        for (crontab, aws) in [
            ("0 20 * * *", Some("cron(0 20 * * ? *)")),
            ("*/5 8 1 * *", Some("cron(*/5 8 1 * ? *)")),
            ("0 6 * * 1-5", Some("cron(0 6 ? * 2-6 *)")),
            ("0 6 * * MON-FRI", Some("cron(0 6 ? * MON-FRI *)")),
            ("0 6 1 * 1", None),
            ("0 6 * * 5-7", None),
            ("every evening at eight o'clock", None),
            ("0 20 * * ? *", None),
        ] {
            assert_eq!(of_crontab(crontab).as_deref(), aws, "{crontab}");
            assert!(aws.is_none_or(is_expression), "{crontab}");
        }
    }
}
