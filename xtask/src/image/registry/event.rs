//! What is reported while an image is pushed.

use std::time::Duration;

use deploy::model::ImageDigest;
use deploy::view;

/// What happens during a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushEvent {
    /// The repository has a blob already.
    Present {
        digest: String,
        bytes: u64,
    },
    /// A blob is being sent.
    Uploading {
        digest: String,
        bytes: u64,
    },
    Uploaded {
        digest: String,
        bytes: u64,
    },
    Stored {
        digest: ImageDigest,
    },
    /// A tag names the image.
    Tagged {
        tag: String,
    },
    /// The tag is another image's for good.
    TagTaken {
        tag: String,
        /// The image that has it.
        holds: ImageDigest,
        /// The tag that is set instead.
        instead: String,
    },
    /// A request failed and is repeated.
    Retrying {
        error: String,
        wait: Duration,
    },
}

impl PushEvent {
    /// What a person should know: what went not quite as asked.
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
