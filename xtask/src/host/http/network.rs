//! The network, by reqwest.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::{Client, ClientBuilder, redirect};

use super::HttpError;
use super::connect_to::{self, ConnectTo};

/// Long enough for a slow handshake through a proxy, short enough that a dead address is noticed.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Below the 20 seconds after which some AWS front ends close an idle connection: a request on a connection
/// that is closing at that moment breaks, and whether it was carried out is unknown.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// A connector over the network.
#[derive(Clone, Debug)]
pub(super) struct Network(Arc<Clients>);

#[derive(Debug)]
struct Clients {
    /// For plain HTTP to this machine. It trusts no certificate and uses no proxy, so that the embedded cloud
    /// works where there is neither a certificate store nor a network.
    near: Client,
    /// For everything else. Made when first needed: reading the certificate store costs time, and
    /// fails where there is none.
    far: OnceLock<Result<Client, HttpError>>,
}

impl Network {
    pub(super) fn new() -> Result<Self, HttpError> {
        // Fails when a provider is already installed, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let near = build(settings().no_proxy().tls_certs_only([]))?;
        Ok(Self(Arc::new(Clients { near, far: OnceLock::new() })))
    }

    fn client_for(&self, request: &reqwest::Request) -> Result<Client, HttpError> {
        if is_near(request.url().scheme(), request.url().host_str().unwrap_or_default()) {
            return Ok(self.0.near.clone());
        }
        self.0.far.get_or_init(|| build(settings())).clone()
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let invalid = |error: &dyn std::error::Error| HttpError::Invalid(error.to_string());
        let request = request.try_into_http1x().map_err(|error| invalid(&error))?;
        if let Some(to) = request.extensions().get::<ConnectTo>().cloned() {
            let reply = connect_to::exchange(&to, request, CONNECT_TIMEOUT).await?;
            return HttpResponse::try_from(reply.map(SdkBody::from)).map_err(|error| invalid(&error));
        }
        let request = request.map(|body| match body.bytes() {
            Some(bytes) => reqwest::Body::from(bytes.to_vec()),
            None => reqwest::Body::wrap(body),
        });
        let request = reqwest::Request::try_from(request).map_err(|error| invalid(&error))?;
        let client = self.client_for(&request)?;
        let reply: http::Response<reqwest::Body> =
            client.execute(request).await.map_err(|error| read(&error))?.into();
        HttpResponse::try_from(reply.map(SdkBody::from_body_1_x))
            .map_err(|error| HttpError::Broken(error.to_string()))
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let network = self.clone();
        HttpConnectorFuture::new(async move {
            network.exchange(request).await.map_err(|error| match error {
                HttpError::TimedOut(_) => ConnectorError::timeout(error.into()),
                HttpError::Invalid(_) => ConnectorError::user(error.into()),
                _ => ConnectorError::io(error.into()),
            })
        })
    }
}

fn settings() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(redirect::Policy::none())
}

fn build(settings: ClientBuilder) -> Result<Client, HttpError> {
    settings.build().map_err(|error| match HttpError::of(&error) {
        HttpError::Broken(text) => HttpError::Unconnected(text),
        known => known,
    })
}

/// reqwest knows about its own time limits and the resolver; the rest is in the chain of sources.
fn read(error: &reqwest::Error) -> HttpError {
    if error.is_dns() {
        return HttpError::Unresolved;
    }
    if error.is_timeout() {
        // Only the connect timeout is set here: the request was not sent.
        return HttpError::Unconnected(format!("no connection within {CONNECT_TIMEOUT:?}"));
    }
    match HttpError::of(error) {
        HttpError::Broken(text) if error.is_connect() => HttpError::Unconnected(text),
        known => known,
    }
}

/// Whether a URL is plain HTTP to this machine, or to a link-local address such as the instance metadata service.
pub(super) fn is_near(scheme: &str, host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    let near = match address {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    scheme == "http" && near
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::Http;
    use super::*;

    #[test]
    fn a_proxy_is_never_asked_for_this_machine_or_for_instance_credentials() {
        let near = ["127.0.0.1", "localhost", "app.localhost", "[::1]", "169.254.169.254", "169.254.170.2"];
        assert!(near.iter().all(|host| is_near("http", host)));
        assert!(is_near("http", "[fd00:ec2::254]"));
        for (scheme, host) in [("https", "127.0.0.1"), ("http", "10.0.0.1"), ("https", "ecs.amazonaws.com")] {
            assert!(!is_near(scheme, host), "{scheme}://{host}");
        }
    }

    async fn get(port: u16) -> Result<http::Response<Bytes>, HttpError> {
        let request = http::Request::get(format!("http://127.0.0.1:{port}/x")).body(Bytes::new()).unwrap();
        Http::system().unwrap().send(request, Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_an_error_status_is_an_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 1024]).await.unwrap();
            socket.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy").await.unwrap();
        };
        let (reply, ()) = tokio::join!(get(port), server);
        let reply = reply.unwrap();
        assert_eq!((reply.status().as_u16(), reply.body().as_ref()), (503, b"busy".as_slice()));
    }

    #[tokio::test]
    async fn a_refused_and_a_broken_connection_are_distinguished() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 1024]).await.unwrap();
            drop(socket);
        };
        let (reply, ()) = tokio::join!(get(port), server);
        assert!(matches!(reply, Err(HttpError::Broken(_))), "{reply:?}");
        drop(listener);
        assert_eq!(get(port).await.unwrap_err(), HttpError::Refused);
    }
}
