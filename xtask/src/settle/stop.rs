//! Asks ECS to stop a deployment and to put the previous revision back.

use deploy::event::Kind;
use deploy::model::ServiceKey;

use crate::aws::{Aws, Kind as Problem};
use crate::report::Recorder;

/// What came of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Accepted,
    /// It is over, or is being stopped already, such as by the circuit breaker: not by this request.
    TooLate,
    Refused,
}

/// Asks once and reports what was asked. Unless it was refused there is an end to wait for: the deployment is followed on, and
/// only its own end says what became of it.
pub(super) async fn ask(aws: &Aws, events: &Recorder, service: &ServiceKey, deployment: &str) -> Asked {
    let (text, asked) = match aws.stop_service_deployment(deployment).await {
        Ok(()) => (
            format!("{service}: ECS was asked to stop and to put the previous revision back"),
            Asked::Accepted,
        ),
        Err(error) if error.kind == Problem::Conflict => return Asked::TooLate,
        Err(error) => (format!("{service}: the deployment could not be stopped: {error}"), Asked::Refused),
    };
    events.emit(Kind::Warned { text });
    asked
}
