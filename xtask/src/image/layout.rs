//! An image as an OCI layout folder, for other tools to look at: `skopeo inspect oci:target/image/oci/backend`.
//!
//! Content that is there is not written again. It is read back for an image that an engine built and would have to give out
//! anew otherwise.

use std::io;
use std::path::Path;

use deploy::model::Platform;
use serde::Serialize;
use serde_json::Value;

use super::assemble::{self, Image, MANIFEST_MEDIA_TYPE};
use super::blob::Blob;
use super::layer;

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

/// Reads an image back; `None` for a folder that lacks any of it, or holds other bytes than it names.
pub(super) fn read(folder: &Path) -> Option<Image> {
    let blob = |media_type, digest: &str| {
        let name = digest.strip_prefix("sha256:")?;
        let bytes = std::fs::read(folder.join("blobs").join("sha256").join(name)).ok()?;
        Blob::named(media_type, digest, bytes.into())
    };
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).ok()?).ok()?;
    let entry = index["manifests"].get(0)?;
    let digest = entry["digest"].as_str()?;
    let manifest: Value = serde_json::from_slice(blob(MANIFEST_MEDIA_TYPE, digest)?.bytes()).ok()?;
    let layers = manifest["layers"].as_array()?.iter();
    let layers = layers.map(|layer| blob(layer::MEDIA_TYPE, layer["digest"].as_str()?));
    let platform = |name: &str| Some(entry["platform"][name].as_str()?.to_owned());
    let platform = Platform { os: platform("os")?, architecture: platform("architecture")? };
    let config = blob(assemble::CONFIG_MEDIA_TYPE, manifest["config"]["digest"].as_str()?)?;
    let image = assemble::complete(platform, config.bytes().clone(), layers.collect::<Option<_>>()?).ok()?;
    (image.digest.0 == digest).then_some(image)
}

/// The layers of the image that is there, by the digests of their archives.
pub(super) fn layers(folder: &Path) -> Vec<(String, Blob)> {
    let Some(image) = read(folder) else { return Vec::new() };
    let config: Value = serde_json::from_slice(image.config.bytes()).unwrap_or_default();
    let ids = config["rootfs"]["diff_ids"].as_array().into_iter().flatten();
    ids.filter_map(|id| Some(id.as_str()?.to_owned())).zip(image.layers).collect()
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
