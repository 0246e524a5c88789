//! Does every running task run the image that was pushed, and does the load balancer find it healthy?

use deploy::event::Kind;
use deploy::model::{Desired, Service};
use deploy::verify::strangers;
use futures_util::future::{join, join_all};

use super::Door;
use crate::aws::{Aws, Error};
use crate::report::Recorder;

/// Checks all services. Returns whether everything is proven; what is not is told.
///
/// # Errors
/// [`Error`] when tasks or targets cannot be read: then nothing is proven.
pub async fn running(aws: &Aws, events: &Recorder, desired: &Desired, door: &Door) -> Result<bool, Error> {
    let services = &desired.environment.services;
    let checks = services
        .iter()
        .zip(&door.target_groups)
        .map(|(service, target_group)| check(aws, events, desired, service, target_group.as_deref()));
    let mut proven = true;
    for result in join_all(checks).await {
        proven &= result?;
    }
    Ok(proven)
}

async fn check(
    aws: &Aws,
    events: &Recorder,
    desired: &Desired,
    service: &Service,
    target_group: Option<&str>,
) -> Result<bool, Error> {
    let targets = async {
        match target_group {
            Some(arn) => aws.describe_target_health(arn).await,
            None => Ok(Vec::new()),
        }
    };
    let (tasks, targets) =
        join(aws.service_tasks(&desired.environment.cluster, &service.name, false), targets).await;
    let (tasks, targets) = (tasks?, targets?);
    let mut proven = true;
    let mut fails = |error: String| {
        events.emit(Kind::Failed { error, hint: None });
        proven = false;
    };
    if let Some(wanted) = desired.release.images.get(&service.key) {
        for strange in strangers(&tasks, &service.container.name, wanted) {
            let runs = strange
                .runs
                .map_or_else(|| "an image that ECS does not name".to_owned(), |digest| digest.to_string());
            fails(format!("task {} of {} runs {runs}, not {wanted}", strange.task, service.name));
        }
    }
    let running: Vec<_> = tasks
        .iter()
        .filter(|task| task.last_status == "RUNNING" && task.desired_status == "RUNNING")
        .filter_map(|task| task.private_ip.as_deref())
        .collect();
    if running.is_empty() && service.desired_count > 0 {
        fails(format!("no task of {} runs", service.name));
    }
    let healthy = |ip: &&str| targets.iter().any(|target| target.ip == **ip && target.state == "healthy");
    // A task that autoscaling started a moment ago is still being checked; one healthy target is the least.
    if target_group.is_some() && !running.iter().any(healthy) {
        fails(format!("no target of {} is healthy", service.target_group.name));
    }
    Ok(proven)
}
