//! What happens to every request whatever the service: it is counted, logged and, when asked for, timed out.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::timeout;

use crate::Lifecycle;

/// The header by which a load balancer ties the log lines of one request together
/// (ELB user guide, "Request tracing for your Application Load Balancer").
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// A JSON answer under a media type of its own, such as `application/problem+json`.
#[must_use]
pub fn json(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Body::from(body.to_string())).into_response()
}

/// How long a request may take in all, its body included, and what a client hears then.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// Counted from the end of the request's head.
    pub after: Duration,
    /// The answer, in the service's own form.
    pub answer: fn(path: &str) -> Response,
}

/// Middleware that holds a [`Deadline`]. A client that sends its body too slowly must not hold a task for ever.
pub async fn deadline(State(deadline): State<Deadline>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match timeout(deadline.after, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (deadline.answer)(&path),
    }
}

/// Counts the request as in flight, answers through `next` and logs one line. The query is not logged:
/// it may hold what a person typed.
pub(crate) async fn observe(
    State(lifecycle): State<Lifecycle>,
    request: Request,
    next: Next,
) -> Response {
    let in_flight = lifecycle.enter();
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let trace = trace_id(request.headers());
    let mut response = next.run(request).await;
    if lifecycle.is_draining() {
        // A client that keeps the connection would send its next request into a closed socket.
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    drop(in_flight);
    let (status, took) = (response.status(), began.elapsed());
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                method = method.as_str(),
                path,
                status = status.as_u16(),
                latency_ms = took.as_micros() as f64 / 1000.0,
                trace,
                "request"
            )
        };
    }
    match status {
        _ if is_health_check(&path) => line!(debug),
        _ if status.is_server_error() => line!(error),
        _ => line!(info),
    }
    response
}

/// Balancer and container ask every few seconds: at `info` their lines would bury the others.
fn is_health_check(path: &str) -> bool {
    path == "/api/health" || path == "/actuator/health" || path.starts_with("/actuator/health/")
}

fn trace_id(headers: &HeaderMap) -> Option<String> {
    headers.get(TRACE_HEADER)?.to_str().ok().map(str::to_owned)
}
