//! What can go wrong with a call, classified once.
//!
//! By error code; by text only where AWS gives one code to different problems (see `codes`). Whoever handles an
//! error matches on its [`Kind`].

mod codes;
mod hint;
mod sdk;

use std::fmt;
use std::ops::Deref;

/// A call that failed for good.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Failure>);

/// What an [`Error`] says; it derefs to this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The prefix of the operation's IAM action, such as `ecs`.
    pub service: &'static str,
    /// The operation, such as `CreateService`.
    pub operation: &'static str,
    /// What kind of problem it is.
    pub kind: Kind,
    /// AWS's code, as it came.
    pub code: Option<String>,
    /// AWS's words or the transport's, cut to one line.
    pub message: String,
    /// AWS's id of the request, for its support.
    pub request_id: Option<String>,
    /// How many attempts were made.
    pub attempts: u32,
    /// The call may have been carried out all the same: its reply was lost, or AWS failed on the way.
    pub may_have_happened: bool,
    /// Where the credentials come from, where the environment names it.
    pub source: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A profile of AWS's configuration files.
    Profile {
        name: String,
        /// Whether the files have it.
        exists: bool,
    },
    /// The token of an identity provider in this file, such as a Kubernetes pod's, and a role for it.
    WebIdentity(String),
}

/// Kinds of problems, by what one does about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Too many calls; again later.
    Throttled,
    /// AWS failed (ServerException or a 5xx): a later attempt may succeed.
    ServerFault,
    /// No answer; `permanent` when it will not help to ask again, as with an untrusted certificate.
    Unreachable {
        /// Whether asking again is of no use.
        permanent: bool,
    },
    TimedOut,
    Credentials(CredentialsProblem),
    ExpiredToken,
    /// The machine's clock is too far from AWS's.
    ClockSkew,
    /// The caller may not do this.
    AccessDenied {
        /// The action that is not allowed, such as `iam:PassRole`.
        action: String,
    },
    NotFound,
    AlreadyExists,
    /// It is in a state that does not allow this.
    Conflict,
    /// What was made a moment ago is not seen everywhere yet.
    NotReady,
    /// A quota is used up.
    Quota,
    /// AWS does not accept the request as it is.
    Invalid,
    /// The endpoint does not know the operation or lacks the feature.
    Unsupported,
    /// The answer is not AWS's: a proxy's page, an empty body.
    NotAws {
        status: u16,
        /// Its `Content-Type`, empty when it has none.
        content_type: String,
        /// The title or the beginning of the body.
        snippet: String,
    },
    /// A success whose reply lacks what AWS always sends there.
    Incomplete,
    Other,
}

/// What is wrong with the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsProblem {
    Missing,
    /// A source is configured and cannot be used.
    Unloadable,
    /// AWS does not know them.
    Rejected,
}

impl Error {
    /// Whether the endpoint lacks the operation or the caller may not use it: an optional read is then left out.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, Kind::Unsupported | Kind::AccessDenied { .. })
    }

    /// What the operator can do, in a sentence; `None` when AWS's words say all there is.
    pub fn hint(&self) -> Option<String> {
        hint::of(self)
    }

    #[cfg(test)]
    pub(in crate::aws) fn for_test(kind: Kind, attempts: u32, may_have_happened: bool) -> Self {
        Self(Box::new(Failure {
            service: "ecs",
            operation: "CreateService",
            kind,
            code: None,
            message: String::new(),
            request_id: None,
            attempts,
            may_have_happened,
            source: None,
        }))
    }
}

/// Deleting what is not there has succeeded.
pub(in crate::aws) fn gone(error: Error) -> Result<(), Error> {
    if matches!(error.kind, Kind::NotFound) { Ok(()) } else { Err(error) }
}

/// A read of what may not be there.
pub(in crate::aws) fn found<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if matches!(error.kind, Kind::NotFound) => Ok(None),
        read => read.map(Some),
    }
}

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl std::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    /// One sentence, without a full stop at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // These are of the caller and not of the operation: any other would have failed alike.
        if !matches!(self.kind, Kind::Credentials(_) | Kind::ExpiredToken | Kind::ClockSkew) {
            write!(f, "{}:{} ", self.service, self.operation)?;
        }
        let counts = matches!(
            self.kind,
            Kind::Throttled
                | Kind::ServerFault
                | Kind::Unreachable { .. }
                | Kind::TimedOut
                | Kind::Incomplete
        );
        f.write_str(&self.reason())?;
        if counts && self.attempts > 1 { write!(f, ", {} times in a row", self.attempts) } else { Ok(()) }
    }
}

impl Failure {
    /// What happened to the call, to follow its name: "was throttled (…)".
    pub fn reason(&self) -> String {
        let said = match &self.code {
            Some(code) if self.message.is_empty() => code.clone(),
            Some(code) => format!("{code}: {}", self.message),
            None => self.message.clone(),
        };
        match &self.kind {
            Kind::Throttled => format!("was throttled ({said})"),
            Kind::ServerFault => format!("failed inside AWS ({said})"),
            Kind::Unreachable { .. } | Kind::TimedOut => format!("got no answer: {said}"),
            // The SDK passes over a profile that does not exist and reports only that there are no credentials.
            Kind::Credentials(_) if let Some(Source::Profile { name, exists: false }) = &self.source => {
                format!("profile `{name}` is not in the AWS configuration files")
            }
            Kind::Credentials(CredentialsProblem::Missing) if said.is_empty() => {
                "no AWS credentials were found".to_owned()
            }
            Kind::Credentials(CredentialsProblem::Missing) => {
                format!("no AWS credentials were found; the last place that was asked says: {said}")
            }
            Kind::Credentials(CredentialsProblem::Unloadable) => {
                let of = match &self.source {
                    Some(Source::Profile { name, .. }) => format!(" of profile `{name}`"),
                    Some(Source::WebIdentity(file)) => format!(" for the web identity token `{file}`"),
                    None => String::new(),
                };
                format!("the AWS credentials{of} cannot be loaded: {said}")
            }
            Kind::Credentials(CredentialsProblem::Rejected) => {
                format!("AWS does not accept the credentials ({said})")
            }
            Kind::ExpiredToken => format!("the AWS credentials have expired ({said})"),
            Kind::ClockSkew => format!("this machine's clock is too far from AWS's ({said})"),
            Kind::AccessDenied { action } => format!("was denied: the caller may not {action} ({said})"),
            Kind::Unsupported => format!("is not supported by the endpoint ({said})"),
            Kind::NotAws { status, content_type, snippet } => {
                let body = match (content_type.as_str(), snippet.as_str()) {
                    (_, "") => "an empty body".to_owned(),
                    ("", snippet) => format!("\"{snippet}\""),
                    (content_type, snippet) => format!("{content_type} \"{snippet}\""),
                };
                format!("was not answered by AWS: HTTP {status} with {body}")
            }
            _ => format!("failed: {said}"),
        }
    }
}

#[cfg(test)]
mod tests;
