//! The program is for another processor. The kernel's `exec format error` comes in the log or, where the container was not
//! even created, in a reason.

use super::{Cause, Evidence, short};

pub(super) const CODE: &str = "exec-format";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let says = |text: &str| text.to_ascii_lowercase().contains("exec format error");
    let logged = evidence.log_tail.iter().any(|line| says(line));
    let task = evidence.stopped.iter().find(|task| {
        let ended = task.containers.iter().any(|container| container.exit_code.is_some_and(|code| code != 0));
        let reasons = task.containers.iter().filter_map(|container| container.reason.as_deref());
        (logged && ended) || reasons.chain(task.stopped_reason.as_deref()).any(says)
    })?;
    Some(Cause::plain(
        CODE,
        format!("the image of task {} holds a program for another processor", short(&task.id)),
        "build the image for the `architecture` that deploy.toml names, or change `architecture`",
    ))
}
