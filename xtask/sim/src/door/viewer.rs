//! The endpoint's page for a browser: HTML, and the lines of a log as they come.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

use super::bound::Bound;
use super::cloud::Cloud;
use super::forward::{ReplyBody, whole};
use super::listen::{self, Stop};
use crate::elb;
use crate::page::{self, LogTail};
use crate::wire::{Api, iso8601};

/// How often a log that is followed is read.
const LOOK: Duration = Duration::from_millis(500);

/// How often a client that follows a quiet log is written to: only so is it found out that it has left.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Whether a request is for the page. The APIs have `/` too: those that are read there name their operation in the query.
pub(super) fn is_for(parts: &Parts) -> bool {
    let path = parts.uri.path();
    page::is_page(path) && (path != "/" || parts.method == Method::GET && parts.uri.query().is_none())
}

/// Answers a request for the page.
pub(super) fn answer(cloud: &Cloud, bound: &Bound, stop: Stop, parts: &Parts) -> Response<ReplyBody> {
    if parts.method != Method::GET {
        let mut refused =
            reply(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "this page only reads\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return refused;
    }
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let ask = |api: Api, operation: &str, params: Value| cloud.ask(api, operation, params);
    if let Some((tail, asked)) = page::tail(&ask, path, query) {
        // A browser that connects again says where it was.
        let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        return follow(cloud.clone(), tail, last.or(asked), stop);
    }
    match page::show(&ask, &frame(cloud, bound), path, query) {
        Some(html) => reply(StatusCode::OK, "text/html; charset=utf-8", html),
        None => {
            reply(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is no such service or task\n")
        }
    }
}

fn frame(cloud: &Cloud, bound: &Bound) -> page::Frame {
    let (account, region, served) = cloud.look(|account| {
        let settings = &account.base.settings;
        (settings.account.clone(), settings.region.clone(), elb::listeners(&account.elb))
    });
    let url = |(served, address): (elb::Served, _)| {
        format!("{}://{address}", if served.https { "https" } else { "http" })
    };
    page::Frame {
        account,
        region,
        endpoint: format!("http://{}", bound.endpoint),
        urls: served.into_iter().zip([bound.alb, bound.second]).map(url).collect(),
        now: iso8601(cloud.clock().millis())[..19].replace('T', " "),
    }
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<ReplyBody> {
    guarded(status, kind, whole(body))
}

/// Nothing but the page's own style and script is loaded or run, whatever an application's name or log holds.
fn guarded(status: StatusCode, kind: &'static str, body: ReplyBody) -> Response<ReplyBody> {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; base-uri \
         'none'; form-action 'none'; frame-ancestors 'none'",
        hash(page::STYLE),
        hash(page::SCRIPT)
    );
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.extend(HeaderValue::try_from(policy).ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
    reply
}

fn follow(cloud: Cloud, tail: LogTail, after: Option<String>, stop: Stop) -> Response<ReplyBody> {
    let (sender, events) = channel(16);
    tokio::spawn(send(cloud, tail, after, stop, sender));
    let body = Events(events).map_err(|never: Infallible| match never {}).boxed_unsync();
    guarded(StatusCode::OK, "text/event-stream", body)
}

/// Sends what a log gets until the client leaves or the daemon stops.
async fn send(cloud: Cloud, tail: LogTail, mut after: Option<String>, mut stop: Stop, events: Sender<Bytes>) {
    let mut last = Instant::now();
    loop {
        let ask = |api: Api, operation: &str, params: Value| cloud.ask(api, operation, params);
        let Some((lines, token)) = tail.read(&ask, after.as_deref()) else { return };
        let quiet = lines.is_empty() && last.elapsed() < SIGN_OF_LIFE;
        let mut event = if lines.is_empty() { ":\n\n".to_owned() } else { format!("id: {token}\n") };
        // Each line of an event's data has its own field (HTML standard, 9.2.6).
        lines
            .iter()
            .flat_map(|line| line.split(['\n', '\r']))
            .for_each(|line| event += &format!("data: {line}\n"));
        event.push('\n');
        after = Some(token);
        if !quiet {
            last = Instant::now();
            if events.send(event.into()).await.is_err() {
                return;
            }
        }
        select! {
            () = listen::asked(&mut stop) => return,
            () = events.closed() => return,
            () = sleep(LOOK) => {}
        }
    }
}

/// A body that is sent as it comes.
struct Events(Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
