//! ECS may not assume a role of the task. AWS tells it in a service event.

use super::{Cause, Evidence, said};

pub(super) const CODE: &str = "role-not-assumable";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let reason = said(evidence, &["failed to launch a task"], &["unable to assume the role"])?;
    Some(Cause::plain(
        CODE,
        format!("ECS cannot assume a role of the task: {reason}"),
        "let `ecs-tasks.amazonaws.com` assume the execution role and the task role (their trust policies)",
    ))
}
