//! The terminal that a command of ECS Exec runs on, between whoever has the session and whatever runs the command.

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces of output that wait for a slow client before the command does, and of input that wait for a command that does not
/// read before the client does.
const WAITING: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Bytes(Vec<u8>),
    Size { cols: u16, rows: u16 },
}

/// The end of whoever has the session. A command that loses it is hung up.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) input: Sender<Typed>,
    /// Closed once the command has ended and all that it printed was taken.
    pub(crate) output: Receiver<Vec<u8>>,
    /// Whether an engine's client has it. Such a client prints why a command could not start; ECS Exec's agent reports
    /// that apart from the output.
    pub(crate) of_engine: bool,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) input: Receiver<Typed>,
    pub(crate) output: Sender<Vec<u8>>,
}

pub(crate) fn terminal() -> (Terminal, Line) {
    let (typed, input) = channel(WAITING);
    let (output, printed) = channel(WAITING);
    (Terminal { input: typed, output: printed, of_engine: false }, Line { input, output })
}
