//! Asks ECS to stop a deployment and to put the previous revision back.

use deploy::event::Kind;
use deploy::model::ServiceKey;

use crate::aws::{Aws, Kind as Problem};
use crate::report::Recorder;

/// Asks once and tells what was asked. The deployment is followed on: only its own end says what became of it.
pub(super) async fn ask(aws: &Aws, events: &Recorder, service: &ServiceKey, deployment: Option<&str>) {
    let text = match deployment {
        None => format!("{service}: the endpoint does not name the deployment, so it cannot be stopped"),
        Some(arn) => match aws.stop_service_deployment(arn).await {
            Ok(()) => format!("{service}: ECS was asked to stop and to put the previous revision back"),
            // It was over before the request came.
            Err(error) if error.kind == Problem::Conflict => return,
            Err(error) => format!("{service}: the deployment could not be stopped: {error}"),
        },
    };
    events.emit(Kind::Warned { text });
}
