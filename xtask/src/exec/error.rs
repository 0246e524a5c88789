//! Why no command can be run.

use std::io;

use super::message::Malformed;
use crate::aws;
use crate::host::HttpError;
use crate::observe;

/// No command was run, or how it ended is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No task of it that could be meant is RUNNING.
    #[error("{0}")]
    NoTask(String),
    #[error("task {task} has no container `{wanted}`; it has {known}")]
    Container { task: String, wanted: String, known: String },
    /// The task was started without ECS Exec.
    #[error("task {0} was started without ECS Exec")]
    Closed(String),
    /// The account could not be read, or is another one.
    #[error(transparent)]
    Observe(#[from] observe::Error),
    /// ECS refused the command, or the agent in the task does not run.
    #[error(transparent)]
    Refused(aws::Error),
    #[error("cannot open the session's data channel: {0}")]
    Unreached(HttpError),
    #[error("the session's data channel broke: {0}")]
    Broken(HttpError),
    #[error("the data channel sent {0}")]
    Malformed(#[from] Malformed),
    #[error("the agent in task {0} does not answer")]
    Silent(String),
    #[error("the cluster encrypts sessions of ECS Exec with a key of KMS, which this tool does not do")]
    Encrypted,
    /// Standard input has something that the command cannot be given.
    #[error("the image has no `stty` or no `base64`, by which standard input would reach the command")]
    NoInput,
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
    /// Whoever reads the output has gone.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
}

impl Error {
    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoTask(_) => "`cargo xtask status` shows what runs",
            Self::Closed(_) => {
                "set `enable-execute-command = true` in deploy.toml and deploy: only tasks that start afterwards take \
                 commands, and their task role needs the four `ssmmessages` permissions"
            }
            Self::Refused(error) if is_agent_away(error) => {
                "the agent in the task does not run: its task role needs the four `ssmmessages` permissions, its network a \
                 way to ssmmessages, and its root file system must be writable"
            }
            Self::Refused(error) => return error.hint(),
            Self::Encrypted => "use `aws ecs execute-command` with the Session Manager plugin",
            Self::NoInput => "run it with </dev/null, or use an image with coreutils or busybox",
            Self::Observe(error) => return error.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Whether ECS cannot reach the agent: it starts some seconds after the task is RUNNING. ECS gives the one code for
/// several problems, and its text has a typographic apostrophe further on.
pub(super) fn is_agent_away(error: &aws::Error) -> bool {
    error.code.as_deref() == Some("TargetNotConnectedException")
        || error.message.contains("execute command was not enabled")
}
