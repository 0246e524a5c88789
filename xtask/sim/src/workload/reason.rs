//! The texts of tasks that never started, as ECS shows them in `stoppedReason`.

/// An image that its registry does not have.
pub(crate) fn cannot_pull(image: &str) -> String {
    cannot_pull_because(image, "not found")
}

/// An image that cannot be pulled, and why.
pub(crate) fn cannot_pull_because(image: &str, why: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {why}"
    )
}

/// A container whose process cannot be started, and why.
pub(crate) fn cannot_start(container: &str, why: &str) -> String {
    format!("CannotStartContainerError: container {container}: {why}")
}
