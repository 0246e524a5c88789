//! The data channel of ECS Exec, the agent's side: messages, their order and their receipts, what both ends agree on, and the
//! words of a command.
//!
//! The format is Session Manager's, as amazon-ssm-agent (`agent/session`) and session-manager-plugin speak it. Nothing here
//! waits or reads a clock; `door::session` moves the bytes.

mod channel;
mod message;
mod payload;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use channel::Channel;
pub(crate) use payload::{
    PayloadType, Size, handshake_complete, handshake_refusal, handshake_request, is_end, opening,
};
pub(crate) use words::split;

/// What an agent sends in one message (`StreamDataPayloadSize`).
pub(crate) const CHUNK: usize = 1024;

/// The format itself, for tests that play the client.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::message::{ACKNOWLEDGE, CHANNEL_CLOSED, INPUT, Message, OUTPUT};
}
