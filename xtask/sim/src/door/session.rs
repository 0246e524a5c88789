//! The data channel of ECS Exec: a WebSocket that carries a session's messages between a client and a command on a terminal.
//!
//! This end stands for Session Manager and for the agent behind it. The client's first frame is a text with the session's token;
//! all others are the messages of [`crate::session`].

/// What the agent closes a session with whose command it could not start (amazon-ssm-agent, `pluginUtil`).
fn unstarted(why: &str) -> String {
    format!("\n----------ERROR-------\nUnable to start command: Failed to start pty: {why}\n")
}

/// Whether this is an engine's word for a program that the container has not: Docker's begins with "OCI runtime exec failed",
/// Podman's with "Error:".
fn is_refusal(printed: &[u8]) -> bool {
    let text = String::from_utf8_lossy(printed);
    let text = text.trim_start();
    text.starts_with("OCI runtime exec failed")
        || (text.starts_with("Error: ") && text.contains("OCI runtime"))
}

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};
use tungstenite::handshake::server::create_response_with_body;
use tungstenite::protocol::{CloseFrame, Role, frame::coding::CloseCode};
use tungstenite::{Bytes, Message};

use super::cloud::Cloud;
use super::forward::{ReplyBody, whole};
use super::websocket::WebSocket;
use crate::clock::Millis;
use crate::ecs;
use crate::session::{
    Channel, PayloadType, Size, handshake_complete, handshake_refusal, handshake_request, is_end, opening,
};
use crate::workload::machine::Machine;
use crate::workload::terminal::{Line, Terminal, Typed, terminal};
use crate::workload::{Exec, Play};

/// Before the session's id, the path of a data channel.
pub(super) const PATH: &str = "/v1/data-channel/";

/// How long the agent waits for the answer to its handshake, and this end for the token.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// How long a session lasts without anything typed or printed (ECS developer guide, ECS Exec).
const IDLE: Duration = Duration::from_secs(20 * 60);

/// How often a session looks whether it still is one.
const LOOK: Duration = Duration::from_secs(1);

/// Messages without a receipt that a client may be sent; a command that prints faster waits.
const IN_FLIGHT: usize = 1000;

/// Payloads that wait for the command; the client sends again what comes beyond them.
const UNREAD: usize = 16;

/// How long a client whose connection broke may take to come back (ResumeSession). It tries again every fraction of a second.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// What the end leaves to the last receipts, and to the client's own goodbye.
const LAST_RECEIPTS: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(2);

/// What starts the commands of sessions.
pub(super) trait Runner: Send + Sync {
    /// Starts one; the error says why not.
    fn start(&self, exec: &Exec) -> Result<Terminal, String>;
}

impl Runner for Machine {
    fn start(&self, exec: &Exec) -> Result<Terminal, String> {
        self.exec(exec)
    }
}

/// A rehearsal's own: its workload says what a command does.
impl Runner for Cloud {
    fn start(&self, exec: &Exec) -> Result<Terminal, String> {
        let play = self.play(exec)?;
        let (here, line) = terminal();
        tokio::spawn(perform(play, line));
        Ok(here)
    }
}

async fn perform(mut play: Play, mut line: Line) {
    let mut turn = play(None);
    loop {
        sleep(Duration::from_millis(turn.after_ms)).await;
        let gone = !turn.text.is_empty() && line.output.send(turn.text.into_bytes()).await.is_err();
        if gone || turn.ends {
            return;
        }
        let Some(typed) = line.input.recv().await else { return };
        turn = play(Some(typed));
    }
}

/// Serves one connection to a rehearsal, which has no other door for data channels.
pub(super) async fn serve(cloud: Cloud, stream: DuplexStream) {
    let service = service_fn(move |request: Request<Incoming>| {
        let cloud = cloud.clone();
        async move {
            Ok::<_, Infallible>(match request.uri().path().starts_with(PATH) {
                true => answer(cloud.clone(), Arc::new(cloud), request),
                false => refusal(StatusCode::NOT_FOUND, "a data channel is what this connection is for"),
            })
        }
    });
    // How a connection ends is its client's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// Answers the request that a data channel begins with.
pub(super) fn answer(
    cloud: Cloud,
    runner: Arc<dyn Runner>,
    mut request: Request<Incoming>,
) -> Response<ReplyBody> {
    let session = request.uri().path()[PATH.len()..].to_owned();
    let reply = match create_response_with_body(&request, || whole("")) {
        Ok(reply) => reply,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A client that left during the handshake.
        let Ok(stream) = upgraded.await else { return };
        open(cloud, WebSocket::new(TokioIo::new(stream), Role::Server), session, &*runner).await;
    });
    reply
}

