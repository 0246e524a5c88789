//! A proxy in front of applications that close their connections.

use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::tests::stage::{self, serve};
use super::*;

const PATIENCE: Patience =
    Patience { head: Duration::from_secs(5), uploads: true, piece: Duration::from_secs(5) };

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A proxy to one address.
async fn proxy(to: SocketAddr) -> stage::Served {
    let pool = Pool::default();
    serve(move |_, request| {
        let pool = pool.clone();
        async move {
            match pool.send(to, request.map(Upload::of), PATIENCE).await {
                Ok(reply) => reply,
                Err(failure) => {
                    let mut reply = Response::new(whole(""));
                    let unsent = matches!(failure, Failure::Unsent(_));
                    *reply.status_mut() = StatusCode::from_u16(if unsent { 503 } else { 502 }).unwrap();
                    reply
                }
            }
        }
    })
    .await
}

/// An application that answers `each` requests of a connection and then closes it without a word.
async fn closing(each: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (to, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            seen.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                for _ in 0..each {
                    request_head(&mut stream).await;
                    stream.write_all(REPLY).await.unwrap();
                }
                // It closes when the next request is there: a client cannot see it before.
                request_head(&mut stream).await;
            });
        }
    });
    (to, connections)
}

async fn request_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

async fn ask(proxy: &stage::Served, method: &str) -> u16 {
    let request = Request::builder().method(method).uri("/").header("host", "h").body("").unwrap();
    stage::send(proxy.address, request).await.0
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_is_one_to_the_task() {
    let clients = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&clients);
    let app = serve(move |client, _| {
        seen.lock().unwrap().push(client);
        async { Response::new(whole("ok")) }
    })
    .await;
    let proxy = proxy(app.address).await;
    for _ in 0..5 {
        assert_eq!(ask(&proxy, "GET").await, 200);
        assert_eq!(ask(&proxy, "POST").await, 200);
    }
    let clients = clients.lock().unwrap();
    assert_eq!(clients.len(), 10);
    assert!(clients.iter().all(|client| *client == clients[0]), "one connection: {clients:?}");
}

#[tokio::test]
async fn a_kept_connection_that_closes_costs_no_safe_request_and_repeats_no_other() {
    let (to, connections) = closing(1).await;
    let proxy = proxy(to).await;
    for _ in 0..4 {
        assert_eq!(ask(&proxy, "GET").await, 200);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 4);
    assert_eq!(ask(&proxy, "POST").await, 502, "it may have been carried out");
    assert_eq!(connections.load(Ordering::Relaxed), 4, "it was not repeated");
    assert_eq!(ask(&proxy, "GET").await, 200);
}
