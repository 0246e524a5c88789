//! Why no command can be run.

use crate::observe;

/// There is no task, or no container, to run a command in. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `deploy.toml` has no such service.
    #[error("deploy.toml has no service `{wanted}`; it has {known}")]
    Service { wanted: String, known: String },
    /// The service is not in the account.
    #[error("service {0} does not exist")]
    NotDeployed(String),
    /// No task of it that could be meant is RUNNING.
    #[error("{0}")]
    NoTask(String),
    /// The task has no such container.
    #[error("task {task} has no container `{wanted}`; it has {known}")]
    Container { task: String, wanted: String, known: String },
    /// The task was started without ECS Exec.
    #[error("task {0} was started without ECS Exec")]
    Closed(String),
    /// The account could not be read, or is another one.
    #[error(transparent)]
    Observe(#[from] observe::Error),
}

impl Error {
    /// What the operator can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Service { .. } | Self::Container { .. } => return None,
            Self::NotDeployed(_) => "`cargo xtask deploy` creates it",
            Self::NoTask(_) => "`cargo xtask status` shows what runs",
            Self::Closed(_) => {
                "set `enable-execute-command = true` in deploy.toml and deploy: only tasks that start afterwards take \
                 commands, and their task role needs the four `ssmmessages` permissions"
            }
            Self::Observe(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
