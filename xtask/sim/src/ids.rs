//! Identifiers in AWS's shapes, drawn from a counter so that a run replays.

use sha2::{Digest, Sha256};

/// Makes identifiers: unique within the account, the same sequence for the same seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ids {
    seed: u64,
    drawn: u64,
}

impl Ids {
    /// A source of identifiers for `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.drawn.to_be_bytes());
        hash.finalize().into()
    }

    /// `len` lowercase hexadecimal digits (at most 64), as in task ids (32) and load balancer ids (16).
    pub(crate) fn hex(&mut self, len: usize) -> String {
        let mut text: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        text.truncate(len);
        text
    }

    /// `len` decimal digits (at most 19) without a leading zero, as in `ecs-svc/<19 digits>`.
    pub(crate) fn digits(&mut self, len: usize) -> String {
        let bytes = self.bytes();
        let text: String = bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        format!("{}{}", 1 + bytes[31] % 9, &text[..len - 1])
    }

    /// `len` characters of `[A-Za-z0-9_-]` (at most 32), as in service deployment ids (21).
    pub(crate) fn token(&mut self, len: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        self.bytes().iter().take(len).map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect()
    }

    /// A version-4-shaped UUID, as in request ids and attachment ids.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }
}
