//! One session with the agent in a task: from the command to its exit code.

use std::io;
use std::time::Duration;

use deploy::model::arn_name;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::channel::Channel;
use super::error::is_agent_away;
use super::handshake::{answer, opening};
use super::message::PayloadType;
use super::script::{Encoder, Piece, Reader, Way, command_line};
use super::{Error, Target};
use crate::aws::{Aws, ExecSession};
use crate::host::{Clock, Host, HttpError, Input, RawMode, Resizes, Signal, Signals, Socket, Terminal};

/// The agent starts some seconds after the task is RUNNING.
const AGENT_STARTS: Duration = Duration::from_secs(20);
/// An agent that runs asks for the handshake within a second or two.
const SILENCE: Duration = Duration::from_secs(30);
/// The plugin's: it looks for what to send again that often.
const TICK: Duration = Duration::from_millis(100);
/// As often as AWS's session-manager-plugin pings.
const PING: Duration = Duration::from_secs(300);
/// How long a session that is asked to end may take to say so.
const FAREWELL: Duration = Duration::from_secs(2);
/// How the agent begins its complaint about a program that the image does not have.
const NO_PROGRAM: &str = "Unable to start command: ";
const CTRL_C: u8 = 3;
/// The flag that ends the session, with what still runs in it.
const TERMINATE: u32 = 2;

/// What the command is connected to.
pub struct Streams<'a> {
    /// The command gets no input when `None`.
    pub input: Option<Input>,
    pub output: &'a mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    /// A person at a terminal: keys as they are pressed, and the terminal's size.
    pub terminal: bool,
    /// Ctrl-C and SIGTERM, where they are for the command.
    pub signals: Option<Signals>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Code(u8),
    /// The image has no such program; the agent's words.
    NotStarted(String),
    /// It ran, and nobody knows its exit code. The text continues "the exit code is not known: ".
    Unknown(String),
    Interrupted,
}

/// What came of one way to run the command.
enum Outcome {
    Ended(Ended),
    NoShell,
}

/// Runs a command to its end.
///
/// # Errors
/// [`Error`] when it was not run.
pub async fn run(
    host: &Host,
    aws: &Aws,
    target: &Target,
    command: &[String],
    streams: Streams<'_>,
) -> Result<Ended, Error> {
    let wrapped = if streams.terminal { Way::Terminal } else { Way::Pipe };
    run_by(host, aws, target, command, streams, &[wrapped, Way::Bare]).await
}

/// Runs a command without input, and keeps what it prints. `is_bare` says that the image has no shell.
///
/// # Errors
/// [`Error`] when it was not run.
pub async fn capture(
    host: &Host,
    aws: &Aws,
    target: &Target,
    command: &[String],
    is_bare: bool,
) -> Result<(Ended, Vec<u8>), Error> {
    let ways: &[Way] = if is_bare { &[Way::Bare] } else { &[Way::Pipe, Way::Bare] };
    let mut kept = Vec::new();
    let mut output = |bytes: &[u8]| {
        kept.extend_from_slice(bytes);
        Ok(())
    };
    let streams = Streams { input: None, output: &mut output, terminal: false, signals: None };
    let ended = run_by(host, aws, target, command, streams, ways).await?;
    Ok((ended, kept))
}

async fn run_by(
    host: &Host,
    aws: &Aws,
    target: &Target,
    command: &[String],
    mut streams: Streams<'_>,
    ways: &[Way],
) -> Result<Ended, Error> {
    if !target.takes_commands {
        return Err(Error::Closed(arn_name(&target.task).to_owned()));
    }
    let nonce = format!("{:016x}", host.rng.stream("exec").next_u64() ^ host.clock.now_ms());
    for way in ways.iter().copied() {
        let line = command_line(way, &nonce, command);
        let opened = tokio::select! {
            biased;
            _ = next_signal(&mut streams.signals) => return Ok(Ended::Interrupted),
            opened = open(host, aws, target, &line) => opened?,
        };
        let reader = Reader::new(way, streams.terminal, &nonce);
        match hold(host, &opened, target, way, reader, &mut streams).await? {
            Outcome::Ended(ended) => return Ok(ended),
            Outcome::NoShell => {}
        }
    }
    Ok(Ended::Unknown("the image has no /bin/sh, which would report it".to_owned()))
}

