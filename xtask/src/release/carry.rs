//! Carries a plan out: each stage to its settled end.

use std::time::Duration;

use deploy::event::{Kind, Phase};
use deploy::model::{Service, ServiceKey};
use deploy::redact;
use deploy::rollout::Pace;

use super::lease::Held;
use super::{Ground, Planned, judge};
use crate::apply::{self, Known};
use crate::settle::{self, Settled, Target, Watch};

/// The plan could not be carried out; what had settled before is known.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Stuck {
    why: String,
    /// What to do about it.
    pub(crate) hint: &'static str,
    /// The deployments that were over by then.
    pub(crate) settled: Vec<Settled>,
}

const COMPLETED: &str = "fix the cause and run it again: completed steps are not repeated";
const HEALTH: &str =
    "correct `target-group.health` in deploy.toml, or first release an application that passes the new check";

#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// The deployments that are over.
    pub(crate) settled: Vec<Settled>,
    /// Stages were left, because another run took the lease over.
    pub(super) cut: bool,
}

/// Carries the stages out and stops at the first that does not end well. What a later stage would have moved
/// stays as it was. A stop that is asked for ends the stages too, once what is in progress is rolled back.
///
/// # Errors
/// [`Stuck`] when steps failed.
pub(crate) async fn carry_out(
    ground: &Ground<'_>,
    planned: &Planned,
    known: &Known,
    held: &Held,
) -> Result<Carried, Stuck> {
    let Ground { events, halt, .. } = *ground;
    let site = ground.site(planned, known);
    let mut all: Vec<Settled> = Vec::new();
    let (mut judged, mut begun) = (false, false);
    let last = planned.plan.stages.iter().rposition(|stage| !stage.settle.is_empty());
    for (place, stage) in planned.plan.stages.iter().enumerate() {
        if halt.asked() {
            break;
        }
        // The first begins right after the lease was taken.
        if std::mem::replace(&mut begun, true) && !held.is_still_held(ground).await {
            return Ok(Carried { settled: all, cut: true });
        }
        if !stage.settle.is_empty() && !std::mem::replace(&mut judged, true) {
            judge(ground, planned, known, &all).await?;
        }
        if !stage.lanes.is_empty() {
            events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
            if let Err(failed) = apply::stage(&site, stage).await {
                // The other lanes were carried to their end: what they began to roll is followed, so that it can go back.
                let begun = |key: &&ServiceKey| known.deployed(key).is_some_and(|deployed| !deployed.adopted);
                let begun: Vec<&ServiceKey> = stage.settle.iter().filter(begun).collect();
                all.extend(follow(ground, known, &begun).await);
                return Err(Stuck { why: failed.to_string(), hint: COMPLETED, settled: all });
            }
        }
        if ground.detach && Some(place) == last {
            return Ok(Carried { settled: all, cut: false });
        }
        let settled = follow(ground, known, &stage.settle.iter().collect::<Vec<_>>()).await;
        let well = settled.iter().all(Settled::is_success);
        all.extend(settled);
        if !well {
            return Ok(Carried { settled: all, cut: false });
        }
    }
    if !judged {
        judge(ground, planned, known, &all).await?;
    }
    Ok(Carried { settled: all, cut: false })
}

async fn judge(
    ground: &Ground<'_>,
    planned: &Planned,
    known: &Known,
    settled: &[Settled],
) -> Result<(), Stuck> {
    let failed = judge::health_checks(ground, planned, known).await;
    if failed.is_empty() {
        return Ok(());
    }
    Err(Stuck { why: failed.join("; "), hint: HEALTH, settled: settled.to_vec() })
}

/// Follows the deployments of these services to their ends.
pub(super) async fn follow(ground: &Ground<'_>, known: &Known, services: &[&ServiceKey]) -> Vec<Settled> {
    let Ground { aws, events, environment, halt, .. } = *ground;
    if services.is_empty() {
        return Vec::new();
    }
    let targets = services.iter().filter_map(|key| target(environment.service(key)?, known)).collect();
    let about = services.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    events.emit(Kind::PhaseBegan { phase: Phase::Settle, about });
    let watch = Watch {
        aws,
        events,
        cluster: &environment.cluster,
        every: Duration::from_secs(environment.timeouts.poll_secs),
        halt,
        put_back: ground.put_back,
    };
    settle::settle(&watch, targets).await
}

fn target(service: &Service, known: &Known) -> Option<Target> {
    let group = service.group();
    Some(Target {
        key: service.key.clone(),
        service: service.name.clone(),
        target_group: group.and_then(|group| known.target_group_arn(&group.name)),
        deployed: known.deployed(&service.key)?,
        container: service.container.name.clone(),
        port: service.container.port,
        health_path: group.map(|group| group.health.path.clone()).unwrap_or_default(),
        health_commands: service
            .essential()
            .filter_map(|container| {
                let command = &container.health_check.as_ref()?.command;
                let words = command.iter().filter(|word| !["CMD", "CMD-SHELL"].contains(&word.as_str()));
                let line = redact::text(&words.cloned().collect::<Vec<_>>().join(" "));
                Some((container.name.clone(), line))
            })
            .collect(),
        health_matcher: group.map(|group| group.health.matcher.clone()).unwrap_or_default(),
        log: service.log_group.clone(),
        patience: service.deployment.patience,
        pace: Pace {
            interval_secs: group.map_or(0, |group| group.health.interval_secs.into()),
            deregistration_delay_secs: group.map_or(0, |group| group.deregistration_delay_secs.into()),
            grace_secs: group.map_or(0, |_| service.deployment.health_check_grace_secs.into()),
            stop_timeout_secs: service.container.stop_timeout_secs.into(),
        },
        on_plain_cause: service.deployment.on_plain_cause,
    })
}
