//! Why there is no image.

use std::io;
use std::path::PathBuf;

use deploy::model::ServiceKey;

use super::{cargo, elf, engine};

/// An image could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Cargo(#[from] cargo::Failure),
    /// No image from a container engine.
    #[error("no image of {service}: {failure}")]
    Engine { service: ServiceKey, failure: engine::Failure },
    /// A file of the build folder cannot be read or written.
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// An executable that the image could not run.
    #[error("the executable of {package} cannot be the content of an image: {fault}")]
    Executable { package: String, fault: elf::Fault },
    /// The image cannot be put together.
    #[error("the image of {package} cannot be assembled")]
    Assemble {
        package: String,
        #[source]
        source: io::Error,
    },
    /// The work on another thread broke off.
    #[error("the image of {0} was not finished")]
    Interrupted(String),
}

impl Error {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Cargo(cargo::Failure::Compile { hint, .. }) => hint.as_deref(),
            Self::Engine { failure, .. } => failure.hint(),
            _ => None,
        }
    }
}
