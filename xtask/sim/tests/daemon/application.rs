//! The programs that this test binary becomes: the one inside the test's image, and a daemon that can be killed.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sim::door::server::{Bound, ServeOptions, serve};
use sim::workload::machine::Kind;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

/// How long the port stays open after SIGTERM: for a request that was routed here just before.
const LINGER: Duration = Duration::from_millis(300);

#[expect(clippy::disallowed_methods, reason = "a program in a container is configured by its environment")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let version = Bytes::from(variable("VERSION"));
    match request.uri().path() {
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Response::new(Full::new(version))
        }
        "/connect" => through_service_connect().await.map(Full::new),
        _ => Response::new(Full::new(version)),
    }
}

/// Asks the own service by its Service Connect name, as a client that honours `HTTP_PROXY` does.
async fn through_service_connect() -> Response<Bytes> {
    let proxy = variable("HTTP_PROXY");
    let (credentials, address) = proxy.trim_start_matches("http://").split_once('@').unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://app.ielts.local:8080/version")
        .header("host", "app.ielts.local:8080")
        .header("proxy-authorization", format!("Basic {}", BASE64_STANDARD.encode(credentials)))
        .body(Full::<Bytes>::default())
        .unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

/// Runs a daemon in `STATE_DIR` and writes its endpoint to `STATE_DIR/endpoint`.
#[test]
#[ignore = "the daemon that a test kills"]
fn daemon() {
    let state_dir = PathBuf::from(variable("STATE_DIR"));
    let mut options = ServeOptions::new(state_dir.clone());
    // The image is this very program, which is linked dynamically.
    options.workload = Kind::Processes;
    (options.endpoint_port, options.alb_port) = (0, 0);
    let ready = |bound: &Bound| {
        std::fs::write(state_dir.join("part"), bound.endpoint.to_string()).unwrap();
        std::fs::rename(state_dir.join("part"), state_dir.join("endpoint")).unwrap();
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(options, ready)).unwrap();
}

#[test]
#[ignore = "the program that runs inside the test's image"]
fn application() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let listener = TcpListener::bind(format!("{}:{}", variable("HOST"), variable("PORT"))).await.unwrap();
        let serve = async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        };
        tokio::select! {
            () = serve => {}
            () = async { terminate.recv().await; tokio::time::sleep(LINGER).await } => {}
        }
    });
}
