//! Loopback listeners: binding with a second choice, and serving HTTP until a stop is requested.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io::{ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Longer than a load balancer's idle timeout (60 s), so that a client never meets a connection that closes under it.
const CLIENT_IDLE: Duration = Duration::from_secs(75);

/// What a stop leaves to the replies in flight.
const LAST_REPLIES: Duration = Duration::from_secs(3);

/// A client that begins TLS and does not end it holds a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The first byte of a TLS connection: a record of the handshake (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// In a request's extensions: it came over TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secure;

/// In a request's extensions, one for each connection: whose its other end is, once somebody asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(pub(super) Arc<OnceLock<bool>>);

/// How a door speaks TLS, at the moments when it does.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    pub(super) spoken: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Becomes `true` once the daemon is to stop.
pub(super) type Stop = watch::Receiver<bool>;

/// Listens on loopback at `port`, or at a free port when it is taken.
pub(super) async fn bind(port: u16) -> Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
        }
        bound => bound,
    }
}

/// Serves `answer` until `stop`, then lets the replies in flight finish.
///
/// With `tls`, a connection that begins with a handshake gets one.
pub(super) async fn serve<A, F, B>(listener: TcpListener, mut stop: Stop, tls: Option<Tls>, answer: A)
where
    A: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = select! {
            biased;
            () = asked(&mut stop) => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, client)) => {
                connections.spawn(greet(stream, client, stop.clone(), tls.clone(), answer.clone()));
            }
            // Out of file descriptors, or a connection that was gone before it was accepted: neither ends the door.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let ended = timeout(LAST_REPLIES, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        connections.shutdown().await;
    }
}

async fn greet<A, F, B>(stream: TcpStream, client: SocketAddr, mut stop: Stop, tls: Option<Tls>, answer: A)
where
    A: Fn(SocketAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    // A socket option that cannot be set costs some milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    if let Some(tls) = tls {
        let mut first = [0];
        let peeked = select! {
            peeked = timeout(CLIENT_IDLE, stream.peek(&mut first)) => peeked,
            () = asked(&mut stop) => return,
        };
        if matches!(peeked, Ok(Ok(1))) && first[0] == TLS_HANDSHAKE && (tls.spoken)() {
            // A client that trusts another authority leaves here.
            let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.acceptor.accept(stream)).await else { return };
            let answer = move |client, mut request: Request<Incoming>| {
                request.extensions_mut().insert(Secure);
                answer(client, request)
            };
            return converse(stream, client, stop, answer).await;
        }
    }
    converse(stream, client, stop, answer).await;
}

async fn converse<S, A, F, B>(stream: S, client: SocketAddr, mut stop: Stop, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(SocketAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let seen = Seen::default();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(seen.clone());
        let reply = answer(client, request);
        async { Ok::<_, Infallible>(reply.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(CLIENT_IDLE);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // How a connection ends is its client's affair.
    select! {
        _ = connection.as_mut() => return,
        () = asked(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Resolves once the daemon is to stop, also when the sender was dropped.
pub(super) async fn asked(stop: &mut Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}
