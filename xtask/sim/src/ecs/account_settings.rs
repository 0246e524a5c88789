//! Account settings: ListAccountSettings, PutAccountSetting, PutAccountSettingDefault, DeleteAccountSetting.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use crate::clock::Millis;
use crate::ecs::region::Region;
use crate::identity::caller_arn;
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

const SWITCH: &[&str] = &["enabled", "disabled"];

/// Name, values and the value where nobody chose one (first of the values, API reference of PutAccountSetting).
const SETTINGS: &[(&str, &[&str])] = &[
    ("awsvpcTrunking", &["disabled", "enabled"]),
    ("containerInsights", &["disabled", "enabled", "enhanced"]),
    ("containerInstanceLongArnFormat", SWITCH),
    ("defaultLogDriverMode", &["non-blocking", "blocking"]),
    ("fargateEventWindows", &["disabled", "enabled"]),
    ("fargateFIPSMode", &["disabled", "enabled"]),
    ("fargateTaskRetirementWaitPeriod", &["7", "0", "14"]),
    ("guardDutyActivate", &["off", "on"]),
    ("serviceLongArnFormat", SWITCH),
    ("tagResourceAuthorization", &["on", "off"]),
    ("taskLongArnFormat", SWITCH),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    name: Option<String>,
    value: Option<String>,
    principal_arn: Option<String>,
    #[serde(default)]
    effective_settings: bool,
}

fn root(region: &Region<'_>) -> String {
    format!("arn:aws:iam::{}:root", region.base.settings.account)
}

/// Who the request is about: the principal that it names, or its caller.
fn principal(region: &Region<'_>, request: &ApiRequest, asked: &Asked) -> String {
    asked
        .principal_arn
        .clone()
        .unwrap_or_else(|| caller_arn(region.base, region.identity, request.access_key.as_deref()))
}

fn known(name: Option<&str>) -> Result<(&'static str, &'static [&'static str]), ApiError> {
    let found = SETTINGS.iter().find(|(own, _)| Some(*own) == name).copied();
    found.ok_or_else(|| invalid(format!("Invalid setting name: {}", name.unwrap_or("null"))))
}

fn view(name: &str, value: &str, principal: &str) -> Value {
    let kind = if name == "guardDutyActivate" { "aws_managed" } else { "user" };
    json!({ "name": name, "value": value, "principalArn": principal, "type": kind })
}

pub(super) fn list(region: &Region<'_>, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    if asked.name.is_some() {
        known(asked.name.as_deref())?;
    }
    let (principal, root) = (principal(region, request, &asked), root(region));
    let chosen = |principal: &str, name: &str| {
        region.ecs.account_settings.get(&(principal.to_owned(), name.to_owned())).map(String::as_str)
    };
    let mut found = Vec::new();
    for (name, values) in SETTINGS {
        let own = chosen(&principal, name);
        // What holds in the end: the principal's own, or the account's default, or AWS's (ListAccountSettings,
        // `effectiveSettings`).
        let value = if asked.effective_settings {
            own.or_else(|| chosen(&root, name)).or_else(|| values.first().copied())
        } else {
            own
        };
        let wanted = asked.name.as_deref().is_none_or(|wanted| wanted == *name);
        if let Some(value) =
            value.filter(|it| wanted && asked.value.as_deref().is_none_or(|value| value == *it))
        {
            found.push(view(name, value, &principal));
        }
    }
    listing(request, "settings", (10, 100), found, |setting| setting)
}

pub(super) fn put(region: &mut Region<'_>, _: Millis, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let principal = principal(region, request, &asked);
    set(region, &asked, principal)
}

pub(super) fn put_default(region: &mut Region<'_>, _: Millis, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let root = root(region);
    set(region, &asked, root)
}

fn set(region: &mut Region<'_>, asked: &Asked, principal: String) -> Outcome {
    let (name, values) = known(asked.name.as_deref())?;
    let value = asked.value.as_deref().unwrap_or_default();
    if name == "guardDutyActivate" {
        return Err(invalid("The guardDutyActivate setting is managed by AWS and cannot be changed."));
    }
    if !values.contains(&value) {
        return Err(invalid(format!(
            "Invalid value '{value}' of the setting {name}: it is one of {}.",
            values.join(", ")
        )));
    }
    let view = view(name, value, &principal);
    region.ecs.account_settings.insert((principal, name.to_owned()), value.to_owned());
    Ok(json!({ "setting": view }))
}

pub(super) fn delete(region: &mut Region<'_>, _: Millis, request: &ApiRequest) -> Outcome {
    let asked: Asked = params(request)?;
    let (name, _) = known(asked.name.as_deref())?;
    let principal = principal(region, request, &asked);
    let value = region.ecs.account_settings.remove(&(principal.clone(), name.to_owned()));
    Ok(json!({ "setting": view(name, value.as_deref().unwrap_or_default(), &principal) }))
}

/// What new clusters have where they say nothing: `containerInsights` of the account.
pub(super) fn default_of(region: &Region<'_>, name: &str) -> String {
    let chosen = region.ecs.account_settings.get(&(root(region), name.to_owned()));
    let first = || known(Some(name)).ok().and_then(|(_, values)| values.first());
    chosen.cloned().or_else(|| first().map(|value| (*value).to_owned())).unwrap_or_default()
}
