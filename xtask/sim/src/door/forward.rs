//! What both data planes do with a request: a fresh connection to a task, the header hygiene of a proxy, and a body
//! that streams until it goes silent.
//!
//! Connections to tasks are never kept: one that a stopping task closes at the moment it is reused would fail a request
//! that no fault of the client or the task explains, and on loopback a new one costs next to nothing.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};

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

/// Makes a request ready for the next hop: origin form, HTTP/1.1, no hop-by-hop headers.
pub(crate) fn onward<B>(request: &mut Request<B>) {
    let target =
        request.uri().path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = target.into();
    *request.version_mut() = Version::HTTP_11;
    strip_hop_by_hop(request.headers_mut());
}

/// The reply for the client: no hop-by-hop headers, and a body that breaks off after `idle` without a byte.
pub(crate) fn back(mut reply: Response<Incoming>, idle: Duration) -> Response<ReplyBody> {
    strip_hop_by_hop(reply.headers_mut());
    *reply.version_mut() = Version::HTTP_11;
    reply.map(|body| Idle { body, limit: idle, timer: Box::pin(sleep(idle)) }.boxed_unsync())
}

pub(crate) fn whole(body: impl Into<Bytes>) -> ReplyBody {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Removes the headers that concern one connection (RFC 9110, 7.6.1), also those that `Connection` names.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
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
}

/// A body that fails once nothing has come for `limit`.
struct Idle<B> {
    body: B,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for Idle<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let later = Instant::now() + self.limit;
            self.timer.as_mut().reset(later);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err("nothing came within the idle timeout".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
