//! Reads the archive that `docker save` and its like write: a configuration and layers, named by `manifest.json`.
//!
//! Source: moby, "Docker Image Specification v1.2", combined image JSON and filesystem changesets. Since Docker 25 the same
//! names lead into an OCI layout; the reading is the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use bytes::Bytes;
use deploy::model::Platform;
use serde::Deserialize;

use crate::image::assemble::{Image, complete};
use crate::image::blob::{self, Blob};
use crate::image::layer;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Configuration {
    os: String,
    architecture: String,
    #[serde(default)]
    rootfs: RootFs,
}

#[derive(Default, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// What the archive holds under a name.
enum Member {
    Content(Bytes),
    /// An old `docker save` writes a layer that it wrote already as a link to it.
    Link(String),
}

/// Reads the one image of an archive. Its layers are compressed as this tool compresses its own, all at the same time;
/// those that the image `before` has are taken from there, as compressing takes longer than everything else.
///
/// # Errors
/// A file that cannot be read, or that is no such archive.
pub(super) fn read(path: &Path, before: Option<&Image>) -> io::Result<Image> {
    let members = members(path)?;
    let entries: Vec<Entry> = serde_json::from_slice(&content(&members, "manifest.json")?)?;
    let [entry] = entries.as_slice() else { return Err(odd("it holds more images than one")) };
    let config = content(&members, &entry.config)?;
    let Configuration { os, architecture, .. } = serde_json::from_slice(&config)?;
    let contents = entry.layers.iter().map(|name| content(&members, name)).collect::<io::Result<Vec<_>>>()?;
    let known = before.map(by_content).unwrap_or_default();
    let compress = |content: &Bytes| match known.get(&blob::digest(content)) {
        Some(blob) => Ok(blob.clone()),
        None => layer::compressed(content),
    };
    let layers = std::thread::scope(|scope| {
        let begun: Vec<_> = contents.iter().map(|content| scope.spawn(|| compress(content))).collect();
        let ended = begun.into_iter().map(|layer| layer.join());
        ended
            .map(|layer| layer.unwrap_or_else(|_| Err(odd("a layer was not compressed"))))
            .collect::<io::Result<_>>()
    });
    complete(Platform { os, architecture }, config, layers?)
}

/// An image's layers by the digests of what they are uncompressed, which its configuration names in the same order.
fn by_content(image: &Image) -> BTreeMap<String, Blob> {
    let config: Configuration = match serde_json::from_slice(image.config.bytes()) {
        Ok(config) => config,
        Err(_) => return BTreeMap::new(),
    };
    config.rootfs.diff_ids.into_iter().zip(image.layers.iter().cloned()).collect()
}

fn members(path: &Path) -> io::Result<BTreeMap<String, Member>> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(File::open(path)?).entries()? {
        let mut entry = entry?;
        let name = plain(&entry.path()?);
        let link = entry.link_name()?.map(|link| link.into_owned());
        match link {
            Some(link) => {
                // A symbolic link begins at its own folder, a hard one at the top.
                let from = match entry.header().entry_type() {
                    tar::EntryType::Symlink => Path::new(&name).parent().unwrap_or(Path::new("")).join(link),
                    _ => link,
                };
                members.insert(name, Member::Link(plain(&from)));
            }
            None if entry.header().entry_type().is_file() => {
                let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or(0));
                entry.read_to_end(&mut bytes)?;
                members.insert(name, Member::Content(bytes.into()));
            }
            None => {}
        }
    }
    Ok(members)
}

fn content(members: &BTreeMap<String, Member>, name: &str) -> io::Result<Bytes> {
    match members.get(name) {
        Some(Member::Content(bytes)) => Ok(bytes.clone()),
        Some(Member::Link(to)) => match members.get(to) {
            Some(Member::Content(bytes)) => Ok(bytes.clone()),
            _ => Err(odd(&format!("{name} leads nowhere"))),
        },
        None => Err(odd(&format!("it lacks {name}"))),
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            _ => {}
        }
    }
    parts.join("/")
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no image archive: {what}"))
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
