//! Processes: short ones whose end is awaited, and long ones whose lines are read while they run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::Env;

#[derive(Clone, Debug)]
pub struct Shell {
    path: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Program {
    /// A name on the search path, or a path.
    pub program: PathBuf,
    /// Its arguments. They can be seen by every user of the machine: no secrets here.
    pub args: Vec<String>,
    /// The folder it runs in; the tool's own when `None`.
    pub dir: Option<PathBuf>,
    /// Variables on top of the tool's own; `None` removes one.
    pub env: Vec<(String, Option<String>)>,
    /// What it reads from standard input; nothing when `None`.
    pub input: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
}

/// How a process ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub exit: Exit,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A process could not be run, or one that must succeed did not.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program is not on the search path.
    #[error("{0} is not installed, or not on PATH")]
    Missing(String),
    /// It could not be started or its streams broke.
    #[error("cannot run {program}")]
    Io {
        program: String,
        #[source]
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("`{command}` failed: {message}")]
    Failed { command: String, message: String },
}

impl Program {
    pub fn new(program: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            dir: None,
            env: Vec::new(),
            input: None,
        }
    }

    /// The same in another folder.
    pub fn in_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// The same with a variable more.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    fn error(&self, source: io::Error) -> ProcessError {
        let program = self.program.display().to_string();
        match source.kind() {
            // A missing folder is reported as NotFound, too, and is no missing program.
            io::ErrorKind::NotFound if self.dir.as_ref().is_none_or(|dir| dir.is_dir()) => {
                ProcessError::Missing(program)
            }
            _ => ProcessError::Io { program, source },
        }
    }
}

impl Exit {
    /// Whether it ended with code 0.
    pub fn success(self) -> bool {
        self.code == Some(0)
    }
}

impl Shell {
    /// The machine's own, with the search path of `env`.
    pub fn system(env: &Env) -> Self {
        Self { path: env.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default() }
    }

    /// Where a program is on the search path.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        self.path.iter().map(|dir| dir.join(&name)).find(|file| file.is_file())
    }

    /// Runs a short program and returns its standard output, without the line end. Blocks the thread.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be run or fails.
    pub fn read(&self, program: &str, args: &[&str]) -> Result<String, ProcessError> {
        self.read_in(Path::new("."), program, args)
    }

    /// The same, run in the folder `dir`.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be run or fails.
    pub fn read_in(&self, dir: &Path, program: &str, args: &[&str]) -> Result<String, ProcessError> {
        let io = |source: xshell::Error| ProcessError::Io {
            program: program.to_owned(),
            source: io::Error::other(source),
        };
        let shell = xshell::Shell::new().map_err(io)?;
        shell.change_dir(dir);
        let command = shell.cmd(program).args(args).quiet().ignore_status();
        let output = command.output().map_err(|error| match self.find(program) {
            None if !program.contains('/') => ProcessError::Missing(program.to_owned()),
            _ => io(error),
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let message = stderr.trim().lines().last().unwrap_or("it said nothing").to_owned();
        Err(ProcessError::Failed { command: command.to_string(), message })
    }

    /// Runs a program to its end and keeps what it writes. Dropping the future ends the process.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be run; that it fails is no error.
    pub async fn capture(&self, program: &Program) -> Result<Output, ProcessError> {
        let child = self.spawn(program)?;
        let output = async { feed(child, program.input.as_deref()).await?.wait_with_output().await };
        let output = output.await.map_err(|error| program.error(error))?;
        Ok(Output { exit: Exit { code: output.status.code() }, stdout: output.stdout, stderr: output.stderr })
    }

    /// Runs a program to its end and reports each line as it comes. Dropping the future ends the process.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be run; that it fails is no error.
    pub async fn stream(
        &self,
        program: &Program,
        mut line: impl FnMut(Stream, &str),
    ) -> Result<Exit, ProcessError> {
        let child = self.spawn(program)?;
        let run = async {
            let mut child = feed(child, program.input.as_deref()).await?;
            let mut stdout = Lines::of(child.stdout.take());
            let mut stderr = Lines::of(child.stderr.take());
            while stdout.open || stderr.open {
                tokio::select! {
                    // In a fixed order: `select!` begins with a random branch otherwise, and lines would be shuffled from run to run.
                    biased;
                    text = stderr.next(), if stderr.open => if let Some(text) = text? { line(Stream::Stderr, &text) },
                    text = stdout.next(), if stdout.open => if let Some(text) = text? { line(Stream::Stdout, &text) },
                }
            }
            child.wait().await
        };
        let status = run.await.map_err(|error| program.error(error))?;
        Ok(Exit { code: status.code() })
    }

    /// Runs a program on the tool's own terminal to its end. Dropping the future ends the process.
    ///
    /// # Errors
    /// [`ProcessError`] when it cannot be run; that it fails is no error.
    pub async fn interactive(&self, program: &Program) -> Result<Exit, ProcessError> {
        let status =
            program.command().kill_on_drop(true).status().await.map_err(|error| program.error(error))?;
        Ok(Exit { code: status.code() })
    }

    fn spawn(&self, program: &Program) -> Result<Child, ProcessError> {
        let input = if program.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = program.command();
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(|error| program.error(error))
    }
}

/// Writes a process's input. A process that exits without reading all of it is no error here: its exit code says why.
async fn feed(mut child: Child, input: Option<&[u8]>) -> io::Result<Child> {
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        match pipe.write_all(input).await {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => drop(pipe),
        }
    }
    Ok(child)
}

/// Lines of a stream that need not be UTF-8.
struct Lines<R> {
    reader: Option<BufReader<R>>,
    buffer: Vec<u8>,
    open: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(stream: Option<R>) -> Self {
        Self { open: stream.is_some(), reader: stream.map(BufReader::new), buffer: Vec::new() }
    }

    /// The next line; `None` at the end. Keeps what it has read when the future is dropped.
    async fn next(&mut self) -> io::Result<Option<String>> {
        if let Some(reader) = &mut self.reader {
            reader.read_until(b'\n', &mut self.buffer).await?;
        }
        let line = std::mem::take(&mut self.buffer);
        if !line.ends_with(b"\n") {
            self.open = false;
        }
        let text = String::from_utf8_lossy(&line);
        Ok((!line.is_empty()).then(|| text.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

#[cfg(all(test, unix))]
#[path = "process/tests.rs"]
mod tests;
