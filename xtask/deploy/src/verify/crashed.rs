//! Which of the tasks that ECS still shows as stopped ended by themselves, and whether a revision stays up.

use std::time::UNIX_EPOCH;

use humantime::parse_rfc3339;

use crate::history::PROVEN;
use crate::model::TaskDefinitionState;
use crate::rollout::TaskSnapshot;

/// Tasks of a revision that stopped by themselves, the last one first. A task none of whose containers ran is not among them.
pub(super) fn crashed_of<'a>(stopped: &'a [TaskSnapshot], revision: &str) -> Vec<&'a TaskSnapshot> {
    let by_itself = |task: &&TaskSnapshot| {
        // "Task failed ELB health checks in (target-group …)", "Task failed container health checks". Scaling in and a
        // deployment's own stops have the same `stopCode`, but say "Scaling activity initiated by".
        let failed_checks = task.stopped_reason.as_deref().is_some_and(|it| it.contains("failed"));
        // `startedAt` is when the task came to RUNNING. A container that exits earlier, while others start or the targets are
        // registered, ran all the same.
        task.exited() || (failed_checks && task.started_ms.is_some())
    };
    let mut crashed: Vec<_> =
        stopped.iter().filter(|task| task.task_definition == revision).filter(by_itself).collect();
    // `stoppedAt` appears some seconds after the task is STOPPED: one without it is the newest.
    crashed.sort_by_key(|task| std::cmp::Reverse(task.stopped_ms.unwrap_or(u64::MAX)));
    crashed
}

/// ECS starts a task's replacement before it stops one that failed its checks: for so long after a proof, in milliseconds, it may
/// still be carrying out what it decided before.
const DECIDED_MS: u128 = 60_000;

/// Whether a revision has crashed since it was proven: of its tasks at least as many as should run stopped by themselves, and not
/// just one, which is what any host failure causes. What crashed before the last proof was fixed by then.
pub fn crashed_since_proof(
    revision: &TaskDefinitionState,
    stopped: &[TaskSnapshot],
    desired: u32,
    counts: impl Fn(&TaskSnapshot) -> bool,
) -> bool {
    let Some(proven) = revision.tags.get(PROVEN) else { return false };
    let proven_ms = parse_rfc3339(proven).ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let proven_ms = proven_ms.map_or(0, |at| at.as_millis());
    // A task that ECS took out before the proof may have drained through it.
    let since = |task: &&TaskSnapshot| {
        let known_ms = if task.exited() { proven_ms } else { proven_ms + DECIDED_MS };
        task.stopping_ms.or(task.stopped_ms).is_none_or(|at| u128::from(at) > known_ms)
    };
    let crashed = crashed_of(stopped, &revision.arn);
    let crashed = crashed.into_iter().filter(since).filter(|task| counts(task)).count();
    crashed >= usize::try_from(desired).unwrap_or(usize::MAX).max(2)
}
