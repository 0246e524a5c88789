//! Names out of ARNs, and the shape that all describing calls share.

use serde_json::{Value, json};

use super::errors::invalid;
use crate::wire::{ApiError, Outcome};

/// The last part of an ARN, or the name itself.
pub(super) fn short_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The cluster that a request names: `default` when it names none.
pub(super) fn cluster_name(reference: Option<&str>) -> String {
    short_name(reference.unwrap_or("default")).to_owned()
}

/// The id of the task that a request names by its id or its ARN, whether or not there is one.
pub(super) fn task_id(reference: &str) -> Result<&str, ApiError> {
    let id = short_name(reference);
    let fits = [32, 36].contains(&id.len()) && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if fits { Ok(id) } else { Err(invalid("taskId length should be one of [32,36]")) }
}

/// A describing call's reply: `member` with what `view` finds, and a failure MISSING for each ARN that it does not.
pub(super) fn described<T: AsRef<str>>(
    member: &str,
    references: &[T],
    mut view: impl FnMut(&str) -> Result<Value, String>,
) -> Outcome {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for reference in references {
        match view(reference.as_ref()) {
            Ok(view) => found.push(view),
            Err(arn) => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ member: found, "failures": failures }))
}
