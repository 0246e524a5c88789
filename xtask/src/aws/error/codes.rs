//! The table of error codes and, where AWS gives one code to different problems, of texts.
//!
//! Sources: the APIs' models and error pages; texts as users report them. A text is matched by a short ASCII part,
//! because wording changes and quotation marks are typographic at times.

use super::{CredentialsProblem, Kind};

/// The kind of an error by its code, text and HTTP status. `call` is `service:operation`.
pub(super) fn kind(code: &str, message: &str, status: u16, call: &str) -> Kind {
    if let Some(kind) = by_text(code, message) {
        return kind;
    }
    // LocalStack answers what it does not implement with InternalFailure and 501.
    if status == 501 || status == 405 {
        return Kind::Unsupported;
    }
    if let Some(kind) = by_code(code) {
        return match kind {
            Kind::AccessDenied { .. } => {
                Kind::AccessDenied { action: denied_action(message).unwrap_or_else(|| call.to_owned()) }
            }
            kind => kind,
        };
    }
    match status {
        429 => Kind::Throttled,
        500.. => Kind::ServerFault,
        _ => by_shape(code),
    }
}

fn by_text(code: &str, message: &str) -> Option<Kind> {
    const TABLE: &[(&[&str], &str, Kind)] = &[
        // ECS: the target group is in no rule yet, or the rule is new.
        (&["InvalidParameterException"], "does not have an associated load balancer", Kind::NotReady),
        // ECS: the first service of an account makes this role.
        (&["InvalidParameterException"], "service linked role", Kind::NotReady),
        (&["InvalidParameterException"], "has the proper permissions", Kind::NotReady),
        // ECS: the revision was registered a moment ago.
        (&["ClientException", "InvalidParameterException"], "TaskDefinition not found", Kind::NotReady),
        // Application Auto Scaling: the service was created a moment ago (terraform-provider-aws#11693).
        (&["ValidationException"], "ECS service doesn't exist", Kind::NotReady),
        // Application Auto Scaling: its service-linked role is being made, as for the first target of an account.
        (&["ValidationException"], "Unable to assume IAM role", Kind::NotReady),
        // Cloud Map: the operation that a create has just answered with.
        (&["OperationNotFound"], "", Kind::NotReady),
        (&["InvalidParameterException"], "still Draining", Kind::Conflict),
        (&["InvalidParameterException"], "was not idempotent", Kind::AlreadyExists),
        (&["ClientException"], "Too many concurrent attempts", Kind::Throttled),
        (&["ClientException"], "Unable to describe task definition", Kind::NotFound),
        (
            &["AccessDeniedException", "UnrecognizedClientException"],
            "token included in the request is expired",
            Kind::ExpiredToken,
        ),
        (
            &["InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"],
            "Signature expired",
            Kind::ClockSkew,
        ),
        (
            &["InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"],
            "not yet current",
            Kind::ClockSkew,
        ),
        // Application Auto Scaling takes tags for a new target only (terraform-provider-aws#31839).
        (&["ValidationException"], "tried to tag already exists", Kind::AlreadyExists),
        // Application Auto Scaling wraps ECS's own throttling.
        (&["FailedResourceAccessException", "ValidationException"], "Rate exceeded", Kind::Throttled),
    ];
    let row = TABLE.iter().find(|(codes, text, _)| codes.contains(&code) && message.contains(text));
    row.map(|(_, _, kind)| kind.clone())
}

fn by_code(code: &str) -> Option<Kind> {
    Some(match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "EC2ThrottledException"
        // The rest are no rates: an earlier change is not complete, and a later attempt succeeds as after throttling.
        | "PriorRequestNotComplete"
        | "ConcurrentUpdateException"
        | "OperationAbortedException"
        | "ConcurrentModificationException"
        | "ConcurrentModification" => Kind::Throttled,
        "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "InternalServiceError"
        | "InternalServiceException"
        | "InternalServerException"
        | "ServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "Unavailable"
        | "HealthUnavailable"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServiceFailure" => Kind::ServerFault,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Kind::ExpiredToken,
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Kind::ClockSkew,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "NotAuthorized"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "InvalidSecurity" => Kind::Credentials(CredentialsProblem::Rejected),
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnauthorizedException"
        | "AuthorizationError"
        | "AuthorizationErrorException" => Kind::AccessDenied { action: String::new() },
        "NoSuchEntity" | "NoSuchEntityException" => Kind::NotFound,
        "PriorityInUse" | "PriorityInUseException" | "EntityAlreadyExists" => Kind::AlreadyExists,
        "ConflictException"
        | "ResourceInUse"
        | "ResourceInUseException"
        | "ServiceNotActiveException"
        | "DuplicateRequest"
        | "UpdateInProgressException"
        | "DeleteConflict"
        | "TargetInUse" => Kind::Conflict,
        "LimitExceededException"
        | "LimitExceeded"
        | "ResourceLimitExceeded"
        | "ServiceQuotaExceededException" => Kind::Quota,
        "UnknownOperationException"
        | "UnknownOperation"
        | "InvalidAction"
        | "UnsupportedFeatureException"
        | "UnsupportedOperation"
        | "UnsupportedOperationException"
        | "NotImplemented"
        | "NotImplementedException"
        | "OperationNotSupportedException" => Kind::Unsupported,
        _ => return None,
    })
}

/// Families of codes: query services leave out the ending `Exception`, EC2 puts `.NotFound` behind the parameter.
fn by_shape(code: &str) -> Kind {
    let name = code.strip_suffix("Exception").unwrap_or(code);
    if name.ends_with("NotFound") {
        Kind::NotFound
    } else if name.contains("AlreadyExists") || name.starts_with("Duplicate") {
        Kind::AlreadyExists
    } else if name.starts_with("TooMany")
        || name.ends_with("LimitExceeded")
        || name.ends_with("QuotaExceeded")
    {
        Kind::Quota
    } else if ["Invalid", "Validation", "Missing", "Malformed", "Incompatible"]
        .iter()
        .any(|start| name.starts_with(start))
        || name == "Client"
        || name.starts_with("Platform")
    {
        Kind::Invalid
    } else {
        Kind::Other
    }
}

/// `… is not authorized to perform: iam:PassRole on resource: …` gives `iam:PassRole`.
fn denied_action(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("to perform: ").or_else(|| message.split_once("to perform "))?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    action.contains(':').then(|| action.to_owned())
}
