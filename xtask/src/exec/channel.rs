//! Order and loss on the data channel: what was sent is kept until it is acknowledged, and what comes early waits.
//!
//! A WebSocket loses nothing, but the service between client and agent does when either of them reconnects, and the agent
//! acknowledges no input before the command has a terminal.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::message::{ACKNOWLEDGE, CHANNEL_CLOSED, INPUT, Malformed, Message, OUTPUT, PayloadType};
use crate::host::Rng;

/// The plugin's first time limit of an acknowledgement; the longest one too, in milliseconds.
const PATIENCE_MS: (u64, u64) = (200, 1000);
/// The plugin sends a message 3000 times, ten times a second.
const GIVE_UP_MS: u64 = 300_000;
/// Messages on their way before standard input is read again: little enough that no side waits for the other to read.
const WINDOW: usize = 16;
/// As many as the plugin keeps. The agent sends again what is not acknowledged.
const MOST_EARLY: usize = 10_000;

#[derive(Debug)]
pub(super) struct Channel {
    rng: Rng,
    next: i64,
    expected: i64,
    unacknowledged: VecDeque<Sent>,
    early: BTreeMap<i64, Message>,
    patience_ms: u64,
}

#[derive(Debug)]
struct Sent {
    sequence: i64,
    bytes: Vec<u8>,
    first_ms: u64,
    last_ms: u64,
}

/// What came with one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) acknowledgement: Option<Vec<u8>>,
    /// In the agent's order: a message that came early waits for the ones before it.
    pub(super) payloads: Vec<(PayloadType, Vec<u8>)>,
    /// The session is over, with what the agent says of it.
    pub(super) closed: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Acknowledgement {
    acknowledged_message_type: String,
    acknowledged_message_id: String,
    acknowledged_message_sequence_number: i64,
    is_sequential_message: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Closed {
    #[serde(default)]
    output: String,
}

impl Channel {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            next: 0,
            expected: 0,
            unacknowledged: VecDeque::new(),
            early: BTreeMap::new(),
            patience_ms: PATIENCE_MS.0,
        }
    }

    /// A new id, in text.
    pub(super) fn uuid(&self) -> String {
        hyphenated(self.id())
    }

    fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.rng.next_u64().to_be_bytes());
        id[8..].copy_from_slice(&self.rng.next_u64().to_be_bytes());
        // Version 4: random.
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        id
    }

    fn message(&self, kind: &str, now_ms: u64) -> Message {
        Message {
            kind: kind.to_owned(),
            created_ms: now_ms,
            sequence: 0,
            flags: 0,
            id: self.id(),
            payload_type: PayloadType::NONE,
            payload: Vec::new(),
        }
    }

    /// The bytes of the next message to the agent.
    pub(super) fn send(&mut self, payload_type: PayloadType, payload: Vec<u8>, now_ms: u64) -> Vec<u8> {
        let sequence = self.next;
        let message = Message { sequence, payload_type, payload, ..self.message(INPUT, now_ms) };
        self.next += 1;
        let bytes = message.encode();
        let sent = Sent { sequence, bytes: bytes.clone(), first_ms: now_ms, last_ms: now_ms };
        self.unacknowledged.push_back(sent);
        bytes
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now_ms: u64) -> Result<Received, Malformed> {
        let message = Message::decode(bytes)?;
        let mut received = Received::default();
        match message.kind.as_str() {
            OUTPUT => {
                let is_early = message.sequence > self.expected;
                if is_early && self.early.len() >= MOST_EARLY {
                    return Ok(received);
                }
                received.acknowledgement = Some(self.acknowledgement(&message, now_ms));
                if message.sequence >= self.expected {
                    self.early.insert(message.sequence, message);
                }
                while let Some(message) = self.early.remove(&self.expected) {
                    self.expected += 1;
                    received.payloads.push((message.payload_type, message.payload));
                }
            }
            ACKNOWLEDGE => {
                if let Ok(content) = serde_json::from_slice::<Acknowledgement>(&message.payload) {
                    self.acknowledged(content.acknowledged_message_sequence_number, now_ms);
                }
            }
            CHANNEL_CLOSED => {
                let closed = serde_json::from_slice::<Closed>(&message.payload);
                received.closed = Some(closed.map(|closed| closed.output).unwrap_or_default());
            }
            // `start_publication` and `pause_publication` are for the agent's side.
            _ => {}
        }
        Ok(received)
    }

    /// A duplicate is acknowledged as well: the first acknowledgement may have been lost.
    fn acknowledgement(&self, of: &Message, now_ms: u64) -> Vec<u8> {
        let content = Acknowledgement {
            acknowledged_message_type: of.kind.clone(),
            acknowledged_message_id: hyphenated(of.id),
            acknowledged_message_sequence_number: of.sequence,
            is_sequential_message: true,
        };
        let payload = serde_json::to_vec(&content).unwrap_or_default();
        Message { flags: 3, payload, ..self.message(ACKNOWLEDGE, now_ms) }.encode()
    }

    fn acknowledged(&mut self, sequence: i64, now_ms: u64) {
        let Some(at) = self.unacknowledged.iter().position(|sent| sent.sequence == sequence) else { return };
        if let Some(sent) = self.unacknowledged.remove(at)
            // Only of what was sent once: an acknowledgement does not say which sending it answers.
            && sent.first_ms == sent.last_ms
        {
            let round_trip = now_ms.saturating_sub(sent.first_ms);
            self.patience_ms = (2 * round_trip).clamp(PATIENCE_MS.0, PATIENCE_MS.1);
        }
    }

    /// The oldest message without an acknowledgement, when it is time to send it again.
    pub(super) fn resend(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let oldest = self.unacknowledged.front_mut()?;
        if now_ms.saturating_sub(oldest.last_ms) < self.patience_ms {
            return None;
        }
        oldest.last_ms = now_ms;
        Some(oldest.bytes.clone())
    }

    /// Whether something is on its way that may have to be sent again.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Whether more input must wait.
    pub(super) fn is_full(&self) -> bool {
        self.unacknowledged.len() >= WINDOW
    }

    /// Whether the agent has not acknowledged anything for so long that it is gone.
    pub(super) fn is_dead(&self, now_ms: u64) -> bool {
        self.unacknowledged.front().is_some_and(|sent| now_ms.saturating_sub(sent.first_ms) > GIVE_UP_MS)
    }
}

