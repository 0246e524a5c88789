//! How long AWS has refused to be read: expired credentials and withdrawn rights do not come back by themselves.

use std::mem::discriminant;
use std::time::Duration;

use deploy::event::Kind;

use crate::aws::{Error, Kind as Problem};
use crate::host::Mark;
use crate::report::Recorder;

/// After so long of nothing but refusals of one kind the wait ends. A role's rights and a proxy's sign-in page
/// take some seconds to take effect, and so does a gateway that answers with nothing; longer than that, only a person can help.
const PATIENCE: Duration = Duration::from_secs(30);

/// A series of polls that failed in the same way.
#[derive(Debug, Default)]
pub(super) struct Refusals(Option<(Mark, Problem)>);

impl Refusals {
    pub(super) fn end(&mut self) {
        self.0 = None;
    }

    /// Counts a poll that began at `from` and failed, and warns of the first of its kind. Returns whether it
    /// is time to give up.
    pub(super) fn count(&mut self, from: Mark, events: &Recorder, error: &Error) -> bool {
        // By kind, not by text: a message may carry a request id or a time.
        let same = |known: &Problem| discriminant(known) == discriminant(&error.kind);
        let since = match &self.0 {
            Some((since, known)) if same(known) => *since,
            _ => {
                let text = format!("cannot read the services: {error}; asking again");
                events.emit(Kind::Warned { text });
                self.0 = Some((from, error.kind.clone()));
                from
            }
        };
        // From the start of the series: a single refusal between two good polls says nothing.
        is_refusal(&error.kind) && since.elapsed() >= PATIENCE
    }
}

/// Whether waiting is not expected to fix it. Throttling, a 5xx or a slow answer decide nothing.
fn is_refusal(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Credentials(_)
            | Problem::ExpiredToken
            | Problem::ClockSkew
            | Problem::AccessDenied { .. }
            | Problem::NotAws { .. }
            | Problem::Incomplete
            | Problem::Unreachable { .. }
            | Problem::Unsupported
    )
}
