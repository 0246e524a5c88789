//! PutParameter, GetParameter, GetParameters, DeleteParameter, DeleteParameters, and what a task's start reads.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::name::{Named, check, invalid, named};
use super::store::State;
use super::store::{Kind, Parameter, Version};
use crate::base::{Base, Millis, Tag, tags};
use crate::secret::Secret;
use crate::wire::{Api, ApiError, ApiRequest, Outcome, params, text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    name: String,
    value: Secret,
    #[serde(rename = "Type")]
    kind: Option<Kind>,
    #[serde(default)]
    overwrite: bool,
    description: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Bytes of a standard parameter's value.
const MOST_BYTES: usize = 4096;

pub(super) fn put(base: &mut Base, ssm: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Put = params(request)?;
    let Named { name, selector } = named(base, &asked.name).unwrap_or(Named {
        // An ARN of somewhere else is no name either.
        name: asked.name.clone(),
        selector: None,
    });
    check(&match selector {
        Some(selector) => format!("{name}:{selector}"),
        None => name.clone(),
    })?;
    if asked.value.reveal().is_empty() {
        return Err(invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length \
             greater than or equal to 1.",
        ));
    }
    if asked.value.reveal().len() > MOST_BYTES {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {MOST_BYTES} characters. To create a larger \
             parameter value, upgrade the parameter to use the advanced-parameter tier."
        )));
    }
    if asked.overwrite && !asked.tags.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
             remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    tags::check(Api::Ssm, &asked.tags)?;
    // A ciphertext that says nothing of the text: as long for a short one as for a long one.
    let ciphertext = format!("AQICAH{}", base.ids.hex(64));
    let version = |number| Version { number, value: asked.value, ciphertext, modified: now };
    let number = match ssm.parameters.get_mut(&name) {
        Some(_) if !asked.overwrite => {
            return Err(ApiError::new(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to \
                 true.",
            ));
        }
        Some(parameter) if asked.kind.is_some_and(|kind| kind != parameter.kind) => {
            return Err(ApiError::new(
                "HierarchyTypeMismatchException",
                "Parameter Store doesn't support changing a parameter type in a hierarchy. Delete the parameter and \
                 create it with the other type.",
            ));
        }
        Some(parameter) => {
            let number = parameter.next_number();
            parameter.push(version(number));
            parameter.key = asked.key_id;
            parameter.description = asked.description.or_else(|| parameter.description.take());
            number
        }
        None => {
            let kind = asked
                .kind
                .ok_or_else(|| invalid("A parameter type is required when you create a parameter."))?;
            let arn = base.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')));
            base.tags.forget(&arn);
            base.tags.put(&arn, asked.tags);
            let mut made = Parameter::new(kind, asked.description, version(1));
            made.key = asked.key_id;
            ssm.parameters.insert(name, made);
            1
        }
    };
    Ok(json!({ "Version": number, "Tier": "Standard" }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

pub(super) fn get(base: &Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let asked: Get = params(request)?;
    let named = named(base, &asked.name).ok_or_else(not_found)?;
    let (parameter, version) = find(ssm, &named)?;
    Ok(json!({ "Parameter": view(base, &named, (parameter, version), asked.with_decryption) }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMany {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

pub(super) fn get_many(base: &Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let asked: GetMany = params(request)?;
    if !(1..=10).contains(&asked.names.len()) {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must have length \
             less than or equal to 10, and greater than or equal to 1",
            asked.names.join(", ")
        )));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for text in asked.names.iter().collect::<BTreeSet<_>>() {
        let named = named(base, text);
        match named.as_ref().and_then(|named| Some((named, find(ssm, named).ok()?))) {
            Some((named, it)) => found.push(view(base, named, it, asked.with_decryption)),
            None => missing.push(text),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
}

pub(super) fn delete(base: &Base, ssm: &mut State, request: &ApiRequest) -> Outcome {
    let name = text(request, "Name")?;
    let named = named(base, &name).filter(|named| named.selector.is_none()).ok_or_else(not_found)?;
    ssm.parameters.remove(&named.name).map(|_| json!({})).ok_or_else(not_found)
}

pub(super) fn delete_many(ssm: &mut State, request: &ApiRequest) -> Outcome {
    let asked: GetMany = params(request)?;
    if !(1..=10).contains(&asked.names.len()) {
        return Err(invalid("1 validation error detected: 'names' must have between 1 and 10 items"));
    }
    let (deleted, missing): (Vec<String>, Vec<String>) =
        asked.names.into_iter().partition(|name| ssm.parameters.remove(name).is_some());
    Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": missing }))
}

/// What the parameter of this name or ARN holds, for a task that starts.
pub(crate) fn value(base: &Base, ssm: &State, name_or_arn: &str) -> Option<Secret> {
    let (_, version) = find(ssm, &named(base, name_or_arn)?).ok()?;
    Some(version.value.clone())
}

pub(super) fn find<'a>(ssm: &'a State, named: &Named) -> Result<(&'a Parameter, &'a Version), ApiError> {
    let parameter = ssm.parameters.get(&named.name).ok_or_else(not_found)?;
    let version = parameter.version(named.selector.as_deref()).ok_or_else(|| {
        let (name, selector) = (&named.name, named.selector.as_deref().unwrap_or_default());
        ApiError::new(
            "ParameterVersionNotFound",
            format!(
                "Systems Manager could not find version {selector} of {name}. Verify the version and try again."
            ),
        )
    })?;
    Ok((parameter, version))
}

pub(super) fn view(
    base: &Base,
    named: &Named,
    (parameter, version): (&Parameter, &Version),
    decrypt: bool,
) -> Value {
    let shown = match parameter.kind {
        Kind::SecureString if !decrypt => &version.ciphertext,
        _ => version.value.reveal(),
    };
    json!({
        "Name": named.name,
        "Type": parameter.kind,
        "Value": shown,
        "Version": version.number,
        "LastModifiedDate": version.modified.epoch_secs(),
        "ARN": base.arn("ssm", &format!("parameter/{}", named.name.trim_start_matches('/'))),
        "DataType": "text",
        "Selector": named.selector.as_ref().map(|selector| format!(":{selector}")),
    })
}

/// AWS gives this error no text.
pub(super) fn not_found() -> ApiError {
    ApiError::new("ParameterNotFound", "")
}