/// Takes the token: it opens a session, or hands a connection to the session that lost its own.
async fn open(cloud: Cloud, mut socket: Socket, session: String, runner: &dyn Runner) {
    let token = match timeout(HANDSHAKE, socket.next()).await {
        Ok(Some(Message::Text(text))) => opening(text.as_str()),
        _ => None,
    };
    let now = cloud.clock().millis();
    let opened = token.and_then(|token| {
        cloud.with_account(|account| ecs::open_session(&mut account.ecs, now, &session, &token))
    });
    let Some((exec, command)) = opened else {
        let why = "the token opens no session".into();
        let _ = socket.close(Some(CloseFrame { code: CloseCode::Policy, reason: why })).await;
        return;
    };
    if let Some(holder) = cloud.held().lock().get(&session) {
        // It may end at this moment, and the connection with it.
        let _ = holder.send(socket);
        return;
    }
    let (back, returns) = unbounded_channel();
    cloud.held().lock().insert(session.clone(), back);
    let channel = Channel::new(&session, now.0);
    let talk = Talk { cloud, socket, returns, lost: None, channel, session, received: VecDeque::new() };
    talk.hold(&exec, &command, runner).await;
}

fn refusal(status: StatusCode, said: &str) -> Response<ReplyBody> {
    let mut reply = Response::new(whole(format!("{said}\n")));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}

/// A connection of a client.
type Socket = WebSocket<TokioIo<Upgraded>>;

