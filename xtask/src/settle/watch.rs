//! The loop: poll, fold, report what changed, until every deployment is over or its deadline has passed.

use deploy::event::Kind;

use super::follow::{Follow, Settled};
use super::poll;
use super::refusals::Refusals;
use super::target::{Target, Watch};
use crate::aws::Error;

/// Follows the deployments until all are over. On a requested stop, or at a deployment's deadline, ECS is asked to roll back,
/// and the rollback is followed to its own deadline.
pub async fn settle(watch: &Watch<'_>, targets: Vec<Target>) -> Vec<Settled> {
    let Watch { aws, events, cluster, every, halt, .. } = *watch;
    let mut follows: Vec<Follow> = targets.into_iter().map(|target| Follow::new(target, events)).collect();
    let mut gaps = poll::Gaps::default();
    let mut refusals = Refusals::default();
    let mut stopping = false;
    loop {
        if halt.asked() && !stopping {
            stopping = true;
            for follow in follows.iter_mut().filter(|follow| follow.is_open()) {
                follow.roll_back(watch).await;
            }
        }
        let open: Vec<_> = follows.iter().filter(|follow| follow.is_open()).map(Follow::asks).collect();
        if open.is_empty() {
            break;
        }
        // From the start of the poll: a call that fails may have taken its own retries and their time.
        let from = events.clock().mark();
        let mut failed = None;
        let seen = match poll::all(aws, events, cluster, &open, &mut gaps).await {
            Ok(seen) => {
                refusals.end();
                seen
            }
            Err(error) => {
                if refusals.count(from, events, &error) {
                    let open = follows.iter_mut().filter(|follow| follow.is_open());
                    let given_up: Vec<_> = open.map(|follow| follow.give_up(events, &error)).collect();
                    events.defer(unfollowed(&given_up.join(" and "), &error));
                }
                failed = Some(error);
                Vec::new()
            }
        };
        for follow in follows.iter_mut().filter(|follow| follow.is_open()) {
            match seen.iter().find(|seen| seen.service.name == follow.service()) {
                // By name, because a poll leaves out a service of which it could not read enough to judge it.
                Some(seen) => follow.take(watch, seen).await,
                None => follow.unobserved.poll_missed(events.clock(), failed.as_ref()),
            }
            // After what the poll showed: a deployment that got complete in its last moment is complete.
            if follow.is_open() && follow.is_overdue() {
                follow.overdue(watch).await;
            }
        }
        let due = follows.iter().filter(|follow| follow.is_open()).map(Follow::due).min();
        if let Some(due) = due {
            let sleep = events.clock().sleep(every.min(due));
            tokio::select! {
                // A request to stop must not lose to a sleep that ends at the same moment, and wait for
                // another poll.
                biased;
                () = halt.wait(), if !stopping => {}
                () = sleep => {}
            }
        }
    }
    follows.into_iter().filter_map(Follow::settled).collect()
}

/// One error for all of them, and what to do.
fn unfollowed(revisions: &str, error: &Error) -> Kind {
    let help = error.hint().map(|hint| format!("{hint}; then ")).unwrap_or_default();
    Kind::Failed {
        error: format!("cannot follow the roll of {revisions} any longer: {error}"),
        hint: Some(format!("ECS continues with it meanwhile; {help}run `cargo xtask wait`")),
    }
}
