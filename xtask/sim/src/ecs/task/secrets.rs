//! A container's `secrets`: read at the task's start with Fargate's message for one that cannot be.
//!
//! Source: ECS developer guide, "Pass sensitive data to an Amazon ECS container"; the texts are those that users of
//! Fargate quote from `stoppedReason`.

use serde_json::Value;

use crate::ecs::region::Region;
use crate::ecs::task_definition::spec::{SecretReference, TaskSpec};
use crate::secret::Secret;
use crate::{secretsmanager, ssm};

/// The secrets of each container, in definition order, or the `stoppedReason` for which the task does not start.
pub(super) fn resolve(
    region: &Region<'_>,
    definition: &TaskSpec,
) -> Result<Vec<Vec<(String, Secret)>>, String> {
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for container in &definition.container_definitions {
        let mut own = Vec::new();
        for SecretReference { name, value_from } in &container.secrets {
            let value = if value_from.contains(":secretsmanager:") {
                Some(of_secrets_manager(region, value_from).map_err(|why| {
                    failed(&format!(
                        "unable to retrieve secret from asm: service call has been retried 1 time(s): {why}"
                    ))
                })?)
            } else {
                ssm::value(region.base, region.ssm, value_from)
            };
            match value {
                Some(value) => own.push((name.clone(), value)),
                None => missing.push(value_from.as_str()),
            }
        }
        all.push(own);
    }
    if missing.is_empty() {
        return Ok(all);
    }
    missing.dedup();
    Err(failed(&format!(
        "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: {}",
        missing.join(", ")
    )))
}

fn failed(why: &str) -> String {
    format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: {why}"
    )
}

/// `arn:aws:secretsmanager:region:account:secret:name-suffix`, alone or followed by `:json-key:version-stage:version-id`,
/// of which each may be empty.
fn of_secrets_manager(region: &Region<'_>, value_from: &str) -> Result<Secret, String> {
    let parts: Vec<&str> = value_from.split(':').collect();
    let given = |index: usize| parts.get(index).copied().filter(|part: &&str| !part.is_empty());
    if parts.len() != 7 && parts.len() != 10 {
        return Err("unexpected ARN format with parameters when trying to retrieve ASM secret".to_owned());
    }
    let arn = parts[..7].join(":");
    let text = secretsmanager::read(region.secrets_manager, &arn, given(8), given(9))
        .map_err(|error| {
            format!("failed to fetch secret {arn} from secrets manager: {}: {}", error.code, error.message)
        })?
        .ok_or_else(|| format!("secret {arn} has no SecretString"))?;
    let Some(key) = given(7) else { return Ok(text) };
    // What the parser says would quote the secret.
    let object: Value = serde_json::from_str(text.reveal())
        .map_err(|_| format!("secret {arn} is not a JSON object, so that it has no key {key}"))?;
    match object.get(key) {
        Some(Value::String(value)) => Ok(Secret::new(value.as_str())),
        Some(value) => Ok(Secret::new(value.to_string())),
        None => Err(format!("retrieved secret from Secrets Manager did not contain json key {key}")),
    }
}
