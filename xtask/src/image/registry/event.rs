//! What is reported while an image is pushed.

use std::time::Duration;

use deploy::model::ImageDigest;
use deploy::view;

/// What happens during a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushEvent {
    /// The repository has a blob already.
    Present {
        /// The blob.
        digest: String,
        /// Its size.
        bytes: u64,
    },
    /// A blob is on its way.
    Uploading {
        /// The blob.
        digest: String,
        /// Its size.
        bytes: u64,
    },
    /// A blob is there.
    Uploaded {
        /// The blob.
        digest: String,
        /// Its size.
        bytes: u64,
    },
    /// The image is there.
    Stored {
        /// The image.
        digest: ImageDigest,
    },
    /// A tag names the image.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// The tag is another image's for good.
    TagTaken {
        /// The tag.
        tag: String,
        /// The image that has it.
        holds: ImageDigest,
        /// The tag that is set instead.
        instead: String,
    },
    /// A request failed and is repeated.
    Retrying {
        /// Why.
        error: String,
        /// After this pause.
        wait: Duration,
    },
}

impl PushEvent {
    /// What a person should know: what went not quite as asked.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::TagTaken { tag, instead, .. } => {
                Some(format!("tag {tag} names another image and cannot move; the image gets {instead}"))
            }
            Self::Retrying { error, wait } => {
                Some(format!("{error}; asking again in {}", view::duration(wait.as_millis() as u64)))
            }
            _ => None,
        }
    }
}
