//! What a build asks others, so that machines need not build what another one has built.

use deploy::model::{ImageDigest, ServiceKey};
use futures_util::future::BoxFuture;

/// Questions that only the account and registries can answer; `None` where there is no answer, and then the engine builds.
pub struct Shared<'a> {
    /// The digest that the name of a base image has in its registry now.
    pub base: &'a (dyn Fn(String) -> BoxFuture<'a, Option<ImageDigest>> + Sync),
    /// The image that was pushed last for a service among those of these inputs.
    pub made: &'a (dyn Fn(ServiceKey, String) -> BoxFuture<'a, Option<ImageDigest>> + Sync),
}

/// An image of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    Here(Box<super::Image>),
    /// The registry has it, built from the same inputs.
    There(ImageDigest),
}

impl Built {
    pub fn digest(&self) -> &ImageDigest {
        match self {
            Self::Here(image) => &image.digest,
            Self::There(digest) => digest,
        }
    }
}
