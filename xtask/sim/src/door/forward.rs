//! What both data planes do with a request and its reply: the header hygiene of a proxy, and WebSockets.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::{sleep, timeout};

/// A loopback connection is there at once or not at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a reply, streamed or whole.
pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, BoxError>;

/// Opens a connection; nothing of a request has been sent when this fails.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends one request over a connection that serves nothing else; resolves with the head of the reply.
pub(crate) async fn send<B>(stream: TcpStream, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The connection's own error shows in the reply or in its body. It ends with the body, as the sender is dropped.
    tokio::spawn(connection);
    sender.send_request(request).await
}

/// Makes a request ready for the next hop: origin form, HTTP/1.1, no hop-by-hop headers. Gives the client's end of a
/// WebSocket that is asked for.
pub(super) fn onward<B>(request: &mut Request<B>) -> Option<OnUpgrade> {
    let target =
        request.uri().path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = target.into();
    *request.version_mut() = Version::HTTP_11;
    let wanted = strip_hop_by_hop(request.headers_mut());
    wanted.then(|| hyper::upgrade::on(request))
}

/// Makes a reply ready for the client.
pub(super) fn back<B>(reply: &mut Response<B>) {
    strip_hop_by_hop(reply.headers_mut());
    *reply.version_mut() = Version::HTTP_11;
}

/// Carries a WebSocket until an end closes it, or nothing has come for `silence`.
pub(super) async fn carry(client: OnUpgrade, task: OnUpgrade, silence: Duration) {
    let (Ok(client), Ok(task)) = tokio::join!(client, task) else { return };
    let (from_client, to_client) = split(TokioIo::new(client));
    let (from_task, to_task) = split(TokioIo::new(task));
    let pieces = AtomicU64::new(0);
    let both =
        async { tokio::join!(pass(from_client, to_task, &pieces), pass(from_task, to_client, &pieces)) };
    let silent = async {
        loop {
            let before = pieces.load(Ordering::Relaxed);
            sleep(silence).await;
            if pieces.load(Ordering::Relaxed) == before {
                return;
            }
        }
    };
    select! {
        _ = both => {}
        () = silent => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    pieces: &AtomicU64,
) -> io::Result<()> {
    let mut piece = [0; 8192];
    loop {
        match from.read(&mut piece).await? {
            0 => return to.shutdown().await,
            length => to.write_all(&piece[..length]).await?,
        }
        pieces.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn whole(body: impl Into<Bytes>) -> ReplyBody {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Removes the headers that concern one connection (RFC 9110, 7.6.1), also those that `Connection` names; an upgrade to a
/// WebSocket stays, the only one that load balancers carry. True when there is one.
fn strip_hop_by_hop(headers: &mut HeaderMap) -> bool {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let to = headers.get(UPGRADE).filter(|_| named.contains(&UPGRADE));
    let websocket = to.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let always = [
        CONNECTION,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    for name in named.iter().chain(&always) {
        headers.remove(name);
    }
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    websocket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_do_not_reach_the_next() {
        let mut request = Request::get("http://backend.ielts.local:8080/api/x?y=1").body(()).unwrap();
        for (name, value) in [
            ("connection", "close, x-secret-hop"),
            ("x-secret-hop", "1"),
            ("keep-alive", "5"),
            ("proxy-authorization", "Basic dDp4"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "text/html"),
        ] {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        onward(&mut request);
        assert_eq!(request.uri(), "/api/x?y=1");
        assert_eq!(request.headers().keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }
}
