//! The endpoint port: every AWS API, the registry's data plane, the data channels of ECS Exec, a page, and paths of the
//! daemon's own.
//!
//! `GET /_cloud/status` shows what runs where; `POST /_cloud/workload/<kind>` says what tasks run as that start from then
//! on; `POST /_cloud/landing-zone` brings a network and roles, as JSON; `POST /_cloud/stop` ends the daemon.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::watch;

use super::bound::Bound;
use super::cloud::{Cloud, Delivery};
use super::forward::{ReplyBody, whole};
use super::{guard, session, viewer};
use crate::elb;
use crate::workload::machine::{Kind, Machine};

/// Before the kind, the path that says what tasks run as.
const WORKLOAD: &str = "/_cloud/workload/";

/// A layer of an application image; the daemon keeps them in memory. For who has the registry's password only.
const LARGEST_LAYER: usize = 2 << 30;

/// Any other request: an image manifest has at most 4 MiB (ECR quotas), PutLogEvents and everything else less.
const LARGEST_CALL: usize = 8 << 20;

pub(super) struct Endpoint {
    pub(super) cloud: Cloud,
    pub(super) machine: Machine,
    pub(super) bound: Bound,
    pub(super) version: String,
    pub(super) stop: watch::Sender<bool>,
}

impl Endpoint {
    pub(super) async fn answer(&self, client: SocketAddr, request: Request<Incoming>) -> Response<ReplyBody> {
        let (parts, body) = request.into_parts();
        let for_page = viewer::is_for(&parts);
        if let Some(why) = guard::refusal(&parts, client, self.bound.endpoint, for_page) {
            return text(StatusCode::FORBIDDEN, why);
        }
        if for_page {
            return viewer::answer(&self.cloud, &self.bound, self.stop.subscribe(), &parts);
        }
        if parts.uri.path().starts_with(session::PATH) {
            let request = Request::from_parts(parts, body);
            return session::answer(self.cloud.clone(), Arc::new(self.machine.clone()), request);
        }
        let most = if self.cloud.knows_password(&parts.headers) { LARGEST_LAYER } else { LARGEST_CALL };
        let Ok(body) = Limited::new(body, most).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the request's body is too large or broke off");
        };
        let body = body.to_bytes();
        if parts.uri.path().starts_with("/_cloud/") {
            return self.own(&parts, &body);
        }
        match self.cloud.exchange(&parts, body).await {
            Delivery::Reply(reply) => reply.map(whole),
            // The daemon has no rules of its own; one that a test adds cannot break a connection from in here.
            Delivery::Refused | Delivery::Reset => text(StatusCode::BAD_GATEWAY, "a rule cut this call off"),
        }
    }

    fn own(&self, parts: &http::request::Parts, body: &[u8]) -> Response<ReplyBody> {
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_cloud/status") => {
                let (account, region) = self.cloud.look(|account| {
                    (account.base.settings.account.clone(), account.base.settings.region.clone())
                });
                let served = self.cloud.look(|account| elb::listeners(&account.elb));
                let scheme = |place: usize| match served.get(place) {
                    Some(elb::Served { https: true, .. }) => "https",
                    _ => "http",
                };
                let second = served.get(1).map(|_| format!("{}://{}", scheme(1), self.bound.second));
                let status = json!({
                    "account": account,
                    "region": region,
                    "version": self.version,
                    "pid": self.bound.pid,
                    "endpoint": format!("http://{}", self.bound.endpoint),
                    "url": format!("{}://{}", scheme(0), self.bound.alb),
                    "second": second,
                    "started": self.bound.started.epoch_secs(),
                    "workload": self.machine.kind().name(),
                });
                let mut reply = Response::new(whole(format!("{status}\n")));
                reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                reply
            }
            (&Method::POST, "/_cloud/stop") => {
                self.stop.send_replace(true);
                text(StatusCode::ACCEPTED, "stopping")
            }
            (&Method::POST, "/_cloud/landing-zone") => match serde_json::from_slice(body) {
                Ok(zone) => {
                    self.cloud.with_account(|account| account.furnish(&zone));
                    text(StatusCode::OK, "furnished")
                }
                Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            (&Method::POST, path) if path.starts_with(WORKLOAD) => match Kind::named(&path[WORKLOAD.len()..])
            {
                Some(kind) => {
                    self.machine.set_kind(kind);
                    text(StatusCode::OK, kind.name())
                }
                None => text(StatusCode::NOT_FOUND, "a workload is auto, processes or containers"),
            },
            _ => text(
                StatusCode::NOT_FOUND,
                "there is /_cloud/status (GET), /_cloud/workload/KIND, /_cloud/landing-zone and /_cloud/stop (POST)",
            ),
        }
    }
}

fn text(status: StatusCode, said: &str) -> Response<ReplyBody> {
    let mut reply = Response::new(whole(format!("{said}\n")));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}
