//! The classification: what each answer of AWS, and of what is not AWS, is taken for.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ErrorMetadata;

use super::*;
use crate::aws::call::Op;
use crate::host::{HttpError, Unreached};

const CREATE: Op = Op::write("ecs", "CreateService");

/// The error that an answer becomes. The SDK reads code and text; here the body does, as for APIs without a crate.
fn answered(status: u16, content_type: &str, body: &str) -> Error {
    let reply = http::Response::builder()
        .status(status)
        .header("content-type", content_type)
        .header("x-amzn-requestid", "r-1")
        .body(SdkBody::from(body))
        .unwrap();
    Error::of(
        CREATE,
        1,
        SdkError::service_error(ErrorMetadata::builder().build(), HttpResponse::try_from(reply).unwrap()),
    )
}

fn json(status: u16, code: &str, message: &str) -> Error {
    let body = serde_json::json!({"__type": code, "message": message}).to_string();
    answered(status, "application/x-amz-json-1.1", &body)
}

fn xml(status: u16, code: &str, message: &str) -> Error {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    answered(status, "text/xml", &body)
}

fn dispatch(error: ConnectorError) -> Error {
    Error::of(CREATE, 1, SdkError::<ErrorMetadata, _>::dispatch_failure(error))
}

fn denied(action: &str) -> Kind {
    Kind::AccessDenied { action: action.to_owned() }
}

#[test]
fn every_services_way_to_throttle_is_throttling_although_it_is_http_400() {
    for code in
        ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"]
    {
        assert_eq!(json(400, code, "Rate exceeded").kind, Kind::Throttled, "{code}");
        assert_eq!(xml(400, code, "Rate exceeded").kind, Kind::Throttled, "{code}");
    }
    assert_eq!(
        json(
            400,
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family."
        )
        .kind,
        Kind::Throttled
    );
    assert_eq!(json(400, "ConcurrentUpdateException", "x").kind, Kind::Throttled);
    assert_eq!(
        json(400, "FailedResourceAccessException", "Unable to ...: Rate exceeded").kind,
        Kind::Throttled
    );
    assert_eq!(
        xml(503, "RequestLimitExceeded", "Request limit exceeded.").kind,
        Kind::Throttled,
        "EC2's is a 503"
    );
}

#[test]
fn codes_are_distinguished() {
    use CredentialsProblem::Rejected;
    let table: &[(u16, &str, &str, Kind)] = &[
        (500, "ServerException", "Service Unavailable. Please try again later.", Kind::ServerFault),
        (400, "InternalFailure", "x", Kind::ServerFault),
        (500, "HealthUnavailable", "x", Kind::ServerFault),
        (503, "SomethingNew", "x", Kind::ServerFault),
        (501, "InternalFailure", "API action 'X' for service 'ecs' not yet implemented", Kind::Unsupported),
        (400, "UnknownOperationException", "", Kind::Unsupported),
        (400, "InvalidAction", "Could not find operation X for version Y", Kind::Unsupported),
        (400, "UnsupportedFeatureException", "x", Kind::Unsupported),
        (403, "ExpiredToken", "The security token included in the request is expired", Kind::ExpiredToken),
        (
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            Kind::ExpiredToken,
        ),
        (
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            Kind::Credentials(Rejected),
        ),
        (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            Kind::Credentials(Rejected),
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            Kind::Credentials(Rejected),
        ),
        (403, "SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than 2027", Kind::ClockSkew),
        (400, "InvalidSignatureException", "Signature not yet current: x", Kind::ClockSkew),
        (400, "ClusterNotFoundException", "Cluster not found.", Kind::NotFound),
        (400, "InvalidVpcID.NotFound", "x", Kind::NotFound),
        (404, "NoSuchEntity", "The role with name x cannot be found.", Kind::NotFound),
        (400, "TargetGroupNotFound", "One or more target groups not found", Kind::NotFound),
        (400, "ClientException", "Unable to describe task definition.", Kind::NotFound),
        (400, "RepositoryAlreadyExistsException", "x", Kind::AlreadyExists),
        (400, "DuplicateTargetGroupName", "x", Kind::AlreadyExists),
        (400, "PriorityInUse", "Priority '10' is currently in use", Kind::AlreadyExists),
        (400, "InvalidParameterException", "Creation of service was not idempotent.", Kind::AlreadyExists),
        (
            400,
            "InvalidParameterException",
            "Unable to Start a service that is still Draining.",
            Kind::Conflict,
        ),
        (400, "ServiceNotActiveException", "Service was not ACTIVE.", Kind::Conflict),
        (400, "ConflictException", "x", Kind::Conflict),
        (
            400,
            "InvalidParameterException",
            "The target group with targetGroupArn x does not have an associated load balancer.",
            Kind::NotReady,
        ),
        (
            400,
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            Kind::NotReady,
        ),
        (
            400,
            "InvalidParameterException",
            "The container x does not exist in the task definition.",
            Kind::Invalid,
        ),
        (400, "ClientException", "No Fargate configuration exists for given values", Kind::Invalid),
        (400, "ValidationError", "x", Kind::Invalid),
        (400, "PlatformUnknownException", "x", Kind::Invalid),
        (400, "LimitExceededException", "x", Kind::Quota),
        (400, "TooManyTargetGroups", "x", Kind::Quota),
        (400, "VcpuLimitExceeded", "x", Kind::Quota),
        (400, "SomethingNew", "x", Kind::Other),
    ];
    for (status, code, message, kind) in table {
        assert_eq!(json(*status, code, message).kind, *kind, "{code}: {message}");
        assert_eq!(xml(*status, code, message).kind, *kind, "{code}: {message}");
    }
}

