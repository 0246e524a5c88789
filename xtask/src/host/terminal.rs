//! What the tool talks to: a person at a terminal, a log file, a CI job.

use std::io::{self, IsTerminal, Read, Write};

use tokio::sync::{mpsc, oneshot};

use super::{Env, Signals};

/// Facts about the three standard streams and who reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is a terminal: a question can be asked.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// It cannot move its cursor (`TERM` is `dumb` or not set).
    pub dumb: bool,
    /// It shows ASCII only, as far as the locale says.
    pub ascii: bool,
    /// A CI system runs the tool (`CI` is set).
    pub ci: bool,
    /// GitHub Actions runs the tool (`GITHUB_ACTIONS` is `true`).
    pub github: bool,
}

impl Terminal {
    pub fn system(env: &Env) -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            dumb: env.get("TERM").is_none_or(|term| term == "dumb"),
            ascii: is_ascii(env, std::io::stdout().is_terminal()),
            ci: env.flag("CI"),
            github: env.flag("GITHUB_ACTIONS"),
        }
    }

    /// How many columns it has, when it is one. `COLUMNS` is the shell's own, and not asked for.
    pub fn columns(self) -> Option<usize> {
        self.stdout.then(|| usize::from(Self::size().0))
    }

    /// How many columns standard output has now, when it is a terminal.
    pub fn width() -> Option<usize> {
        io::stdout().is_terminal().then(|| usize::from(Self::size().0))
    }

    /// How many columns standard error has, when it is a terminal.
    pub fn error_columns() -> Option<usize> {
        #[cfg(unix)]
        if let Ok(size) = rustix::termios::tcgetwinsize(io::stderr())
            && size.ws_col > 0
        {
            return Some(usize::from(size.ws_col));
        }
        None
    }

    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a line that the person types. Dropping the future does not wait for it.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub async fn line() -> io::Result<String> {
        apart(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        })
        .await
    }

    /// Reads standard input from now on, in pieces as they come.
    pub fn input() -> Input {
        // One piece ahead: what the other side does not take yet stays in the pipe.
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut chunk = [0; 1024];
            loop {
                let read = io::stdin().read(&mut chunk).map(|count| chunk[..count].to_vec());
                let last = !matches!(&read, Ok(bytes) if !bytes.is_empty());
                if sender.blocking_send(read).is_err() || last {
                    return;
                }
            }
        });
        receiver
    }

    /// Columns and rows; 80 by 24 where the terminal does not say.
    pub fn size() -> (u16, u16) {
        #[cfg(unix)]
        if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
            && size.ws_col > 0
        {
            return (size.ws_col, size.ws_row);
        }
        (80, 24)
    }

    /// Hands each key to whoever reads standard input, Ctrl-C too, until the guard is dropped.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub fn raw() -> io::Result<RawMode> {
        #[cfg(unix)]
        {
            use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
            let before = tcgetattr(io::stdin())?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
            Ok(RawMode { before })
        }
        #[cfg(not(unix))]
        Err(io::Error::other("interactive sessions need a terminal of Linux or macOS"))
    }

    /// Reads a line that is not shown while it is typed. Echo is switched on again afterwards, also where
    /// a signal ends the process.
    ///
    /// # Errors
    /// Standard input is no terminal or cannot be read; a signal came.
    pub async fn hidden(question: &str) -> io::Result<String> {
        let mut signals = Signals::listen()?;
        let echo = Self::hide()?;
        write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush())?;
        let line = tokio::select! {
            biased;
            _ = signals.next() => Err(io::Error::from(io::ErrorKind::Interrupted)),
            line = Self::line() => line,
        };
        drop(echo);
        writeln!(io::stderr())?;
        line
    }

    #[cfg(unix)]
    fn hide() -> io::Result<RawMode> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(RawMode { before })
    }

    #[cfg(not(unix))]
    fn hide() -> io::Result<RawMode> {
        Err(io::Error::other("pass the value on standard input: prompts need a terminal of Linux or macOS"))
    }

    /// # Errors
    /// It cannot be read, or is no UTF-8.
    pub async fn rest() -> io::Result<String> {
        apart(|| io::read_to_string(io::stdin())).await
    }

    /// Whether a question would be seen and can be answered. Some CI systems give their jobs a terminal, so a
    /// terminal alone does not mean that a person is there.
    pub fn can_ask(self) -> bool {
        self.stdin && self.stderr && !self.ci
    }
}

/// Pieces of standard input; an empty one is its end.
pub type Input = mpsc::Receiver<io::Result<Vec<u8>>>;

/// A terminal in raw mode. Dropping it restores the mode, also when the program panics.
#[derive(Debug)]
pub struct RawMode {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Drop for RawMode {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // The terminal may be gone: then there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The first of these variables that is set names the character set (POSIX, "Internationalization Variables"). Where none is, a
/// terminal has ASCII, and a file or a CI system's log is read as UTF-8 by whoever opens it.
fn is_ascii(env: &Env, terminal: bool) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.get(name));
    match locale.map(str::to_ascii_lowercase) {
        Some(locale) => !locale.ends_with("utf-8") && !locale.ends_with("utf8"),
        None => terminal && cfg!(unix),
    }
}

/// Does something that blocks in a thread of its own. Not in one of the runtime's: the runtime waits for them when the
/// program ends, and a Ctrl-C would do nothing until Enter is pressed.
async fn apart<T: Send + 'static>(block: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    // Nobody listens any more when the program is about to end.
    std::thread::spawn(move || drop(sender.send(block())));
    receiver.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_nobody_answers_holds_up_neither_a_signal_nor_the_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (_keep, hang) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            tokio::select! {
                _ = apart(move || hang.recv().map_err(io::Error::other)) => panic!("nobody answered"),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
            assert_eq!(apart(|| Ok("prod\n")).await.unwrap(), "prod\n");
        });
        // Waits for the runtime's own threads.
        drop(runtime);
    }

    #[test]
    fn only_a_locale_of_utf_8_shows_more_than_ascii_and_a_log_without_one_is_read_as_it() {
        let cases = [("LANG", "C.UTF-8", false), ("LANG", "de_DE.utf8", false), ("LC_ALL", "C", true)];
        for (name, value, ascii) in cases {
            for terminal in [true, false] {
                assert_eq!(is_ascii(&Env::of([(name, value)]), terminal), ascii, "{name}={value}");
            }
        }
        assert!(!is_ascii(&Env::of([("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")]), true));
        assert_eq!((is_ascii(&Env::default(), true), is_ascii(&Env::default(), false)), (cfg!(unix), false));
    }

    #[test]
    fn a_ci_job_with_a_pseudo_terminal_is_never_asked() {
        let person = Terminal { stdin: true, stdout: true, stderr: true, ..Terminal::none() };
        assert!(person.can_ask());
        assert!(!Terminal { ci: true, ..person }.can_ask());
        assert!(!Terminal { stdin: false, ..person }.can_ask());
    }
}
