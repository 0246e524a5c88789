//! One service in detail, for `status`: what is not read leaves a sentence, and the rest is shown.

use deploy::model::{Environment, Kind as EnvironmentKind, Service};
use deploy::redact;
use deploy::rollout::{Diagnosis, Evidence, TargetSnapshot, TaskSnapshot, diagnose};
use deploy::status::{self, Detail};
use deploy::verify::Reading;
use futures_util::future::join3;

use crate::aws::{Aws, Error};
use crate::report::Recorder;
use crate::settle::read_logs;

const MOST: u32 = 10;

/// Reads what the reading does not have yet: scaling, alarms, and what stopped tasks printed.
pub async fn detail(
    aws: &Aws,
    events: &Recorder,
    environment: &Environment,
    service: &Service,
    reading: &Reading,
) -> Detail {
    let resource = format!("service/{}/{}", environment.cluster, service.name);
    let named = service.deployment.alarms.as_ref().map(|alarms| alarms.names.clone()).unwrap_or_default();
    // Application Auto Scaling names the alarms of target tracking so.
    let tracking = format!("TargetTracking-{resource}-");
    let (scaling, own, tracked) = join3(
        aws.describe_scaling_activities(&resource, MOST),
        aws.describe_alarms(&named),
        aws.find_alarms(&tracking),
    )
    .await;
    let mut unread = Vec::new();
    let scaling = read(scaling, &mut unread);
    let alarms = [read(own, &mut unread), read(tracked, &mut unread)].concat();
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    Detail {
        tasks: status::tasks(reading, aws.now_ms()),
        events: reading.service.events.iter().take(most).cloned().collect(),
        stopped: why_stopped(aws, events, (environment, service), reading, reading.stopped.clone()).await,
        scaling,
        alarms,
        unread,
    }
}

fn read<T>(read: Result<Vec<T>, Error>, unread: &mut Vec<String>) -> Vec<T> {
    read.unwrap_or_else(|error| {
        unread.extend(Some(error.to_string()).filter(|text| !unread.contains(text)));
        Vec::new()
    })
}

/// Why tasks stopped, by the same causes as of a deployment that failed. `None` where nothing of theirs failed.
pub(super) async fn why_stopped(
    aws: &Aws,
    events: &Recorder,
    (environment, service): (&Environment, &Service),
    reading: &Reading,
    mut stopped: Vec<TaskSnapshot>,
) -> Option<Diagnosis> {
    stopped.sort_by_key(|task| std::cmp::Reverse(task.created_ms));
    let group = service.group();
    let unhealthy = |target: &&TargetSnapshot| target.state.starts_with("unhealthy");
    let targets = || reading.targets.iter().flatten();
    let commands = service.essential().filter_map(|container| {
        let line = redact::text(&container.health_check.as_ref()?.command.join(" "));
        Some((container.name.clone(), line))
    });
    let mut evidence = Evidence {
        stopped,
        check_port: targets().find_map(|target| target.check_port),
        targets: targets().filter(unhealthy).cloned().collect(),
        health_path: group.map(|group| group.health.path.clone()).unwrap_or_default(),
        health_matcher: group.map(|group| group.health.matcher.clone()).unwrap_or_default(),
        port: service.container.port,
        health_commands: commands.collect(),
        grace_secs: service.deployment.health_check_grace_secs,
        embedded: environment.kind == EnvironmentKind::Local,
        ..Evidence::default()
    };
    let diagnosis = diagnose(&evidence);
    if diagnosis.checks.is_empty() && diagnosis.stopped.iter().all(|group| group.scaled_in) {
        return None;
    }
    read_logs(aws, events, (&service.log_group, &service.container.name), &mut evidence).await;
    Some(diagnose(&evidence))
}
