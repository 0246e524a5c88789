//! One message of the data channel, as bytes.
//!
//! AWS publishes the format as code only: session-manager-plugin, `message/messageparser.go`. All numbers are big-endian.

use sha2::{Digest, Sha256};

/// The client's bytes, both keys and handshake answers.
pub(super) const INPUT: &str = "input_stream_data";
/// The agent's bytes, both the command's output and its side of the handshake.
pub(super) const OUTPUT: &str = "output_stream_data";
pub(super) const ACKNOWLEDGE: &str = "acknowledge";
pub(super) const CHANNEL_CLOSED: &str = "channel_closed";

/// From the type to the payload's type, without this length itself and the payload's length.
const HEADER: u32 = 116;
const PAYLOAD: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PayloadType(pub(super) u32);

impl PayloadType {
    pub(super) const NONE: Self = Self(0);
    /// Terminal bytes, in both directions.
    pub(super) const OUTPUT: Self = Self(1);
    pub(super) const SIZE: Self = Self(3);
    pub(super) const HANDSHAKE_REQUEST: Self = Self(5);
    pub(super) const HANDSHAKE_RESPONSE: Self = Self(6);
    pub(super) const HANDSHAKE_COMPLETE: Self = Self(7);
    pub(super) const FLAG: Self = Self(10);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) created_ms: u64,
    pub(super) sequence: i64,
    /// Bit 0 opens a stream and bit 1 ends it; acknowledgements have both.
    pub(super) flags: u64,
    pub(super) id: [u8; 16],
    pub(super) payload_type: PayloadType,
    pub(super) payload: Vec<u8>,
}

/// Bytes that are no message. The text continues "the data channel sent …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

impl Message {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAYLOAD + self.payload.len());
        bytes.extend(HEADER.to_be_bytes());
        bytes.extend(format!("{:<32}", self.kind).bytes().take(32));
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(self.created_ms.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        // The id's halves change places on the wire: the plugin writes the lower 64 bits first.
        bytes.extend(&self.id[8..]);
        bytes.extend(&self.id[..8]);
        bytes.extend(Sha256::digest(&self.payload));
        bytes.extend(self.payload_type.0.to_be_bytes());
        bytes.extend(u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let short = Malformed("a message that ends early");
        let header = u32::from_be_bytes(field(bytes, 0).ok_or(short)?);
        let start = usize::try_from(header).map_err(|_| short)?.checked_add(4).ok_or(short)?;
        // A later version's header may be longer, and the payload begins behind it; a shorter one lacks fields that are read
        // here.
        if start < PAYLOAD {
            return Err(Malformed("a message with a header that is too short"));
        }
        let kind: [u8; 32] = field(bytes, 4).ok_or(short)?;
        let kind = std::str::from_utf8(&kind).map_err(|_| Malformed("a message type that is not text"))?;
        let [lower, upper]: [[u8; 8]; 2] = [field(bytes, 64).ok_or(short)?, field(bytes, 72).ok_or(short)?];
        let mut id = [0; 16];
        id[..8].copy_from_slice(&upper);
        id[8..].copy_from_slice(&lower);
        let digest: [u8; 32] = field(bytes, 80).ok_or(short)?;
        let payload_type = PayloadType(u32::from_be_bytes(field(bytes, 112).ok_or(short)?));
        let length = u32::from_be_bytes(field(bytes, start - 4).ok_or(short)?);
        let payload = bytes.get(start..).unwrap_or_default();
        let payload = payload.get(..usize::try_from(length).map_err(|_| short)?).ok_or(short)?.to_vec();
        if !payload.is_empty() && Sha256::digest(&payload).as_slice() != digest {
            return Err(Malformed("a message whose payload does not match its digest"));
        }
        Ok(Self {
            kind: kind.trim_end_matches([' ', '\0']).to_owned(),
            created_ms: u64::from_be_bytes(field(bytes, 40).ok_or(short)?),
            sequence: i64::from_be_bytes(field(bytes, 48).ok_or(short)?),
            flags: u64::from_be_bytes(field(bytes, 56).ok_or(short)?),
            id,
            payload_type,
            payload,
        })
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            kind: OUTPUT.to_owned(),
            created_ms: 1_700_000_000_000,
            sequence: 7,
            flags: 3,
            id: *b"0123456789abcdef",
            payload_type: PayloadType::OUTPUT,
            payload: b"payload".to_vec(),
        }
    }

    #[test]
    fn each_field_is_where_the_plugin_reads_it() {
        let bytes = message().encode();
        assert_eq!(bytes[..4], [0, 0, 0, 116]);
        assert_eq!(&bytes[4..36], b"output_stream_data              ");
        assert_eq!(bytes[36..40], [0, 0, 0, 1]);
        assert_eq!(bytes[40..48], 1_700_000_000_000_u64.to_be_bytes());
        assert_eq!(bytes[48..56], 7_i64.to_be_bytes());
        assert_eq!(bytes[63], 3);
        assert_eq!(&bytes[64..80], b"89abcdef01234567");
        // printf payload | sha256sum
        assert_eq!(bytes[80..84], [0x23, 0x9f, 0x59, 0xed]);
        assert_eq!(bytes[112..120], [0, 0, 0, 1, 0, 0, 0, 7]);
        assert_eq!(&bytes[120..], b"payload");
        assert_eq!(Message::decode(&bytes), Ok(message()));
    }

    #[test]
    fn a_longer_header_of_a_later_version_is_read_over() {
        let mut bytes = message().encode();
        bytes[3] = 120;
        bytes.splice(116..116, [9; 4]);
        assert_eq!(Message::decode(&bytes).unwrap().payload, b"payload");
    }

    #[test]
    fn bytes_that_were_cut_or_changed_are_no_message() {
        let whole = message().encode();
        for length in 0..whole.len() {
            assert!(Message::decode(&whole[..length]).is_err(), "{length} bytes");
        }
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(
            Message::decode(&changed).unwrap_err().to_string(),
            "a message whose payload does not match its digest"
        );
        for header in [0_u32, 3, 115, u32::MAX] {
            let mut bytes = whole.clone();
            bytes[..4].copy_from_slice(&header.to_be_bytes());
            assert!(Message::decode(&bytes).is_err(), "header of {header}");
        }
    }
}
