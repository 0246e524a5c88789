//! Carries a plan out: each stage to its settled end.

use std::time::Duration;

use deploy::event::{Kind, Phase};
use deploy::model::{Environment, Kind as EnvironmentKind, Service, ServiceKey, arn_name};
use deploy::redact;
use deploy::rollout::Pace;

use super::lease::HeldLease;
use super::{Own, Planned, ReleaseContext, judge};
use crate::apply::{self, ResourceIds};
use crate::settle::{self, Settled, Target, Watch};

/// The plan could not be carried out; what had settled before is known.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Stuck {
    why: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// The deployments that were over by then.
    pub(crate) settled: Vec<Settled>,
    /// Somebody else deployed what was to be written, and nothing of that stage was.
    pub(super) theirs: bool,
}

const HEALTH: &str =
    "correct `target-group.health` in deploy.toml, or first release an application that passes the new check";

#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// The deployments that are over.
    pub(crate) settled: Vec<Settled>,
    /// Stages were left, because another run took the lease over.
    pub(super) cut: bool,
}

/// Carries the stages out and stops at the first that fails: later stages are not started. A requested stop ends them too,
/// once what is in progress is rolled back.
pub(crate) async fn carry_out(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    lease: &HeldLease,
    own: Own<'_>,
) -> Result<Carried, Stuck> {
    let ReleaseContext { events, halt, .. } = *context;
    let step_context = context.step_context(planned, ids);
    let mut all: Vec<Settled> = Vec::new();
    let (mut judged, mut begun) = (false, false);
    // `--detach` returns at the last stage that rolls: earlier ones must be complete before what depends on them starts.
    let last = planned.plan.stages.iter().rposition(|stage| !stage.settle.is_empty());
    for (place, stage) in planned.plan.stages.iter().enumerate() {
        // Between stages nothing is in progress: a stop that comes here needs no rollback of this stage.
        if halt.asked() {
            break;
        }
        // The first begins right after the lease was taken.
        if std::mem::replace(&mut begun, true) && !lease.is_still_held(context).await {
            return Ok(Carried { settled: all, cut: true });
        }
        // Before the first roll, when no new task can be blamed for a target that fails a changed check.
        if !stage.settle.is_empty() && !std::mem::replace(&mut judged, true) {
            judge(context, planned, ids, &all).await?;
        }
        let theirs = own.theirs_in(context, stage, &planned.desired.release.pins, &all).await;
        if !theirs.is_empty() {
            let text = |(key, arn): (&ServiceKey, &String)| {
                format!("{key}: somebody deployed {} since the plan was made", arn_name(arn))
            };
            let why = theirs.iter().map(text).collect::<Vec<_>>().join("; ");
            let hint = "run it again: it plans anew".to_owned();
            return Err(Stuck { why, hint, settled: all, theirs: true });
        }
        if !stage.lanes.is_empty() {
            events.emit(Kind::PhaseBegan { phase: Phase::Apply, about: stage.name.clone() });
            if let Err(failed) = apply::stage(&step_context, stage).await {
                // The other lanes were completed: the deployments that they started are followed, so that they can be rolled back.
                let begun = |key: &&ServiceKey| ids.deployed(key).is_some_and(|deployed| !deployed.adopted);
                let begun: Vec<&ServiceKey> = stage.settle.iter().filter(begun).collect();
                all.extend(follow(context, ids, &begun).await);
                let hint = match failed.hint() {
                    // "run the same command again: it continues where it stopped"
                    Some(hint) if hint.contains("again") => hint,
                    Some(hint) => format!("{hint}, and run it again"),
                    None => "fix the cause and run it again".to_owned(),
                };
                return Err(Stuck { why: failed.to_string(), hint, settled: all, theirs: false });
            }
        }
        if context.detach && Some(place) == last {
            return Ok(Carried { settled: all, cut: false });
        }
        let settled = follow(context, ids, &stage.settle.iter().collect::<Vec<_>>()).await;
        let well = settled.iter().all(Settled::is_success);
        // A restart first waits for a deployment of the same service: its own one is what counts.
        all.retain(|it| settled.iter().all(|new| new.key != it.key));
        all.extend(settled);
        if !well {
            return Ok(Carried { settled: all, cut: false });
        }
    }
    if !judged {
        judge(context, planned, ids, &all).await?;
    }
    Ok(Carried { settled: all, cut: false })
}

async fn judge(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    settled: &[Settled],
) -> Result<(), Stuck> {
    let failed = judge::health_checks(context, planned, ids).await;
    if failed.is_empty() {
        return Ok(());
    }
    Err(Stuck { why: failed.join("; "), hint: HEALTH.to_owned(), settled: settled.to_vec(), theirs: false })
}

/// Follows the deployments of these services to their ends.
pub(super) async fn follow(
    context: &ReleaseContext<'_>,
    ids: &ResourceIds,
    services: &[&ServiceKey],
) -> Vec<Settled> {
    let ReleaseContext { aws, events, environment, halt, .. } = *context;
    if services.is_empty() {
        return Vec::new();
    }
    let targets =
        services.iter().filter_map(|key| target(environment, environment.service(key)?, ids)).collect();
    let about = services.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    events.emit(Kind::PhaseBegan { phase: Phase::Settle, about });
    let watch = Watch {
        aws,
        events,
        cluster: &environment.cluster,
        every: Duration::from_secs(environment.timeouts.poll_secs),
        halt,
        roll_back: context.roll_back,
    };
    settle::settle(&watch, targets).await
}

fn target(environment: &Environment, service: &Service, ids: &ResourceIds) -> Option<Target> {
    let group = service.group();
    Some(Target {
        key: service.key.clone(),
        service: service.name.clone(),
        target_group: group.and_then(|group| ids.target_group(&group.name)),
        deployed: ids.deployed(&service.key)?,
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
        embedded: environment.kind == EnvironmentKind::Local,
    })
}
