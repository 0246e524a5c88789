//! Connections to tasks, kept between requests.
//!
//! A kept connection may close at the moment when it is used again. A request of which nothing was sent is returned, to go
//! elsewhere. One that was sent is sent once more where that is safe: by its method (RFC 9110, 9.2.1), and without a body.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::select;
use tokio::time::{Instant, Sleep, sleep};

use super::forward::{self, BoxError, ReplyBody, whole};

/// Less than the 5 s after which Node closes a connection that is not used: the task's end should not be the first to close.
const KEPT: Duration = Duration::from_secs(4);

/// Connections to one task that are kept beyond those with a request.
const MOST_KEPT: usize = 64;

/// What is kept, by where it leads; a cheap handle.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    connections: BTreeMap<SocketAddr, Vec<(Sender, Instant)>>,
    /// Somebody closes those that are not used.
    swept: bool,
}

type Sender = SendRequest<Upload>;

/// How long a reply is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Until the reply's head has come.
    pub(super) head: Duration,
    /// The head is waited for on and on while the request's body still comes.
    pub(super) uploads: bool,
    /// For the next piece of its body.
    pub(super) piece: Duration,
}

/// Why there is no reply.
pub(super) enum Failure {
    /// The task did not accept the connection: nothing was sent.
    Unsent(Box<Request<Upload>>),
    Broken,
    TooLate,
}

/// A request's body, and how many pieces of it have come.
pub(super) struct Upload {
    body: Option<Incoming>,
    pieces: Arc<AtomicU64>,
}

impl Upload {
    pub(super) fn of(body: Incoming) -> Self {
        Self { body: Some(body).filter(|body| !body.is_end_stream()), pieces: Arc::default() }
    }
}

impl Pool {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request to a task. One for a WebSocket has the connection for itself from its reply on.
    pub(super) async fn send(
        &self,
        to: SocketAddr,
        mut request: Request<Upload>,
        patience: Patience,
    ) -> Result<Response<ReplyBody>, Failure> {
        let client = forward::onward(&mut request);
        let repeatable = request.method().is_safe() && request.body().body.is_none() && client.is_none();
        let mut again = repeatable.then(|| copy(&request));
        // A WebSocket keeps its connection: it begins with one that nobody else will want back.
        let mut fresh = client.is_some();
        loop {
            let kept = if fresh { None } else { self.take(to) };
            let reused = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => match open(to).await {
                    Some(sender) => sender,
                    None => return Err(Failure::Unsent(Box::new(request))),
                },
            };
            match exchange(&mut sender, request, patience).await {
                Ok(reply) => return Ok(self.hand_over(to, sender, reply, client, patience.piece)),
                Err(Failure::Unsent(unsent)) if reused => request = *unsent,
                Err(Failure::Broken) if reused && again.is_some() => {
                    let Some(copy) = again.take() else { return Err(Failure::Broken) };
                    (request, fresh) = (copy, true);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The reply for the client. Its connection is kept once the body has come whole.
    fn hand_over(
        &self,
        to: SocketAddr,
        sender: Sender,
        mut reply: Response<Incoming>,
        client: Option<OnUpgrade>,
        silence: Duration,
    ) -> Response<ReplyBody> {
        forward::back(&mut reply);
        if let Some(client) = client.filter(|_| reply.status() == StatusCode::SWITCHING_PROTOCOLS) {
            tokio::spawn(forward::carry(client, hyper::upgrade::on(&mut reply), silence));
            return reply.map(|_| whole(""));
        }
        reply.map(|body| {
            let connection = Some((self.clone(), to, sender));
            let mut body = Download { body, silence, timer: Box::pin(sleep(silence)), connection };
            body.keep_if_over();
            body.boxed_unsync()
        })
    }

    /// A kept connection that can be used.
    fn take(&self, to: SocketAddr) -> Option<Sender> {
        let mut kept = self.kept();
        let connections = kept.connections.get_mut(&to)?;
        let usable = |(sender, since): &(Sender, Instant)| sender.is_ready() && since.elapsed() < KEPT;
        // The newest first: the task is least likely to have closed it meanwhile.
        std::iter::from_fn(|| connections.pop()).find(usable).map(|(sender, _)| sender)
    }

    fn keep(&self, to: SocketAddr, sender: Sender) {
        let mut kept = self.kept();
        let connections = kept.connections.entry(to).or_default();
        if sender.is_closed() || connections.len() >= MOST_KEPT {
            return;
        }
        connections.push((sender, Instant::now()));
        if !std::mem::replace(&mut kept.swept, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Closes what is not used, until nothing is kept.
    async fn sweep(self) {
        loop {
            sleep(KEPT).await;
            let mut kept = self.kept();
            kept.connections.retain(|_, connections| {
                connections.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < KEPT);
                !connections.is_empty()
            });
            if kept.connections.is_empty() {
                kept.swept = false;
                return;
            }
        }
    }
}

async fn open(to: SocketAddr) -> Option<Sender> {
    let stream = forward::connect(to).await.ok()?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // The connection's own error shows in the reply or in its body. It ends when its sender is dropped.
    tokio::spawn(connection.with_upgrades());
    Some(sender)
}

async fn exchange(
    sender: &mut Sender,
    request: Request<Upload>,
    patience: Patience,
) -> Result<Response<Incoming>, Failure> {
    let pieces = Arc::clone(&request.body().pieces);
    let mut sent = pin!(sender.try_send_request(request));
    loop {
        let before = pieces.load(Ordering::Relaxed);
        select! {
            biased;
            reply = &mut sent => {
                let unsent = |mut error: hyper::client::conn::TrySendError<_>| error.take_message();
                return reply.map_err(|error| unsent(error).map_or(Failure::Broken, |unsent| Failure::Unsent(Box::new(unsent))));
            }
            () = sleep(patience.head) => {
                if !patience.uploads || pieces.load(Ordering::Relaxed) == before {
                    return Err(Failure::TooLate);
                }
            }
        }
    }
}

/// The request without a body.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut copy = Request::new(Upload { body: None, pieces: Arc::default() });
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    copy
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        self.pieces.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A reply's body, which fails once nothing has come for a while.
struct Download {
    body: Incoming,
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    /// Kept when the body is over.
    connection: Option<(Pool, SocketAddr, Sender)>,
}

impl Download {
    fn keep_if_over(&mut self) {
        if self.body.is_end_stream()
            && let Some((pool, to, sender)) = self.connection.take()
        {
            pool.keep(to, sender);
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let later = Instant::now() + self.silence;
            self.timer.as_mut().reset(later);
            self.keep_if_over();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err("nothing came within the idle timeout".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
