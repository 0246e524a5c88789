//! The load balancer's data plane: two loopback ports that stand for the first two listeners of the account.
//!
//! The account's listeners have ports that this machine may not open (80, 443), so they are served wherever the daemon
//! could listen: HTTPS before HTTP, and 443 and 80 before others. Where HTTPS is served, plain HTTP is too, which AWS
//! answers with 400: a browser that does not trust the daemon's authority, or a proxy that ends TLS, can look at the
//! application. Each request is routed by the rules in force at that moment: a target
//! that drains gets none, what is in flight finishes. Unlike on AWS, a target that refuses the connection before
//! anything was sent is passed over for the next one: a task that dies between two health checks costs no request.
//! A client keeps its target where the group's stickiness is on. HTTP/2 (and with it gRPC) and weights are not served.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::cloud::Cloud;
use super::forward::{ReplyBody, whole};
use super::listen::Secure;
use super::page;
use super::pool::{Failure, Patience, Pool, Upload};
use crate::elb::{self, Route, RouteTarget};
use crate::workload::machine::Ports;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

/// `idle_timeout.timeout_seconds` of a load balancer by default.
const IDLE: Duration = Duration::from_secs(60);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// The cookie by which a client keeps its target.
const STICKY: &str = "AWSALB";

type Router = Box<dyn Fn(elb::Request<'_>) -> Route + Send + Sync>;

/// Which of the doors, from 0, stands for this listener port.
type Doors = Box<dyn Fn(u16) -> Option<u16> + Send + Sync>;

pub(super) struct Alb {
    router: Router,
    doors: Doors,
    ports: Ports,
    pool: Pool,
    /// Where it listens, for `X-Forwarded-Port`.
    port: u16,
    idle: Duration,
    /// Per target group, how many requests were sent: the round robin.
    turns: Mutex<BTreeMap<String, usize>>,
}

/// The rules of the listener that comes at `place` among the account's, from 0.
pub(super) fn listener(cloud: Cloud, place: usize) -> Router {
    Box::new(move |request| {
        cloud.look(|account| match elb::listeners(&account.elb).get(place) {
            Some(served) => elb::route_of(&account.elb, served.port, request),
            None => Route::NoListener,
        })
    })
}

/// The loopback port of each listener that has one: a redirect to a listener's port leads there.
pub(super) fn doors(cloud: Cloud, local: [u16; 2]) -> Doors {
    Box::new(move |port| {
        let place = cloud.look(|account| elb::listeners(&account.elb).iter().position(|it| it.port == port));
        local.get(place?).copied()
    })
}

impl Alb {
    pub(super) fn new(router: Router, doors: Doors, ports: Ports, port: u16) -> Self {
        Self { router, doors, ports, pool: Pool::default(), port, idle: IDLE, turns: Mutex::default() }
    }

    #[cfg(test)]
    pub(super) fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Answers one request of `client`.
    pub(super) async fn answer(&self, client: SocketAddr, request: Request<Incoming>) -> Response<ReplyBody> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let asked = elb::Request {
            method: request.method().as_str(),
            host,
            target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
            headers: request.headers(),
            client: client.ip(),
        };
        match (self.router)(asked) {
            Route::Forward { target_group, targets, sticky_secs } => {
                self.forward(client, &target_group, &targets, sticky_secs, request).await
            }
            Route::Unserved { protocol_version } => page::error(
                StatusCode::NOT_IMPLEMENTED,
                &format!(
                    "the target group speaks {protocol_version}, which the embedded cloud's load balancer does not"
                ),
            ),
            Route::Fixed { status, content_type, body } => {
                let mut reply = Response::new(whole(body));
                *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                set(reply.headers_mut(), CONTENT_TYPE, &content_type);
                reply
            }
            Route::Redirect { status, location } => {
                let mut reply = Response::new(whole(""));
                *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
                set(reply.headers_mut(), LOCATION, &self.reachable(host, &location));
                reply
            }
            Route::NoListener => {
                page::error(StatusCode::SERVICE_UNAVAILABLE, "this account has no listener yet")
            }
        }
    }

    async fn forward(
        &self,
        client: SocketAddr,
        target_group: &str,
        targets: &[RouteTarget],
        sticky_secs: Option<u64>,
        mut request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        if targets.is_empty() {
            return page::error(StatusCode::SERVICE_UNAVAILABLE, "the target group has no targets");
        }
        let scheme = if request.extensions().get::<Secure>().is_some() { "https" } else { "http" };
        self.introduce(client, scheme, request.headers_mut());
        let kept = sticky_secs.and_then(|_| cookie(request.headers()));
        let kept = targets.iter().filter(|target| kept.as_deref() == Some(&target.task));
        let patience = Patience { head: self.idle, uploads: true, piece: self.idle };
        let mut request = request.map(Upload::of);
        for RouteTarget { task, port, .. } in kept.chain(self.in_turn(target_group, targets)) {
            let Some(port) = self.ports.host_port(task, *port) else { continue };
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            // The statuses are the load balancer's own (ELB user guide, troubleshooting): 502 for a broken reply, 504 for a
            // late one, 503 where there is no target.
            let (status, why) = match self.pool.send(to, request, patience).await {
                Ok(mut reply) => {
                    if let Some(secs) = sticky_secs {
                        let value =
                            HeaderValue::from_str(&format!("{STICKY}={task}; Max-Age={secs}; Path=/"));
                        reply.headers_mut().extend(value.map(|value| (SET_COOKIE, value)));
                    }
                    return reply;
                }
                Err(Failure::Unsent(unsent)) => {
                    request = *unsent;
                    continue;
                }
                Err(Failure::Broken) => {
                    (StatusCode::BAD_GATEWAY, "the target closed the connection or answered nonsense")
                }
                Err(Failure::TooLate) => {
                    (StatusCode::GATEWAY_TIMEOUT, "the target did not answer within the idle timeout")
                }
            };
            return page::error(status, why);
        }
        page::error(StatusCode::BAD_GATEWAY, "no target accepted the connection")
    }

    /// A redirect's location, with this machine's port where it leads to a listener of the same host.
    fn reachable(&self, host: &str, location: &str) -> String {
        let Ok(uri) = location.parse::<http::Uri>() else { return location.to_owned() };
        let own = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let local = (self.doors)(uri.port_u16().unwrap_or(default)).filter(|_| uri.host() == Some(own));
        let (Some(local), Some(scheme)) = (local, uri.scheme_str()) else { return location.to_owned() };
        format!("{scheme}://{own}:{local}{}", uri.path_and_query().map_or("/", |target| target.as_str()))
    }

    /// The targets, beginning with the one whose turn it is.
    fn in_turn<'a>(
        &self,
        target_group: &str,
        targets: &'a [RouteTarget],
    ) -> impl Iterator<Item = &'a RouteTarget> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(target_group.to_owned()).or_default();
        let first = *turn % targets.len();
        *turn = turn.wrapping_add(1);
        targets[first..].iter().chain(&targets[..first])
    }

    /// Says on whose behalf the request comes.
    fn introduce(&self, client: SocketAddr, scheme: &str, headers: &mut HeaderMap) {
        let before = headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let chain =
            before.map_or_else(|| client.ip().to_string(), |before| format!("{before}, {}", client.ip()));
        set(headers, FORWARDED_FOR, &chain);
        set(headers, FORWARDED_PROTO, scheme);
        set(headers, FORWARDED_PORT, &self.port.to_string());
    }
}

/// The task that a client's cookie names.
fn cookie(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == STICKY).map(|(_, task)| task.to_owned())
}

/// Sets a header; what is no header value (a rule may say anything) is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
