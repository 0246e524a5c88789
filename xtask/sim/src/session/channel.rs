//! The agent's end of a data channel: it gives messages their numbers, keeps each until its receipt has come, and hands on
//! what it receives in order.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::message::{ACKNOWLEDGE, CHANNEL_CLOSED, INPUT, Message, OUTPUT};
use super::payload::PayloadType;
use crate::clock::Millis;
use crate::ids::Ids;
use crate::wire::iso8601;

/// How long a receipt is waited for at first, and at most, in milliseconds.
const FIRST_TIMEOUT: f64 = 200.0;
const LONGEST_TIMEOUT: f64 = 1000.0;
/// The round trip that is expected at first.
const FIRST_ROUND_TRIP: f64 = 100.0;

/// Messages that came too early and are kept: as many as the plugin keeps.
const MOST_EARLY: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Channel {
    session: String,
    ids: Ids,
    /// The number of the next message from the client.
    expected: i64,
    early: BTreeMap<i64, (u32, Vec<u8>)>,
    /// The number of the next message to the client.
    next: i64,
    unreceipted: VecDeque<Sent>,
    round_trip: f64,
    variation: f64,
    timeout: f64,
}

#[derive(Debug)]
struct Sent {
    sequence: i64,
    at: Millis,
    frame: Vec<u8>,
}

/// What a frame of the client comes to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Received {
    /// A frame to answer with.
    pub(crate) receipt: Option<Vec<u8>>,
    /// What is now complete, in order.
    pub(crate) payloads: Vec<(PayloadType, Vec<u8>)>,
    /// The client closes the channel.
    pub(crate) closed: bool,
}

impl Channel {
    /// A new one; `seed` is where the messages' ids are drawn from.
    pub(crate) fn new(session: &str, seed: u64) -> Self {
        Self {
            session: session.to_owned(),
            ids: Ids::new(seed),
            expected: 0,
            early: BTreeMap::new(),
            next: 0,
            unreceipted: VecDeque::new(),
            round_trip: FIRST_ROUND_TRIP,
            variation: 0.0,
            timeout: FIRST_TIMEOUT,
        }
    }

    /// Takes a frame. One that cannot be read is ignored, as the agent does, and so is input without `room` for it: its sender
    /// gets no receipt and sends it again.
    pub(crate) fn receive(&mut self, now: Millis, frame: &[u8], room: bool) -> Received {
        let Ok(message) = Message::decode(frame) else { return Received::default() };
        match message.kind.as_str() {
            INPUT if room => self.input(now, message),
            ACKNOWLEDGE => {
                self.receipted(now, &message.payload);
                Received::default()
            }
            CHANNEL_CLOSED => Received { closed: true, ..Received::default() },
            _ => Received::default(),
        }
    }

    fn input(&mut self, now: Millis, message: Message) -> Received {
        let early = message.sequence > self.expected;
        if early && self.early.len() >= MOST_EARLY {
            return Received::default();
        }
        let receipt = self.receipt(now, &message);
        if message.sequence >= self.expected {
            self.early.insert(message.sequence, (message.payload_type, message.payload));
        }
        let mut payloads = Vec::new();
        while let Some((kind, payload)) = self.early.remove(&self.expected) {
            self.expected += 1;
            payloads.extend(PayloadType::numbered(kind).map(|kind| (kind, payload)));
        }
        // One that was here before gets its receipt again: the first may have been lost with a connection.
        Received { receipt: Some(receipt), payloads, closed: false }
    }

    fn receipt(&mut self, now: Millis, of: &Message) -> Vec<u8> {
        let content = json!({
            "AcknowledgedMessageType": of.kind,
            "AcknowledgedMessageId": of.id,
            "AcknowledgedMessageSequenceNumber": of.sequence,
            "IsSequentialMessage": true,
        });
        self.aside(now, ACKNOWLEDGE, &content)
    }

    fn receipted(&mut self, now: Millis, content: &[u8]) {
        let content: Value = serde_json::from_slice(content).unwrap_or_default();
        let sequence = content["AcknowledgedMessageSequenceNumber"].as_i64();
        let Some(at) = self.unreceipted.iter().position(|sent| Some(sent.sequence) == sequence) else {
            return;
        };
        let Some(sent) = self.unreceipted.remove(at) else { return };
        // The weights are those of TCP (RFC 6298), without its rule against measuring what was sent twice: so it is in the
        // agent.
        let took = now.since(sent.at) as f64;
        self.variation = 0.75 * self.variation + 0.25 * (self.round_trip - took).abs();
        self.round_trip = 0.875 * self.round_trip + 0.125 * took;
        self.timeout = (self.round_trip + (4.0 * self.variation).max(10.0)).min(LONGEST_TIMEOUT);
    }

    /// The frame of the next message to the client.
    pub(crate) fn send(&mut self, now: Millis, kind: PayloadType, payload: &[u8]) -> Vec<u8> {
        let message = Message {
            kind: OUTPUT.to_owned(),
            created: now,
            sequence: self.next,
            flags: u64::from(self.next == 0),
            id: self.ids.uuid(),
            payload_type: kind as u32,
            payload: payload.to_vec(),
        };
        let frame = message.encode();
        self.unreceipted.push_back(Sent { sequence: self.next, at: now, frame: frame.clone() });
        self.next += 1;
        frame
    }

    /// The last frame. Without `output` the client says that the session has ended, and otherwise what it is given.
    pub(crate) fn close(&mut self, now: Millis, output: &str) -> Vec<u8> {
        let content = json!({
            "MessageType": CHANNEL_CLOSED,
            "MessageId": self.ids.uuid(),
            "DestinationId": self.session,
            "SessionId": self.session,
            "SchemaVersion": 1,
            "CreatedDate": iso8601(now),
            "Output": output,
        });
        self.aside(now, CHANNEL_CLOSED, &content)
    }

    /// A message outside the stream.
    fn aside(&mut self, now: Millis, kind: &str, content: &Value) -> Vec<u8> {
        let message = Message {
            kind: kind.to_owned(),
            created: now,
            sequence: 0,
            flags: 3,
            id: self.ids.uuid(),
            payload_type: 0,
            payload: content.to_string().into_bytes(),
        };
        message.encode()
    }

    /// The oldest message without a receipt, once it is due to be sent again.
    pub(crate) fn resend(&mut self, now: Millis) -> Option<Vec<u8>> {
        let due = self.resend_at()?;
        let oldest = self.unreceipted.front_mut().filter(|_| now >= due)?;
        oldest.at = now;
        Some(oldest.frame.clone())
    }

    pub(crate) fn resend_at(&self) -> Option<Millis> {
        self.unreceipted.front().map(|sent| sent.at.plus_millis(self.timeout as u64))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.unreceipted.len()
    }
}
