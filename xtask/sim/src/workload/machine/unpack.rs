//! An image's layers become a folder.
//!
//! Whatever a layer says, nothing is written outside that folder: a name with `..` is refused, links are followed
//! inside the folder only, and what is neither a file, a folder nor a link (a device, a pipe) is left out. Owners are
//! dropped and everything is made readable, as the processes may run as another user.

#[cfg(test)]
#[path = "unpack/tests.rs"]
mod tests;

use std::cell::Cell;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufReader, Cursor, Error, ErrorKind, Read, Result};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::within;

/// A task on Fargate has 20 GiB of ephemeral storage unless it asks for more.
pub(super) const MOST_BYTES: u64 = 20 << 30;

/// What a layer may hold between the contents of two files: a name has at most 4 KiB on Linux, and extended attributes 64 KiB.
/// The tar library reads a long name whole, however long it says that it is.
const MOST_HEADER: u64 = 1 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Puts one layer over what `root` holds; takes what it writes off `budget`.
///
/// # Errors
/// A layer that is damaged, compressed in an unknown way, reaches outside `root` or is larger than `budget`.
pub(super) fn layer(root: &Path, content: &[u8], budget: &mut u64) -> Result<()> {
    let plain: Box<dyn Read + '_> = if content.starts_with(GZIP) {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(content)))
    } else if content.starts_with(ZSTD) {
        return Err(refused("a layer is compressed with zstd: gzip and plain tar are understood"));
    } else {
        Box::new(Cursor::new(content))
    };
    let left = Cell::new(MOST_HEADER);
    for entry in Archive::new(Bounded { plain, left: &left }).entries()? {
        let entry = entry?;
        left.set(u64::MAX);
        apply(root, entry, budget)?;
        left.set(MOST_HEADER);
    }
    Ok(())
}

/// A layer of which only so many bytes can be read.
struct Bounded<'a> {
    plain: Box<dyn Read + 'a>,
    left: &'a Cell<u64>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.plain.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.ok_or_else(|| refused("a layer has a name that is too long"))?);
        Ok(read)
    }
}

fn apply<R: Read>(root: &Path, mut entry: Entry<'_, R>, budget: &mut u64) -> Result<()> {
    let name = entry.path()?.into_owned();
    if name.components().any(|part| part == Component::ParentDir) {
        return Err(refused(&format!("a layer has an entry outside the image: {}", name.display())));
    }
    let Some(last) = name.file_name() else { return Ok(()) };
    let parent = within::resolve(root, name.parent().unwrap_or(Path::new("")))?;
    fs::create_dir_all(&parent)?;
    if let Some(hidden) = last.to_str().and_then(|last| last.strip_prefix(".wh.")) {
        return if hidden == ".wh..opq" { empty(&parent) } else { remove(&whiteout(&parent, hidden)?) };
    }
    let path = parent.join(last);
    match entry.header().entry_type() {
        EntryType::Directory => {
            if !fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir()) {
                remove(&path)?;
                fs::create_dir(&path)?;
            }
            fs::set_permissions(&path, Permissions::from_mode(0o755))
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            *budget = budget.checked_sub(entry.size()).ok_or_else(|| refused("no space left on device"))?;
            remove(&path)?;
            let runs = entry.header().mode()? & 0o111 != 0;
            let mode = if runs { 0o755 } else { 0o644 };
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            io::copy(&mut entry, &mut file)?;
            // The process's umask does not count.
            file.set_permissions(Permissions::from_mode(mode))
        }
        EntryType::Symlink => {
            let target = link_name(&entry)?;
            remove(&path)?;
            symlink(target, &path)
        }
        EntryType::Link => {
            let target = within::resolve(root, &link_name(&entry)?)?;
            remove(&path)?;
            fs::hard_link(target, &path)
        }
        _ => Ok(()),
    }
}

fn link_name<R: Read>(entry: &Entry<'_, R>) -> Result<PathBuf> {
    let name = entry.link_name()?.ok_or_else(|| refused("a layer has a link without a target"))?;
    Ok(name.into_owned())
}

/// The entry that a whiteout hides. `.wh...` would be the folder's parent.
fn whiteout(parent: &Path, hidden: &str) -> Result<PathBuf> {
    if matches!(hidden, "" | "." | "..") {
        return Err(refused("a layer hides an entry outside the image"));
    }
    Ok(parent.join(hidden))
}

fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn empty(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        remove(&entry?.path())?;
    }
    Ok(())
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_owned())
}
