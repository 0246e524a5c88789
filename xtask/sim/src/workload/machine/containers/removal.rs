//! The removal of all that a cloud has on an engine: in an orderly stop, when the daemon dies without a last word, and
//! by the next daemon.
//!
//! One script does it in all three cases, and finds everything by its label. Where it does not come through, the note
//! about the engine stays, and the next `local stop` or start tries again.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::engine::Engine;
use super::names;

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
fn arguments(engine: Engine, id: &str) -> [String; 5] {
    // A sidecar holds the namespace of the others.
    let [container, sidecar] = [names::CONTAINER, names::SIDECAR].map(names::of_role);
    [engine.name().to_owned(), names::of_cloud(id), names::of_images(id), container, sidecar]
}

/// What leads a call to the same engine again.
const LEADS: [&str; 4] = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST"];

/// Notes under `state_dir` which engine has things of this cloud.
///
/// # Errors
/// The note cannot be written.
pub(super) fn note(state_dir: &Path, engine: Engine) -> Result<()> {
    let mut text = format!("{}\n", engine.name());
    for name in LEADS {
        #[expect(
            clippy::disallowed_methods,
            reason = "the engine's own variables, for the same engine later"
        )]
        if let Ok(value) = std::env::var(name) {
            text.push_str(&format!("{name}={value}\n"));
        }
    }
    fs::write(file(state_dir), text)
}

/// Removes what the noted engine has of the cloud with this `state_dir`; gives how many containers that were.
///
/// # Errors
/// The engine does not answer, or does not remove something.
pub(in crate::workload::machine) fn reap(state_dir: &Path) -> Result<usize> {
    let file = file(state_dir);
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        text => text?,
    };
    let mut lines = text.lines();
    // A note that was cut off was written before anything was made.
    let Some(engine) = lines.next().and_then(Engine::named) else { return fs::remove_file(file).map(|()| 0) };
    #[expect(clippy::disallowed_methods, reason = "called where nothing can be waited for")]
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "removal"]).args(arguments(engine, &names::id(state_dir)));
    command.stdin(Stdio::null());
    command.envs(lines.filter_map(|line| line.split_once('=')));
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::other(format!(
            "{} may still have containers of this cloud and does not answer: start it; if it is gone for good, remove {} \
             ({})",
            engine.name(),
            file.display(),
            said.trim()
        )));
    }
    fs::remove_file(file)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("engine")
}

/// Removes everything when the daemon dies in a way that leaves it no last word: a shell waits on a pipe that only the
/// daemon holds open.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Watches this process from outside.
    ///
    /// # Errors
    /// There is no shell.
    pub(super) fn start(engine: Engine, id: &str) -> Result<Self> {
        let script = format!("cat > /dev/null\n{SCRIPT}");
        let mut command = Command::new("/bin/sh");
        // In a group of its own: an interrupt from the terminal is for the daemon.
        command.args(["-c", &script, "watchdog"]).args(arguments(engine, id)).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Lets it do its work now, and waits until it has.
    pub(super) async fn dismiss(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().await.map(drop)
    }
}
