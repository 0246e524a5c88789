//! The Service Connect proxy: the forward proxy of every task that takes part in a namespace.
//!
//! On AWS a sidecar and /etc/hosts bring a request for `http://backend.ielts.local:8080` to a backend task. A task that
//! is made of containers has the same here: what comes through its sidecar is answered by [`Connect::direct`]. A process
//! has neither: it gets this proxy as `HTTP_PROXY`, with its task id as the user. Either way the name is resolved as
//! that task's deployment knows it. The proxy leads nowhere else: what is no endpoint is refused, and so is CONNECT. A TCP
//! endpoint that has its port for itself is carried byte by byte for containers; processes reach it over HTTP only.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONTENT_TYPE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio::select;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::cloud::Cloud;
use super::forward::{self, ReplyBody, whole};
use super::pool::{Failure, Patience, Pool, Upload};
use crate::ecs::{self, ConnectLookup, ConnectTarget};
use crate::workload::TaskId;
use crate::workload::machine::{self, Ports};

/// Stands in for no timeout: longer than any cloud runs.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// One attempt and the two retries that Service Connect makes.
const ATTEMPTS: usize = 3;

/// What a host and a port mean to a task.
type Resolver = Box<dyn Fn(&TaskId, &str, u16) -> ConnectLookup + Send + Sync>;

/// What a port alone means to a task, where a TCP endpoint has it.
type Streams = Box<dyn Fn(&TaskId, u16) -> Option<ConnectLookup> + Send + Sync>;

pub(super) struct Connect {
    resolver: Resolver,
    streams: Streams,
    ports: Ports,
    pool: Pool,
    /// Per endpoint, how many requests were sent: the round robin.
    turns: Mutex<BTreeMap<(String, u16), usize>>,
}

/// The endpoints as the task's deployment knows them.
pub(super) fn endpoints(cloud: Cloud) -> Resolver {
    Box::new(move |task, host, port| {
        cloud.look(|account| ecs::connect_targets(&account.ecs, task, host, port))
    })
}

/// The TCP endpoints as the task's deployment knows them.
pub(super) fn streams(cloud: Cloud) -> Streams {
    Box::new(move |task, port| cloud.look(|account| ecs::connect_stream(&account.ecs, task, port)))
}

impl Connect {
    pub(super) fn new(resolver: Resolver, streams: Streams, ports: Ports) -> Self {
        Self { resolver, streams, ports, pool: Pool::default(), turns: Mutex::default() }
    }

