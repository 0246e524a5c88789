//! Stand-ins for tests: an application behind a data plane, and a client in front of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::super::forward::{self, ReplyBody, whole};
use super::super::listen;

/// Serves for as long as it is kept.
pub(in crate::door) struct Served {
    pub(in crate::door) address: SocketAddr,
    _stop: watch::Sender<bool>,
}

/// Serves `answer` on a free port.
pub(in crate::door) async fn serve<A, F>(answer: A) -> Served
where
    A: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(listen::serve(listener, stopping, None, answer));
    Served { address, _stop: stop }
}

/// An application that answers with its name, the request line and the headers that it was sent.
pub(in crate::door) async fn application(name: &'static str) -> Served {
    serve(move |_, request| async move {
        if request.uri().path() == "/silent" {
            std::future::pending::<()>().await;
        }
        let mut said = format!("{name}: {} {}\n", request.method(), request.uri());
        for (header, value) in request.headers() {
            said += &format!("{header}: {}\n", value.to_str().unwrap());
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(whole(said + &String::from_utf8_lossy(&body)))
    })
    .await
}

/// A port that refuses connections: bound, so that no other test of this process gets it, and not listening.
pub(in crate::door) fn dead_port() -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    std::mem::forget(socket);
    port
}

/// Sends a request and gives the reply's status and body.
pub(in crate::door) async fn send(to: SocketAddr, request: Request<&str>) -> (u16, String) {
    let reply = open(to, request).await;
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Sends a request and gives the reply with its body still to come.
pub(in crate::door) async fn open(to: SocketAddr, request: Request<&str>) -> Response<Incoming> {
    let stream = forward::connect(to).await.unwrap();
    let request = request.map(|body| Full::new(Bytes::from(body.to_owned())));
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, forward::send(stream, request)).await.unwrap().unwrap()
}
