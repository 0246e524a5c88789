//! From the SDK's error to ours.

use std::error::Error as StdError;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;

use super::codes::kind;
use super::{CredentialsProblem, Error, Failure, Kind, Source};
use crate::aws::call::Op;
use crate::aws::lite::error_of;
use crate::host::{HttpError, Unreached};

/// Long enough for AWS's longest sentences with two ARNs in them.
const MESSAGE: usize = 600;
/// Enough to recognise who answered.
const SNIPPET: usize = 120;

impl Error {
    /// Classifies the failure of attempt number `attempts`.
    pub(in crate::aws) fn of<E>(op: Op, attempts: u32, error: SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + 'static,
    {
        let mut failure = Failure {
            service: op.service,
            operation: op.name,
            kind: Kind::Other,
            code: None,
            message: String::new(),
            request_id: error.raw_response().and_then(request_id),
            attempts,
            may_have_happened: false,
            source: None,
        };
        match &error {
            SdkError::ServiceError(context) => {
                let found = context.err().meta();
                failure.of_reply(op, found.code(), found.message(), context.raw());
            }
            // A reply that cannot be read: it broke off, or it is not AWS's.
            SdkError::ResponseError(context) => match unreached(&error) {
                Some(error) => failure.of_transport(&error),
                None => failure.of_reply(op, None, None, context.raw()),
            },
            SdkError::TimeoutError(_) => {
                failure.kind = Kind::TimedOut;
                failure.may_have_happened = true;
                failure.message = chain(&error);
            }
            _ => failure.of_dispatch(&error),
        }
        failure.message = one_line(&failure.message, MESSAGE);
        Self(Box::new(failure))
    }

    /// A reply of an API without SDK crate that says success and cannot be read.
    pub(in crate::aws) fn unreadable(op: Op, body: &[u8], why: &str) -> Self {
        let kind = Kind::NotAws { status: 200, content_type: String::new(), snippet: snippet(body) };
        Self::found_here(op, kind, why, true)
    }

    /// A reply that lacks what AWS always sends there.
    pub(in crate::aws) fn incomplete(op: Op, what: &str) -> Self {
        Self::found_here(op, Kind::Incomplete, &format!("the reply has no {what}"), true)
    }

    /// The same error as that of attempt number `attempts`.
    pub(in crate::aws) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The same error with the source of the credentials, where it is about credentials.
    pub(in crate::aws) fn with_source(mut self, source: Option<&Source>) -> Self {
        if matches!(self.kind, Kind::Credentials(_) | Kind::ExpiredToken) {
            self.0.source = source.cloned();
        }
        self
    }

    /// A request that lacks a member without which the SDK cannot write it.
    pub(in crate::aws) fn unsendable(op: Op, why: &BuildError) -> Self {
        Self::found_here(op, Kind::Invalid, &why.to_string(), false)
    }

    /// A request that names a resource whose ARN the caller did not give.
    pub(in crate::aws) fn unknown_arn(op: Op, name: &str) -> Self {
        Self::found_here(op, Kind::Invalid, &format!("no ARN is known for {name}"), false)
    }

    /// A longer operation of AWS that was accepted and then failed; its codes are written in capitals.
    pub(in crate::aws) fn operation_failed(op: Op, code: &str, message: &str) -> Self {
        let kind = if code == "NAMESPACE_ALREADY_EXISTS" { Kind::AlreadyExists } else { Kind::Other };
        let mut error = Self::found_here(op, kind, message, true);
        error.0.code = Some(code.to_owned()).filter(|code| !code.is_empty());
        error
    }

    /// The same, where an earlier attempt of the call may have been carried out.
    pub(in crate::aws) fn or_earlier(mut self, happened: bool) -> Self {
        self.0.may_have_happened |= happened;
        self
    }

    fn found_here(op: Op, kind: Kind, message: &str, may_have_happened: bool) -> Self {
        Self(Box::new(Failure {
            service: op.service,
            operation: op.name,
            kind,
            code: None,
            message: one_line(message, MESSAGE),
            request_id: None,
            attempts: 1,
            may_have_happened,
            source: None,
        }))
    }
}

impl Failure {
    fn of_reply(&mut self, op: Op, code: Option<&str>, message: Option<&str>, raw: &HttpResponse) {
        let status = raw.status().as_u16();
        let body = raw.body().bytes().unwrap_or_default();
        let found = error_of(body);
        let code = code.map(str::to_owned).or_else(|| found.as_ref().map(|found| found.code.clone()));
        let message =
            message.map(str::to_owned).or_else(|| found.as_ref().map(|found| found.message.clone()));
        self.request_id = self.request_id.take().or(found.and_then(|found| found.request_id));
        let Some(code) = code.filter(|code| !code.is_empty()) else {
            let content_type = raw.headers().get("content-type").unwrap_or_default();
            let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
            // A gateway's own 429 has no code of AWS's.
            self.kind = match status {
                429 => Kind::Throttled,
                _ => Kind::NotAws { status, content_type, snippet: snippet(body) },
            };
            if status == 429 {
                self.message = "HTTP 429".to_owned();
            }
            self.may_have_happened = status >= 500 || raw.status().is_success();
            return;
        };
        let message = message.unwrap_or_default();
        let call = format!("{}:{}", op.service, op.name);
        self.kind = if op.late.contains(&code.as_str()) {
            Kind::NotReady
        } else {
            kind(&code, &message, status, &call)
        };
        self.may_have_happened = self.kind == Kind::ServerFault;
        // A wrong signature is explained with the request's canonical form, session token included.
        let signature = code.contains("Signature");
        self.message = if signature { first_sentence(&message).to_owned() } else { message };
        self.code = Some(code);
    }

