//! Why there is nothing to show.

use deploy::model::ServiceKey;

use crate::{aws, observe};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{service} has no container `{wanted}` that logs to CloudWatch; it has {known}")]
    Container { service: ServiceKey, wanted: String, known: String },
    #[error("no container `{wanted}` logs to CloudWatch; there are {known}")]
    Containers { wanted: String, known: String },
    /// Another log driver, or a log router.
    #[error("{0} does not log to CloudWatch")]
    Elsewhere(String),
    #[error("{0}: no log group yet")]
    NoGroup(String),
    #[error(
        "no task `{wanted}` of {services} runs or stopped within the last hour, and no line of one was found"
    )]
    Task { wanted: String, services: String, known: String },
    #[error("no stopped task of {0} is known")]
    NothingBefore(String),
    #[error(transparent)]
    Observe(#[from] observe::Error),
}

impl Error {
    pub(super) fn of(service: &ServiceKey, error: aws::Error) -> Self {
        match error.kind {
            aws::Kind::NotFound => Self::NoGroup(service.0.clone()),
            _ => Self::Observe(error.into()),
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Task { known, .. } if known.is_empty() => {
                "ECS knows no task of them; `--since 3d` looks for lines of tasks that ended before"
            }
            Self::Task { known, .. } => {
                return Some(format!(
                    "there are {known}; `cargo xtask status SERVICE` shows them, and `--since 3d` looks for lines of tasks that \
                     ended before"
                ));
            }
            Self::Container { .. } | Self::Containers { .. } => return None,
            Self::Elsewhere(_) => "look where its log driver or log router sends the lines",
            Self::NoGroup(_) => "`cargo xtask deploy` creates it",
            Self::NothingBefore(_) => {
                "ECS forgets a stopped task after about an hour; `--since 6h` shows the lines of all tasks"
            }
            Self::Observe(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
