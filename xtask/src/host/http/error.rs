//! Why a request got no answer.

use std::error::Error;
use std::io;
use std::time::Duration;

/// A request that got no answer. The text continues "cannot reach <host>: …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("connection refused")]
    Refused,
    /// The host's name is not known.
    #[error("the host name does not resolve")]
    Unresolved,
    /// No answer within the time limit of the request.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// No TLS session: an untrusted certificate, or a server that does not speak TLS.
    #[error("TLS: {0}")]
    Tls(String),
    /// No connection, for another reason.
    #[error("no connection: {0}")]
    Unconnected(String),
    /// The connection ended early. The request may have been carried out.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The request is not one that HTTP can carry.
    #[error("not a valid request: {0}")]
    Invalid(String),
}

/// A call of the SDK that got no answer, and from where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot reach {host}: {error}")]
pub struct Unreached {
    pub host: String,
    /// Why. Not a `source`: the text has it already.
    pub error: HttpError,
}

impl HttpError {
    /// Whether the request may have reached the other side. `false` means that it certainly did not.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Broken(_))
    }

    /// Whether the request certainly was not sent: nobody listens, the name does not resolve, there is no TLS session.
    /// This says something about the way from here to there, and nothing about what would have answered.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Refused | Self::Unresolved | Self::Tls(_) | Self::Unconnected(_))
    }

    /// Reads an error chain for what went wrong, outermost first; anything unknown is a broken connection.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        let mut last = error.to_string();
        while let Some(error) = next {
            if let Some(known) = Self::known(error) {
                return known;
            }
            last = error.to_string();
            next = error.source();
        }
        Self::Broken(last)
    }

    fn known(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(known) = error.downcast_ref::<Self>() {
            return Some(known.clone());
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(Self::Tls(tls.to_string()));
        }
        let io = error.downcast_ref::<io::Error>()?;
        // An io::Error that wraps another error leaves it out of its `source` chain.
        if let Some(known) = io.get_ref().and_then(|inner| Self::known(inner)) {
            return Some(known);
        }
        match io.kind() {
            io::ErrorKind::ConnectionRefused => Some(Self::Refused),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(Self::Broken(io.to_string())),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Some(Self::Unconnected(io.to_string()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_wrapped_in_an_io_error_is_found() {
        let tls = rustls::Error::General("bad certificate".into());
        let wrapped = io::Error::other(io::Error::other(tls));
        assert!(matches!(HttpError::of(&wrapped), HttpError::Tls(text) if text.contains("bad certificate")));
    }

    #[test]
    fn an_answer_that_breaks_off_is_no_proof_that_nobody_was_asked() {
        let unsent = [HttpError::Refused, HttpError::Unresolved, HttpError::Tls("expired".into())];
        assert!(unsent.iter().all(HttpError::is_unsent));
        assert!(!HttpError::TimedOut(Duration::from_secs(1)).is_unsent());
        assert!(!HttpError::Broken("reset".into()).is_unsent());
    }

    #[test]
    fn only_a_request_that_may_have_arrived_is_ambiguous() {
        let refused = HttpError::of(&io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(refused, HttpError::Refused);
        assert!(!refused.may_have_arrived());
        assert!(HttpError::of(&io::Error::from(io::ErrorKind::ConnectionReset)).may_have_arrived());
        assert!(HttpError::of(&io::Error::other("odd")).may_have_arrived(), "the unknown is the worst case");
        assert!(HttpError::TimedOut(Duration::from_secs(1)).may_have_arrived());
    }
}
