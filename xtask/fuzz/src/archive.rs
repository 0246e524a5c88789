//! Archives that a careful reader must refuse or keep inside: names that climb, links that lead out, whiteouts of everything.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::mutate::Random;

const NAMES: [&str; 16] = [
    "a",
    "a/b",
    "a/b/c",
    "../canary",
    "a/../../canary",
    "/canary",
    "./a",
    "a/.",
    "..",
    ".",
    "a/.wh.b",
    ".wh...",
    ".wh.",
    "a/.wh..wh..opq",
    "link",
    "link/canary",
];

const TARGETS: [&str; 9] = ["a", "..", "../canary", "/", "/../canary", "link", "a/../..", ".", "../.."];

const KINDS: [EntryType; 8] = [
    EntryType::Regular,
    EntryType::Regular,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Symlink,
    EntryType::Link,
    EntryType::Fifo,
    EntryType::GNUSparse,
];

/// A layer of up to eight entries, sometimes damaged, sometimes compressed.
pub(crate) fn layer(random: &mut Random) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for _ in 0..=random.below(8) {
        let content = &b"content"[..random.below(8)];
        let mut header = Header::new_gnu();
        header.set_entry_type(*random.one(&KINDS));
        header.set_mode(random.next() as u32 & 0o7777);
        header.set_size(content.len() as u64);
        // Written as bytes: the library's own setters refuse what an attacker would write.
        let fields = header.as_gnu_mut().map(|gnu| (&mut gnu.name, &mut gnu.linkname));
        if let Some((name, target)) = fields {
            fill(name, random.one::<&str>(&NAMES));
            fill(target, random.one::<&str>(&TARGETS));
        }
        header.set_cksum();
        if builder.append(&header, content).is_err() {
            break;
        }
    }
    let mut bytes = builder.into_inner().unwrap_or_default();
    if random.below(4) == 0 && !bytes.is_empty() {
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next().to_le_bytes()[0];
        }
    }
    if random.below(8) == 0 {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let _ = packed.write_all(&bytes);
        bytes = packed.finish().unwrap_or_default();
    }
    bytes
}

fn fill(field: &mut [u8; 100], text: &str) {
    field[..text.len()].copy_from_slice(text.as_bytes());
}
