//! Content that is named by its own SHA-256.

use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Bytes that a registry keeps under their digest: an image's configuration or one of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    media_type: &'static str,
    digest: String,
    bytes: Bytes,
}

impl Blob {
    pub(super) fn new(media_type: &'static str, bytes: Bytes) -> Self {
        Self { media_type, digest: digest(&bytes), bytes }
    }

    /// The blob that `digest` names; `None` when these are other bytes.
    pub(super) fn named(media_type: &'static str, digest: &str, bytes: Bytes) -> Option<Self> {
        let blob = Self::new(media_type, bytes);
        (blob.digest == digest).then_some(blob)
    }

    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// `sha256:` and the hexadecimal digits of the SHA-256 of `bytes`.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Two hexadecimal digits for each byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
