//! What is to be brought live: images by digest, and the commit they come from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::ServiceSpec;
use super::{Environment, ServiceKey};

/// `sha256:` and 64 hexadecimal digits: an image's manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ImageDigest(pub String);

impl ImageDigest {
    /// The first twelve hexadecimal digits, for people.
    #[must_use]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// For a rollback: the very revisions to run. Services that have none are not touched. Empty for a deploy.
    pub pins: BTreeMap<ServiceKey, Pin>,
}

/// The revision that a service is to run: an earlier one, or for a restart the one that it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

/// Everything that should be true after a deploy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Desired {
    pub environment: Environment,
    /// What is to run there.
    pub release: Release,
}
