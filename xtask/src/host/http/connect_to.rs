//! A request by one name to another address: what `curl --connect-to` does.
//!
//! A load balancer answers by the public name before DNS says so, and when DNS says something else. reqwest cannot do this:
//! behind a proxy it leaves the address to the proxy, and it trusts the same authorities for every request. Each request has
//! a connection of its own.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::future::join;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{ByteStream, HttpError};

/// In a request's extensions: where its connection goes. The URL's name stays the TLS server name and the `Host` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    pub address: String,
    /// The only certificate authority that is trusted, in PEM; `None` is what this machine trusts.
    pub authority: Option<Arc<str>>,
}

/// A proxy's answer to CONNECT is a few lines.
const LONGEST_HEAD: usize = 8192;

/// Sends the request. Whatever goes wrong within `limit` and before it is sent is an error that [`HttpError::is_unsent`].
pub(super) async fn exchange(
    to: &ConnectTo,
    request: Request<SdkBody>,
    limit: Duration,
) -> Result<Response<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let body = Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
    let stream = connect(to, &parts.uri, limit).await?;
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str());
        parts.headers.insert(HOST, host.map_err(|error| HttpError::Invalid(error.to_string()))?);
    }
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    parts.uri = parts.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let broken = |error: hyper::Error| HttpError::of(&error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async move {
        let (parts, body) = sender.send_request(Request::from_parts(parts, body)).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    };
    // The connection's own error shows in the answer.
    let (_, answer) = join(connection, answer).await;
    answer.map_err(broken)
}

/// A connection to `to`, through the proxy that this machine uses for it, and TLS when the URL says `https`.
pub(super) async fn connect(
    to: &ConnectTo,
    uri: &Uri,
    limit: Duration,
) -> Result<Box<dyn ByteStream>, HttpError> {
    let late = |_| HttpError::Unconnected(format!("no connection within {limit:?}"));
    tokio::time::timeout(limit, reach_through(to, uri)).await.map_err(late)?
}

async fn reach_through(to: &ConnectTo, uri: &Uri) -> Result<Box<dyn ByteStream>, HttpError> {
    let stream = match proxy(to, uri) {
        Some(proxy) => tunnel(&proxy, &to.address).await?,
        None => reach(&to.address).await?,
    };
    if uri.scheme_str() != Some("https") {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(uri.host().unwrap_or_default().to_owned())
        .map_err(|error| HttpError::Invalid(error.to_string()))?;
    let tls = TlsConnector::from(trusting(to.authority.as_deref())?);
    Ok(Box::new(tls.connect(name, stream).await.map_err(|error| unsent(&error))?))
}

/// This machine is never reached through a proxy.
fn proxy(to: &ConnectTo, uri: &Uri) -> Option<Intercept> {
    let address = format!("{}://{}/", uri.scheme_str()?, to.address).parse::<Uri>().ok()?;
    let near = super::network::is_near("http", address.host().unwrap_or_default());
    if near { None } else { Matcher::from_system().intercept(&address) }
}

async fn reach(address: &str) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::Unresolved;
    for address in tokio::net::lookup_host(address).await.map_err(|_| HttpError::Unresolved)? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = unsent(&error),
        }
    }
    Err(last)
}

/// A way through the proxy to `address`, whose name the proxy resolves.
async fn tunnel(proxy: &Intercept, address: &str) -> Result<TcpStream, HttpError> {
    let uri = proxy.uri();
    let host = uri.host().unwrap_or_default();
    let refused = |why: &str| HttpError::Unconnected(format!("the proxy {host} {why}"));
    if uri.scheme_str() != Some("http") {
        return Err(refused("is not an HTTP proxy"));
    }
    let mut stream = reach(&format!("{host}:{}", uri.port_u16().unwrap_or(80))).await?;
    let login = proxy.basic_auth().and_then(|login| login.to_str().ok());
    let login = login.map(|login| format!("Proxy-Authorization: {login}\r\n")).unwrap_or_default();
    let ask = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n{login}\r\n");
    stream.write_all(ask.as_bytes()).await.map_err(|error| unsent(&error))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte: what follows the head belongs to the server behind the proxy.
        head.push(stream.read_u8().await.map_err(|error| unsent(&error))?);
        if head.len() > LONGEST_HEAD {
            return Err(refused("answers nonsense"));
        }
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some(code) if code.starts_with('2') => Ok(stream),
        _ => Err(refused(&format!("answers {status}"))),
    }
}

/// What this machine trusts is read once: that takes time.
fn trusting(authority: Option<&str>) -> Result<Arc<ClientConfig>, HttpError> {
    static MACHINE: OnceLock<Result<Arc<ClientConfig>, HttpError>> = OnceLock::new();
    let unusable = |error: &dyn std::error::Error| HttpError::Tls(error.to_string());
    let Some(pem) = authority else {
        let machine =
            || ClientConfig::with_platform_verifier().map(Arc::new).map_err(|error| unusable(&error));
        return MACHINE.get_or_init(machine).clone();
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Nothing of the request was sent yet, so no failure is ambiguous.
fn unsent(error: &io::Error) -> HttpError {
    match HttpError::of(error) {
        HttpError::Broken(text) => HttpError::Unconnected(text),
        known => known,
    }
}
