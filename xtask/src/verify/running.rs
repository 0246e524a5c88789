//! Does every running task run the image that was pushed, and does the load balancer find it healthy?

use std::time::Duration;

use deploy::event::Kind;
use deploy::model::{Desired, ImageDigest, Service};
use deploy::verify::{Strange, strangers};
use futures_util::future::{join, join_all};

use super::Door;
use crate::aws::{Aws, Error};
use crate::image;
use crate::report::Recorder;

/// Checks all services until all is proven or the smoke checks' deadline passes. Returns whether everything is proven; what
/// is not is told.
///
/// A deployment that ended early by its success criteria still has tasks of the old revision on their way out, and a task
/// that just started may not have told its digest yet: what one look shows is not the last word.
///
/// # Errors
/// [`Error`] when tasks or targets cannot be read: then nothing is proven.
pub async fn running(aws: &Aws, events: &Recorder, desired: &Desired, door: &Door) -> Result<bool, Error> {
    let services = &desired.environment.services;
    let timeouts = &desired.environment.timeouts;
    let deadline = events.clock().mark().after(Duration::from_secs(timeouts.smoke_secs));
    loop {
        let checks = services
            .iter()
            .zip(&door.target_groups)
            .map(|(service, target_group)| check(aws, desired, service, target_group.as_deref()));
        let problems: Vec<String> =
            join_all(checks).await.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        if problems.is_empty() {
            return Ok(true);
        }
        if deadline.remaining().is_zero() {
            for error in problems {
                events.emit(Kind::Failed { error, hint: None });
            }
            return Ok(false);
        }
        let wait = Duration::from_secs(timeouts.poll_secs).min(deadline.remaining());
        events.clock().sleep(wait).await;
    }
}

/// What keeps a service from being proven, a sentence each.
async fn check(
    aws: &Aws,
    desired: &Desired,
    service: &Service,
    target_group: Option<&str>,
) -> Result<Vec<String>, Error> {
    let targets = async {
        match target_group {
            Some(arn) => aws.describe_target_health(arn).await,
            None => Ok(Vec::new()),
        }
    };
    let (tasks, targets) =
        join(aws.service_tasks(&desired.environment.cluster, &service.name, false), targets).await;
    let (tasks, targets) = (tasks?, targets?);
    let mut problems = Vec::new();
    if let Some(wanted) = desired.release.images.get(&service.key) {
        let strange = strangers(&tasks, &service.container.name, wanted);
        let listed = listed(aws, service, wanted, &strange).await?;
        let others = |strange: &Strange| strange.runs.as_ref().is_none_or(|runs| !listed.contains(runs));
        for strange in strange.into_iter().filter(others) {
            let runs = strange
                .runs
                .map_or_else(|| "an image that ECS does not name".to_owned(), |digest| digest.to_string());
            problems.push(format!("task {} of {} runs {runs}, not {wanted}", strange.task, service.name));
        }
    }
    let running: Vec<_> = tasks
        .iter()
        .filter(|task| task.last_status == "RUNNING" && task.desired_status == "RUNNING")
        .filter_map(|task| task.private_ip.as_deref())
        .collect();
    if running.is_empty() && service.desired_count > 0 {
        problems.push(format!("no task of {} runs", service.name));
    }
    let healthy = |ip: &&str| targets.iter().any(|target| target.ip == **ip && target.state == "healthy");
    // A task that autoscaling started a moment ago is still being checked; one healthy target is the least.
    if target_group.is_some() && !running.iter().any(healthy) {
        problems.push(format!("no target of {} is healthy", service.target_group.name));
    }
    Ok(problems)
}

/// The images that are as good as `wanted`, where that is an index: those that it lists for the tasks' platform. A task of an
/// index may name either (aws/amazon-ecs-agent#2201). Not asked for while every task runs what is wanted.
async fn listed(
    aws: &Aws,
    service: &Service,
    wanted: &ImageDigest,
    strange: &[Strange],
) -> Result<Vec<ImageDigest>, Error> {
    if strange.iter().all(|strange| strange.runs.is_none()) {
        return Ok(Vec::new());
    }
    let platform = image::platform(service.architecture);
    let members = aws.index_members(&service.repository.name, wanted).await?;
    Ok(members.into_iter().filter(|(of, _)| *of == platform).map(|(_, digest)| digest).collect())
}
