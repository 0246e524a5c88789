//! Exit codes: the one table.

use serde::Serialize;

use crate::rollout::Outcome;

/// How the process ends. A release job may trust 0 and only 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// Failed, and the previous release serves (rolled back, or never touched).
    Failed,
    /// Usage, configuration, credentials, or an account that is not as it must be: nothing was written, or only the lease (with
    /// the cluster that holds it).
    Usage,
    ChangesPending,
    Interrupted,
    NotRecovered,
    /// A newer deployment took over.
    Superseded,
    /// Still in progress at the deadline.
    StillMoving,
    /// AWS said something from which no verdict follows.
    Unknown,
    /// A bug in this tool.
    Bug,
}

impl ExitCode {
    /// All codes with what they mean, for `--help` and the README.
    pub const TABLE: [(Self, &'static str); 10] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Failed, "failed; the previous release serves"),
        (Self::Usage, "usage, configuration or account: nothing was written, or only the lease"),
        (Self::ChangesPending, "plan: changes are pending"),
        (Self::Interrupted, "interrupted"),
        (Self::NotRecovered, "failed and not recovered"),
        (Self::Superseded, "superseded by a newer deployment"),
        (Self::StillMoving, "still in progress (deadline reached, or --detach)"),
        (Self::Unknown, "verdict unknown"),
        (Self::Bug, "a bug in this tool"),
    ];

    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::ChangesPending => 3,
            Self::Interrupted => 4,
            Self::NotRecovered => 5,
            Self::Superseded => 6,
            Self::StillMoving => 7,
            Self::Unknown => 8,
            Self::Bug => 70,
        }
    }

    /// The code that one service's outcome asks for.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded | Outcome::NoChange => Self::Done,
            Outcome::RolledBack | Outcome::Stopped { back: true } => Self::Failed,
            Outcome::Failed | Outcome::Deleted | Outcome::Stopped { back: false } => Self::NotRecovered,
            Outcome::Superseded { .. } => Self::Superseded,
            Outcome::StillMoving => Self::StillMoving,
            Outcome::Unknown | Outcome::Unseen { .. } => Self::Unknown,
        }
    }

    /// The worst of several codes: what is not recovered outweighs what is unknown, that what is in progress,
    /// that what was superseded, that what failed and is back.
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        let weight = |code: &Self| match code {
            Self::Done => 0,
            Self::ChangesPending => 1,
            Self::Failed => 2,
            Self::Superseded => 3,
            Self::StillMoving => 4,
            Self::Unknown => 5,
            Self::NotRecovered => 6,
            Self::Interrupted => 7,
            Self::Usage => 8,
            Self::Bug => 9,
        };
        codes.into_iter().max_by_key(weight).unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_success_is_exit_0() {
        let outcomes = [
            Outcome::RolledBack,
            Outcome::Failed,
            Outcome::Stopped { back: true },
            Outcome::Stopped { back: false },
            Outcome::Deleted,
            Outcome::StillMoving,
            Outcome::Unknown,
            Outcome::Unseen { why: String::new() },
            Outcome::Superseded {
                by: String::new(),
                task_definition: String::new(),
                who: None,
                release: None,
                forced: false,
            },
        ];
        for outcome in outcomes {
            assert_ne!(ExitCode::of(&outcome).code(), 0, "{outcome:?}");
            assert!(!outcome.is_success(), "{outcome:?}");
        }
        assert_eq!(ExitCode::of(&Outcome::Succeeded).code(), 0);
    }

    #[test]
    fn one_failed_service_outweighs_another_that_succeeded() {
        assert_eq!(ExitCode::worst([ExitCode::Done, ExitCode::Failed]), ExitCode::Failed);
        assert_eq!(ExitCode::worst([ExitCode::NotRecovered, ExitCode::Failed]), ExitCode::NotRecovered);
        assert_eq!(ExitCode::worst([]), ExitCode::Done);
    }
}