async fn open(host: &Host, aws: &Aws, target: &Target, line: &str) -> Result<ExecSession, Error> {
    let mark = host.clock.mark();
    loop {
        match aws.execute_command(&target.cluster, &target.task, &target.container, line).await {
            Err(error) if is_agent_away(&error) && mark.elapsed() < AGENT_STARTS => {
                host.clock.sleep(Duration::from_secs(1)).await;
            }
            opened => return opened.map_err(Error::Refused),
        }
    }
}

/// The WebSocket and what is on its way there.
struct Line<'a> {
    socket: Socket,
    channel: Channel,
    clock: &'a Clock,
}

impl Line<'_> {
    async fn send(&mut self, payload_type: PayloadType, payload: Vec<u8>) -> Result<(), HttpError> {
        let bytes = self.channel.send(payload_type, payload, self.clock.now_ms());
        self.socket.send_bytes(bytes).await
    }

    async fn resize(&mut self) -> Result<(), HttpError> {
        let (cols, rows) = Terminal::size();
        self.send(PayloadType::SIZE, json!({ "cols": cols, "rows": rows }).to_string().into_bytes()).await
    }

    /// Ends the session with what still runs in it, such as the reader of an input that nobody wants any more. Where that
    /// does not come about, the agent ends it after its idle time.
    async fn terminate(&mut self) {
        let farewell = async {
            self.send(PayloadType::FLAG, TERMINATE.to_be_bytes().to_vec()).await?;
            while let Some(bytes) = self.socket.next().await? {
                let closed = self.channel.receive(&bytes, self.clock.now_ms()).map(|it| it.closed);
                if !matches!(closed, Ok(None)) {
                    break;
                }
            }
            Ok::<_, HttpError>(())
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// Holds a session until its end.
async fn hold(
    host: &Host,
    opened: &ExecSession,
    target: &Target,
    way: Way,
    mut reader: Reader,
    streams: &mut Streams<'_>,
) -> Result<Outcome, Error> {
    // A session that nobody takes up is ended by AWS.
    let socket = tokio::select! {
        biased;
        _ = next_signal(&mut streams.signals) => return Ok(Outcome::Ended(Ended::Interrupted)),
        socket = host.http.socket(&opened.url) => socket.map_err(Error::Unreached)?,
    };
    let mut line = Line { socket, channel: Channel::new(host.rng.stream("channel")), clock: &host.clock };
    let text = opening(opened.token.expose(), &line.channel.uuid(), &line.channel.uuid());
    line.socket.send_text(&text).await.map_err(Error::Unreached)?;

    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval_at(Instant::now() + PING, PING);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    let mut encoder = (way == Way::Pipe).then(Encoder::default);
    let (mut heard, mut began, mut takes_input, mut interrupts) = (false, false, false, 0);
    // Restores the terminal on every way out of here.
    let mut raw: Option<(RawMode, Resizes)> = None;
    loop {
        let reads_input = began && streams.input.is_some() && !line.channel.is_full();
        tokio::select! {
            biased;
            signal = next_signal(&mut streams.signals) => {
                interrupts += 1;
                if signal == Signal::Terminate || interrupts > 1 || !began {
                    line.terminate().await;
                    return Ok(Outcome::Ended(Ended::Interrupted));
                }
                line.send(PayloadType::OUTPUT, vec![CTRL_C]).await.map_err(Error::Broken)?;
            }
            frame = line.socket.next() => {
                let bytes = match frame {
                    Ok(Some(bytes)) => bytes,
                    Ok(None) => return Ok(lost(way, "the connection was closed")),
                    Err(error) if began => return Ok(lost(way, &format!("the connection broke: {error}"))),
                    Err(error) => return Err(Error::Broken(error)),
                };
                heard = true;
                let received = line.channel.receive(&bytes, host.clock.now_ms())?;
                if let Some(acknowledgement) = received.acknowledgement {
                    line.socket.send_bytes(acknowledgement).await.map_err(Error::Broken)?;
                }
                for (payload_type, payload) in received.payloads {
                    let pieces = match payload_type {
                        PayloadType::HANDSHAKE_REQUEST => {
                            let answer = answer(&payload);
                            line.send(PayloadType::HANDSHAKE_RESPONSE, answer.payload).await.map_err(Error::Broken)?;
                            if answer.is_encrypted {
                                line.terminate().await;
                                return Err(Error::Encrypted);
                            }
                            Vec::new()
                        }
                        PayloadType::HANDSHAKE_COMPLETE if way == Way::Bare => {
                            vec![Piece::Began { takes_input: false }]
                        }
                        PayloadType::OUTPUT => reader.read(&payload),
                        _ => Vec::new(),
                    };
                    for piece in pieces {
                        match piece {
                            Piece::Began { takes_input: takes } => {
                                (began, takes_input) = (true, takes || streams.terminal);
                                if takes && streams.input.is_none() && let Some(encoder) = &mut encoder {
                                    // Otherwise a command that reads its input would wait for ever.
                                    let end = encoder.encode(&[]);
                                    line.send(PayloadType::OUTPUT, end).await.map_err(Error::Broken)?;
                                }
                                if streams.terminal {
                                    let resizes = Resizes::listen().map_err(Error::Terminal)?;
                                    raw = Some((Terminal::raw().map_err(Error::Terminal)?, resizes));
                                    line.resize().await.map_err(Error::Broken)?;
                                }
                            }
                            Piece::Output(bytes) => if let Err(error) = (streams.output)(&bytes) {
                                line.terminate().await;
                                return Err(Error::Output(error));
                            },
                            Piece::Ended(code) => {
                                drop(raw.take());
                                line.terminate().await;
                                let unknown = || Ended::Unknown("the shell in the image did not report it".to_owned());
                                return Ok(Outcome::Ended(code.map_or_else(unknown, Ended::Code)));
                            }
                        }
                    }
                }
                if let Some(words) = received.closed {
                    return Ok(closed(way, began, &words, &reader.before));
                }
            }
            piece = next_input(&mut streams.input), if reads_input => {
                let piece = piece.map_err(Error::Input)?;
                if piece.is_empty() {
                    streams.input = None;
                } else if !takes_input {
                    line.terminate().await;
                    return Err(Error::NoInput);
                }
                let bytes = match &mut encoder {
                    Some(encoder) if takes_input => encoder.encode(&piece),
                    _ => piece,
                };
                if !bytes.is_empty() {
                    line.send(PayloadType::OUTPUT, bytes).await.map_err(Error::Broken)?;
                }
            }
            () = next_resize(&mut raw) => line.resize().await.map_err(Error::Broken)?,
            _ = ticks.tick(), if line.channel.is_waiting() => {
                let now = host.clock.now_ms();
                if line.channel.is_dead(now) {
                    return Ok(lost(way, "the agent has not answered for five minutes"));
                }
                if let Some(bytes) = line.channel.resend(now) {
                    line.socket.send_bytes(bytes).await.map_err(Error::Broken)?;
                }
            }
            _ = pings.tick() => line.socket.ping().await.map_err(Error::Broken)?,
            () = &mut silence, if !heard => return Err(Error::Silent(arn_name(&target.task).to_owned())),
        }
    }
}

async fn next_signal(signals: &mut Option<Signals>) -> Signal {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

async fn next_resize(raw: &mut Option<(RawMode, Resizes)>) {
    match raw {
        Some((_, resizes)) => resizes.next().await,
        None => std::future::pending().await,
    }
}

/// The next piece; an empty one at the end.
async fn next_input(input: &mut Option<Input>) -> io::Result<Vec<u8>> {
    match input {
        Some(input) => input.recv().await.unwrap_or(Ok(Vec::new())),
        None => std::future::pending().await,
    }
}

fn lost(way: Way, why: &str) -> Outcome {
    let words = if way == Way::Bare { "the image has no /bin/sh, which would report it; " } else { "" };
    Outcome::Ended(Ended::Unknown(format!("{words}{why}")))
}

/// The agent has ended the session. Its words are in several lines, the last of which says what is wrong.
fn closed(way: Way, began: bool, words: &str, before: &[u8]) -> Outcome {
    if let Some((_, why)) = words.split_once(NO_PROGRAM) {
        if way != Way::Bare {
            return Outcome::NoShell;
        }
        return Outcome::Ended(Ended::NotStarted(why.trim().to_owned()));
    }
    let words =
        [words, &String::from_utf8_lossy(before)].map(|text| text.trim().replace('\n', " ")).join(" ");
    let words = match words.trim() {
        "" => "the session ended before the command did".to_owned(),
        words => format!("the session ended before the command did: {words}"),
    };
    match way {
        Way::Bare if began => lost(way, "the session has ended"),
        _ => Outcome::Ended(Ended::Unknown(words)),
    }
}
