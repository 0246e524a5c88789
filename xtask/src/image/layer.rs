//! File-system layers whose bytes depend on nothing but their content.
//!
//! Entries are sorted, every timestamp is the epoch, every owner is root, and the gzip header carries neither a
//! time nor a file name. The compressor itself is left: another version of it may give other bytes, which
//! is why `Cargo.lock` pins it and a test holds one digest.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::blob::{self, Blob};

/// Layers as they are pushed.
pub(super) const MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A static Rust binary comes out 2 % smaller at level 6, which takes twice as long.
const LEVEL: u32 = 3;
/// So much of an archive is compressed to see whether the compressor is still the same one.
const SAMPLE: usize = 1 << 19;
/// And so much has to come of it: an archive that gives less is compressed anew.
const ENOUGH: usize = 1 << 12;

/// How every gzip file begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file or directory of a layer, root-owned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// In the image, without a leading slash.
    pub(super) path: &'a str,
    pub(super) mode: u32,
    /// A file's content; `None` makes it a directory.
    pub(super) content: Option<&'a [u8]>,
}

#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) blob: Blob,
    /// The digest of the uncompressed archive, which the image's configuration lists.
    pub(super) diff_id: String,
}

/// Archives and compresses `entries`; their order does not matter. Of the layers that were `kept`, by the digests of their archives,
/// the same one is not compressed again.
///
/// # Errors
/// A path that does not fit a `ustar` header.
pub(super) fn layer(entries: &[Entry<'_>], kept: &[(String, Blob)]) -> io::Result<Layer> {
    let archive = archive(entries)?;
    let diff_id = blob::digest(&archive);
    let same = kept.iter().find(|(id, blob)| *id == diff_id && begins_alike(&archive, blob.bytes()));
    let blob = match same {
        Some((_, blob)) => blob.clone(),
        None => compressed(&archive)?,
    };
    Ok(Layer { blob, diff_id })
}

/// Whether these bytes begin as this compressor begins the archive. Another version of it, or another level, gives other bytes: what
/// that one left on this machine would be another digest than the same source has elsewhere.
fn begins_alike(archive: &[u8], compressed: &[u8]) -> bool {
    let mut gzip = encoder(SAMPLE);
    let written = gzip.write_all(&archive[..archive.len().min(SAMPLE)]);
    // Without `finish` it holds whole blocks only, with which the whole archive begins too.
    let begin = gzip.get_ref();
    written.is_ok() && begin.len() >= ENOUGH && compressed.starts_with(begin)
}

fn encoder(room: usize) -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::with_capacity(room), Compression::new(LEVEL))
}

/// A layer's archive as it is pushed. One that is compressed already is left as it is.
///
/// # Errors
/// None that can happen: nothing is written but memory.
pub(super) fn compressed(archive: &[u8]) -> io::Result<Blob> {
    if archive.starts_with(&GZIP) {
        return Ok(Blob::new(MEDIA_TYPE, Bytes::copy_from_slice(archive)));
    }
    let mut gzip = encoder(archive.len() / 2);
    gzip.write_all(archive)?;
    Ok(Blob::new(MEDIA_TYPE, Bytes::from(gzip.finish()?)))
}