/// The sessions that are held, by their ids, and where a client that comes back hands in its new connection.
#[derive(Default)]
pub(super) struct Held(Mutex<BTreeMap<String, UnboundedSender<Socket>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, UnboundedSender<Socket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection is gone for good, or its client has closed the channel.
struct Gone;

struct Talk {
    cloud: Cloud,
    socket: Socket,
    returns: UnboundedReceiver<Socket>,
    /// Until when a broken connection is waited for.
    lost: Option<Instant>,
    channel: Channel,
    session: String,
    received: VecDeque<(PayloadType, Vec<u8>)>,
}

impl Talk {
    /// Holds the session to its end.
    async fn hold(mut self, exec: &Exec, command: &str, runner: &dyn Runner) {
        let output = self.converse(exec, command, runner).await;
        self.cloud.with_account(|account| ecs::close_session(&mut account.ecs, &self.session));
        self.cloud.held().lock().remove(&self.session);
        if let Ok(output) = output {
            // A client that has left by now misses nothing.
            let _ = timeout(LAST_RECEIPTS, self.receipts()).await;
            let last = self.channel.close(self.now(), &output);
            let _ = self.socket.send(Message::Binary(last.into())).await;
            let _ = self.socket.close(None).await;
            let _ = timeout(GOODBYE, async { while self.socket.next().await.is_some() {} }).await;
        }
    }

    /// Everything but the goodbye; returns the text that goes into it.
    async fn converse(&mut self, exec: &Exec, command: &str, runner: &dyn Runner) -> Result<String, Gone> {
        let began = self.now();
        self.send(PayloadType::HandshakeRequest, &handshake_request(command)).await?;
        let Ok(response) = timeout(HANDSHAKE, self.next_of(PayloadType::HandshakeResponse)).await else {
            return Ok(
                "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
                    .to_owned(),
            );
        };
        if let Some(why) = handshake_refusal(&response?) {
            return Ok(why);
        }
        let took = self.now().since(began);
        self.send(PayloadType::HandshakeComplete, &handshake_complete(took)).await?;
        match runner.start(exec) {
            Ok(terminal) => Ok(self.connect(terminal).await?.map(|why| unstarted(&why)).unwrap_or_default()),
            Err(why) => Ok(unstarted(&why)),
        }
    }

    /// Carries what is typed and printed until the command ends, or the session does; gives why an engine could not start it.
    /// A command that does not read has its client wait, and what the client sends meanwhile gets no receipt.
    async fn connect(&mut self, mut terminal: Terminal) -> Result<Option<String>, Gone> {
        let mut first = terminal.of_engine;
        let mut look = interval(LOOK);
        let mut active = self.now();
        loop {
            let room = self.channel.in_flight() < IN_FLIGHT;
            // One that has ended takes everything: its end shows in its output.
            let reads = terminal.input.capacity() > 0 || terminal.input.is_closed();
            select! {
                received = self.next(reads) => {
                    active = self.now();
                    let (kind, payload) = received?;
                    let typed = match kind {
                        PayloadType::Output => Some(Typed::Bytes(payload)),
                        PayloadType::Size => serde_json::from_slice(&payload)
                            .ok()
                            .map(|Size { cols, rows }| Typed::Size { cols, rows }),
                        PayloadType::Flag if is_end(&payload) => return Ok(None),
                        _ => None,
                    };
                    let _ = typed.map(|typed| terminal.input.try_send(typed));
                }
                _ = terminal.input.reserve(), if !reads => {}
                printed = terminal.output.recv(), if room => {
                    active = self.now();
                    match printed {
                        Some(printed) if std::mem::take(&mut first) && is_refusal(&printed) => {
                            return Ok(Some(String::from_utf8_lossy(&printed).trim().to_owned()));
                        }
                        Some(printed) => self.send(PayloadType::Output, &printed).await?,
                        None => return Ok(None),
                    }
                }
                _ = look.tick() => {
                    let open = self.cloud.look(|account| ecs::has_session(&account.ecs, &self.session));
                    if !open || self.now().since(active) >= IDLE.as_millis() as u64 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn now(&self) -> Millis {
        self.cloud.clock().millis()
    }

    async fn send(&mut self, kind: PayloadType, payload: &[u8]) -> Result<(), Gone> {
        let frame = self.channel.send(self.now(), kind, payload);
        self.put(frame).await
    }

    async fn put(&mut self, frame: Vec<u8>) -> Result<(), Gone> {
        // Where it broke, the next read shows it, and what got no receipt is sent again.
        let _ = self.socket.send(Message::Binary(Bytes::from(frame))).await;
        Ok(())
    }

    /// The next payload of this type; others are dropped, as the agent drops what comes before its handshake is complete.
    async fn next_of(&mut self, wanted: PayloadType) -> Result<Vec<u8>, Gone> {
        loop {
            let (kind, payload) = self.next(true).await?;
            if kind == wanted {
                return Ok(payload);
            }
        }
    }

    /// The next payload, if one is wanted. Receipts are sent and taken meanwhile, and what has none is sent again. Nothing is
    /// lost when this is given up.
    async fn next(&mut self, wanted: bool) -> Result<(PayloadType, Vec<u8>), Gone> {
        loop {
            if wanted && let Some(received) = self.received.pop_front() {
                return Ok(received);
            }
            self.step().await?;
        }
    }

    /// Resolves once the client has everything.
    async fn receipts(&mut self) -> Result<(), Gone> {
        while self.channel.in_flight() > 0 {
            self.step().await?;
        }
        Ok(())
    }

    /// Takes one frame, or sends one again.
    async fn step(&mut self) -> Result<(), Gone> {
        let resend = self.channel.resend_at().map(|at| Duration::from_millis(at.since(self.now())));
        let lost = self.lost;
        let frame = select! {
            Some(socket) = self.returns.recv() => {
                (self.socket, self.lost) = (socket, None);
                return Ok(());
            }
            () = sleep_until(lost.unwrap_or_else(Instant::now)), if lost.is_some() => return Err(Gone),
            frame = self.socket.next(), if lost.is_none() => frame,
            () = sleep(resend.unwrap_or_default()), if resend.is_some() && lost.is_none() => {
                return match self.channel.resend(self.now()) {
                    Some(again) => self.put(again).await,
                    None => Ok(()),
                };
            }
        };
        let frame = match frame {
            Some(Message::Binary(frame)) => frame,
            None => {
                // The socket broke without a goodbye: the client may come back and continue where it was (ResumeSession).
                self.lost = Some(Instant::now() + BACK_WITHIN);
                return Ok(());
            }
            Some(Message::Close(_)) => return Err(Gone),
            Some(_) => return Ok(()),
        };
        let received = self.channel.receive(self.now(), &frame, self.received.len() < UNREAD);
        self.received.extend(received.payloads);
        if received.closed {
            return Err(Gone);
        }
        match received.receipt {
            Some(receipt) => self.put(receipt).await,
            None => Ok(()),
        }
    }
}
