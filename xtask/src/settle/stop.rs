//! Asks ECS to stop a deployment and to put the previous revision back.

use deploy::event::Kind;
use deploy::model::ServiceKey;

use crate::aws::{Aws, Kind as Problem};
use crate::report::Recorder;

/// Asks once and tells what was asked. Returns whether there is an end to wait for: the deployment is followed on, and
/// only its own end says what became of it.
pub(super) async fn ask(aws: &Aws, events: &Recorder, service: &ServiceKey, deployment: &str) -> bool {
    let (text, asked) = match aws.stop_service_deployment(deployment).await {
        Ok(()) => (format!("{service}: ECS was asked to stop and to put the previous revision back"), true),
        // It is over, or is being stopped already.
        Err(error) if error.kind == Problem::Conflict => return true,
        Err(error) => (format!("{service}: the deployment could not be stopped: {error}"), false),
    };
    events.emit(Kind::Warned { text });
    asked
}
