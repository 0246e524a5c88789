//! Puts a static executable into an OCI image: two layers, a configuration and a manifest, all in memory.
//!
//! The image needs no base image, hence no registry to pull from and no Docker: the executable brings its own C
//! library, and the first layer has the few files that the library reads. That layer is the same for every
//! service and every release, so a registry stores it once per repository. There is no shell in it.
//!
//! Nothing here may change unless the source changes: no build time, no commit, no machine.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use deploy::model::{ImageDigest, Platform};
use serde::Serialize;

use super::blob::{self, Blob};
use super::layer::{self, Entry, Layer};

pub const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG_MEDIA_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// User and group of the process. Nobody on any system has this number, and 65532 is what other distroless
/// images use, so that file permissions on shared volumes agree.
const USER: &str = "65532:65532";
/// Tools choke on a missing creation time, and any real one would change the digest.
const EPOCH: &str = "1970-01-01T00:00:00Z";

const TMP: &str = "/tmp";

const BASE: [Entry<'static>; 5] = [
    Entry { path: "etc", mode: 0o755, content: None },
    Entry { path: "etc/group", mode: 0o644, content: Some(b"root:x:0:\nnonroot:x:65532:\n") },
    // Without it the C library asks DNS before /etc/hosts, where Service Connect writes its names.
    Entry { path: "etc/nsswitch.conf", mode: 0o644, content: Some(b"hosts: files dns\n") },
    Entry {
        path: "etc/passwd",
        mode: 0o644,
        content: Some(b"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/app:/sbin/nologin\n"),
    },
    Entry { path: "tmp", mode: 0o1777, content: None },
];

/// An image, complete and in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// SHA-256 of the manifest: the image's name for ever.
    pub digest: ImageDigest,
    pub platform: Platform,
    /// The manifest's bytes, of type [`MANIFEST_MEDIA_TYPE`].
    pub manifest: Bytes,
    pub config: Blob,
    pub layers: Vec<Blob>,
    /// The digest of all that it was built from, where that is the same on every machine.
    pub inputs: Option<String>,
}

impl Image {
    /// Everything that a registry must hold before it accepts the manifest.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config])
    }

    /// Whether its configuration declares `/tmp` as a volume.
    pub fn declares_tmp(&self) -> bool {
        let config: serde_json::Value = serde_json::from_slice(self.config.bytes()).unwrap_or_default();
        config["config"]["Volumes"].get(TMP).is_some()
    }

    /// Bytes of manifest, configuration and layers.
    pub fn size(&self) -> u64 {
        self.blobs().map(|blob| blob.bytes().len() as u64).sum::<u64>() + self.manifest.len() as u64
    }
}

/// What an image is made of.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The package; also the executable's name in the image.
    pub package: &'a str,
    pub version: &'a str,
    /// The port that the container listens on.
    pub port: u16,
    /// What the executable runs on.
    pub platform: &'a Platform,
    /// Whether `/tmp` is declared as a volume. Fargate's bind mounts are root's with mode 0755, except where the image
    /// declares the path as a volume: then they have its folder's owner and mode (ECS developer guide, bind mounts).
    pub tmp: bool,
    pub executable: &'a [u8],
}

/// # Errors
/// A package name that is no file name of an archive.
pub fn assemble(recipe: &Recipe<'_>) -> io::Result<Image> {
    assemble_with(recipe, &[])
}

/// The same, with layers that were made before, by the digests of their archives.
pub(super) fn assemble_with(recipe: &Recipe<'_>, kept: &[(String, Blob)]) -> io::Result<Image> {
    let path = format!("app/{}", recipe.package);
    let base = layer::layer(&BASE, &[])?;
    let app = [
        Entry { path: "app", mode: 0o755, content: None },
        Entry { path: &path, mode: 0o755, content: Some(recipe.executable) },
    ];
    let app = layer::layer(&app, kept)?;
    let config = json(&config(recipe, &base, &app))?;
    complete(recipe.platform.clone(), config, vec![base.blob, app.blob])
}

/// The image of a configuration and its layers.
///
/// # Errors
/// None that can happen: a manifest is always JSON.
pub(super) fn complete(platform: Platform, config: Bytes, layers: Vec<Blob>) -> io::Result<Image> {
    let config = Blob::new(CONFIG_MEDIA_TYPE, config);
    let manifest = json(&Manifest {
        schema_version: 2,
        media_type: MANIFEST_MEDIA_TYPE,
        config: Descriptor::of(&config),
        layers: layers.iter().map(Descriptor::of).collect(),
    })?;
    Ok(Image {
        digest: ImageDigest(blob::digest(&manifest)),
        platform,
        manifest,
        config,
        layers,
        inputs: None,
    })
}

fn config<'a>(recipe: &Recipe<'a>, base: &'a Layer, app: &'a Layer) -> Config<'a> {
    Config {
        created: EPOCH,
        architecture: &recipe.platform.architecture,
        os: &recipe.platform.os,
        config: Process {
            user: USER,
            exposed_ports: BTreeMap::from([(format!("{}/tcp", recipe.port), BTreeMap::new())]),
            // There is no shell and nothing else to run, so no folder of the machine's usual path exists.
            env: ["PATH=/app"],
            entrypoint: [format!("/app/{}", recipe.package)],
            volumes: recipe.tmp.then(|| BTreeMap::from([(TMP, BTreeMap::new())])),
            working_dir: "/app",
            labels: BTreeMap::from([
                ("org.opencontainers.image.title", recipe.package),
                ("org.opencontainers.image.version", recipe.version),
            ]),
        },
        rootfs: RootFs { kind: "layers", diff_ids: [&base.diff_id, &app.diff_id] },
        history: [
            History { created: EPOCH, created_by: "base: user, name service order, /tmp" },
            History { created: EPOCH, created_by: "app: static executable" },
        ],
    }
}

fn json(value: &impl Serialize) -> io::Result<Bytes> {
    Ok(Bytes::from(serde_json::to_vec(value)?))
}

/// A reference to a blob, as manifests and indexes have it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: usize,
}

impl<'a> Descriptor<'a> {
    fn of(blob: &'a Blob) -> Self {
        Self { media_type: blob.media_type(), digest: blob.digest(), size: blob.bytes().len() }
    }
}

/// `image-spec` v1.1, "Image Manifest".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: Descriptor<'a>,
    layers: Vec<Descriptor<'a>>,
}

/// `image-spec` v1.1, "Image Configuration".
#[derive(Serialize)]
struct Config<'a> {
    created: &'a str,
    architecture: &'a str,
    os: &'a str,
    config: Process<'a>,
    rootfs: RootFs<'a>,
    history: [History<'a>; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process<'a> {
    user: &'a str,
    exposed_ports: BTreeMap<String, BTreeMap<String, String>>,
    env: [&'a str; 1],
    entrypoint: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    volumes: Option<BTreeMap<&'a str, BTreeMap<String, String>>>,
    working_dir: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct RootFs<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    diff_ids: [&'a str; 2],
}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    created_by: &'a str,
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
