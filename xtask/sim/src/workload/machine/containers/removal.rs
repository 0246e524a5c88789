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

/// Removes what the filter `$2` finds on the engine `$1`, and the images that `$3` finds; the filters after those
/// select the containers by role, in the order of their removal. Prints the containers.
///
/// The watchdog of a killed daemon and a `local stop` do it at the same time: an engine then refuses to one what it is about
/// to remove for the other ("removal … is already in progress", "conflict"). As long as it answers, it is tried again.
const SCRIPT: &str = r#"
engine=$1 cloud=$2 images=$3
shift 3
remove() {
    for role; do
        found=$("$engine" ps --all --quiet --filter "$cloud" --filter "$role") || return
        [ -z "$found" ] || "$engine" rm --force --volumes $found || return
    done
    found=$("$engine" volume ls --quiet --filter "$cloud") || return
    [ -z "$found" ] || "$engine" volume rm $found > /dev/null || return
    found=$("$engine" network ls --quiet --filter "$cloud") || return
    [ -z "$found" ] || "$engine" network rm $found > /dev/null || return
    found=$("$engine" images --format '{{.Repository}}:{{.Tag}}' --filter "$images") || return
    [ -z "$found" ] || "$engine" rmi $found > /dev/null
}
tries=10
until remove "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] && "$engine" ps --quiet > /dev/null || exit 1
    sleep 1
done
"#;

/// The arguments of the script.
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
            "{} may still have containers of this cloud: {}; start it and run this again, or remove {} if it is gone for good",
            note.program,
            said.trim().lines().last().unwrap_or("it did not say why they cannot be removed"),
            note::file(state_dir).display(),
        )));
    }
    Note::remove(state_dir)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// Has the removal done when this process dies.
pub(super) fn watchdog(engine: Engine, id: &str) -> Result<Watchdog> {
    Watchdog::start(SCRIPT, arguments(engine.name(), id))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Runs the script so often at the same time, with an engine that does this; gives whether each came
    /// through, and what it printed.
    fn remove<const N: usize>(name: &str, engine: &str) -> [(bool, String); N] {
        let folder = std::env::temp_dir().join(format!("sim-removal-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("engine");
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{engine}\n", folder.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let arguments = arguments(&path.to_string_lossy(), "id");
        #[expect(clippy::disallowed_methods, reason = "as the removal itself does")]
        let runs = [(); N].map(|()| {
            let mut command = std::process::Command::new("/bin/sh");
            command.args(["-c", SCRIPT, "removal"]).args(&arguments).stdout(Stdio::piped());
            command.spawn().unwrap()
        });
        let ended = runs.map(|run| run.wait_with_output().unwrap());
        fs::remove_dir_all(&folder).unwrap();
        ended.map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    #[test]
    fn two_that_remove_the_same_at_the_same_time_both_come_through() {
        let engine = "case $1 in\n\
                      ps) [ -e gone ] || echo c1;;\n\
                      rm) mkdir busy || { echo 'removal of c1 is already in progress' >&2; exit 1; }\n\
                      sleep 0.3; touch gone; rmdir busy; echo c1;;\n\
                      esac";
        let [one, other] = remove("conflict", engine);
        assert!(one.0 && other.0, "{one:?} {other:?}");
        assert_eq!([one.1, other.1].concat(), "c1\n");
    }

    #[test]
    fn an_engine_that_does_not_answer_is_not_asked_for_long() {
        assert_eq!(remove("silent", "echo 'cannot connect' >&2; exit 1"), [(false, String::new())]);
    }
}