fn archive(entries: &[Entry<'_>]) -> io::Result<Vec<u8>> {
    let mut entries = entries.to_vec();
    // A directory's path is a prefix of its children's, so sorting also puts parents first.
    entries.sort_by_key(|entry| entry.path);
    let size = entries.iter().map(|entry| 1024 + entry.content.map_or(0, <[u8]>::len)).sum();
    let mut archive = tar::Builder::new(Vec::with_capacity(size));
    for entry in entries {
        let content = entry.content.unwrap_or_default();
        let mut header = tar::Header::new_ustar();
        header.set_mode(entry.mode);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        if entry.content.is_some() {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_path(entry.path)?;
        } else {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_path(format!("{}/", entry.path))?;
        }
        header.set_cksum();
        archive.append(&header, content)?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    const ENTRIES: [Entry<'static>; 4] = [
        Entry { path: "tmp", mode: 0o1777, content: None },
        Entry { path: "app/server", mode: 0o755, content: Some(b"\x7fELF") },
        Entry { path: "app", mode: 0o755, content: None },
        Entry { path: "app-data", mode: 0o755, content: None },
    ];

    #[test]
    fn entries_are_sorted_root_owned_and_without_a_time() {
        let archive = archive(&ENTRIES).unwrap();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
            assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            seen.push(format!(
                "{:?} {:o} {} {content:?}",
                header.entry_type(),
                header.mode().unwrap(),
                String::from_utf8_lossy(&entry.path_bytes()),
            ));
        }
        assert_eq!(
            seen,
            [
                r#"Directory 755 app/ """#,
                r#"Directory 755 app-data/ """#,
                r#"Regular 755 app/server "\u{7f}ELF""#,
                r#"Directory 1777 tmp/ """#,
            ]
        );
    }

    #[test]
    fn the_order_in_which_entries_are_given_does_not_change_the_digest() {
        let mut reversed = ENTRIES;
        reversed.reverse();
        let (one, other) = (layer(&ENTRIES, &[]).unwrap(), layer(&reversed, &[]).unwrap());
        assert_eq!(one.blob, other.blob);
        assert_eq!(one.diff_id, other.diff_id);
    }

    #[test]
    fn the_gzip_header_has_no_time_and_no_machine_and_unpacks_to_the_diff_id() {
        let layer = layer(&ENTRIES, &[]).unwrap();
        // RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
        assert_eq!(&layer.blob.bytes()[..10], b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
        let mut archive = Vec::new();
        GzDecoder::new(layer.blob.bytes().as_ref()).read_to_end(&mut archive).unwrap();
        assert_eq!(blob::digest(&archive), layer.diff_id);
    }

    #[test]
    fn a_path_that_the_archive_cannot_hold_is_an_error_and_no_panic() {
        let long = "x".repeat(300);
        assert!(layer(&[Entry { path: &long, mode: 0o755, content: Some(b"") }], &[]).is_err());
        assert!(layer(&[Entry { path: "../escape", mode: 0o755, content: Some(b"") }], &[]).is_err());
    }

    #[test]
    fn a_kept_layer_is_taken_where_its_content_and_the_compressor_are_the_same() {
        // It hardly compresses, so that blocks are written before the end.
        let mut seed = 1_u64;
        let mut byte = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        let content: Vec<u8> = (0..1 << 20).map(|_| byte()).collect();
        let entries = [Entry { path: "app", mode: 0o755, content: Some(&content) }];
        let anew = layer(&entries, &[]).unwrap();
        let like = |change: usize| {
            let mut bytes = anew.blob.bytes().to_vec();
            let at = change.min(bytes.len() - 1);
            bytes[at] ^= 1;
            Blob::new(MEDIA_TYPE, bytes.into())
        };
        let taken = |id: &str, blob: Blob| {
            layer(&entries, &[(id.to_owned(), blob)]).unwrap().blob.digest().to_owned()
        };
        // What it holds is not compressed again to be compared.
        let end = like(usize::MAX);
        assert_eq!(taken(&anew.diff_id, end.clone()), end.digest());
        assert_eq!(taken("sha256:other", end), anew.blob.digest());
        assert_eq!(taken(&anew.diff_id, like(20)), anew.blob.digest(), "another compressor's");
        let small = [Entry { path: "app", mode: 0o755, content: Some(b"small") }];
        let whole = layer(&small, &[]).unwrap();
        let other = Blob::new(MEDIA_TYPE, Bytes::from_static(b"other"));
        assert_eq!(layer(&small, &[(whole.diff_id, other)]).unwrap().blob, whole.blob);
    }
}
