//! An image as an OCI layout folder, for other tools to look at: `skopeo inspect oci:target/image/oci/backend`.
//!
//! Nothing of the tool reads it back. Content that is there is not written again.

use std::io;
use std::path::Path;

use deploy::model::Platform;
use serde::Serialize;

use super::assemble::{Image, MANIFEST_MEDIA_TYPE};

/// Writes `image` into `folder`; blobs of earlier images are taken away.
pub(super) fn write(folder: &Path, image: &Image) -> io::Result<()> {
    let blobs = folder.join("blobs").join("sha256");
    std::fs::create_dir_all(&blobs)?;
    let mut wanted: Vec<(&str, &[u8])> =
        image.blobs().map(|blob| (blob.digest(), blob.bytes().as_ref())).collect();
    wanted.push((&image.digest.0, &image.manifest));
    let wanted: Vec<(&str, &[u8])> =
        wanted.into_iter().map(|(digest, bytes)| (digest.trim_start_matches("sha256:"), bytes)).collect();
    for entry in std::fs::read_dir(&blobs)? {
        let entry = entry?;
        if !wanted.iter().any(|(name, _)| entry.file_name() == *name) {
            std::fs::remove_file(entry.path())?;
        }
    }
    for (name, bytes) in wanted {
        let path = blobs.join(name);
        // A file that was cut off by a full disk has its name already, but not its length.
        if !std::fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64) {
            std::fs::write(path, bytes)?;
        }
    }
    let index = Index {
        schema_version: 2,
        media_type: "application/vnd.oci.image.index.v1+json",
        manifests: [Entry {
            media_type: MANIFEST_MEDIA_TYPE,
            digest: &image.digest.0,
            size: image.manifest.len(),
            platform: &image.platform,
        }],
    };
    std::fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    std::fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// `image-spec` v1.1, "Image Index".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: [Entry<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: usize,
    platform: &'a Platform,
}
