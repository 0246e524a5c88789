//! The folder that a Dockerfile may copy from, as one digest.
//!
//! Counted are names, kinds, permissions, contents and where symbolic links lead: what reaches an image. Owners and times
//! do not: engines take the one away and do not compare the other.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use super::ignore::Ignore;
use crate::image::blob;

/// Threads that read at the same time, at most: more of them wait for the disk.
const READERS: usize = 8;

struct Entry {
    /// From the folder, with slashes.
    name: String,
    path: PathBuf,
    metadata: Metadata,
}

/// The digest of everything below `root` that one of `ignores` lets the engine see.
///
/// # Errors
/// For anything that cannot be read, or has a name that is not Unicode.
pub(super) fn digest(root: &Path, ignores: &[Ignore]) -> io::Result<String> {
    let mut entries = Vec::new();
    walk(root, "", ignores, &mut entries)?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut digest = Sha256::new();
    for (entry, content) in entries.iter().zip(contents(&entries)?) {
        digest.update(format!(
            "{}\n{}\n{}\n{content}\n",
            entry.name.len(),
            entry.name,
            mode(&entry.metadata)
        ));
    }
    Ok(blob::hex(&digest.finalize()))
}

fn walk(folder: &Path, prefix: &str, ignores: &[Ignore], entries: &mut Vec<Entry>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        let (name, metadata) = (format!("{prefix}{name}"), entry.metadata()?);
        let hidden = !ignores.is_empty() && ignores.iter().all(|ignore| ignore.hides(&name));
        let may_show = ignores.iter().any(Ignore::has_exceptions);
        if metadata.is_dir() && (!hidden || may_show) {
            walk(&entry.path(), &format!("{name}/"), ignores, entries)?;
        }
        if !hidden {
            entries.push(Entry { name, path: entry.path(), metadata });
        }
    }
    Ok(())
}

/// What each entry holds, read by several threads.
fn contents(entries: &[Entry]) -> io::Result<Vec<String>> {
    let next = AtomicUsize::new(0);
    let readers = std::thread::available_parallelism().map_or(1, usize::from).min(READERS);
    let read = || {
        let mut found = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = entries.get(at) else { return Ok::<_, io::Error>(found) };
            found.push((at, content(entry)?));
        }
    };
    let parts: io::Result<Vec<_>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..readers).map(|_| scope.spawn(read)).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a reader broke off")))
        };
        threads.into_iter().map(ended).collect()
    });
    let mut all: Vec<(usize, String)> = parts?.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, content)| content).collect())
}

fn content(entry: &Entry) -> io::Result<String> {
    let kind = entry.metadata.file_type();
    if kind.is_symlink() {
        return Ok(format!("link {}", std::fs::read_link(&entry.path)?.display()));
    }
    if kind.is_dir() {
        return Ok("folder".to_owned());
    }
    if !kind.is_file() {
        return Ok("other".to_owned());
    }
    let (mut file, mut digest) = (File::open(&entry.path)?, Sha256::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(format!("file {}", blob::hex(&digest.finalize()))),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

/// Where there are no permissions engines make some up, the same for every file.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}
