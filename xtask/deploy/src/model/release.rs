//! What is to be brought live: images by digest, and the commit they come from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::{ServiceSpec, image_reference};
use super::{Environment, ImageName, ServiceKey};

/// `sha256:` and 64 hexadecimal digits: an image's manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ImageDigest(pub String);

impl ImageDigest {
    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        let hex = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        hex.get(..12).unwrap_or(hex)
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An image's platform, as its configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Release {
    /// Unique and sortable, such as `20261123-080012-3f2a9c1`.
    pub id: String,
    /// The commit's full hash; `None` outside a git checkout.
    pub commit: Option<String>,
    /// When the commit was made, in seconds since the Unix epoch; `None` where git does not say.
    pub committed: Option<u64>,
    /// Whether the work tree had changes.
    pub dirty: bool,
    /// Who or which run releases it.
    pub actor: String,
    /// The image of each service.
    pub images: BTreeMap<ServiceKey, ImageDigest>,
    /// The digests of sidecars' images that deploy.toml names by a tag, by what is written there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tagged: BTreeMap<String, ImageDigest>,
    /// For a rollback: the very revisions to run. Services that have none are not touched. Empty for a deploy.
    pub pins: BTreeMap<ServiceKey, Pin>,
}

impl Release {
    /// The commit, with a `+` where the work tree had changes.
    pub fn source(&self) -> Option<String> {
        let commit = self.commit.as_ref()?;
        Some(if self.dirty { format!("{commit}+") } else { commit.clone() })
    }

    /// A sidecar's image as its task definition has it: by digest, as far as one is known.
    pub fn reference(&self, written: &str) -> String {
        let name = || Some((ImageName::parse(written).ok()?.written, self.tagged.get(written)?));
        name().map_or_else(|| written.to_owned(), |(name, digest)| image_reference(&name, digest))
    }
}

/// The revision that a service is to run: an earlier one, or for a restart the one that it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pin {
    pub revision: String,
    /// Whether it is tagged as proven.
    pub proven: bool,
    /// The settings that the service had with it; `None` keeps those that it has.
    pub settings: Option<ServiceSpec>,
    /// A restart: the id of the deployment that a forced one replaces. Any other one has done that already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The desired count; `None` leaves it to whoever sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

impl Pin {
    /// A restart or another number of tasks: of the revision that runs, whoever deployed it.
    pub fn is_again(&self) -> bool {
        self.replaces.is_some() || self.count.is_some()
    }
}

/// Everything that should be true after a deploy.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Desired {
    pub environment: Environment,
    /// What is to run there.
    pub release: Release,
}
