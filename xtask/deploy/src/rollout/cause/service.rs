//! Why tasks are not there: AWS says it in events of the service, or in no words that another table knows.

use super::{Cause, Known, failed_to_start, said};
use crate::model::short_id;

pub(super) const CAUSES: &[Known] = &[
    // The event says that there was an alarm, and only the service deployment names it.
    ("alarm", |evidence| {
        let names = evidence.alarms.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        (!names.is_empty()).then(|| {
            Cause::open(
                format!("the CloudWatch alarm {names} went into ALARM while the deployment was in progress"),
                "look at what the alarm measures; `deployment.alarms` in deploy.toml names the alarms that count",
            )
        })
    }),
    ("percent-deadlock", |evidence| {
        said(evidence, &["unable to stop or start tasks during a deployment"], &[])?;
        Some(Cause::plain(
            "ECS may neither start nor stop a task: `minimum-healthy-percent` and `maximum-percent` exclude each other at this count",
            "set `minimum-healthy-percent = 100` with `maximum-percent = 200`",
        ))
    }),
    ("vcpu-limit", |evidence| {
        let reason = said(evidence, &["unable to place a task"], &["limit on the number of vCPUs"])?;
        Some(Cause::open(
            format!("the account runs as many vCPUs as it may: {reason}"),
            "raise the Fargate vCPU quota, or lower `desired-count`, `cpu` or `maximum-percent`",
        ))
    }),
    ("capacity", |evidence| {
        let reason = said(evidence, &["unable to place a task"], &["Capacity is unavailable"])?;
        Some(Cause::open(
            format!("Fargate has no capacity at this time: {reason}"),
            "wait, or add subnets in other availability zones",
        ))
    }),
    ("throttled", |evidence| {
        let reason = said(evidence, &["operations are being throttled"], &[])?;
        Some(Cause::open(format!("AWS throttles ECS itself: {reason}"), "wait; ECS tries again by itself"))
    }),
    ("program-missing", |evidence| {
        let missing = ["executable file not found", "no such file or directory"];
        let reason = failed_to_start(evidence, &["CannotStartContainerError"], &missing)?;
        Some(Cause::plain(
            format!("its program is not in the image: {reason}"),
            "correct `entry-point` or `command` of the container, or the image: a name without a slash is looked up in the \
             image's PATH",
        ))
    }),
    ("never-started", |evidence| {
        let reason = failed_to_start(evidence, &[""], &[])?;
        Some(Cause::open(
            format!("it never started: {reason}"),
            "see the reason; `aws ecs describe-tasks` shows the task for an hour",
        ))
    }),
    ("launch-failed", |evidence| {
        let reason = said(
            evidence,
            &["failed to launch a task", "unable to place a task", "unable to consistently start tasks"],
            &[],
        )?;
        Some(Cause::open(
            format!("ECS cannot start tasks: {reason}"),
            "see the reason; `aws ecs describe-services` shows the events",
        ))
    }),
    ("stopped-by-user", |evidence| {
        let stopped = |code: &Option<String>| code.as_deref() == Some("UserInitiated");
        let task = evidence.stopped.iter().find(|task| stopped(&task.stop_code))?;
        let reason = task.stopped_reason.as_deref().unwrap_or("no reason given");
        let text = format!("somebody stopped task {}: {reason}", short_id(&task.id));
        Some(Cause::open(text, "ask who did; CloudTrail shows the StopTask call"))
    }),
];
