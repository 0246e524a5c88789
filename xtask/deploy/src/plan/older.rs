//! Keeps an older commit from replacing a newer one by mistake: a pipeline that was run again, a branch that was not
//! brought up to date.

use super::{Plan, Refusal};
use crate::model::{Desired, Observed, TaskDefinitionState};

/// The order of the wanted commit and one that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Succession {
    /// It contains it, or is it.
    Fine,
    /// Neither git nor the times of the commits say.
    Unknown,
    /// It is contained in it, or was made before it.
    Older,
    Apart,
}

/// Refuses the plan when what runs is of a newer commit, and notes when it is of one that the wanted commit does not
/// contain. `base` is the best common ancestor of the wanted commit and another, as `git merge-base` finds it; `None` where
/// git cannot know, as in a clone without history: then the times of the commits decide.
pub fn refuse_older(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    base: impl Fn(&str) -> Option<String>,
) {
    let Some(ours) = desired.release.commit.as_deref() else { return };
    for (key, service) in observed.services.iter().filter(|(_, service)| service.is_active()) {
        let running = &service.task_definition;
        // Adopted services and those of other tools have no such tag: there is nothing to compare.
        let Some(theirs) = running.tags.get("commit") else { continue };
        let (mine, other) = (short(ours), short(theirs));
        match succession(ours, desired.release.committed, theirs, running, &base) {
            Succession::Fine => {}
            Succession::Unknown => {
                plan.notes.push(format!("{key} runs commit {other}; nothing says whether {mine} is newer"));
            }
            Succession::Apart => {
                plan.notes.push(format!("{key} runs commit {other}, which {mine} does not contain"));
            }
            Succession::Older => {
                plan.refusals.push(Refusal {
                    what: format!("{key} runs commit {other}, which is newer than {mine}"),
                    remedy: "deploy a commit that contains it, roll back with `cargo xtask rollback`, or pass --allow-older"
                        .to_owned(),
                });
                return;
            }
        }
    }
}

fn succession(
    ours: &str,
    committed: Option<u64>,
    theirs: &str,
    running: &TaskDefinitionState,
    base: &impl Fn(&str) -> Option<String>,
) -> Succession {
    if ours == theirs {
        return Succession::Fine;
    }
    match base(theirs) {
        Some(base) if base == ours => Succession::Older,
        Some(base) if base == theirs => Succession::Fine,
        Some(_) => Succession::Apart,
        // Without history, as in the shallow clone of a CI job: the time of the commit is a weaker sign, but it is there.
        None => {
            let theirs = running.tags.get("committed").and_then(|secs| secs.parse().ok());
            match committed.zip(theirs) {
                Some((ours, theirs)) if ours < theirs => Succession::Older,
                Some(_) => Succession::Fine,
                None => Succession::Unknown,
            }
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
