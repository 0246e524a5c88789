//! What tasks run as on this machine.

use std::sync::Arc;

use super::image::Image;
use super::processes::Program;
use crate::workload::TaskStart;
use crate::workload::reason::{cannot_pull_because, cannot_start};

/// What tasks run as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Each task as it can: as processes where every entry point is an executable that needs nothing beside itself,
    /// and as containers otherwise.
    #[default]
    Auto,
    /// Processes of this machine.
    Processes,
    /// Containers of an engine.
    Containers,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Processes, Self::Containers];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Processes => "processes",
            Self::Containers => "containers",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a task runs as when `asked` is wanted; the error is the task's `stoppedReason`.
pub(super) async fn of(
    asked: Kind,
    start: &TaskStart,
    images: &[Option<Arc<Image>>],
) -> Result<Kind, String> {
    if asked == Kind::Processes
        && let Some((foreign, _)) = start.containers.iter().zip(images).find(|(_, image)| image.is_none())
    {
        let why = "processes run images of the embedded cloud's own registry only, and an image of another one needs the \
                   workload \"containers\"";
        return Err(cannot_pull_because(&foreign.image, why));
    }
    if asked != Kind::Auto {
        return Ok(asked);
    }
    // Linux's executables run nowhere else.
    if cfg!(not(target_os = "linux")) {
        return Ok(Kind::Containers);
    }
    for (container, image) in start.containers.iter().zip(images) {
        let Some(image) = image else { return Ok(Kind::Containers) };
        let root = image.root().await.map_err(|why| cannot_pull_because(&container.image, &why))?;
        let needs = Program::needs_container(root, &image.config, container);
        if needs.map_err(|why| cannot_start(&container.name, &why))? {
            return Ok(Kind::Containers);
        }
    }
    Ok(Kind::Processes)
}
