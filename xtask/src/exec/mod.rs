//! A command in a container of a running task: which one, and the session with the agent there.
//!
//! The tool speaks the data channel of Session Manager itself: ECS opens a session and gives the URL of a WebSocket, which
//! leads to the agent in the task. `message` is the format, `channel` order and loss, `handshake` what is agreed first,
//! `script` the exit code and what else a terminal hides, `session` one session.

mod channel;
mod error;
mod handshake;
mod message;
mod script;
mod session;
mod task;

pub use error::Error;
pub use session::{Ended, Streams, capture, run};
pub use task::{Target, Wanted, find};
