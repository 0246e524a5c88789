//! Images: of packages, compiled and assembled without Docker and the same bytes whoever builds them; or of Dockerfiles.
//!
//! - [`build`] compiles static executables with one cargo and assembles an OCI image around each, in memory.
//! - [`registry::push`] makes sure that a registry holds an image; [`tag_for`] says under which tag.
//! - [`platform_check`] compares an image's platform with its service's before anything is registered.
//!
//! Images are deployed by their digest only. Building reads no clock and no commit: the same source, compiler and C
//! library give the same digest, so that an unchanged service is seen to be unchanged.

mod assemble;
mod blob;
mod build;
mod cargo;
mod elf;
mod engine;
mod error;
mod event;
mod layer;
mod layout;
mod platform;
pub mod registry;
mod shared;
mod tag;

pub use assemble::{Image, MANIFEST_MEDIA_TYPE, Recipe, assemble};
pub use blob::Blob;
pub use build::build;
pub use cargo::{Failure as CargoFailure, Unclear};
pub use elf::Fault as ExecutableFault;
pub use engine::{Failure as EngineFailure, find as find_engine};
pub use error::Error;
pub use event::BuildEvent;
pub use platform::{Mismatch, check as platform_check, platform};
pub use shared::{Built, Shared};
pub use tag::{INPUT_TAGS, Tag, inputs_tag, tag_for};
