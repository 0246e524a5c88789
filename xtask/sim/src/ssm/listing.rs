//! DescribeParameters, GetParametersByPath and GetParameterHistory.

use serde::Deserialize;
use serde_json::{Value, json};

use super::name::{invalid, named};
use super::parameters::{find, not_found, view};
use super::store::Parameter;
use super::store::State;
use crate::base::{Base, Millis};
use crate::identity;
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    parameter_filters: Vec<Filter>,
    /// The older kind, which compares the beginning of a name.
    filters: Vec<Filter>,
    path: String,
    recursive: bool,
    name: String,
    with_decryption: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

impl Filter {
    fn admits(&self, base: &Base, name: &str, parameter: &Parameter) -> Result<bool, ApiError> {
        let any = |fits: &dyn Fn(&str) -> bool| self.values.iter().any(|value| fits(value));
        if let Some(key) = self.key.strip_prefix("tag:") {
            let tags = base.tags.of(&arn(base, name));
            let own = tags.iter().find(|tag| tag.key == key);
            return Ok(own.is_some_and(|tag| self.values.is_empty() || any(&|value| value == tag.value)));
        }
        let fact = match self.key.as_str() {
            "Path" => {
                let recursive = self.option.as_deref() == Some("Recursive");
                return Ok(any(&|path| is_below(name, path, recursive)));
            }
            "Name" => name.to_owned(),
            "Type" => json!(parameter.kind).as_str().unwrap_or_default().to_owned(),
            "Tier" => "Standard".to_owned(),
            "DataType" => "text".to_owned(),
            "KeyId" => parameter.key().to_owned(),
            other => {
                let text = format!(
                    "The following filter key is not valid: {other}. Valid filter keys include: [DataType, KeyId, Name, Path, \
                     Tier, Type]."
                );
                return Err(ApiError::new("InvalidFilterKey", text));
            }
        };
        match self.option.as_deref() {
            None | Some("Equals") => Ok(any(&|value| value == fact)),
            Some("BeginsWith") => Ok(any(&|value| fact.starts_with(value))),
            Some("Contains") => Ok(any(&|value| fact.contains(value))),
            Some(other) => {
                let text = format!(
                    "The following filter option is not valid: {other}. Valid options include: [BeginsWith, Contains, Equals]."
                );
                Err(ApiError::new("InvalidFilterOption", text))
            }
        }
    }
}

fn arn(base: &Base, name: &str) -> String {
    base.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// Whether the parameter is in the path: directly, or in any level below it.
fn is_below(name: &str, path: &str, recursive: bool) -> bool {
    let rest = name.strip_prefix(path.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| recursive || !rest.contains('/'))
}

/// The parameters that all filters admit.
fn filtered<'a>(
    base: &Base,
    ssm: &'a State,
    asked: &Asked,
) -> Result<Vec<(&'a String, &'a Parameter)>, ApiError> {
    let mut found = Vec::new();
    for (name, parameter) in &ssm.parameters {
        let mut admitted = true;
        for filter in &asked.parameter_filters {
            admitted &= filter.admits(base, name, parameter)?;
        }
        for Filter { key, values, .. } in &asked.filters {
            let option = (key == "Name").then(|| "BeginsWith".to_owned());
            let filter = Filter { key: key.clone(), option, values: values.clone() };
            admitted &= filter.admits(base, name, parameter)?;
        }
        if admitted {
            found.push((name, parameter));
        }
    }
    Ok(found)
}

pub(super) fn describe(
    base: &Base,
    ssm: &State,
    identity: &identity::State,
    request: &ApiRequest,
) -> Outcome {
    let found = filtered(base, ssm, &params(request)?)?;
    let user = crate::identity::caller_arn(base, identity, None);
    listing(request, "Parameters", (50, 50), found, |(name, parameter)| {
        let newest = parameter.version(None);
        json!({
            "Name": name,
            "ARN": arn(base, name),
            "Type": parameter.kind,
            "KeyId": parameter.is_secure().then(|| parameter.key()),
            "LastModifiedDate": newest.map(|version| version.modified.epoch_secs()),
            "LastModifiedUser": user,
            "Description": parameter.description,
            "Version": newest.map(|version| version.number),
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
        })
    })
}

pub(super) fn by_path(base: &Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    if !asked.path.starts_with('/') {
        return Err(invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward \
             slash \"/\".",
        ));
    }
    let below = |(name, _): &(&String, &Parameter)| is_below(name, &asked.path, asked.recursive);
    let found: Vec<_> = filtered(base, ssm, &asked)?.into_iter().filter(below).collect();
    listing(request, "Parameters", (10, 10), found, |(name, parameter)| {
        let shown = named(base, name).zip(parameter.version(None));
        shown.map_or(Value::Null, |(named, version)| {
            view(base, &named, (parameter, version), asked.with_decryption)
        })
    })
}

pub(super) fn history(base: &Base, ssm: &State, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let named = named(base, &asked.name).filter(|named| named.selector.is_none()).ok_or_else(not_found)?;
    let (parameter, _) = find(ssm, &named)?;
    listing(request, "Parameters", (50, 50), parameter.versions().collect(), |version| {
        let mut shown = view(base, &named, (parameter, version), asked.with_decryption);
        shown["KeyId"] = json!(parameter.is_secure().then(|| parameter.key()));
        shown["Tier"] = json!("Standard");
        shown["Labels"] = json!([]);
        shown["LastModifiedDate"] = json!(Millis::epoch_secs(version.modified));
        shown
    })
}
