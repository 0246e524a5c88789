//! An [`Outcome`] becomes an HTTP response in its API's protocol.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::protocol::Protocol;
use super::{ApiError, ApiRequest, Outcome, xml};

/// Writes the answer to `request`; `request_id` is what the caller may quote to support.
pub(crate) fn encode(request: &ApiRequest, outcome: Outcome, request_id: &str) -> http::Response<Bytes> {
    let protocol = request.api.protocol();
    match outcome {
        Err(error) => refusal(protocol, &error, request_id),
        Ok(result) => match protocol {
            Protocol::Json { .. } => response(protocol, 200, Some(json_body(&result)), request_id),
            _ => response(protocol, 200, xml::reply(protocol, request, &result, request_id), request_id),
        },
    }
}

/// Writes an error in a protocol.
pub(super) fn refusal(protocol: Protocol, error: &ApiError, request_id: &str) -> http::Response<Bytes> {
    let body = match protocol {
        // AWS gives an unknown operation no message at all.
        Protocol::Json { .. } if error.message.is_empty() => {
            Some(json_body(&json!({ "__type": error.code })))
        }
        Protocol::Json { message, .. } => {
            Some(json_body(&json!({ "__type": error.code, message: error.message })))
        }
        _ => xml::error(protocol, error, request_id),
    };
    response(protocol, error.status, body, request_id)
}

fn json_body(value: &Value) -> Bytes {
    match value {
        // An operation without output still answers with a document: SDKs parse it.
        Value::Null => Bytes::from_static(b"{}"),
        value => Bytes::from(value.to_string()),
    }
}

/// A body that could not be written becomes an empty 500, which every SDK retries and then shows as what it is.
fn response(protocol: Protocol, status: u16, body: Option<Bytes>, request_id: &str) -> http::Response<Bytes> {
    let status = if body.is_some() { StatusCode::from_u16(status).ok() } else { None };
    let mut response = http::Response::new(body.unwrap_or_default());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = match protocol {
        Protocol::Json { .. } => "application/x-amz-json-1.1",
        Protocol::Query { .. } => "text/xml",
        Protocol::Ec2 { .. } => "text/xml;charset=UTF-8",
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