    fn of_dispatch(&mut self, error: &(dyn StdError + 'static)) {
        let credentials = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                self.kind = Kind::Credentials(CredentialsProblem::Missing);
            }
            Some(credentials) => {
                self.message = chain(credentials);
                // The chain of sources ends with the instance metadata service. Away from EC2 its failure only
                // means that no earlier source had any.
                let last = causes(credentials).any(|cause| cause.is::<ImdsError>());
                let problem = if last { CredentialsProblem::Missing } else { CredentialsProblem::Unloadable };
                self.kind = Kind::Credentials(problem);
            }
            None => {
                self.message = chain(error);
                if let Some(error) = unreached(error) {
                    self.of_transport(&error);
                }
            }
        }
    }

    fn of_transport(&mut self, unreached: &Unreached) {
        self.message = unreached.to_string();
        self.may_have_happened = unreached.error.may_have_arrived();
        self.kind = match unreached.error {
            HttpError::TimedOut(_) => Kind::TimedOut,
            HttpError::Invalid(_) => Kind::Other,
            HttpError::Tls(_) => Kind::Unreachable { permanent: true },
            _ => Kind::Unreachable { permanent: false },
        };
    }
}

/// What the connection said, when the failure is one of the connection.
fn unreached(error: &(dyn StdError + 'static)) -> Option<Unreached> {
    causes(error).find_map(|cause| {
        if let Some(unreached) = cause.downcast_ref::<Unreached>() {
            return Some(unreached.clone());
        }
        // A body that breaks off half way is reported by the HTTP library itself.
        let broken = cause.downcast_ref::<reqwest::Error>()?;
        let host = broken.url().and_then(|url| url.host_str()).unwrap_or("the endpoint").to_owned();
        Some(Unreached { host, error: HttpError::of(broken) })
    })
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        error.source()
    })
}

/// The chain of causes without the outermost, which only says "dispatch failure" or the like, and without the
/// connector's own level, which only says what kind of failure it is.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let said = causes(error).skip(1).filter(|cause| !cause.is::<ConnectorError>());
    for part in said.map(ToString::to_string) {
        if !parts.iter().any(|earlier| earlier.contains(&part)) {
            parts.push(part);
        }
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

fn request_id(raw: &HttpResponse) -> Option<String> {
    ["x-amzn-requestid", "x-amz-request-id", "x-amz-requestid"]
        .iter()
        .find_map(|name| raw.headers().get(*name))
        .map(str::to_owned)
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).lines().next().unwrap_or_default()
}

/// A page's title, or the beginning of a body.
fn snippet(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        lower.get(start..)?.find("</title>").and_then(|length| text.get(start..start + length))
    });
    one_line(title.unwrap_or(&text), SNIPPET)
}

fn one_line(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.trim_end_matches('.').to_owned(),
    }
}
