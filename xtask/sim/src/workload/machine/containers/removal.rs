//! The removal of all that a cloud has on an engine: in an orderly stop, when the daemon dies without a last word, and
//! by the next daemon.
//!
//! One script does it in all three cases, and finds everything by its label. Where it does not come through, the note
//! about the engine stays, and the next `local stop` or start tries again.

use std::io::{Error, Result};
use std::path::Path;
use std::process::Stdio;

use super::engine::Engine;
use super::names;
use super::note::{self, Note};
use crate::workload::machine::watchdog::Watchdog;

/// Removes what the filter `$2` finds on the engine `$1`, and the images that `$3` finds; the filters after those tell
/// the containers apart, in the order of their removal. Prints the containers.
const SCRIPT: &str = r#"
engine=$1 cloud=$2 images=$3
shift 3
for role; do
    found=$("$engine" ps --all --quiet --filter "$cloud" --filter "$role") || exit
    [ -z "$found" ] || "$engine" rm --force $found || exit
done
found=$("$engine" network ls --quiet --filter "$cloud") || exit
[ -z "$found" ] || "$engine" network rm $found > /dev/null || exit
found=$("$engine" images --format '{{.Repository}}:{{.Tag}}' --filter "$images") || exit
[ -z "$found" ] || "$engine" rmi $found > /dev/null
"#;

/// What the script is told.
fn arguments(engine: &str, id: &str) -> [String; 5] {
    // A sidecar holds the namespace of the others.
    let [container, sidecar] = [names::CONTAINER, names::SIDECAR].map(names::of_role);
    [engine.to_owned(), names::of_cloud(id), names::of_images(id), container, sidecar]
}

/// Removes what the noted engine has of the cloud with this `state_dir`; gives how many containers that were.
///
/// # Errors
/// The engine does not answer, or does not remove something.
pub(in crate::workload::machine) fn reap(state_dir: &Path) -> Result<usize> {
    let Some(note) = Note::read(state_dir)? else { return Note::remove(state_dir).map(|()| 0) };
    #[expect(clippy::disallowed_methods, reason = "called where nothing can be waited for")]
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "removal"]).args(arguments(note.program, &names::id(state_dir)));
    command.stdin(Stdio::null());
    for (name, value) in note.variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::other(format!(
            "{} may still have containers of this cloud and does not answer: start it; if it is gone for good, remove {} \
             ({})",
            note.program,
            note::file(state_dir).display(),
            said.trim()
        )));
    }
    Note::remove(state_dir)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// Has the removal done when this process dies.
///
/// # Errors
/// There is no shell.
pub(super) fn watchdog(engine: Engine, id: &str) -> Result<Watchdog> {
    Watchdog::start(SCRIPT, arguments(engine.name(), id))
}
