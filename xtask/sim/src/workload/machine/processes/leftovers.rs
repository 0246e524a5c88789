//! Which processes are ours, on disk: what a daemon that was killed could not end, the next one ends.
//!
//! A process is known by its id and the moment it started, as ids are used again. Its whole group is ended, and only
//! if the process itself is still the one that was noted.

use std::fs;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};

/// One file per running process, named by its id.
#[derive(Debug)]
pub(in crate::workload::machine) struct Leftovers(PathBuf);

impl Leftovers {
    /// Notes under `state_dir`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(super) fn open(state_dir: &Path) -> Result<Self> {
        let folder = folder(state_dir);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// Notes a process that was just started.
    pub(in crate::workload::machine) fn note(&self, pid: u32) -> Result<()> {
        fs::write(self.0.join(pid.to_string()), started(pid).unwrap_or_default())
    }

    /// Forgets a process that has ended.
    pub(in crate::workload::machine) fn forget(&self, pid: u32) -> Result<()> {
        ignore_missing(fs::remove_file(self.0.join(pid.to_string())))
    }
}

/// Kills what an earlier daemon with this `state_dir` left running; gives how many process groups that were. To be
/// called only while no daemon holds the folder.
///
/// # Errors
/// The notes cannot be read or removed.
pub(crate) fn reap(state_dir: &Path) -> Result<usize> {
    let mut ended = 0;
    let entries = match fs::read_dir(folder(state_dir)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let noted = fs::read_to_string(entry.path())?;
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        if let Some(pid) = pid.filter(|pid| !noted.is_empty() && started(*pid).as_deref() == Some(&noted))
            && let Some(group) = group(pid)
            && kill_process_group(group, Signal::KILL).is_ok()
        {
            ended += 1;
        }
        ignore_missing(fs::remove_file(entry.path()))?;
    }
    Ok(ended)
}

/// The process group that a process leads.
pub(in crate::workload::machine) fn group(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("processes")
}

fn ignore_missing(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// When a process started, in the system's own terms; `None` when there is no such process.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name may contain anything, also spaces and brackets: fields are counted after its last bracket.
    // Field 22 of proc(5) is the start time in clock ticks since the boot that boot_id names.
    let ticks = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.to_owned();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{} {ticks}", boot.trim()))
}

/// When a process started, in the system's own terms; `None` when there is no such process.
#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "outside Linux only ps tells when a process started")]
    let output =
        std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
