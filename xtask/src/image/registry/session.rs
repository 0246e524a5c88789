//! Requests to one repository of one registry: credentials, time limits, retries.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};

use super::event::PushEvent;
use super::{Error, address, backoff, reply};
use crate::host::{Host, HttpError, Rng, Secret};

/// For an answer to a request without a body. ECR answers within a second; a proxy may take its time.
const QUIET: Duration = Duration::from_secs(30);
/// Slowest upload that is allowed for, in bytes per second.
const SLOWEST: u64 = 64 * 1024;

/// A repository of a registry, and the right to push to it.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Such as `https://123456789012.dkr.ecr.ap-southeast-1.amazonaws.com`, which is
    /// the `proxyEndpoint` that GetAuthorizationToken gives.
    pub base_url: String,
    pub repository: String,
    /// The credential to push with; `None` for a registry that needs none.
    pub credential: Option<Credential>,
}

/// The right to push, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential(Secret);

impl Credential {
    /// The whole value of an `Authorization` header: `Basic ` and an `authorizationToken` of ECR's
    /// GetAuthorizationToken, which is `AWS:<password>` in base64 and valid for twelve hours.
    pub fn of_header(value: &str) -> Self {
        Self(Secret::new(value))
    }
}

#[derive(Debug)]
pub(super) struct Failure {
    /// What is reported when there is no further attempt; boxed, because every answer passes through such a result.
    pub(super) error: Box<Error>,
    /// Whether another attempt may succeed.
    pub(super) again: bool,
    /// The pause that the registry asks for.
    pub(super) after: Option<Duration>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), again: false, after: None }
    }
}

impl From<address::Unusable> for Failure {
    fn from(unusable: address::Unusable) -> Self {
        Error::from(unusable).into()
    }
}

pub(super) struct Session<'a> {
    host: &'a Host,
    rng: Rng,
    base: Uri,
    repository: &'a str,
    authorization: Option<HeaderValue>,
    on_event: &'a (dyn Fn(PushEvent) + Sync),
}

impl<'a> Session<'a> {
    pub(super) fn new(
        host: &'a Host,
        registry: &'a Registry,
        on_event: &'a (dyn Fn(PushEvent) + Sync),
    ) -> Result<Self, Error> {
        let base = address::base(&registry.base_url)?;
        let authorization = match &registry.credential {
            Some(_) if address::exposes(&base) => {
                return Err(Error::Exposed { host: address::host(&base).to_owned() });
            }
            Some(Credential(value)) => {
                let mut value = HeaderValue::from_str(value.expose()).map_err(|_| Error::Credential)?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let repository = registry.repository.as_str();
        // One stream for each repository: two pushes at once then repeat exactly, however their requests interleave.
        let rng = host.rng.stream(&format!("registry {repository}"));
        Ok(Self { host, rng, base, repository, authorization, on_event })
    }

    /// The registry, to name it in a sentence.
    pub(super) fn host(&self) -> String {
        address::host(&self.base).to_owned()
    }

    pub(super) fn repository(&self) -> &str {
        self.repository
    }

    pub(super) fn report(&self, event: PushEvent) {
        (self.on_event)(event);
    }

    /// The address of something in the repository, such as `blobs/sha256:…`.
    pub(super) fn uri(&self, what: &str) -> Result<Uri, Failure> {
        Ok(address::at(&self.base, &format!("/v2/{}/{what}", self.repository))?)
    }

    /// Sends one request. Answers that every caller treats alike are failures already: those that pass by
    /// themselves, those that concern the caller's rights, and web pages.
    pub(super) async fn send(
        &self,
        method: Method,
        uri: &Uri,
        headers: &[(HeaderName, &str)],
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let named = format!("{method} {}", uri.path());
        let timeout = QUIET + Duration::from_secs(body.len() as u64 / SLOWEST);
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| self.refused(&named, 0, format!("{name} cannot be sent: {value:?}")))?;
            request.headers_mut().insert(name, value);
        }
        if let Some(authorization) = &self.authorization {
            // A registry may redirect to storage elsewhere, with a signature in the URL: the password is not for that host.
            if address::same_origin(&self.base, uri) {
                request.headers_mut().insert(AUTHORIZATION, authorization.clone());
            }
        }
        let answer = self.host.http.send(request, timeout).await.map_err(|cause| Failure {
            // A wrong certificate and a malformed address stay wrong.
            again: !matches!(cause, HttpError::Tls(_) | HttpError::Invalid(_)),
            after: None,
            error: Box::new(Error::Unreachable { host: address::host(uri).to_owned(), cause, attempts: 1 }),
        })?;
        self.sort(&named, answer)
    }

    fn sort(&self, request: &str, answer: Response<Bytes>) -> Result<Response<Bytes>, Failure> {
        let said = || reply::said(&answer);
        if reply::passes(&answer) {
            let error = Box::new(self.refused(request, answer.status().as_u16(), said()));
            return Err(Failure { error, again: true, after: reply::retry_after(&answer) });
        }
        let host = self.host();
        match answer.status() {
            StatusCode::UNAUTHORIZED => Err(Error::Unauthorized { host, said: said() }.into()),
            StatusCode::FORBIDDEN => {
                Err(Error::Denied { host, request: request.to_owned(), said: said() }.into())
            }
            status if status.is_success() && is_page(&answer) => {
                Err(self.refused(request, status.as_u16(), said()).into())
            }
            _ => Ok(answer),
        }
    }

    /// The error for an answer that has no more specific one.
    pub(super) fn refused(&self, request: &str, status: u16, said: String) -> Error {
        Error::Refused { host: self.host(), request: request.to_owned(), status, said }
    }

    /// Waits before the next attempt of something that has just failed for the `attempt`th time (from 1).
    ///
    /// Callers loop themselves: a loop that took the attempt as an asynchronous closure would give futures
    /// that cannot move between threads.
    ///
    /// # Errors
    /// When another attempt would not help, or there were enough.
    pub(super) async fn before_next(&self, attempt: u32, failure: Failure) -> Result<(), Error> {
        if !failure.again || attempt >= backoff::ATTEMPTS_MAX {
            return Err(match *failure.error {
                Error::Unreachable { host, cause, .. } => {
                    Error::Unreachable { host, cause, attempts: attempt }
                }
                error => error,
            });
        }
        let wait = backoff::wait(&self.rng, attempt, failure.after);
        self.report(PushEvent::Retrying { error: failure.error.to_string(), wait });
        self.host.clock.sleep(wait).await;
        Ok(())
    }
}

fn is_page(answer: &Response<Bytes>) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with("text/html"))
}
