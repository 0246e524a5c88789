//! An HTTP client that the AWS SDK and the tool's own requests share.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Uri;
use http_body_util::BodyExt;

use super::connect_to::connect;
use super::network::{CONNECT_TIMEOUT, Network};
use super::{ByteStream, ConnectTo, HttpError, Socket, Unreached};

/// Carries HTTP requests; clones share its connections.
#[derive(Clone, Debug)]
pub struct Http {
    requests: SharedHttpConnector,
    /// Where WebSockets lead; the network when `None`.
    dialer: Option<Dialer>,
    /// What DNS says; this machine's resolver when `None`.
    names: Option<Arc<BTreeMap<String, Vec<IpAddr>>>>,
}

#[derive(Clone)]
struct Dialer(Arc<dyn Fn() -> Box<dyn ByteStream> + Send + Sync>);

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

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
    pub fn new(connector: impl HttpConnector + 'static) -> Self {
        Self { requests: SharedHttpConnector::new(connector), dialer: None, names: None }
    }

    /// The same, with what each WebSocket connects to.
    pub fn dialing(self, dial: impl Fn() -> Box<dyn ByteStream> + Send + Sync + 'static) -> Self {
        Self { dialer: Some(Dialer(Arc::new(dial))), ..self }
    }

    /// The same, with all the names that there are.
    pub fn knowing(self, names: BTreeMap<String, Vec<IpAddr>>) -> Self {
        Self { names: Some(Arc::new(names)), ..self }
    }

    /// The addresses of a name.
    ///
    /// # Errors
    /// The resolver's, also when there is no such name.
    pub async fn lookup(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match &self.names {
            Some(names) => names.get(name).cloned().ok_or_else(|| std::io::Error::other("no such name")),
            None => Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()),
        }
    }

    /// The same client in the form that the SDK asks for.
    pub fn sdk(&self) -> SharedHttpClient {
        let connector = self.requests.clone();
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
            let reply = self.requests.call(request).await.map_err(|error| HttpError::of(&error))?;
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

    /// Opens a WebSocket to a `ws:` or `wss:` URL, through the proxy that this machine uses for HTTP to the same host.
    ///
    /// # Errors
    /// [`HttpError`] when there is no connection, or the server does not upgrade it.
    pub async fn socket(&self, url: &str) -> Result<Socket, HttpError> {
        let invalid = || HttpError::Invalid(format!("{url} is not a WebSocket's URL"));
        let rest = url.strip_prefix("ws").filter(|rest| rest.starts_with([':', 's'])).ok_or_else(invalid)?;
        let uri = format!("http{rest}").parse::<Uri>().map_err(|_| invalid())?;
        let stream = match &self.dialer {
            Some(Dialer(dial)) => dial(),
            None => {
                let host = uri.host().ok_or_else(invalid)?;
                let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
                let address = format!("{host}:{}", uri.port_u16().unwrap_or(usual));
                connect(&ConnectTo { address, authority: None }, &uri, CONNECT_TIMEOUT).await?
            }
        };
        // An endpoint that takes the connection and never upgrades it must not hold the command for ever.
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, Socket::open(stream, url)).await;
        opened.map_err(|_| HttpError::TimedOut(CONNECT_TIMEOUT))?
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
