//! A WebSocket client. The protocol works on two buffers in memory, and this file carries them over the network.

use std::io::{self, ErrorKind, Read, Write};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::protocol::WebSocket;
use tungstenite::{Error, HandshakeError, Message};

use super::HttpError;

/// Bytes both ways: a TCP or TLS connection, or the embedded cloud in this process.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// A WebSocket. Dropping the future of one of its methods loses nothing.
pub struct Socket {
    stream: Box<dyn ByteStream>,
    frames: WebSocket<Buffers>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

/// What has arrived and what is to be sent.
#[derive(Debug, Default)]
struct Buffers {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    ended: bool,
}

impl Read for Buffers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = Read::read(&mut self.incoming.as_slice(), buffer)?;
        self.incoming.drain(..count);
        Ok(count)
    }
}

impl Write for Buffers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.outgoing, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket {
    /// Upgrades a connection to the server of this `ws:` or `wss:` URL.
    pub(super) async fn open(mut stream: Box<dyn ByteStream>, url: &str) -> Result<Self, HttpError> {
        let mut attempt = tungstenite::client(url, Buffers::default());
        loop {
            match attempt {
                Ok((frames, _)) => return Ok(Self { stream, frames }),
                Err(HandshakeError::Failure(error)) => return Err(failed(&error)),
                Err(HandshakeError::Interrupted(mut handshake)) => {
                    let buffers = handshake.get_mut().get_mut();
                    flush(&mut stream, buffers).await?;
                    fill(&mut stream, buffers).await?;
                    attempt = handshake.handshake();
                }
            }
        }
    }

    pub(crate) async fn send_text(&mut self, text: &str) -> Result<(), HttpError> {
        self.send(Message::text(text)).await
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), HttpError> {
        self.send(Message::binary(bytes)).await
    }

    /// Keeps middleboxes from closing an idle connection.
    pub(crate) async fn ping(&mut self) -> Result<(), HttpError> {
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), HttpError> {
        self.frames.send(message).map_err(|error| failed(&error))?;
        flush(&mut self.stream, self.frames.get_mut()).await
    }

    /// The next binary message; `None` when the server has closed the WebSocket.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            match self.frames.read() {
                Ok(Message::Binary(bytes)) => return Ok(Some(bytes)),
                // The protocol itself answers pings and the closing frame: `flush` sends that.
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    let buffers = self.frames.get_mut();
                    flush(&mut self.stream, buffers).await?;
                    fill(&mut self.stream, buffers).await?;
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(None),
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}

async fn flush(stream: &mut Box<dyn ByteStream>, buffers: &mut Buffers) -> Result<(), HttpError> {
    while !buffers.outgoing.is_empty() {
        let count = stream.write(&buffers.outgoing).await.map_err(|error| HttpError::of(&error))?;
        buffers.outgoing.drain(..count);
    }
    stream.flush().await.map_err(|error| HttpError::of(&error))
}

async fn fill(stream: &mut Box<dyn ByteStream>, buffers: &mut Buffers) -> Result<(), HttpError> {
    let mut chunk = [0; 8192];
    let count = stream.read(&mut chunk).await.map_err(|error| HttpError::of(&error))?;
    buffers.incoming.extend_from_slice(&chunk[..count]);
    buffers.ended = count == 0;
    Ok(())
}

fn failed(error: &Error) -> HttpError {
    match error {
        Error::Http(reply) => HttpError::Unconnected(format!("no WebSocket: HTTP {}", reply.status())),
        error => HttpError::of(error),
    }
}
