//! A folder that is written whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A folder of the tool's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// Whether writing it would harm nothing: it is not there, is empty, or holds `mark`, by which it is known as the tool's.
    pub fn is_free(&self, mark: &str) -> bool {
        match fs::read_dir(&self.path) {
            Ok(mut entries) => entries.next().is_none() || self.path.join(mark).is_file(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Replaces the folder by one with these files, by their paths in it. It is written beside and renamed: who looks sees the
    /// former one or this one, and a crash leaves at most a folder that the next run removes.
    ///
    /// # Errors
    /// When something cannot be written; the former folder is then still there.
    pub fn replace(&self, files: &BTreeMap<String, String>) -> io::Result<()> {
        let (draft, former) = (self.beside("draft"), self.beside("former"));
        remove(&draft)?;
        for (name, text) in files {
            let file = draft.join(name);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(file, text)?;
        }
        remove(&former)?;
        match fs::rename(&self.path, &former) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&draft, &self.path)?;
        remove(&former)
    }

    fn beside(&self, what: &str) -> PathBuf {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.path.with_file_name(format!(".{name}.{what}"))
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn a_rerun_replaces_what_was_there_and_what_a_crash_left() {
        let top = std::env::temp_dir().join(format!("xtask-folder-{}", std::process::id()));
        let folder = Folder { path: top.join("evidence") };
        assert!(folder.is_free("mark"));
        folder.replace(&files(&["mark", "logs/a"])).unwrap();
        fs::create_dir_all(top.join(".evidence.draft/half")).unwrap();
        folder.replace(&files(&["mark", "b"])).unwrap();
        let mut found: Vec<_> =
            fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        assert_eq!(found, ["b", "mark"]);
        assert_eq!(fs::read_dir(&top).unwrap().count(), 1, "drafts are gone");
        assert!(folder.is_free("mark") && !folder.is_free("another"));
        fs::remove_dir_all(&top).unwrap();
    }
}
