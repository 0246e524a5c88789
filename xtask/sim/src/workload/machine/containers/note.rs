//! Which engine has a cloud's containers, noted in its state folder, to find them from another process.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

use super::engine::Engine;

/// What leads a call to the same engine again.
const LEADS: [&str; 4] = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST"];

/// An engine, as a cloud uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its program's name: `docker` or `podman`.
    pub program: &'static str,
    /// Its variables as the cloud has them, which in another process may be others: all that lead to an engine, and what is
    /// not set there must not be set.
    pub variables: BTreeMap<String, Option<String>>,
}

impl Note {
    /// Of an engine that this process uses.
    pub(super) fn of(engine: Engine) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the engine's own variables, for the same engine later"
        )]
        let value = |name: &str| std::env::var(name).ok();
        let variables = LEADS.iter().map(|name| ((*name).to_owned(), value(name))).collect();
        Self { program: engine.name(), variables }
    }

    /// Writes it into the state folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn write(&self, state_dir: &Path) -> Result<()> {
        let mut text = format!("{}\n", self.program);
        for (name, value) in &self.variables {
            if let Some(value) = value {
                // Writing into a String cannot fail.
                let _ = writeln!(text, "{name}={value}");
            }
        }
        fs::write(file(state_dir), text)
    }

    /// Reads it; `None` when the cloud with this state folder has no containers.
    ///
    /// # Errors
    /// The note is there and cannot be read.
    pub fn read(state_dir: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(file(state_dir)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let mut lines = text.lines();
        // A note that was cut off was written before anything was made.
        let engine = lines.next().and_then(Engine::named);
        let pairs = lines.filter_map(|line| line.split_once('='));
        let mut variables: BTreeMap<_, _> = LEADS.iter().map(|name| ((*name).to_owned(), None)).collect();
        variables.extend(pairs.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
        Ok(engine.map(|engine| Self { program: engine.name(), variables }))
    }

    /// Removes it, once nothing is left.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn remove(state_dir: &Path) -> Result<()> {
        match fs::remove_file(file(state_dir)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

pub(super) fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("engine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_an_engine_is_read_back_and_half_a_note_is_none() {
        let folder = std::env::temp_dir().join(format!("sim-note-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(Note::read(&folder).unwrap(), None);
        let mut variables: BTreeMap<_, _> = LEADS.iter().map(|name| ((*name).to_owned(), None)).collect();
        variables.insert("DOCKER_HOST".to_owned(), Some("unix:///run/a=b.sock".to_owned()));
        let note = Note { program: "docker", variables };
        note.write(&folder).unwrap();
        assert_eq!(Note::read(&folder).unwrap(), Some(note));
        fs::write(file(&folder), "doc").unwrap();
        assert_eq!(Note::read(&folder).unwrap(), None);
        Note::remove(&folder).unwrap();
        Note::remove(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
