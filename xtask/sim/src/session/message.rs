//! One message of a data channel: a header of 120 bytes, big-endian, and a payload.

use sha2::{Digest, Sha256};

use crate::clock::Millis;

/// Everything before the payload's length, which the header's own length field does not count.
const HEADER: usize = 116;

const PAYLOAD: usize = HEADER + 4;

/// `MessageType` of what a client sends.
pub(crate) const INPUT: &str = "input_stream_data";
/// `MessageType` of what an agent sends.
pub(crate) const OUTPUT: &str = "output_stream_data";
pub(crate) const ACKNOWLEDGE: &str = "acknowledge";
pub(crate) const CHANNEL_CLOSED: &str = "channel_closed";

/// A message. What the format has beside these fields is the same in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: String,
    pub(crate) created: Millis,
    pub(crate) sequence: i64,
    /// Bit 0: the first of a stream (SYN); bit 1: the last (FIN). What is no stream has both.
    pub(crate) flags: u64,
    pub(crate) id: String,
    pub(crate) payload_type: u32,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAYLOAD + self.payload.len());
        bytes.extend((HEADER as u32).to_be_bytes());
        bytes.extend(format!("{:<32}", self.kind).into_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(self.created.0.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(swapped(uuid_bytes(&self.id)));
        bytes.extend(Sha256::digest(&self.payload));
        bytes.extend(self.payload_type.to_be_bytes());
        bytes.extend((self.payload.len() as u32).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Reads a message; the error says what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = number(bytes, 0, 4).ok_or("shorter than its header")? as usize;
        // A later format may have a longer header; the payload's length always follows it.
        if header < HEADER || bytes.len() < header + 4 {
            return Err("shorter than its header");
        }
        let kind = String::from_utf8_lossy(&bytes[4..36]);
        let payload = &bytes[header + 4..];
        if number(bytes, header, 4) != Some(payload.len() as u64) {
            return Err("its payload has another length than it says");
        }
        if Sha256::digest(payload)[..] != bytes[80..112] {
            return Err("its payload has another digest than it says");
        }
        let field = |at, len| number(bytes, at, len).unwrap_or_default();
        Ok(Self {
            kind: kind.trim_matches([' ', '\0']).to_owned(),
            created: Millis(field(40, 8)),
            sequence: field(48, 8) as i64,
            flags: field(56, 8),
            id: uuid(swapped(
                field(64, 8).to_be_bytes().into_iter().chain(field(72, 8).to_be_bytes()).collect(),
            )),
            payload_type: field(112, 4) as u32,
            payload: payload.to_vec(),
        })
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..at + len)?;
    Some(field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A UUID is written as two numbers of 8 bytes, the less significant one first.
fn swapped(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.rotate_left(8);
    bytes
}

fn uuid_bytes(id: &str) -> Vec<u8> {
    let digits: Vec<u8> = id.bytes().filter(|byte| *byte != b'-').collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).unwrap_or_default();
        u8::from_str_radix(text, 16).unwrap_or_default()
    };
    let mut bytes: Vec<u8> = digits.chunks(2).map(pair).collect();
    bytes.resize(16, 0);
    bytes
}

fn uuid(bytes: Vec<u8>) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
