//! Faults as answers: AWS's errors by protocol, the registry's by its specification, and what is neither.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::registry;
use crate::fault::{Fault, Surface};
use crate::wire::{Api, ApiError, ApiRequest};

/// The error that `fault` gives to an API call; `None` when the call is to be answered after all.
pub(super) fn api(fault: &Fault, request: &ApiRequest, caller: &str) -> Option<ApiError> {
    // Services of the query protocol leave `Exception` out of their codes, and answer with other statuses.
    let query = matches!(request.api, Api::Elb | Api::Sts | Api::Ec2 | Api::Iam);
    let error = |json: &'static str, xml: &'static str, json_status, xml_status, message: String| ApiError {
        code: if query { xml } else { json },
        message,
        status: if query { xml_status } else { json_status },
    };
    Some(match fault {
        Fault::Throttle if request.api == Api::Ec2 => {
            error("", "RequestLimitExceeded", 503, 503, "Request limit exceeded.".to_owned())
        }
        Fault::Throttle => error("ThrottlingException", "Throttling", 400, 400, "Rate exceeded".to_owned()),
        Fault::ServerError(503) => error(
            "ServiceUnavailableException",
            "ServiceUnavailable",
            503,
            503,
            "Service Unavailable".to_owned(),
        ),
        Fault::ServerError(status) => {
            let code = if matches!(request.api, Api::Ecs | Api::Ecr) {
                "ServerException"
            } else {
                "InternalServiceException"
            };
            error(code, "InternalFailure", *status, *status, "Service error".to_owned())
        }
        Fault::AccessDenied | Fault::AccessDeniedOn(_) => {
            let resource = match fault {
                Fault::AccessDeniedOn(arn) => arn,
                _ => "*",
            };
            let action = format!("{}:{}", Surface::Api(request.api), request.operation);
            // EC2 has codes of its own for what all others name alike.
            let code = if request.api == Api::Ec2 { "UnauthorizedOperation" } else { "AccessDenied" };
            let message = format!(
                "User: {caller} is not authorized to perform: {action} on resource: {resource} \
                 because no identity-based policy allows the {action} action"
            );
            error("AccessDeniedException", code, 400, 403, message)
        }
        Fault::ExpiredToken => {
            let code = if request.api == Api::Ec2 { "RequestExpired" } else { "ExpiredToken" };
            let message = "The security token included in the request is expired".to_owned();
            error("ExpiredTokenException", code, 400, 403, message)
        }
        Fault::Error(error) => error.clone(),
        _ => return None,
    })
}

/// The answer that `fault` gives to a registry request; `None` when the request is to be answered after all. The data
/// plane has no stale reads: it is read by content address.
pub(super) fn registry(fault: &Fault) -> Option<Response<Bytes>> {
    let (status, code, message) = match fault {
        Fault::Throttle => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "Rate exceeded"),
        Fault::ServerError(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "UNKNOWN", "Service error")
        }
        Fault::AccessDenied | Fault::AccessDeniedOn(_) => {
            (StatusCode::FORBIDDEN, "DENIED", "requested access to the resource is denied")
        }
        Fault::ExpiredToken => (
            StatusCode::FORBIDDEN,
            "DENIED",
            "Your authorization token has expired. Reauthenticate and try again.",
        ),
        _ => return None,
    };
    Some(registry::error(status, code, message))
}

/// A reply that is not the service's own.
pub(super) fn foreign(code: u16, body: String, content_type: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Ok(value) = HeaderValue::from_str(content_type)
        && !content_type.is_empty()
    {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}
