//! The load balancer in front of stand-in applications.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::super::forward;
use super::super::tests::stage::{Served, application, dead_port, open, send, serve};
use super::*;

/// A load balancer whose one rule goes to these tasks.
async fn balancer(tasks: &[(&str, u16)]) -> Served {
    sticky(tasks, None).await
}

/// The same, where clients keep their targets for so many seconds.
async fn sticky(tasks: &[(&str, u16)], sticky_secs: Option<u64>) -> Served {
    let targets: Vec<RouteTarget> = tasks
        .iter()
        .map(|(task, _)| RouteTarget { task: (*task).to_owned(), port: 8080, healthy: true })
        .collect();
    let route = Route::Forward { target_group: "tg".to_owned(), targets, sticky_secs };
    balance(tasks, Box::new(move |_| route.clone())).await
}

async fn balance(tasks: &[(&str, u16)], router: Router) -> Served {
    let ports = Ports::default();
    for (task, port) in tasks {
        ports.pretend(task, 8080, *port);
    }
    let doors: Doors = Box::new(|port| (port == 443).then_some(8089));
    let alb = Arc::new(Alb::new(router, doors, ports, 8088).with_idle(Duration::from_millis(200)));
    serve(move |client, request| {
        let alb = Arc::clone(&alb);
        async move { alb.answer(client, request).await }
    })
    .await
}

/// A body that comes when the test says so.
struct Chunks(mpsc::Receiver<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = forward::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

fn get(path: &str) -> Request<&'static str> {
    Request::get(path).header("host", "shop.example").body("").unwrap()
}

#[tokio::test]
async fn a_request_arrives_whole_and_the_target_learns_who_sent_it() {
    let app = application("app").await;
    let alb = balancer(&[("t", app.address.port())]).await;
    let request = Request::post("/api/bands?x=1")
        .header("host", "shop.example")
        .header("connection", "close, x-hop")
        .header("x-hop", "1")
        .header("x-forwarded-for", "203.0.113.7")
        .body("{\"a\":1}")
        .unwrap();
    let (status, said) = send(alb.address, request).await;
    assert_eq!(status, 200);
    assert!(said.starts_with("app: POST /api/bands?x=1\n"), "{said}");
    assert!(said.ends_with("\n{\"a\":1}"), "{said}");
    for header in [
        "host: shop.example",
        "x-forwarded-for: 203.0.113.7, 127.0.0.1",
        "x-forwarded-proto: http",
        "x-forwarded-port: 8088",
        "content-length: 7",
    ] {
        assert!(said.contains(&format!("{header}\n")), "{header} in {said}");
    }
    assert!(!said.contains("x-hop"), "{said}");
}

#[tokio::test]
async fn targets_take_turns_and_a_dead_one_costs_no_request() {
    let (one, two) = (application("one").await, application("two").await);
    let tasks = [("a", one.address.port()), ("b", dead_port()), ("c", two.address.port())];
    let alb = balancer(&tasks).await;
    let mut answered = Vec::new();
    for _ in 0..6 {
        let (status, said) = send(alb.address, get("/")).await;
        assert_eq!(status, 200);
        answered.push(said.split(':').next().unwrap().to_owned());
    }
    assert_eq!(answered.iter().filter(|name| *name == "one").count(), 2);
    assert_eq!(answered.iter().filter(|name| *name == "two").count(), 4);
}

#[tokio::test]
async fn a_reply_streams_through_before_it_is_complete_and_breaks_when_it_goes_silent() {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let app = serve(move |_, _| {
        let chunks = receiver.lock().unwrap().take().unwrap();
        async move { Response::new(Chunks(chunks).boxed_unsync()) }
    })
    .await;
    let alb = balancer(&[("t", app.address.port())]).await;
    sender.send(Bytes::from_static(b"first")).await.unwrap();
    let mut reply = open(alb.address, get("/")).await.into_body();
    let first = reply.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");
    sender.send(Bytes::from_static(b"second")).await.unwrap();
    let second = reply.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(second, "second");
    // The application stays silent for longer than the idle timeout: the client must not wait for ever.
    assert!(reply.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn an_upload_that_takes_longer_than_the_idle_timeout_arrives_as_long_as_it_comes() {
    let app = application("app").await;
    let alb = balancer(&[("t", app.address.port())]).await;
    let (sender, receiver) = mpsc::channel(1);
    let request = Request::post("/").header("host", "shop.example").body(Chunks(receiver)).unwrap();
    let stream = forward::connect(alb.address).await.unwrap();
    let reply = tokio::spawn(forward::send(stream, request));
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.send(Bytes::from_static(b"piece ")).await.unwrap();
    }
    drop(sender);
    let reply = reply.await.unwrap().unwrap();
    assert_eq!(reply.status(), 200);
    let said = reply.into_body().collect().await.unwrap().to_bytes();
    assert!(said.ends_with("piece ".repeat(8).as_bytes()), "{said:?}");
}

#[tokio::test]
async fn a_websocket_is_carried_both_ways_until_it_is_silent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tokio::io::BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_line(&mut head).await.unwrap();
        }
        assert!(head.to_lowercase().contains("\r\nupgrade: websocket\r\n"), "{head}");
        let reply =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nhello ";
        stream.write_all(reply.as_bytes()).await.unwrap();
        let (mut from, mut to) = tokio::io::split(stream);
        tokio::io::copy(&mut from, &mut to).await.unwrap();
    });
    let alb = balancer(&[("t", port)]).await;
    let mut client = forward::connect(alb.address).await.unwrap();
    let ask = "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\r\n";
    client.write_all(ask.as_bytes()).await.unwrap();
    let mut got = vec![0; 4096];
    let mut said = String::new();
    while !said.ends_with("hello ") {
        let length = client.read(&mut got).await.unwrap();
        assert!(length > 0, "{said}");
        said += &String::from_utf8_lossy(&got[..length]);
    }
    assert!(said.starts_with("HTTP/1.1 101 ") && said.contains("connection: upgrade\r\n"), "{said}");
    client.write_all(b"back").await.unwrap();
    client.read_exact(&mut got[..4]).await.unwrap();
    assert_eq!(&got[..4], b"back");
    assert_eq!(client.read(&mut got).await.unwrap(), 0, "closed after the idle timeout");
}

