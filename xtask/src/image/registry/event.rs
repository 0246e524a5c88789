//! What is reported while an image is pushed.

use std::time::Duration;

use deploy::model::ImageDigest;

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
