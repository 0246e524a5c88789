//! What tasks run as on this machine.

use std::sync::Arc;

use super::image::Image;
use super::processes::Program;
use crate::workload::reason::{cannot_pull_because, cannot_start};
use crate::workload::{EXEC_PATHS, TaskStart};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Each task as it can: as processes where every entry point is an executable that needs no other file than
    /// itself, and as containers otherwise.
    #[default]
    Auto,
    Processes,
    Containers,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Processes, Self::Containers];

    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Processes => "processes",
            Self::Containers => "containers",
        }
    }

    /// The one with this name.
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
    if let Some((container, path)) = volume(start) {
        match asked {
            Kind::Processes => {
                let why = format!(
                    "a process has no volumes, and {path} would be this machine's: it needs the workload \"containers\""
                );
                return Err(cannot_start(container, &why));
            }
            Kind::Auto | Kind::Containers => return Ok(Kind::Containers),
        }
    }
    if asked != Kind::Auto {
        return Ok(asked);
    }
    if start.containers.iter().any(|container| container.router.is_some()) {
        return Ok(Kind::Containers);
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

/// A container's volume at a path that a process would share with this machine. `/tmp` is meant to be shared, and
/// nothing of ECS Exec's agent runs here.
fn volume(start: &TaskStart) -> Option<(&str, &str)> {
    let own = |path: &str| path == "/tmp" || EXEC_PATHS.contains(&path);
    start.containers.iter().find_map(|container| {
        let mount = container.mounts.iter().find(|mount| !own(&mount.path))?;
        Some((container.name.as_str(), mount.path.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{ContainerStart, Mount};

    #[test]
    fn a_volume_that_a_process_would_share_with_this_machine_needs_a_container() {
        for (path, needs) in [("/uploads", true), ("/tmp", false), ("/managed-agents", false)] {
            let mount = Mount { volume: "v".to_owned(), path: path.to_owned(), read_only: false };
            let web = ContainerStart { name: "web".to_owned(), mounts: vec![mount], ..Default::default() };
            let start = TaskStart { containers: vec![web], ..Default::default() };
            assert_eq!(volume(&start), needs.then_some(("web", path)));
        }
    }
}