#[tokio::test]
async fn what_goes_wrong_has_the_load_balancers_status() {
    let app = application("app").await;
    let closes = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closes_port = closes.local_addr().unwrap().port();
    tokio::spawn(async move { while closes.accept().await.is_ok() {} });
    for (tasks, path, expected) in [
        (vec![], "/", 503),
        (vec![("t", dead_port())], "/", 502),
        (vec![("t", closes_port)], "/", 502),
        (vec![("t", app.address.port())], "/silent", 504),
    ] {
        let alb = balancer(&tasks).await;
        let (status, page) = send(alb.address, get(path)).await;
        assert_eq!(status, expected, "{page}");
        assert!(page.contains(&format!("<title>{expected} ")), "{page}");
    }
}

#[tokio::test]
async fn the_rules_see_method_host_and_path_and_may_answer_by_themselves() {
    let router: Router = Box::new(|asked| match asked.target {
        "/fixed?q" => {
            let agent = asked.headers["user-agent"].to_str().unwrap();
            let body = format!("{} {} {agent} {}", asked.method, asked.host, asked.client);
            Route::Fixed { status: 418, content_type: "text/plain".to_owned(), body }
        }
        "/moved" => Route::Redirect { status: 301, location: "https://elsewhere/".to_owned() },
        "/secure" => Route::Redirect { status: 301, location: "https://shop.example:443/x?y=1".to_owned() },
        "/grpc" => Route::Unserved { protocol_version: "GRPC".to_owned() },
        _ => Route::NoListener,
    });
    let alb = balance(&[], router).await;
    let request =
        Request::get("/fixed?q").header("host", "shop.example").header("user-agent", "me").body("").unwrap();
    assert_eq!(send(alb.address, request).await, (418, "GET shop.example me 127.0.0.1".to_owned()));
    let secure = open(alb.address, get("/secure")).await;
    assert_eq!(
        &secure.headers()["location"],
        "https://shop.example:8089/x?y=1",
        "where this machine serves it"
    );
    let (status, page) = send(alb.address, get("/grpc")).await;
    assert!(status == 501 && page.contains("speaks GRPC"), "{page}");
    let moved = open(alb.address, get("/moved")).await;
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (301, &"https://elsewhere/".parse().unwrap())
    );
    assert_eq!(send(alb.address, get("/")).await.0, 503);
}

#[tokio::test]
async fn a_client_keeps_its_target_by_the_cookie_until_that_target_is_gone() {
    let (one, two) = (application("one").await, application("two").await);
    let (one, two) = (("a", one.address.port()), ("b", two.address.port()));
    let alb = sticky(&[one, two], Some(60)).await;
    let first = open(alb.address, get("/")).await;
    let cookie = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Max-Age=60; Path=/"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let kept =
        || Request::get("/").header("host", "h").header("cookie", format!("x=1; {cookie}")).body("").unwrap();
    let (_, said) = send(alb.address, kept()).await;
    let name = said.split(':').next().unwrap();
    for _ in 0..4 {
        assert_eq!(send(alb.address, kept()).await.1.split(':').next().unwrap(), name);
    }
    let other = if name == "one" { two } else { one };
    let alb = sticky(&[other], Some(60)).await;
    let moved = open(alb.address, kept()).await;
    assert_eq!(
        moved.headers()["set-cookie"].to_str().unwrap(),
        format!("AWSALB={}; Max-Age=60; Path=/", other.0)
    );
}
