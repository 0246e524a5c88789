//! Why a command ends early: one place decides the sentence, the hint and the exit code of every error.

use std::error::Error;

use deploy::config::Finding;
use deploy::event::{ExitCode, Kind};

use crate::report::chain;

/// An error as the user sees it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: ExitCode,
    /// The mistakes of deploy.toml that it counts.
    pub(crate) mistakes: Vec<Finding>,
    /// Errors of the same kind beside it, each with its hint.
    pub(crate) more: Vec<(String, String)>,
}

impl Failure {
    /// Something about the invocation, the file, the machine or the account: nothing was written.
    pub(crate) fn usage(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            exit: ExitCode::Usage,
            mistakes: Vec::new(),
            more: Vec::new(),
        }
    }

    /// With what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    /// As what happened: its mistakes first.
    pub(crate) fn events(self) -> impl Iterator<Item = Kind> {
        let Self { error, hint, mistakes, more, .. } = self;
        let mistaken = (!mistakes.is_empty()).then_some(Kind::Mistaken { mistakes });
        let more = more.into_iter().map(|(error, hint)| Kind::Failed { error, hint: Some(hint) });
        mistaken.into_iter().chain(more).chain([Kind::Failed { error, hint }])
    }

    /// An error with all its causes in one sentence.
    pub(crate) fn from_error(error: &dyn Error) -> Self {
        Self::usage(chain(error))
    }

    /// The same, with what the error itself advises.
    pub(crate) fn hinted(error: &dyn Error, hint: Option<impl Into<String>>) -> Self {
        Self { hint: hint.map(Into::into), ..Self::from_error(error) }
    }
}
