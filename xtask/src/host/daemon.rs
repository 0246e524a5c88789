//! A background process of our own that outlives the tool, such as the embedded cloud.
//!
//! It keeps nothing of the shell that it was started from: no variables but those of [`KEPT`], and, once it has called
//! [`Daemon::close_inherited`], no open files. A lock that the shell holds on an open file (flock(1)) would otherwise last
//! as long as the process.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::Env;

/// The variables that a background process gets: what it needs to find programs, folders and a container engine, and
/// nothing that could be a credential of AWS, of a registry or of a CI system.
const KEPT: &[&str] = &[
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINER_CONNECTION",
    "CONTAINER_HOST",
    "CONTAINER_SSHKEY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "REGISTRY_AUTH_FILE",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// A process that was started in the background, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daemon {
    pub pid: u32,
}

/// A background process could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Its log file cannot be written.
    #[error("cannot write {}", .0.display())]
    Log(PathBuf, #[source] io::Error),
    #[error("cannot start {}", .0.display())]
    Start(PathBuf, #[source] io::Error),
    /// It cannot be sent a signal.
    #[error("cannot end process {0}")]
    End(u32, #[source] io::Error),
}

impl Daemon {
    /// Starts `program` with its output in `log`, in a process group of its own, so that a Ctrl-C that is meant
    /// for the tool does not end it.
    ///
    /// # Errors
    /// [`DaemonError`] when the log cannot be written or the program not be started.
    #[expect(clippy::disallowed_methods, reason = "the host is where processes start")]
    pub fn start(program: &Path, args: &[&str], log: &Path, env: &Env) -> Result<Self, DaemonError> {
        let out = File::create(log).map_err(|error| DaemonError::Log(log.to_owned(), error))?;
        let err = out.try_clone().map_err(|error| DaemonError::Log(log.to_owned(), error))?;
        let mut command = std::process::Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(out).stderr(err);
        command.env_clear().envs(env.iter().filter(|(name, _)| KEPT.contains(name)));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| DaemonError::Start(program.to_owned(), error))?;
        Ok(Self { pid: child.id() })
    }

    /// Closes every file that this process was started with, but for standard input, output and error. Call it
    /// before anything else opens one.
    ///
    /// The standard library closes what it opens itself when another program is started, and passes on everything
    /// that came from further up.
    ///
    /// # Errors
    /// The system does not list them.
    #[cfg(unix)]
    pub fn close_inherited() -> io::Result<()> {
        // Collected first: the folder's own file is among them, and closed by then.
        let names =
            fs::read_dir("/dev/fd")?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<i32>().ok());
        for number in numbers.filter(|number| *number > 2) {
            match nix::unistd::close(number) {
                Ok(()) | Err(nix::errno::Errno::EBADF) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub fn own() -> Self {
        Self { pid: std::process::id() }
    }

    /// The tool's own program, to start it once more.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn own_program() -> io::Result<PathBuf> {
        std::env::current_exe()
    }
}

#[cfg(unix)]
impl Daemon {
    /// Whether the process exists. Process ids are used again: ask the process itself who it is before ending it.
    pub fn is_alive(self) -> bool {
        // A process that has ended but was started by this very process stays known until it is waited for.
        let reaped =
            self.id().map(|pid| rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG));
        if matches!(reaped, Some(Ok(Some(_)))) {
            return false;
        }
        self.id().is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }

    /// The program and its arguments, each followed by a space; `None` where the system does not say (it needs
    /// /proc). A process id alone names nobody: ids are used again.
    pub fn command_line(self) -> Option<String> {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    }

    /// Asks the process to end (SIGTERM). One that is gone already counts as asked. A suspended one (SIGSTOP) goes on: it
    /// would hear nothing else but SIGKILL.
    ///
    /// # Errors
    /// [`DaemonError::End`] when it belongs to somebody else.
    pub fn terminate(self) -> Result<(), DaemonError> {
        self.signal(rustix::process::Signal::TERM)?;
        self.signal(rustix::process::Signal::CONT)
    }

    /// Ends the process at once (SIGKILL). One that is gone already counts as ended.
    ///
    /// # Errors
    /// [`DaemonError::End`] when it belongs to somebody else.
    pub fn kill(self) -> Result<(), DaemonError> {
        self.signal(rustix::process::Signal::KILL)
    }

    fn signal(self, signal: rustix::process::Signal) -> Result<(), DaemonError> {
        let Some(pid) = self.id() else { return Ok(()) };
        match rustix::process::kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(DaemonError::End(self.pid, error.into())),
        }
    }

    fn id(self) -> Option<rustix::process::Pid> {
        i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_has_no_credentials_is_found_alive_and_once_ended_is_gone_and_not_a_zombie() {
        let log = std::env::temp_dir().join(format!("xtask-daemon-{}.log", std::process::id()));
        let env =
            Env::of([("PATH", "/usr/bin:/bin"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("NPM_TOKEN", "t")]);
        let daemon = Daemon::start(Path::new("/bin/sh"), &["-c", "env; exec sleep 30"], &log, &env).unwrap();
        assert!(daemon.is_alive());
        while !fs::read_to_string(&log).unwrap().contains("PATH=") {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let environment = fs::read_to_string(format!("/proc/{}/environ", daemon.pid)).unwrap_or_default();
        for name in ["AWS_", "TOKEN", "CARGO"] {
            assert!(!environment.contains(name), "{environment}");
        }
        daemon.kill().unwrap();
        while daemon.is_alive() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        daemon.terminate().unwrap();
        std::fs::remove_file(&log).unwrap();
    }
}
