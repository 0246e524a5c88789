//! What an engine's image is made of, as one digest: the same inputs need no build.
//!
//! Counted are the files that the engine sees, the Dockerfile, the settings of the build, the engine's kind and the base
//! images as the engine has them. Not counted are the values of secrets, and what a step fetches from the network: an
//! engine's own cache does not look at those either. Where an input cannot be known there is no digest, and the engine is
//! asked.
//!
//! Another machine's engine has other base images, so what machines share counts them by the digests that their names have in
//! their registries ([`Inputs::shared`]).

mod context;
mod dockerfile;
mod ignore;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use deploy::model::{Build, ImageDigest};
use sha2::{Digest as _, Sha256};

use super::builder::{Builder, Kind};
use super::command;
use crate::host::Host;
use crate::image::{Shared, blob};

/// What is digested besides what is named: changes when the making of it does.
const FORM: &str = "2";

/// The inputs of one build, but for the base images.
#[derive(Debug)]
pub(super) struct Inputs {
    digest: Sha256,
    images: Vec<String>,
    /// The image that reads the Dockerfile. Engines have it where nobody can ask for it.
    frontend: Option<String>,
}

impl Inputs {
    /// Reads them; `None` when they cannot be known. Blocks the thread while files are read.
    pub(super) fn read(kind: Kind, workspace: &Path, dockerfile: &Build, platform: &str) -> Option<Self> {
        let file = workspace.join(dockerfile.file());
        let text = std::fs::read_to_string(&file).ok()?;
        let images = dockerfile::images(&text, &dockerfile.args)?;
        let root = workspace.join(&dockerfile.context);
        let ignores = ignores(kind, &file, &root)?;
        let mut digest = Sha256::new();
        let mut count = |name: &str, value: &str| {
            // With lengths, so that no two lists of inputs are the same text.
            digest.update(format!("{name} {}:{value}\n", value.len()));
        };
        count("form", FORM);
        count("builder", kind.name());
        count("platform", platform);
        count("target", dockerfile.target.as_deref().unwrap_or_default());
        for (name, value) in &dockerfile.args {
            count("arg", name);
            count("value", value);
        }
        for id in dockerfile.secrets.keys() {
            count("secret", id);
        }
        count("dockerfile", &text);
        count("context", &context::digest(&root, &ignores).ok()?);
        Some(Self { digest, images, frontend: dockerfile::frontend(&text) })
    }

    /// The base images that the engine has at this moment. One that it has not is counted by its name: BuildKit keeps bases
    /// where nobody can ask for them.
    pub(super) async fn bases(&self, host: &Host, builder: &Builder) -> Bases {
        let mut known = BTreeMap::new();
        for image in &self.images {
            // A digest in the name says it all.
            if !image.contains("@sha256:") {
                let output = host.shell.capture(&command::inspect(builder, image)).await.ok();
                let id = output.filter(|output| output.exit.success()).map(|output| output.stdout);
                known.insert(
                    image.clone(),
                    String::from_utf8_lossy(&id.unwrap_or_default()).trim().to_owned(),
                );
            }
        }
        Bases(known)
    }

    /// The digest of it all.
    pub(super) fn digest(&self, bases: &Bases) -> String {
        let mut digest = self.digest.clone();
        for (image, id) in &bases.0 {
            digest.update(format!("base {image} {id}\n"));
        }
        blob::hex(&digest.finalize())
    }

    /// The digest of it all as every machine has it, and the base images that it counts; `None` where one of them has
    /// no digest that can be read.
    pub(super) async fn shared(&self, shared: &Shared<'_>) -> Option<Common> {
        let mut bases = BTreeMap::new();
        for image in self.images.iter().chain(&self.frontend) {
            bases.insert(image.clone(), (shared.base)(image.clone()).await?);
        }
        let mut digest = self.digest.clone();
        for (image, of) in &bases {
            digest.update(format!("shared base {image} {of}\n"));
        }
        Some(Common { digest: blob::hex(&digest.finalize()), bases })
    }

    /// Whether a build took the bases that `common` counts: an engine prefers the image that it has, which may be an older one of
    /// that name. One that it has not it fetched.
    pub(super) async fn took(&self, host: &Host, builder: &Builder, common: &Common) -> bool {
        for image in self.images.iter().filter(|image| !image.contains("@sha256:")) {
            let output = host.shell.capture(&command::inspect_digests(builder, image)).await;
            let Ok(output) = output else { return false };
            let digests = String::from_utf8_lossy(&output.stdout).into_owned();
            let wanted = common.bases.get(image);
            if output.exit.success() && !wanted.is_some_and(|wanted| digests.contains(&wanted.0)) {
                return false;
            }
        }
        true
    }

    /// Whether these are still the inputs: the engine read them at some moment between the two.
    pub(super) fn are(&self, later: &Self) -> bool {
        self.images == later.images && self.digest.clone().finalize() == later.digest.clone().finalize()
    }
}

/// The inputs as every machine has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Common {
    pub(super) digest: String,
    bases: BTreeMap<String, ImageDigest>,
}

/// Base images by name, and the engine's ids of them; no text for one that it has not.
#[derive(Debug)]
pub(super) struct Bases(BTreeMap<String, String>);

impl Bases {
    /// Whether a build between the two saw those of `later`: one that was not there it may have fetched.
    pub(super) fn became(&self, later: &Self) -> bool {
        self.0.iter().all(|(image, id)| id.is_empty() || later.0.get(image) == Some(id))
    }
}

/// The ignore files that an engine may go by. What all of them hide is hidden for certain: Buildah's versions differ in which
/// ones they read. `None` for one that cannot be read.
fn ignores(kind: Kind, dockerfile: &Path, root: &Path) -> Option<Vec<ignore::Ignore>> {
    let beside = |ending: &str| {
        let mut name = dockerfile.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let of_root = root.join(".dockerignore");
    let files = match kind {
        Kind::Classic => vec![of_root],
        Kind::Buildx | Kind::BuildKit => {
            let own = beside(".dockerignore");
            vec![if own.is_file() { own } else { of_root }]
        }
        Kind::Buildah => {
            vec![beside(".containerignore"), beside(".dockerignore"), root.join(".containerignore"), of_root]
        }
    };
    let files = files.into_iter().filter(|file| file.exists());
    files.map(|file| ignore::Ignore::parse(&std::fs::read_to_string(file).ok()?).ok()).collect()
}

#[cfg(all(test, unix))]
#[path = "inputs_tests.rs"]
mod tests;
