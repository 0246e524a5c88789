//! Ends the tasks when the daemon dies in a way that leaves it no last word, such as SIGKILL or a lack of memory.
//!
//! A shell waits on a pipe that only the daemon holds open. When the daemon is gone, whatever ended it, the pipe closes
//! and the shell kills the process groups that are noted at that moment. The daemon forgets a note when its process
//! ends, so that in an orderly stop nothing is left to kill. What kills the shell too leaves the notes to
//! [`super::reap`].

use std::io::Result;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

const SCRIPT: &str = r#"
cat > /dev/null
for note in "$1"/*; do
    [ -f "$note" ] || continue
    kill -s KILL -- "-${note##*/}" && rm -f "$note"
done
"#;

/// Watches this process from outside.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the processes that are noted in `notes`.
    ///
    /// # Errors
    /// There is no shell.
    pub(super) fn start(notes: &Path) -> Result<Self> {
        // In a group of its own: an interrupt from the terminal is for the daemon.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "watchdog"]).arg(notes).env_clear().process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Lets it go, and waits until it has gone.
    pub(super) async fn dismiss(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().await.map(drop)
    }
}
