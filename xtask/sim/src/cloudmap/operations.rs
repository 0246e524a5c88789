//! Operations: what Cloud Map answers with while it makes or removes a namespace.

use serde_json::json;

use super::namespaces::Namespace;
use super::state::State;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, text};

#[derive(Debug)]
pub(crate) enum Due {
    Done { operation: String },
}

#[derive(Debug)]
pub(super) struct Operation {
    id: String,
    created: Millis,
    updated: Millis,
    done: bool,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Create(Namespace),
    /// Removes the namespace with this id.
    Delete(String),
}

impl Work {
    fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "CREATE_NAMESPACE",
            Self::Delete(_) => "DELETE_NAMESPACE",
        }
    }

    fn namespace_id(&self) -> &str {
        match self {
            Self::Create(namespace) => &namespace.id,
            Self::Delete(id) => id,
        }
    }
}

/// What an operation on a namespace takes on AWS; at once where someone waits.
const OPERATION_MS: u64 = 5_000;

/// Starts an operation; gives its id.
pub(super) fn start(base: &mut Base, cloudmap: &mut State, now: Millis, work: Work) -> String {
    let id = format!("{}-{}", base.ids.hex(32), base.ids.hex(8));
    let delay = if base.settings.pace.first_checks_ms.is_some() { 0 } else { OPERATION_MS };
    let due = Due::Done { operation: id.clone() };
    cloudmap.timers.push(base.moment(now.plus_millis(delay)), due);
    let operation = Operation { id: id.clone(), created: now, updated: now, done: false, work };
    cloudmap.operations.insert(id.clone(), operation);
    id
}

/// The operations that have not succeeded yet.
pub(super) fn pending(cloudmap: &State) -> impl Iterator<Item = (&str, &Work)> {
    let operations = cloudmap.operations.values().filter(|operation| !operation.done);
    operations.map(|operation| (operation.id.as_str(), &operation.work))
}

pub(crate) fn due(base: &mut Base, cloudmap: &mut State, at: Millis, due: Due) {
    let Due::Done { operation } = due;
    let state = cloudmap;
    let Some(operation) = state.operations.get_mut(&operation) else { return };
    (operation.done, operation.updated) = (true, at);
    match &operation.work {
        Work::Create(namespace) => {
            state.namespaces.insert(namespace.id.clone(), namespace.clone());
        }
        Work::Delete(id) => {
            if let Some(namespace) = state.namespaces.remove(id) {
                base.tags.forget(&namespace.arn);
            }
        }
    }
}

pub(super) fn get(base: &Base, cloudmap: &State, request: &ApiRequest) -> Outcome {
    let operation_id = text(request, "OperationId")?;
    let operation = cloudmap.operations.get(&operation_id).ok_or_else(|| {
        ApiError::new("OperationNotFound", format!("No operation exists with id {operation_id}"))
    })?;
    Ok(json!({ "Operation": {
        "Id": operation.id,
        "OwnerAccount": base.settings.account,
        "Type": operation.work.kind(),
        "Status": if operation.done { "SUCCESS" } else { "PENDING" },
        "CreateDate": operation.created.epoch_secs(),
        "UpdateDate": operation.updated.epoch_secs(),
        "Targets": { "NAMESPACE": operation.work.namespace_id() },
    } }))
}
