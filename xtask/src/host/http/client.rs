//! An HTTP client that the AWS SDK and the tool's own requests share.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::network::Network;
use super::{HttpError, Unreached};

/// Carries HTTP requests; clones share its connections.
#[derive(Clone, Debug)]
pub struct Http(SharedHttpConnector);

impl Http {
    /// Uses the network. Proxy variables are honoured, except for plain HTTP to this machine and to the link-local addresses
    /// where AWS keeps credentials of instances and containers: a proxy could not reach either. Redirects
    /// are answers like any other.
    ///
    /// # Errors
    /// [`HttpError::Unconnected`] when no client can be built.
    pub fn system() -> Result<Self, HttpError> {
        Ok(Self::new(Network::new()?))
    }

    /// Whatever else carries HTTP, such as an embedded cloud in this process.
    #[must_use]
    pub fn new(connector: impl HttpConnector + 'static) -> Self {
        Self(SharedHttpConnector::new(connector))
    }

    /// The same client in the form that the SDK asks for.
    #[must_use]
    pub fn sdk(&self) -> SharedHttpClient {
        let connector = self.0.clone();
        http_client_fn(move |settings, _| {
            let limit =
                settings.connect_timeout().zip(settings.read_timeout()).map(|(connect, read)| connect + read);
            SharedHttpConnector::new(ForSdk { connector: connector.clone(), limit })
        })
    }

    /// Sends a request and reads its whole answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] when there is no complete answer within `timeout`.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let exchange = async {
            let request = HttpRequest::try_from(request.map(SdkBody::from))
                .map_err(|error| HttpError::Invalid(error.to_string()))?;
            let reply = self.0.call(request).await.map_err(|error| HttpError::of(&error))?;
            let reply = reply.try_into_http1x().map_err(|error| HttpError::of(&error))?;
            let (parts, body) = reply.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|error| HttpError::of(error.as_ref() as &(dyn Error + 'static)))?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(HttpError::TimedOut(timeout)))
    }
}

/// A connector as the SDK gets it: its failures name the host, and it gives up when the SDK asked for both a
/// connect and a read timeout, as its client for the instance metadata service does. Away from EC2 nothing
/// answers there, and credentials must not take minutes to be missing.
#[derive(Debug)]
struct ForSdk {
    connector: SharedHttpConnector,
    limit: Option<Duration>,
}

impl HttpConnector for ForSdk {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host(request.uri());
        let limit = self.limit;
        let call = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let late = |limit| Err(ConnectorError::timeout(HttpError::TimedOut(limit).into()));
            let reply = match limit {
                Some(limit) => tokio::time::timeout(limit, call).await.unwrap_or_else(|_| late(limit)),
                None => call.await,
            };
            reply.map_err(|error| {
                let error = Unreached { host, error: HttpError::of(&error) };
                match error.error {
                    HttpError::TimedOut(_) => ConnectorError::timeout(error.into()),
                    HttpError::Invalid(_) => ConnectorError::user(error.into()),
                    _ => ConnectorError::io(error.into()),
                }
            })
        })
    }
}

/// Host and port of a URL.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
}