fn hyphenated(id: [u8; 16]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Channel {
        Channel::new(Rng::from_seed(1))
    }

    fn from_agent(sequence: i64, text: &str) -> Vec<u8> {
        let message = channel().message(OUTPUT, 5);
        let payload = text.as_bytes().to_vec();
        Message { sequence, payload, payload_type: PayloadType::OUTPUT, ..message }.encode()
    }

    fn acknowledged(sequence: i64) -> Vec<u8> {
        let payload = format!(
            r#"{{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageId":"x","AcknowledgedMessageSequenceNumber":{sequence},"IsSequentialMessage":true}}"#
        );
        Message { payload: payload.into_bytes(), ..channel().message(ACKNOWLEDGE, 5) }.encode()
    }

    /// What arrives and whether it is acknowledged.
    fn hears(channel: &mut Channel, bytes: &[u8]) -> (String, bool) {
        let received = channel.receive(bytes, 5).unwrap();
        let payloads = received.payloads.into_iter().map(|(_, payload)| String::from_utf8(payload).unwrap());
        (payloads.collect(), received.acknowledgement.is_some())
    }

    #[test]
    fn output_comes_in_the_agents_order_and_once() {
        let mut channel = channel();
        assert_eq!(hears(&mut channel, &from_agent(2, "c")), (String::new(), true));
        assert_eq!(hears(&mut channel, &from_agent(1, "b")), (String::new(), true));
        assert_eq!(hears(&mut channel, &from_agent(0, "a")), ("abc".to_owned(), true));
        assert_eq!(hears(&mut channel, &from_agent(1, "b")), (String::new(), true), "a duplicate");
        assert_eq!(hears(&mut channel, &from_agent(3, "d")), ("d".to_owned(), true));
    }

    #[test]
    fn an_acknowledgement_names_the_message_as_the_plugin_does() {
        let mut channel = channel();
        let sent = from_agent(0, "a");
        let bytes = channel.receive(&sent, 5).unwrap().acknowledgement.unwrap();
        let answer = Message::decode(&bytes).unwrap();
        assert_eq!((answer.kind.as_str(), answer.flags, answer.sequence), (ACKNOWLEDGE, 3, 0));
        let content: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        let id = hyphenated(Message::decode(&sent).unwrap().id);
        assert_eq!(
            content,
            serde_json::json!({
                "AcknowledgedMessageType": "output_stream_data",
                "AcknowledgedMessageId": id,
                "AcknowledgedMessageSequenceNumber": 0,
                "IsSequentialMessage": true,
            })
        );
    }

    #[test]
    fn input_is_numbered_and_sent_again_until_it_is_acknowledged() {
        let mut channel = channel();
        let first = channel.send(PayloadType::OUTPUT, b"x".to_vec(), 0);
        let second = channel.send(PayloadType::OUTPUT, b"y".to_vec(), 10);
        assert_eq!(Message::decode(&first).unwrap().sequence, 0);
        assert_eq!(Message::decode(&second).unwrap().sequence, 1);
        assert_eq!(channel.resend(199), None);
        assert_eq!(channel.resend(200), Some(first.clone()), "the same bytes, with the same id");
        assert_eq!(channel.resend(399), None);
        assert_eq!(channel.resend(400), Some(first));
        channel.receive(&acknowledged(0), 450).unwrap();
        assert_eq!(channel.resend(450), Some(second));
        channel.receive(&acknowledged(1), 451).unwrap();
        channel.receive(&acknowledged(1), 452).unwrap();
        assert!(!channel.is_waiting());
        assert_eq!(channel.resend(10_000), None);
    }

    #[test]
    fn a_slow_line_is_not_flooded_and_a_dead_one_is_given_up() {
        let mut channel = channel();
        channel.send(PayloadType::OUTPUT, b"x".to_vec(), 0);
        channel.receive(&acknowledged(0), 450).unwrap();
        channel.send(PayloadType::OUTPUT, b"y".to_vec(), 1000);
        assert_eq!(channel.resend(1899), None, "twice the last round trip");
        assert!(channel.resend(1900).is_some());
        assert!(!channel.is_full() && !channel.is_dead(301_000));
        assert!(channel.is_dead(301_001));
        (0..15).for_each(|_| drop(channel.send(PayloadType::OUTPUT, b"z".to_vec(), 1000)));
        assert!(channel.is_full());
    }

    #[test]
    fn the_end_brings_the_agents_words() {
        let closed = |payload: &str| {
            let payload = payload.as_bytes().to_vec();
            let bytes = Message { payload, ..channel().message(CHANNEL_CLOSED, 5) }.encode();
            channel().receive(&bytes, 5).unwrap().closed
        };
        assert_eq!(closed(r#"{"SessionId":"s","Output":"gone"}"#).as_deref(), Some("gone"));
        assert_eq!(closed(r#"{"SessionId":"s"}"#).as_deref(), Some(""));
        assert_eq!(closed("").as_deref(), Some(""));
        let pause = channel().message("pause_publication", 5).encode();
        assert_eq!(channel().receive(&pause, 5).unwrap(), Received::default());
    }
}
