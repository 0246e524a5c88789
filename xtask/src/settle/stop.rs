//! Asks ECS to stop a deployment and to roll back (StopServiceDeployment, `stopType` ROLLBACK).

use deploy::event::Kind;
use deploy::model::ServiceKey;

use crate::aws::{Aws, Kind as Problem};
use crate::report::Recorder;

/// What came of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Accepted,
    /// It is over, or somebody else's request or the circuit breaker stops it already (ConflictException).
    TooLate,
    Refused,
}

/// Asks once and reports that. Unless ECS refused, the deployment is still followed: only its own status says how it ended.
pub(super) async fn ask(aws: &Aws, events: &Recorder, service: &ServiceKey, deployment: &str) -> Asked {
    let (text, asked) = match aws.stop_service_deployment(deployment).await {
        Ok(()) => (format!("{service}: ECS was asked to stop and to roll back"), Asked::Accepted),
        // No error for a person: the deployment is over or stopping, and its status says which.
        Err(error) if error.kind == Problem::Conflict => return Asked::TooLate,
        Err(error) => (format!("{service}: the deployment could not be stopped: {error}"), Asked::Refused),
    };
    events.emit(Kind::Warned { text });
    asked
}
