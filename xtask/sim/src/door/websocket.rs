//! A WebSocket over an asynchronous stream: `tungstenite`'s frames between two buffers.
//!
//! `tokio-tungstenite` would do the same, and has features of `futures-util` on that build every crate of the SDK again.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::Message;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};

/// One end of a connection whose handshake is over. What is given up half-way goes on with the next call.
pub(super) struct WebSocket<S> {
    stream: S,
    frames: WebSocketContext,
    wire: Wire,
}

/// What has come and was not read, and what is still to be sent.
#[derive(Default)]
struct Wire {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
    ended: bool,
}

/// The longest message. The plugin types 1 KiB in one.
const LONGEST: usize = 1 << 20;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(super) fn new(stream: S, role: Role) -> Self {
        let limits = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        Self { stream, frames: WebSocketContext::new(role, Some(limits)), wire: Wire::default() }
    }

    /// The next message; nothing once the connection is closed. Pings are answered meanwhile.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            self.drain().await.ok()?;
            match self.frames.read(&mut self.wire) {
                Ok(message) => return Some(message),
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => {
                    // The answer to the other end's goodbye. It may have left without waiting for it.
                    let _ = self.drain().await;
                    return None;
                }
            }
            self.drain().await.ok()?;
            let mut piece = [0; 8192];
            let length = self.stream.read(&mut piece).await.ok()?;
            self.wire.ended = length == 0;
            self.wire.incoming.extend(&piece[..length]);
        }
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<()> {
        self.frames.write(&mut self.wire, message).map_err(Error::other)?;
        self.flush().await
    }

    /// Says goodbye; the answer is still to be read.
    pub(super) async fn close(&mut self, frame: Option<CloseFrame>) -> Result<()> {
        self.frames.close(&mut self.wire, frame).map_err(Error::other)?;
        self.flush().await
    }

    async fn flush(&mut self) -> Result<()> {
        self.frames.flush(&mut self.wire).map_err(Error::other)?;
        self.drain().await
    }

    async fn drain(&mut self) -> Result<()> {
        while !self.wire.outgoing.is_empty() {
            let length = self.stream.write(&self.wire.outgoing).await?;
            if length == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            self.wire.outgoing.drain(..length);
        }
        self.stream.flush().await
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.incoming.is_empty() && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.incoming.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.outgoing.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
