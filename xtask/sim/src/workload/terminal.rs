//! The terminal that a command of ECS Exec runs on, between whoever has the session and whatever runs the command.

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};

/// Pieces of output that wait for a slow client before the command does.
const WAITING: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Bytes(Vec<u8>),
    Size { cols: u16, rows: u16 },
}

/// The end of whoever has the session. A command that loses it is hung up.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) input: UnboundedSender<Typed>,
    /// Closed once the command has ended and all that it printed was taken.
    pub(crate) output: Receiver<Vec<u8>>,
    /// Whether an engine's client has it, which prints why a command could not start. The agent of ECS Exec reports that
    /// apart from the output.
    pub(crate) of_engine: bool,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) input: UnboundedReceiver<Typed>,
    pub(crate) output: Sender<Vec<u8>>,
}

pub(crate) fn terminal() -> (Terminal, Line) {
    let (typed, input) = unbounded_channel();
    let (output, printed) = channel(WAITING);
    (Terminal { input: typed, output: printed, of_engine: false }, Line { input, output })
}
