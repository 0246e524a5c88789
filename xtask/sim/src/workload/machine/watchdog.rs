//! Ends what runs when the daemon dies in a way that leaves it no last word, such as SIGKILL or a lack of memory.
//!
//! A shell waits on a pipe that only the daemon holds open. When the daemon is gone, whatever ended it, the pipe closes
//! and the shell does its work. What kills the shell too leaves the notes to [`super::reap`].

use std::ffi::OsStr;
use std::io::Result;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// Watches this process from outside.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Has a shell do `work` with `arguments` once this process is gone.
    ///
    /// # Errors
    /// There is no shell.
    pub(super) fn start<S: AsRef<OsStr>>(work: &str, arguments: impl IntoIterator<Item = S>) -> Result<Self> {
        let script = format!("cat > /dev/null\n{work}");
        let mut command = Command::new("/bin/sh");
        // In a group of its own: an interrupt from the terminal is for the daemon.
        command.args(["-c", &script, "watchdog"]).args(arguments).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Lets it do its work now, and waits until it has.
    pub(super) async fn dismiss(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().await.map(drop)
    }
}
