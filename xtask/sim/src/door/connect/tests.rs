//! The Service Connect proxy between stand-in tasks.

use std::sync::Arc;

use super::super::tests::stage::{Served, application, dead_port, send, serve};
use super::*;
use crate::ecs::ConnectTimeouts;
use crate::workload::machine::Connect as _;

const TIMEOUTS: ConnectTimeouts =
    ConnectTimeouts { per_request: Some(Duration::from_millis(200)), idle: None };

/// A proxy that knows `backend.ielts.local:8080`, for the task `front` only, as these tasks.
async fn proxy(tasks: &[(&str, u16)]) -> Served {
    let ports = Ports::default();
    for (task, port) in tasks {
        ports.pretend(task, 8080, *port);
    }
    let targets: Vec<ConnectTarget> =
        tasks.iter().map(|(task, _)| ConnectTarget { task: (*task).to_owned(), port: 8080 }).collect();
    let resolver: Resolver = Box::new(move |task, host, port| match (task.as_str(), host, port) {
        ("front", "backend.ielts.local", 8080) => ConnectLookup::Targets(targets.clone(), TIMEOUTS),
        _ => ConnectLookup::Unknown,
    });
    let connect = Arc::new(Connect::new(resolver, Box::new(|_, _| None), ports));
    serve(move |_, request| {
        let connect = Arc::clone(&connect);
        async move { connect.answer(request).await }
    })
    .await
}

fn get(url: &str, task: &str) -> Request<&'static str> {
    let credentials = BASE64_STANDARD.encode(format!("{task}:x"));
    Request::get(url).header("proxy-authorization", format!("Basic {credentials}")).body("").unwrap()
}

const BACKEND: &str = "http://backend.ielts.local:8080/api/skills";

#[tokio::test]
async fn a_name_of_the_namespace_reaches_a_task_and_the_credentials_stay_behind() {
    let app = application("backend").await;
    let proxy = proxy(&[("b", app.address.port())]).await;
    let (status, said) =
        send(proxy.address, get("http://BACKEND.ielts.local:8080/api/skills?a=b", "front")).await;
    assert_eq!(status, 200);
    assert!(said.starts_with("backend: GET /api/skills?a=b\n"), "{said}");
    assert!(said.to_lowercase().contains("host: backend.ielts.local:8080\n"), "{said}");
    assert!(!said.contains("authorization"), "{said}");
}

#[tokio::test]
async fn requests_take_turns_and_two_dead_tasks_in_a_row_cost_none() {
    let (one, two) = (application("one").await, application("two").await);
    let dead = dead_port();
    let tasks = [("a", one.address.port()), ("b", dead), ("c", dead), ("d", two.address.port())];
    let proxy = proxy(&tasks).await;
    let mut names = Vec::new();
    for _ in 0..4 {
        let (status, said) = send(proxy.address, get(BACKEND, "front")).await;
        assert_eq!(status, 200, "{said}");
        names.push(said.split(':').next().unwrap().to_owned());
    }
    assert_eq!(names, ["two", "two", "two", "one"]);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let app = application("backend").await;
    let port = app.address.port();
    let silent = get("http://backend.ielts.local:8080/silent", "front");
    let anonymous = Request::get(BACKEND).body("").unwrap();
    let tunnel = Request::connect("backend.ielts.local:8080").body("").unwrap();
    for (tasks, request, status, why) in [
        (
            vec![("b", port)],
            get("http://example.com/", "front"),
            502,
            "example.com:80 is no Service Connect endpoint",
        ),
        (
            vec![("b", port)],
            get("http://backend.ielts.local:9090/", "front"),
            502,
            "is no Service Connect endpoint",
        ),
        (vec![("b", port)], get(BACKEND, "other"), 502, "is no Service Connect endpoint"),
        (vec![("b", port)], get("/api/skills", "front"), 400, "has to name a host"),
        (vec![("b", port)], anonymous, 407, "names itself by its id"),
        (vec![("b", port)], tunnel, 405, "CONNECT is not served"),
        (vec![("b", port)], silent, 504, "did not answer within 0.2 s"),
        (vec![("b", dead_port())], get(BACKEND, "front"), 503, "accepted the connection"),
        (vec![], get(BACKEND, "front"), 503, "has no healthy task now"),
    ] {
        let proxy = proxy(&tasks).await;
        let (got, said) = send(proxy.address, request).await;
        assert_eq!(got, status, "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn a_tcp_endpoint_is_carried_byte_by_byte_and_one_that_nobody_answers_is_closed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let echo = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let ports = Ports::default();
    ports.pretend("db", 5432, echo.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = echo.accept().await.unwrap();
        let mut said = [0; 4];
        stream.read_exact(&mut said).await.unwrap();
        stream.write_all(&said).await.unwrap();
    });
    let target = ConnectTarget { task: "db".to_owned(), port: 5432 };
    let streams: Streams = Box::new(move |task, port| {
        let targets = if task == "front" { vec![target.clone()] } else { Vec::new() };
        (port == 5432).then_some(ConnectLookup::Targets(targets, TIMEOUTS))
    });
    let connect = Arc::new(Connect::new(Box::new(|_, _, _| ConnectLookup::Unknown), streams, ports));
    for (client, expected) in [("front", &b"\0\x01pg"[..]), ("other", b"")] {
        let socket = std::env::temp_dir().join(format!("sim-connect-{}-{client}", std::process::id()));
        let serving = connect.serve(UnixListener::bind(&socket).unwrap(), client.to_owned(), 5432);
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        stream.write_all(b"\0\x01pg").await.unwrap();
        let mut got = Vec::new();
        // A connection that is closed with bytes unread ends in a reset.
        let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut got)).await.unwrap();
        assert_eq!(got, expected, "{client}");
        serving.abort();
        std::fs::remove_file(&socket).unwrap();
    }
}
