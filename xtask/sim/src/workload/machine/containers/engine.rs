//! The engine's command line: Docker's or Podman's, which are the same here.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// What an engine gets for one call; loading a large image takes the longest.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Engine(&'static str);

/// Why there is no engine.
const NONE: &str = "a container needs an engine, and there is none: install Docker or Podman";

impl Engine {
    /// Those that can run containers, in the order in which they are tried.
    const ALL: [Self; 2] = [Self("docker"), Self("podman")];

    /// The first that answers.
    ///
    /// # Errors
    /// A sentence that says what to install or to start.
    pub(super) async fn find() -> Result<Self, String> {
        let mut why = None;
        for engine in Self::ALL {
            match engine.run(&["ps", "--quiet"]).await {
                Ok(_) => return Ok(engine),
                Err(Failure::NotInstalled) => {}
                Err(Failure::Failed(said)) => {
                    why.get_or_insert(format!("an engine is installed and does not answer: {said}"));
                }
            }
        }
        Err(why.unwrap_or_else(|| NONE.to_owned()))
    }

    /// The one with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.0 == name)
    }

    /// Its name, which is its program's.
    pub(super) fn name(self) -> &'static str {
        self.0
    }

    /// A call of it; what it starts ends with it.
    pub(super) fn command<S: AsRef<OsStr>>(self, args: &[S]) -> Command {
        let mut command = Command::new(self.0);
        // A Ctrl-C in the terminal is for the daemon.
        command.args(args).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        command
    }

    /// A call of it on a terminal.
    pub(super) fn on_terminal(self, args: impl IntoIterator<Item = String>) -> pty_process::Command {
        pty_process::Command::new(self.0).args(args)
    }

    /// Calls it; gives what it printed.
    pub(super) async fn run<S: AsRef<OsStr>>(self, args: &[S]) -> Result<String, Failure> {
        self.exchange(self.command(args), &[]).await
    }

    /// Waits for a container's end, however long it takes; gives its exit code.
    pub(super) async fn wait(self, name: &str) -> Result<i32, String> {
        let output = self.command(&["wait", name]).output().await.map_err(|error| error.to_string())?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let said = || self.signed(last_word(&String::from_utf8_lossy(&output.stderr)));
        printed.trim().parse().map_err(|_| said())
    }

    /// What the engine said, with its name: which of them it was is not seen otherwise.
    fn signed(self, said: &str) -> String {
        if said.starts_with(&format!("{}: ", self.0)) {
            said.to_owned()
        } else {
            format!("{}: {said}", self.0)
        }
    }

    /// Runs a call with `input` as its standard input; gives what it printed.
    pub(super) async fn exchange(self, mut command: Command, input: &[u8]) -> Result<String, Failure> {
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => Failure::NotInstalled,
            _ => Failure::Failed(error.to_string()),
        };
        let mut child = command.spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                // An engine that does not read to the end says why itself.
                let _ = stdin.write_all(input).await;
            }
        };
        let both = async { tokio::join!(write, child.wait_with_output()).1 };
        let output = match timeout(PATIENCE, both).await {
            Ok(output) => output.map_err(failed)?,
            Err(_) => return Err(Failure::Failed(format!("no end within {} s", PATIENCE.as_secs()))),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::Failed(self.signed(last_word(&said))))
    }
}

/// Why a call gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such program.
    NotInstalled,
    /// What it said, or what became of it.
    Failed(String),
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotInstalled => NONE.to_owned(),
            Failure::Failed(said) => said,
        }
    }
}

/// The line with the error: the last one that is no advice to read the manual.
fn last_word(said: &str) -> &str {
    let lines = said.lines().map(str::trim).rev();
    let mut errors =
        lines.filter(|line| !line.is_empty() && !line.starts_with("See '") && !line.starts_with("Run '"));
    errors.next().unwrap_or("it failed and did not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_to_read_the_manual_is_not_what_went_wrong() {
        let said =
            "docker: Error response from daemon: no such file or directory.\nSee 'docker run --help'.\n\n";
        assert_eq!(last_word(said), "docker: Error response from daemon: no such file or directory.");
        assert_eq!(last_word("\n"), "it failed and did not say why");
        assert_eq!(Engine("docker").signed(last_word(said)), last_word(said));
        assert_eq!(Engine("podman").signed("no space"), "podman: no space");
    }

    #[tokio::test]
    async fn a_missing_engine_is_distinguished_from_one_that_fails() {
        let missing = Engine("no-such-engine").run(&["version"]).await;
        assert!(matches!(missing, Err(Failure::NotInstalled)), "{missing:?}");
        let failing = Engine("sh").run(&["-c", "echo why >&2; exit 3"]).await;
        assert!(matches!(&failing, Err(Failure::Failed(said)) if said == "sh: why"), "{failing:?}");
        let echo = Engine("cat").exchange(Engine("cat").command::<&str>(&[]), b"in").await;
        assert!(matches!(&echo, Ok(said) if said == "in"), "{echo:?}");
    }
}
