//! An image as an archive in the format of `docker save`, which every engine loads.

use std::io::Result;

use bytes::Bytes;
use serde_json::json;
use tar::{Builder, Header};

use crate::ecr::digest_of;

/// The archive of an image called `tag`. Layers stay compressed as they are.
///
/// # Errors
/// None that can happen: everything is in memory.
pub(super) fn of(tag: &str, configuration: &Bytes, layers: &[Bytes]) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let config = format!("{}.json", hex(configuration));
    let names: Vec<String> = layers.iter().map(|layer| format!("{}.tar", hex(layer))).collect();
    add(&mut archive, &config, configuration)?;
    for (index, layer) in layers.iter().enumerate() {
        // The same layer twice, such as an empty one, is in the archive once.
        if !layers[..index].contains(layer) {
            add(&mut archive, &names[index], layer)?;
        }
    }
    let manifest = json!([{ "Config": config, "RepoTags": [tag], "Layers": names }]);
    add(&mut archive, "manifest.json", manifest.to_string().as_bytes())?;
    archive.into_inner()
}

fn add(archive: &mut Builder<Vec<u8>>, name: &str, content: &[u8]) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append_data(&mut header, name, content)
}

fn hex(content: &[u8]) -> String {
    digest_of(content).trim_start_matches("sha256:").to_owned()
}
