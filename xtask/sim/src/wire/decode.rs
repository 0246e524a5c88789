//! An HTTP request becomes an [`ApiRequest`]. Knows no operation: what the account does not have is refused there.

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use serde_json::{Map, Value};

use super::credential::{self, Scope, Unsigned};
use super::encode::refusal;
use super::form;
use super::protocol::Protocol;
use super::{Api, ApiError, ApiRequest, drop_nulls};
use crate::ids::Ids;

/// Reads one AWS API call.
///
/// # Errors
/// The response that AWS gives to a request which is unsigned, unreadable or for no API of this cloud.
#[expect(clippy::result_large_err, reason = "a refusal is the reply itself, handed on by the only caller")]
pub(crate) fn decode(parts: &Parts, body: &[u8]) -> Result<ApiRequest, http::Response<Bytes>> {
    let target = parts.headers.get("x-amz-target").map(|value| value.to_str().unwrap_or_default());
    let (protocol, call) = match target {
        Some(target) => (Api::Ecs.protocol(), json_call(parts, target, body)),
        None => (Api::Elb.protocol(), query_call(parts, body)),
    };
    call.map_err(|(own, error)| refusal(own.unwrap_or(protocol), &error, &request_id(body)))
}

/// The error, and the protocol that it is written in, when that is known.
type Refused = (Option<Protocol>, ApiError);

fn json_call(parts: &Parts, target: &str, body: &[u8]) -> Result<ApiRequest, Refused> {
    let unknown = || {
        let text = format!("the embedded cloud does not have {target}; docs/operations.md lists what it has");
        (None, ApiError::new("UnknownOperationException", text))
    };
    let (prefix, operation) = target.rsplit_once('.').ok_or_else(unknown)?;
    let api = Api::of_target_prefix(prefix).ok_or_else(unknown)?;
    let scope = credential::scope(parts).map_err(|unsigned| (None, json_unsigned(unsigned)))?;
    let mut params = match body {
        [] => Value::Object(Map::new()),
        body => serde_json::from_slice(body).ok().filter(Value::is_object).ok_or_else(|| {
            (None, ApiError::new("SerializationException", "The request body is not a JSON object"))
        })?,
    };
    drop_nulls(&mut params);
    Ok(call(api, operation, params, Some(scope)))
}

fn query_call(parts: &Parts, body: &[u8]) -> Result<ApiRequest, Refused> {
    let form = match parts.method {
        Method::GET => parts.uri.query().unwrap_or_default().as_bytes(),
        _ => body,
    };
    let scope = match credential::scope(parts) {
        Err(Unsigned::Missing) if signs_with_a_token(form) => None,
        scope => Some(scope.map_err(|unsigned| (None, query_unsigned(unsigned)))?),
    };
    let api = scope.as_ref().map_or(Some(Api::Sts), |scope| Api::of_signing_name(&scope.service));
    let own = api.map(Api::protocol);
    if api.is_none() && parts.uri.path() != "/" {
        // A protocol of paths or of CBOR: clients of the former read errors as JSON.
        let text = format!(
            "the embedded cloud does not have {} {} of {}; docs/operations.md lists what it has",
            parts.method,
            parts.uri.path(),
            scope.as_ref().map_or("", |scope| &scope.service)
        );
        return Err((Some(Api::Ecs.protocol()), ApiError::new("UnknownOperationException", text)));
    }
    let malformed =
        || (own, ApiError::new("MalformedQueryString", "The query string contains a syntax error"));
    let mut params = form::parse(form).ok_or_else(malformed)?;
    let mut take = |name: &str| match params.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let (action, version) = (take("Action"), take("Version").unwrap_or_default());
    let operation = action.ok_or_else(|| (own, ApiError::new("MissingAction", "Missing Action")))?;
    match api.filter(|api| api.version() == Some(&*version)) {
        Some(api) => Ok(call(api, &operation, Value::Object(params), scope)),
        None => {
            let service = scope.as_ref().map_or("sts", |scope| &scope.service);
            let text = format!(
                "the embedded cloud does not have {service}:{operation} of {version} as a query; docs/operations.md lists \
                 what it has"
            );
            Err((own, ApiError::new("InvalidAction", text)))
        }
    }
}

/// The one call that needs no signature: its caller has a web identity's token, and no credentials yet.
fn signs_with_a_token(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, value)| name == "Action" && value == "AssumeRoleWithWebIdentity")
}

fn call(api: Api, operation: &str, params: Value, scope: Option<Scope>) -> ApiRequest {
    let (access_key, region) = scope.map(|scope| (scope.access_key, scope.region)).unzip();
    ApiRequest { api, operation: operation.to_owned(), params, access_key, region }
}

const INCOMPLETE: &str = "Authorization header requires 'Credential' parameter. Authorization header requires \
     'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.";

/// The JSON services refuse with 400 and the `Exception` suffix, the query services with 403 and without.
fn json_unsigned(unsigned: Unsigned) -> ApiError {
    match unsigned {
        Unsigned::Missing => {
            ApiError::new("MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        Unsigned::Incomplete => ApiError::new("IncompleteSignatureException", INCOMPLETE),
    }
}

fn query_unsigned(unsigned: Unsigned) -> ApiError {
    match unsigned {
        Unsigned::Missing => {
            ApiError::new("MissingAuthenticationToken", "Request is missing Authentication Token")
                .with_status(403)
        }
        Unsigned::Incomplete => ApiError::new("IncompleteSignature", INCOMPLETE),
    }
}

/// A request that never reached the account draws no identifier from it, so that junk does not shift a replay.
fn request_id(body: &[u8]) -> String {
    let seed = body.iter().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    Ids::new(seed).uuid()
}