#[test]
fn a_denied_pass_role_names_pass_role_and_not_the_call() {
    let message = "User: arn:aws:sts::1:assumed-role/ci/run is not authorized to perform: iam:PassRole on resource: \
                   arn:aws:iam::1:role/task because no identity-based policy allows the iam:PassRole action";
    let error = json(400, "AccessDeniedException", message);
    assert_eq!(error.kind, denied("iam:PassRole"));
    assert!(
        error.to_string().starts_with("ecs:CreateService was denied: the caller may not iam:PassRole ("),
        "{error}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("iam:PassRole")));
    assert_eq!(xml(403, "AccessDenied", "Access denied").kind, denied("ecs:CreateService"));
    assert_eq!(
        xml(403, "UnauthorizedOperation", "You are not authorized to perform this operation.").kind,
        denied("ecs:CreateService")
    );
}

#[test]
fn a_proxys_page_is_reported_as_what_it_is() {
    let page = "<html><head><title>403 Forbidden</title></head><body>by proxy</body></html>";
    let error = answered(403, "text/html; charset=utf-8", page);
    let explained = "ecs:CreateService was not answered by AWS: HTTP 403 with text/html \"403 Forbidden\"";
    assert_eq!(error.to_string(), explained);
    assert!(!error.may_have_happened);
    let empty = answered(502, "", "");
    assert_eq!(empty.to_string(), "ecs:CreateService was not answered by AWS: HTTP 502 with an empty body");
    assert!(empty.may_have_happened, "a gateway may have passed the request on");
}

#[test]
fn a_success_that_is_no_aws_answer_is_not_taken_for_one() {
    let reply = http::Response::builder()
        .status(200)
        .header("content-type", "text/html")
        .body(SdkBody::from("Sign in"));
    let raw = HttpResponse::try_from(reply.unwrap()).unwrap();
    let error = Error::of(CREATE, 1, SdkError::<ErrorMetadata, _>::response_error("expected value", raw));
    assert_eq!(
        error.to_string(),
        "ecs:CreateService was not answered by AWS: HTTP 200 with text/html \"Sign in\""
    );
}

#[test]
fn transport_failures_name_the_host_and_whether_the_call_may_have_happened() {
    let of = |error: HttpError| {
        dispatch(ConnectorError::io(Unreached { host: "127.0.0.1:4566".into(), error }.into()))
    };
    let refused = of(HttpError::Refused);
    assert_eq!((&refused.kind, refused.may_have_happened), (&Kind::Unreachable { permanent: false }, false));
    let explained = "ecs:CreateService got no answer: cannot reach 127.0.0.1:4566: connection refused";
    assert_eq!(refused.to_string(), explained);
    let broken = of(HttpError::Broken("reset".into()));
    assert_eq!((&broken.kind, broken.may_have_happened), (&Kind::Unreachable { permanent: false }, true));
    assert_eq!(of(HttpError::Tls("bad certificate".into())).kind, Kind::Unreachable { permanent: true });
    let late =
        Error::of(CREATE, 1, SdkError::<ErrorMetadata, _>::timeout_error("operation attempt timed out"));
    assert_eq!((&late.kind, late.may_have_happened), (&Kind::TimedOut, true));
}

#[test]
fn missing_and_broken_credentials_are_distinguished() {
    let of = |error: CredentialsError| dispatch(ConnectorError::other(error.into(), None));
    let missing = of(CredentialsError::not_loaded("no providers in chain provided credentials"));
    assert_eq!(missing.kind, Kind::Credentials(CredentialsProblem::Missing));
    assert_eq!(missing.to_string(), "no AWS credentials were found");
    let broken = of(CredentialsError::provider_error("the SSO session has expired"));
    assert_eq!(broken.kind, Kind::Credentials(CredentialsProblem::Unloadable));
    assert!(broken.to_string().contains("the SSO session has expired"), "{broken}");
}

/// What an error about these credentials says, and what it advises.
fn explained(error: Error, profile: &str, exists: bool) -> (String, String) {
    let error = error.with_source(Some(&Source::Profile { name: profile.to_owned(), exists }));
    (error.to_string(), error.hint().unwrap())
}

#[test]
fn each_source_of_credentials_has_the_remedy_that_fits_it() {
    let broken = |text: &'static str| {
        dispatch(ConnectorError::other(CredentialsError::provider_error(text).into(), None))
    };
    let cases = [
        ("the SSO token has expired and cannot be refreshed", "sign in: `aws sso login --profile p`"),
        ("failed to load the login session token", "sign in: `aws login --profile p`"),
        ("profile p needs an MFA serial", "export-credentials --profile p"),
        ("WebIdentityTokenCredentialsProvider: no such file", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("User: u is not authorized to perform: sts:AssumeRole on resource: r", "the role's trust policy"),
        ("ProfileFile provider could not be built", "correct profile `p` in"),
    ];
    for (said, remedy) in cases {
        let (text, hint) = explained(broken(said), "p", true);
        assert!(text.contains("of profile `p`"), "{text}");
        assert!(hint.contains(remedy), "{said}: {hint}");
        assert_eq!(hint.contains("MFA"), said.contains("MFA"), "{said}: {hint}");
    }
    let expired = json(400, "ExpiredTokenException", "The security token included in the request is expired");
    assert!(explained(expired, "p", true).1.contains("`aws sso login --profile p`"));
    let pod = broken("no such file").with_source(Some(&Source::WebIdentity("/run/token".to_owned())));
    assert!(pod.to_string().contains("web identity token `/run/token` cannot be loaded"), "{pod}");
    assert!(pod.hint().unwrap().contains("AWS_WEB_IDENTITY_TOKEN_FILE"), "{pod}");
    let missing = dispatch(ConnectorError::other(CredentialsError::not_loaded("x").into(), None));
    let (text, hint) = explained(missing, "nosuch", false);
    assert_eq!(text, "profile `nosuch` is not in the AWS configuration files");
    assert!(hint.contains("`aws configure list-profiles`"), "{hint}");
}

#[test]
fn a_429_without_a_code_is_throttling() {
    for (content_type, body) in [("text/html", "<h1>Too many requests</h1>"), ("", "")] {
        let error = answered(429, content_type, body);
        assert_eq!((&error.kind, error.may_have_happened), (&Kind::Throttled, false), "{error}");
    }
}

#[test]
fn the_session_token_in_a_signature_error_is_not_shown() {
    let message = "The request signature we calculated does not match the signature you provided. Check your key.\n\n\
                   The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:hunter2'";
    for error in [json(400, "InvalidSignatureException", message), xml(403, "SignatureDoesNotMatch", message)]
    {
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn repeated_failures_and_request_ids_are_printed() {
    let throttled = Error::for_test(Kind::Throttled, 8, false);
    assert!(throttled.to_string().contains("8 times in a row"), "{throttled}");
    assert_eq!(json(400, "ClientException", "x").request_id.as_deref(), Some("r-1"));
}

#[test]
fn an_endless_message_is_cut_between_characters() {
    let error = json(400, "ClientException", &"ü".repeat(5_000));
    assert!(error.message.chars().count() <= 601 && error.message.ends_with('…'));
}
