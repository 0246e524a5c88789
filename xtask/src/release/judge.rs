//! A health check that changes judges the tasks that run already. They get the time to fail it before anything rolls: a
//! wrong matcher is found while the old tasks can still be spared, and what comes after is judged by a check that works.

use std::collections::BTreeSet;
use std::time::Duration;

use deploy::event::{Kind, Phase};
use deploy::model::spec::{HealthCheckSpec, TargetGroupSpec};
use deploy::rollout::{TargetSnapshot, changed_check};
use futures_util::future::join_all;

use super::{Planned, ReleaseContext};
use crate::apply::ResourceIds;

/// How long a target can take to fail a changed check: the first one begins within an interval, and then it takes
/// so many in a row.
pub(super) fn time_to_fail(check: &HealthCheckSpec) -> Duration {
    let HealthCheckSpec { interval_secs, timeout_secs, unhealthy_threshold, .. } = check;
    Duration::from_secs(((unhealthy_threshold + 1) * interval_secs + timeout_secs).into())
}

/// Watches the running targets of the changed checks for as long as they may take to fail them. Returns a sentence for each
/// target group whose targets did.
pub(super) async fn health_checks(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
) -> Vec<String> {
    let groups: Vec<&TargetGroupSpec> = planned.undo.health_checks().collect();
    if groups.is_empty() || context.halt.asked() {
        return Vec::new();
    }
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let about = format!("the changed health check of {}", names.join(" and "));
    context.events.emit(Kind::PhaseBegan { phase: Phase::Settle, about });
    join_all(groups.iter().map(|group| judge(context, planned, ids, group)))
        .await
        .into_iter()
        .flatten()
        .collect()
}

async fn judge(
    context: &ReleaseContext<'_>,
    planned: &Planned,
    ids: &ResourceIds,
    group: &TargetGroupSpec,
) -> Option<String> {
    let ReleaseContext { aws, events, halt, .. } = *context;
    let arn = ids.target_group(&group.name)?;
    let deadline = events.clock().mark().after(time_to_fail(&group.health));
    let every = Duration::from_secs(context.environment.timeouts.poll_secs);
    let mut healthy: Option<BTreeSet<String>> = None;
    loop {
        let over = deadline.remaining().is_zero();
        match aws.describe_target_health(&arn).await {
            Ok(targets) => {
                let is = |state: &str| {
                    let of = |target: &&TargetSnapshot| target.state == state;
                    targets.iter().filter(of).map(|target| target.ip.clone()).collect::<BTreeSet<_>>()
                };
                let healthy = healthy.get_or_insert_with(|| is("healthy"));
                // What a run that was killed had changed may have failed targets before this one looked.
                let all = planned.undo.is_resumed() && over;
                // A target that was unhealthy before is not the changed check's doing.
                let fails = |target: &&TargetSnapshot| {
                    target.state == "unhealthy" && (all || healthy.contains(&target.ip))
                };
                if let Some(target) = targets.iter().find(fails) {
                    return Some(changed_check(group, target));
                }
                // Without targets nothing can fail the check: a service at 0 tasks, or one that is about to start its first.
                if targets.is_empty() {
                    return None;
                }
            }
            // A failed read decides nothing: the roll and the proof read the targets again.
            Err(error) => {
                events.emit(Kind::Warned {
                    text: format!("cannot read the targets of {}: {error}", group.name),
                });
            }
        }
        if over {
            return None;
        }
        tokio::select! {
            biased;
            () = halt.wait() => return None,
            () = events.clock().sleep(every.min(deadline.remaining())) => {}
        }
    }
}
