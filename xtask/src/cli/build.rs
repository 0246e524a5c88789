//! `build`: the images, as a deploy would push them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use deploy::event::{ExitCode, Kind, Phase};
use deploy::model::ServiceKey;
use futures_util::future::BoxFuture;

use super::session::Settings;
use super::{Closing, Failure, Job, args};
use crate::aws::Aws;
use crate::image::{self, BuildEvent, Built, Shared};
use crate::observe;

pub(super) async fn run(job: &Job<'_>, asked: &args::Build) -> Result<Closing, Failure> {
    let settings = Settings::read(job.host, job.global)?;
    job.began("build", &settings.environment);
    let images = images(job, &settings, asked, None).await?;
    Ok(Closing::new(ExitCode::Done, format!("built {} images", images.len())))
}

/// Compiles the services and assembles their images. What is fresh costs next to nothing; `aws` finds what another
/// machine built of the same inputs.
pub(super) async fn images(
    job: &Job<'_>,
    settings: &Settings,
    asked: &args::Build,
    aws: Option<&Aws>,
) -> Result<BTreeMap<ServiceKey, Built>, Failure> {
    let Job { host, events, .. } = job;
    // Images that others build are not its concern.
    let services: Vec<_> =
        settings.environment.services.iter().filter(|service| service.image.is_none()).collect();
    if services.is_empty() {
        return Ok(BTreeMap::new());
    }
    let built = || services.iter().filter(|service| service.builds());
    let about = built().map(|service| service.key.0.as_str()).collect::<Vec<_>>().join(" and ");
    events.emit(Kind::PhaseBegan { phase: Phase::Build, about });
    let mark = host.clock.mark();
    let unchanged = Mutex::new(BTreeSet::new());
    let on_event = |event: BuildEvent<'_>| match event {
        BuildEvent::Line { service, line } => {
            events.emit(Kind::BuildLine { service: service.cloned(), line: line.to_owned() });
        }
        BuildEvent::Unchanged { service } => {
            if let Ok(mut unchanged) = unchanged.lock() {
                unchanged.insert(service.clone());
            }
        }
        BuildEvent::Noted { service, text } => {
            events.emit(Kind::Warned { text: format!("{service}: {text}") });
        }
    };
    let base = |image: String| -> BoxFuture<'_, _> {
        Box::pin(async move { observe::base(host, aws?, &image).await })
    };
    let made = |service: ServiceKey, inputs: String| -> BoxFuture<'_, _> {
        Box::pin(async move {
            let repository = &settings.environment.service(&service)?.repository.name;
            Some(observe::made(aws?, repository, &inputs).await.ok()??.1)
        })
    };
    let shared = aws.map(|_| Shared { base: &base, made: &made });
    let images =
        image::build(host, &settings.workspace.root, &services, asked.no_cache, shared.as_ref(), &on_event)
            .await
            .map_err(|error| Failure::hinted(&error, error.hint()))?;
    for service in &services {
        if let Some(Built::Here(image)) = images.get(&service.key) {
            image::platform_check(&service.key, service.architecture, &image.platform)
                .map_err(|error| Failure::from_error(&error))?;
        }
    }
    let unchanged = unchanged.into_inner().unwrap_or_default();
    for (service, image) in built().filter_map(|service| images.get_key_value(&service.key)) {
        events.emit(Kind::Built {
            service: service.clone(),
            digest: image.digest().clone(),
            bytes: match image {
                Built::Here(image) => Some(image.size()),
                Built::There(_) => None,
            },
            unchanged: unchanged.contains(service),
        });
    }
    events.emit(Kind::PhaseEnded {
        phase: Phase::Build,
        result: format!("{} images", built().count()),
        elapsed_ms: mark.elapsed_ms(),
    });
    Ok(images)
}
