//! Loopback listeners: binding with a second choice, and serving HTTP until told to stop.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io::{ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Longer than a load balancer's idle timeout (60 s), so that a client never meets a connection that closes under it.
const CLIENT_IDLE: Duration = Duration::from_secs(75);

/// What a stop leaves to the replies in flight.
const LAST_REPLIES: Duration = Duration::from_secs(3);

/// Told `true` once the daemon is to stop.
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
pub(super) async fn serve<A, F, B>(listener: TcpListener, mut stop: Stop, answer: A)
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
                connections.spawn(converse(stream, client, stop.clone(), answer.clone()));
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

async fn converse<A, F, B>(stream: TcpStream, client: SocketAddr, mut stop: Stop, answer: A)
where
    A: Fn(SocketAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    // A socket option that cannot be set costs some milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let reply = answer(client, request);
        async { Ok::<_, Infallible>(reply.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(CLIENT_IDLE);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is its client's affair.
    select! {
        _ = connection.as_mut() => return,
        () = asked(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Resolves once the daemon is to stop, also when whoever would say so is gone.
pub(super) async fn asked(stop: &mut Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}
