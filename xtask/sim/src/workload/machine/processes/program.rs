//! What a container runs, and how: the image's configuration under the container definition, and the task's own
//! environment over both.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::workload::ContainerStart;
use crate::workload::machine::image::RunConfig;
use crate::workload::machine::within;

/// What the container runtime searches when an image sets no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long an executable may be busy. A fork and its `exec` are milliseconds apart; on a machine under load, more.
const BUSY_FOR: Duration = Duration::from_secs(1);
const BUSY_STEP: Duration = Duration::from_millis(10);

/// A container's process, ready to start.
#[derive(Clone)]
pub(in crate::workload::machine) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    /// The image's root, and the working folder inside it.
    root: PathBuf,
    dir: PathBuf,
    /// Set when the daemon is root and the definition or the image asks for somebody else.
    user: Option<(u32, u32)>,
}

/// Without the environment, which holds secrets.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Program {
    /// The container's own process. `imposed` is what the embedded cloud sets over everything else.
    ///
    /// # Errors
    /// Why it cannot be started, as the container runtime words it.
    pub(super) fn of(
        root: &Path,
        config: &RunConfig,
        container: &ContainerStart,
        imposed: &BTreeMap<String, String>,
        root_daemon: bool,
    ) -> Result<Self, String> {
        let RunConfig { entrypoint, cmd, env, working_dir, user, .. } = config;
        // As in docker: an entry point of one's own drops the image's command.
        let own_entry_point = !container.entry_point.is_empty();
        let entry_point =
            if own_entry_point { &container.entry_point } else { entrypoint.as_ref().unwrap_or(EMPTY) };
        let command = match &container.command {
            own if !own.is_empty() => own,
            _ if own_entry_point => EMPTY,
            _ => cmd.as_ref().unwrap_or(EMPTY),
        };
        let words: Vec<String> = entry_point.iter().chain(command).cloned().collect();
        let mut environment: BTreeMap<String, String> = env
            .iter()
            .flatten()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        environment.extend(container.variables().map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.extend(imposed.clone());
        environment.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
        let dir = container.working_directory.as_deref().or(working_dir.as_deref());
        let dir = PathBuf::from(dir.filter(|dir| !dir.is_empty()).unwrap_or("/"));
        let user = match container.user.as_deref().or(user.as_deref()) {
            Some(user) if root_daemon && !user.is_empty() => Some(identity(root, user)?),
            _ => None,
        };
        let blank = Self {
            path: PathBuf::new(),
            arguments: Vec::new(),
            environment,
            root: root.to_owned(),
            dir,
            user,
        };
        blank.running(&words)
    }

    /// Another process in the same container, such as its health check.
    ///
    /// # Errors
    /// The image has no such executable.
    pub(super) fn running(&self, words: &[String]) -> Result<Self, String> {
        let Some((name, arguments)) = words.split_first() else {
            return Err("no command specified".to_owned());
        };
        let search = self.environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        let path = within::program(&self.root, &self.dir, name, search)
            .ok_or_else(|| format!("exec: \"{name}\": executable file not found in the image"))?;
        Ok(Self { path, arguments: arguments.to_vec(), ..self.clone() })
    }

    /// This machine's shell, where one is asked for: images of one executable have none.
    pub(super) fn machine_shell(&self, words: &[String]) -> Option<Self> {
        let (name, arguments) = words.split_first()?;
        let asked = ["sh", "/bin/sh"].contains(&name.as_str());
        let path = PathBuf::from("/bin/sh");
        asked.then(|| {
            let mut shell = Self { path, arguments: arguments.to_vec(), ..self.clone() };
            // It sees this machine's files: the image's folders are elsewhere for it, and its own programs come after them.
            let folders = self.environment.get("PATH").map_or(DEFAULT_PATH, String::as_str).split(':');
            let inside = folders.filter_map(|folder| within::resolve(&self.root, Path::new(folder)).ok());
            let inside = inside.filter(|folder| folder.is_dir()).map(|folder| folder.display().to_string());
            let search: Vec<String> = inside.chain([DEFAULT_PATH.to_owned()]).collect();
            shell.environment.insert("PATH".to_owned(), search.join(":"));
            shell
        })
    }

    /// Whether a container's own process runs inside its image only: a script, whose interpreter is the image's, or an
    /// executable that is linked dynamically.
    ///
    /// # Errors
    /// Why it cannot be started, as the container runtime words it.
    pub(in crate::workload::machine) fn needs_container(
        root: &Path,
        config: &RunConfig,
        container: &ContainerStart,
    ) -> Result<bool, String> {
        let program = Self::of(root, config, container, &BTreeMap::new(), false)?;
        let content = fs::read(&program.path).map_err(|error| format!("exec: {error}"))?;
        Ok(content.starts_with(b"#!") || names_loader(&content))
    }

    /// What is wrong with the executable's format: found out beforehand, as `execvp` hands what it does not know
    /// to the machine's own shell.
    pub(super) fn format_error(&self) -> Option<String> {
        let mut head = [0; 20];
        let read = File::open(&self.path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
        let shown = self.path.strip_prefix(&self.root).unwrap_or(&self.path);
        (!runnable(&head[..read])).then(|| format!("exec /{}: exec format error", shown.display()))
    }

    /// The command: in a process group of its own, with nothing of the daemon's environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts it, with `stdio` for what it writes.
    ///
    /// The kernel refuses an executable that any process has open for writing (ETXTBSY), and a process that another thread forks
    /// while an image is unpacked has it open until its own `exec`: a moment later it can be started.
    pub(super) async fn spawn(&self, stdio: fn() -> Stdio) -> io::Result<Child> {
        let mut waited = Duration::ZERO;
        loop {
            match self.command().stdout(stdio()).stderr(stdio()).spawn() {
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && waited < BUSY_FOR => {
                    sleep(BUSY_STEP).await;
                    waited += BUSY_STEP;
                }
                spawned => return spawned,
            }
        }
    }

    /// The same on a terminal.
    pub(super) fn on_terminal(&self) -> pty_process::Command {
        let mut command = pty_process::Command::new(&self.path)
            .args(&self.arguments)
            .env_clear()
            .env("TERM", "xterm-256color")
            .envs(&self.environment)
            .current_dir(self.folder());
        if let Some((user, group)) = self.user {
            command = command.uid(user).gid(group);
        }
        command
    }

    /// The working folder; the image's root where the image has no such folder.
    fn folder(&self) -> PathBuf {
        let dir = within::resolve(&self.root, &self.dir).ok().filter(|dir| dir.is_dir());
        dir.unwrap_or_else(|| self.root.clone())
    }
}

const EMPTY: &Vec<String> = &Vec::new();

/// A script, or an ELF file (`e_machine` at offset 18) for this machine. Elsewhere than on Linux the system judges.
fn runnable(head: &[u8]) -> bool {
    let machine = match std::env::consts::ARCH {
        "x86_64" => 62,
        "aarch64" => 183,
        _ => return true,
    };
    match head {
        [b'#', b'!', ..] => true,
        [0x7f, b'E', b'L', b'F', .., low, high] if head.len() == 20 => {
            u16::from_le_bytes([*low, *high]) == machine
        }
        _ => cfg!(not(target_os = "linux")),
    }
}

/// Whether a 64-bit ELF file has a program header of the type `PT_INTERP`, which names the loader of its libraries.
fn names_loader(elf: &[u8]) -> bool {
    const PT_INTERP: usize = 3;
    let number = |at: usize, bytes: usize| {
        let field = elf.get(at..at.checked_add(bytes)?)?;
        Some(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let headers = || {
        // e_phoff, e_phentsize and e_phnum of elf(5).
        let (first, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        Some((0..count).filter_map(move |index| first.checked_add(size * index)))
    };
    elf.starts_with(b"\x7fELF")
        && headers().is_some_and(|mut headers| headers.any(|at| number(at, 4) == Some(PT_INTERP)))
}

/// `user[:group]` of an image's configuration as numbers; names are looked up in the image's own files.
fn identity(root: &Path, user: &str) -> Result<(u32, u32), String> {
    let (user, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let (uid, own_group) = match user.parse() {
        // A number that the image's passwd does not have gets group 0, as in Docker.
        Ok(uid) => (uid, lookup(root, "etc/passwd", 2, user).map_or(0, |fields| fields.1)),
        Err(_) => lookup(root, "etc/passwd", 0, user)
            .ok_or_else(|| format!("unable to find user {user}: no matching entries in passwd file"))?,
    };
    let gid = match group {
        None => own_group,
        Some(group) => match group.parse() {
            Ok(gid) => gid,
            Err(_) => {
                lookup(root, "etc/group", 0, group)
                    .ok_or_else(|| {
                        format!("unable to find group {group}: no matching entries in group file")
                    })?
                    .0
            }
        },
    };
    Ok((uid, gid))
}

/// The two numbers (fields 3 and 4) of the line whose field `column` is `key`; a group has only the first.
fn lookup(root: &Path, file: &str, column: usize, key: &str) -> Option<(u32, u32)> {
    let path = within::resolve(root, Path::new(file)).ok()?;
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let id = fields.get(2)?.parse().ok()?;
        let group = fields.get(3).and_then(|group| group.parse().ok()).unwrap_or(id);
        (fields.get(column) == Some(&key)).then_some((id, group))
    })
}
