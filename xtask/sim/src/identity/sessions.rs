//! STS: who calls, and temporary credentials for the roles of this account.
//!
//! Signatures are not checked here, so every access key is a user's, and what makes a session is that its key was given
//! out: it has an end, and GetCallerIdentity names the role.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::State;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, iso8601, leaf, params};

/// Who everyone is that did not take a role.
const USER: &str = "deployer";

/// STS refuses shorter sessions, and longer ones than the role's maximum, which is an hour where nobody changed it.
const SHORTEST_SECS: u64 = 900;
const LONGEST_SECS: u64 = 3_600;

/// Sessions by the access key that was given out.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<String, Session>);

#[derive(Debug)]
struct Session {
    arn: String,
    id: String,
    ends: Millis,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    #[serde(default, deserialize_with = "leaf")]
    duration_seconds: Option<u64>,
}

/// AssumeRole and AssumeRoleWithWebIdentity, whose token is not looked into.
///
/// Any role of the account may be taken, but for those that only ECS tasks are trusted with.
pub(super) fn assume_role(
    base: &mut Base,
    identity: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let asked: AssumeRole = params(request)?;
    let name = asked.role_session_name;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(fits) {
        let text = format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\w+=,.@-]*"
        );
        return Err(ApiError::new("ValidationError", text));
    }
    let secs = asked.duration_seconds.unwrap_or(LONGEST_SECS);
    if secs > LONGEST_SECS {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(ApiError::new("ValidationError", text));
    }
    if secs < SHORTEST_SECS {
        let text = format!("DurationSeconds must be at least {SHORTEST_SECS}");
        return Err(ApiError::new("ValidationError", text));
    }
    let role = asked.role_arn;
    let own = format!("arn:aws:iam::{}:role/", base.settings.account);
    let of_tasks = identity.roles.iter().any(|task_role| task_role.arn == role);
    let Some(path) = role.strip_prefix(&own).filter(|path| !path.is_empty() && !of_tasks) else {
        let caller = caller(base, identity, request.access_key.as_deref()).arn;
        let text = format!(
            "User: {caller} is not authorized to perform: sts:{} on resource: {role}",
            request.operation
        );
        return Err(ApiError::new("AccessDenied", text).with_status(403));
    };
    let role_name = path.rsplit('/').next().unwrap_or(path);
    let arn = format!("arn:aws:sts::{}:assumed-role/{role_name}/{name}", base.settings.account);
    let id = format!("AROA{}:{name}", base.ids.hex(17).to_uppercase());
    let session = Session { arn: arn.clone(), id: id.clone(), ends: now.plus_secs(secs) };
    let credentials = give_out(base, identity, session);
    Ok(json!({ "Credentials": credentials, "AssumedRoleUser": { "AssumedRoleId": id, "Arn": arn } }))
}

fn give_out(base: &mut Base, identity: &mut State, session: Session) -> Value {
    let ids = &mut base.ids;
    let key = format!("ASIA{}", ids.hex(16).to_uppercase());
    let credentials = json!({
        "AccessKeyId": key,
        "SecretAccessKey": ids.hex(40),
        "SessionToken": ids.hex(64),
        "Expiration": iso8601(session.ends),
    });
    identity.sessions.0.insert(key, session);
    credentials
}

/// GetSessionToken: half a day by default, a day and a half at the most.
pub(super) fn session_token(
    base: &mut Base,
    identity: &mut State,
    now: Millis,
    request: &ApiRequest,
) -> Outcome {
    let key = request.access_key.as_deref();
    if key.is_some_and(|key| identity.sessions.0.contains_key(key)) {
        let text = "Cannot call GetSessionToken with session credentials";
        return Err(ApiError::new("AccessDenied", text).with_status(403));
    }
    let secs = request.params["DurationSeconds"].as_str().map_or(Ok(43_200), str::parse::<u64>);
    let Some(secs) = secs.ok().filter(|secs| (SHORTEST_SECS..=129_600).contains(secs)) else {
        let text = format!("DurationSeconds must be between {SHORTEST_SECS} and 129600");
        return Err(ApiError::new("ValidationError", text));
    };
    let Caller { arn, id } = caller(base, identity, key);
    let credentials = give_out(base, identity, Session { arn, id, ends: now.plus_secs(secs) });
    Ok(json!({ "Credentials": credentials }))
}

struct Caller {
    arn: String,
    id: String,
}

fn caller(base: &Base, identity: &State, access_key: Option<&str>) -> Caller {
    match access_key.and_then(|key| identity.sessions.0.get(key)) {
        Some(session) => Caller { arn: session.arn.clone(), id: session.id.clone() },
        None => Caller {
            arn: format!("arn:aws:iam::{}:user/{USER}", base.settings.account),
            id: identity.user_id.clone(),
        },
    }
}

pub(super) fn caller_identity(base: &Base, identity: &State, request: &ApiRequest) -> Value {
    let Caller { arn, id } = caller(base, identity, request.access_key.as_deref());
    json!({ "UserId": id, "Account": base.settings.account, "Arn": arn })
}

/// The caller's ARN, as refusals and `registeredBy` show it.
pub(crate) fn caller_arn(base: &Base, identity: &State, access_key: Option<&str>) -> String {
    caller(base, identity, access_key).arn
}

/// Whether the session of this access key is over.
pub(crate) fn is_expired(identity: &State, now: Millis, access_key: Option<&str>) -> bool {
    access_key.and_then(|key| identity.sessions.0.get(key)).is_some_and(|session| session.ends <= now)
}
