//! Images out of a registry: pulled once per digest, verified, shared by every task; unpacked for those that need it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::unpack;
use crate::ecr::digest_of;

/// Why an image cannot be had, as it follows `CannotPullContainerError: …`.
pub(super) type Refusal = String;

pub(crate) trait Registry: Send + Sync {
    /// The manifest or index with this digest.
    fn manifest(&self, repository: &str, digest: &str) -> Option<Bytes>;
    /// The blob with this digest.
    fn blob(&self, repository: &str, digest: &str) -> Option<Bytes>;
}

/// The images of one daemon.
pub(super) struct Images {
    registry: Arc<dyn Registry>,
    folder: PathBuf,
    /// The cell makes the tasks that start at once wait for one pull.
    by_digest: Mutex<BTreeMap<String, Arc<OnceCell<Arc<Image>>>>>,
}

/// An image whose parts are all here.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) digest: String,
    /// How it is to be run.
    pub(super) config: RunConfig,
    /// The configuration as the registry has it.
    pub(super) configuration: Bytes,
    /// The layers as the registry has them, lowest first.
    pub(super) layers: Vec<Bytes>,
    folder: PathBuf,
    unpacked: OnceCell<()>,
}

impl Image {
    /// An image of which only the configuration matters.
    #[cfg(test)]
    pub(super) fn of_test(digest: &str, config: RunConfig) -> Self {
        let (digest, folder, unpacked) = (digest.to_owned(), PathBuf::new(), OnceCell::new());
        Self { digest, config, configuration: Bytes::new(), layers: Vec::new(), folder, unpacked }
    }

    /// The folder that is its root: unpacked when it is first asked for.
    pub(super) async fn root(&self) -> Result<&Path, Refusal> {
        let unpack = || async {
            let (root, layers) = (self.folder.clone(), self.layers.clone());
            // Unpacking would hold up every request that the daemon serves meanwhile.
            let run = tokio::task::spawn_blocking(move || {
                // Unpacked aside and moved into place whole: what was cut off leaves no half image behind.
                let aside = root.with_extension("partial");
                assemble(&aside, &layers).and_then(|()| fs::rename(&aside, &root))
            });
            let unpacked = run.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            unpacked.map_err(|error| format!("failed to unpack the image: {error}"))
        };
        self.unpacked.get_or_try_init(unpack).await.map(|()| self.folder.as_path())
    }
}

/// `config` of the image configuration (OCI image specification).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RunConfig {
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) cmd: Option<Vec<String>>,
    pub(super) env: Option<Vec<String>>,
    pub(super) working_dir: Option<String>,
    pub(super) user: Option<String>,
    /// Paths that are volumes. Docker writes `null` where there is none.
    pub(super) volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Option<RunConfig>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Child>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

impl Images {
    /// Images of `registry`, unpacked into `folder`.
    pub(super) fn new(registry: Arc<dyn Registry>, folder: PathBuf) -> Self {
        Self { registry, folder, by_digest: Mutex::default() }
    }

    /// The image of this digest, pulled if it is not here yet. A pull that failed is tried again the next time.
    pub(super) async fn get(&self, repository: &str, digest: &str) -> Result<Arc<Image>, Refusal> {
        let cell = {
            let mut cells = self.by_digest.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(digest.to_owned()).or_default().clone()
        };
        cell.get_or_try_init(|| self.pull(repository, digest)).await.cloned()
    }

    async fn pull(&self, repository: &str, digest: &str) -> Result<Arc<Image>, Refusal> {
        let (registry, folder) = (Arc::clone(&self.registry), self.folder.join(digest.replace(':', "-")));
        let (repository, digest) = (repository.to_owned(), digest.to_owned());
        // Hashing would hold up every request that the daemon serves meanwhile.
        let run = tokio::task::spawn_blocking(move || fetch(&*registry, &repository, &digest, folder));
        run.await.map_err(|error| format!("failed to read the image: {error}"))?.map(Arc::new)
    }
}

fn fetch(registry: &dyn Registry, repository: &str, digest: &str, folder: PathBuf) -> Result<Image, Refusal> {
    let manifest = |digest: &str| {
        let found = registry.manifest(repository, digest);
        verified(digest, found.ok_or_else(|| format!("{repository}@{digest}: not found"))?)
    };
    let blob = |descriptor: &Descriptor| {
        let Descriptor { digest } = descriptor;
        let found = registry.blob(repository, digest);
        verified(digest, found.ok_or_else(|| format!("{repository}@{digest}: blob not found"))?)
    };
    let mut image: Manifest = parse("manifest", &manifest(digest)?)?;
    // A digest may also name an index, which has one manifest for each platform.
    if !image.manifests.is_empty() {
        image = parse("manifest", &manifest(&choose(&image.manifests)?)?)?;
    }
    let config = image.config.ok_or("the manifest names no configuration")?;
    let configuration = blob(&config)?;
    let parsed: Configuration = parse("configuration", &configuration)?;
    let layers = image.layers.iter().map(blob).collect::<Result<_, _>>()?;
    let config = parsed.config.unwrap_or_default();
    Ok(Image { digest: digest.to_owned(), config, configuration, layers, folder, unpacked: OnceCell::new() })
}

fn assemble(folder: &Path, layers: &[Bytes]) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let mut budget = unpack::MOST_BYTES;
    layers.iter().try_for_each(|layer| unpack::layer(folder, layer, &mut budget))
}

fn parse<T: DeserializeOwned>(what: &str, content: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(content).map_err(|error| format!("the {what} is damaged: {error}"))
}

fn verified(digest: &str, content: Bytes) -> Result<Bytes, Refusal> {
    let found = digest_of(&content);
    if found == digest { Ok(content) } else { Err(format!("{digest}: the content's digest is {found}")) }
}

/// The image of an index that this machine can run.
fn choose(children: &[Child]) -> Result<String, Refusal> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let fits = |platform: &Platform| platform.os == "linux" && platform.architecture == architecture;
    children
        .iter()
        .find(|child| child.platform.as_ref().is_some_and(fits))
        .map(|child| child.digest.clone())
        .ok_or_else(|| {
            format!("image Manifest does not contain descriptor matching platform 'linux/{architecture}'")
        })
}