    /// Answers one request of a task.
    pub(super) async fn answer(&self, mut request: Request<Incoming>) -> Response<ReplyBody> {
        if request.method() == Method::CONNECT {
            return refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "Service Connect carries plain HTTP; CONNECT is not served",
            );
        }
        let Some(task) = client(request.headers()) else {
            let mut asked =
                refusal(StatusCode::PROXY_AUTHENTICATION_REQUIRED, "a task names itself by its id");
            asked
                .headers_mut()
                .insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"service-connect\""));
            return asked;
        };
        let Some(host) = request.uri().host().map(str::to_ascii_lowercase) else {
            return refusal(StatusCode::BAD_REQUEST, "this is a proxy: the request has to name a host");
        };
        let port = request.uri().port_u16().unwrap_or(80);
        // A proxy goes by the target, whatever the Host header says (RFC 9112, 3.2.2).
        let authority =
            request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        if let Some(authority) = authority {
            request.headers_mut().insert(HOST, authority);
        }
        self.direct(&task, &host, port, request).await
    }

    /// Answers one request that `task` made to `host` and `port`.
    async fn direct(
        &self,
        task: &TaskId,
        host: &str,
        port: u16,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        let (targets, timeouts) = match (self.resolver)(task, host, port) {
            ConnectLookup::Targets(targets, timeouts) => (targets, timeouts),
            ConnectLookup::Unknown => {
                let said = format!(
                    "{host}:{port} is no Service Connect endpoint that this task's deployment knows, and the embedded \
                     cloud leads nowhere else. A client knows the endpoints that existed when it was deployed."
                );
                return refusal(StatusCode::BAD_GATEWAY, said);
            }
        };
        if targets.is_empty() {
            return refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{host}:{port} has no healthy task now"),
            );
        }
        let per_request = timeouts.per_request.unwrap_or(NEVER);
        let patience = Patience { head: per_request, uploads: false, piece: timeouts.idle.unwrap_or(NEVER) };
        let mut request = request.map(Upload::of);
        for to in self.in_turn(host, port, &targets) {
            match self.pool.send(to, request, patience).await {
                Ok(reply) => return reply,
                Err(Failure::Unsent(unsent)) => request = *unsent,
                Err(Failure::Broken) => {
                    let said = format!("{host}:{port} closed the connection without a reply");
                    return refusal(StatusCode::BAD_GATEWAY, said);
                }
                Err(Failure::TooLate) => {
                    let said = format!("{host}:{port} did not answer within {} s", per_request.as_secs_f32());
                    return refusal(StatusCode::GATEWAY_TIMEOUT, said);
                }
            }
        }
        refusal(StatusCode::SERVICE_UNAVAILABLE, format!("no task of {host}:{port} accepted the connection"))
    }

    /// Where the targets are, beginning with the one whose turn it is.
    fn in_turn(&self, host: &str, port: u16, targets: &[ConnectTarget]) -> impl Iterator<Item = SocketAddr> {
        let first = self.turn(host, port) % targets.len().max(1);
        let attempts = targets.iter().cycle().skip(first).take(ATTEMPTS);
        let ports = attempts.filter_map(|target| self.ports.of(&target.task, target.port));
        ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Carries a connection to a TCP endpoint; one without a target is closed.
    async fn carry(&self, port: u16, targets: &[ConnectTarget], mut stream: UnixStream) {
        for to in self.in_turn("", port, targets) {
            if let Ok(mut target) = forward::connect(to).await {
                // How a connection ends is its client's affair.
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
                return;
            }
        }
    }

    fn turn(&self, host: &str, port: u16) -> usize {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry((host.to_owned(), port)).or_default();
        *turn = turn.wrapping_add(1);
        *turn
    }
}

/// What comes through the sidecars of tasks.
impl machine::Connect for Arc<Connect> {
    fn serve(&self, listener: UnixListener, client: TaskId, port: u16) -> JoinHandle<()> {
        let this = Self::clone(self);
        tokio::spawn(async move {
            let client = Arc::new(client);
            let mut connections = JoinSet::new();
            loop {
                let accepted = select! {
                    accepted = listener.accept() => accepted,
                    Some(_) = connections.join_next() => continue,
                };
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let (this, client) = (Self::clone(&this), Arc::clone(&client));
                if let Some(ConnectLookup::Targets(targets, _)) = (this.streams)(&client, port) {
                    connections.spawn(async move { this.carry(port, &targets, stream).await });
                    continue;
                }
                let service = service_fn(move |request: Request<Incoming>| {
                    let (this, client) = (Self::clone(&this), Arc::clone(&client));
                    async move {
                        // All names lead to one address; which was meant is in the request.
                        let host = named(request.headers()).unwrap_or_default();
                        Ok::<_, Infallible>(this.direct(&client, &host, port, request).await)
                    }
                });
                connections.spawn(async move {
                    // How a connection ends is its client's affair.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                });
            }
        })
    }
}

/// The name in `Host`, without the port.
fn named(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    Some(name.to_ascii_lowercase())
}

/// The task that asks: the user of `Proxy-Authorization`.
fn client(headers: &HeaderMap) -> Option<TaskId> {
    let value = headers.get(PROXY_AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    let decoded =
        scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(credentials.trim()).ok())??;
    let decoded = String::from_utf8(decoded).ok()?;
    decoded.split(':').next().filter(|task| !task.is_empty()).map(str::to_owned)
}

fn refusal(status: StatusCode, said: impl Display) -> Response<ReplyBody> {
    let mut reply = Response::new(whole(format!("{said}\n")));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}
