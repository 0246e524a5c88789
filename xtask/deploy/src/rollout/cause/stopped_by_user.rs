//! Somebody stopped the task: stopCode UserInitiated.

use super::{Cause, Evidence, short};

pub(super) const CODE: &str = "stopped-by-user";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let stopped = |code: &Option<String>| code.as_deref() == Some("UserInitiated");
    let task = evidence.stopped.iter().find(|task| stopped(&task.stop_code))?;
    let reason = task.stopped_reason.as_deref().unwrap_or("no reason given");
    let text = format!("somebody stopped task {}: {reason}", short(&task.id));
    Some(Cause::open(CODE, text, "ask who did; CloudTrail shows the StopTask call"))
}
