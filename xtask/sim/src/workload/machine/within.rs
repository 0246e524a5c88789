//! Paths as a container sees them: every link and every `..` is followed inside the image's root and never leaves it.

use std::ffi::OsString;
use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// As many as Linux follows.
const MOST_LINKS: u32 = 40;

/// Where `path` leads when `root` is the root of the file system. Parts that are not there are taken literally.
///
/// # Errors
/// A chain of links that does not end.
pub(super) fn resolve(root: &Path, path: &Path) -> Result<PathBuf> {
    let mut pending = parts(path);
    let mut inside = PathBuf::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            inside.pop();
            continue;
        }
        let here = root.join(&inside).join(&part);
        match fs::symlink_metadata(&here) {
            Ok(found) if found.is_symlink() => {
                links += 1;
                if links > MOST_LINKS {
                    let message = format!("too many levels of symbolic links: {}", path.display());
                    return Err(Error::new(ErrorKind::InvalidData, message));
                }
                let target = fs::read_link(&here)?;
                // In a container an absolute link begins at the image's root, not at this machine's.
                if target.is_absolute() {
                    inside = PathBuf::new();
                }
                pending.extend(parts(&target));
            }
            _ => inside.push(part),
        }
    }
    Ok(root.join(inside))
}

/// The parts of a path, last first.
fn parts(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect()
}

/// The executable that `name` means inside `root`: a path from `dir`, or a name to look for in `search` (`PATH`).
pub(super) fn program(root: &Path, dir: &Path, name: &str, search: &str) -> Option<PathBuf> {
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![dir.join(name)]
    } else {
        search.split(':').map(|folder| Path::new(folder).join(name)).collect()
    };
    candidates.into_iter().find_map(|candidate| {
        let path = resolve(root, &candidate).ok()?;
        let found = fs::metadata(&path).ok()?;
        (found.is_file() && found.permissions().mode() & 0o111 != 0).then_some(path)
    })
}
