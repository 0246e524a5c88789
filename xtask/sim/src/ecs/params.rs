//! Names out of ARNs, and the shape that all describing calls share.

use serde_json::{Value, json};

use crate::wire::Outcome;

/// The last part of an ARN, or the name itself.
pub(super) fn short_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The cluster that a request names: `default` when it names none.
pub(super) fn cluster_name(reference: Option<&str>) -> String {
    short_name(reference.unwrap_or("default")).to_owned()
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
