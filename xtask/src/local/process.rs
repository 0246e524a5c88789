//! Starting, finding and stopping the embedded cloud's process.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use deploy::model::{Architecture, Environment, Workload};

use super::{Record, Status, landing_zone};
use crate::host::{ConnectTo, Daemon, DaemonError, Host, PROCESSOR, SYSTEM};

/// A process that compiles nothing and binds three ports is up in milliseconds; a busy machine takes seconds.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// Tasks get SIGTERM and their stop timeout before the process ends.
const STOP_DEADLINE: Duration = Duration::from_secs(40);
/// The system closes the files of a process that ends, and frees the lock that it has on one, some time after it has no name any
/// more: on a busy machine that takes a while.
const FREED_WITHIN: Duration = Duration::from_secs(10);
/// A refused connection is known at once; this is for a process that is there, on a machine that is busy.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);
/// The ports that somebody wishes, of AWS's APIs and of the load balancer.
const PORT: &str = "XTASK_LOCAL_PORT";
const ALB_PORT: &str = "XTASK_LOCAL_ALB_PORT";
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// The embedded cloud of one workspace.
#[derive(Debug)]
pub struct Local<'a> {
    host: &'a Host,
    dir: PathBuf,
}

/// The embedded cloud could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Its folder cannot be used.
    #[error("cannot use {}", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// `workload = "processes"` on a machine that cannot execute the tasks' programs.
    #[error(
        "tasks for Linux on {tasks} cannot run as processes of this machine ({here}): set `workload = \"auto\"` in deploy.toml \
         and start Docker or Podman, or leave the local environment out"
    )]
    Processes {
        /// The services' architectures that cannot run.
        tasks: String,
        here: String,
    },
    /// Its process cannot be started or ended.
    #[error("cannot run the embedded cloud")]
    Process(#[from] DaemonError),
    /// It does not take a setting.
    #[error(
        "the embedded cloud refused `{0}`: another version of this tool started it; stop it with `cargo xtask local stop`"
    )]
    Refused(String),
    /// It ended, or did not come up in time.
    #[error("the embedded cloud did not come up; the end of {} says:\n{tail}", .log.display())]
    NotUp { log: PathBuf, tail: String },
}

/// What a stop found, and what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    Nothing,
    /// Its process was gone; so many processes and containers of it were still there, and were removed.
    Leftovers(usize),
    /// It ended as it was asked to.
    Ended,
    /// It did not end within [`STOP_DEADLINE`], and this process of it was killed.
    Killed(u32),
}

impl<'a> Local<'a> {
    /// The embedded cloud of the workspace at `root`.
    pub fn of(host: &'a Host, root: &Path) -> Self {
        Self { host, dir: root.join("target/local") }
    }

    /// The file in which its process records itself.
    pub fn record_file(dir: &Path) -> PathBuf {
        dir.join("cloud.json")
    }

    /// Where its load balancer listens, and the authority that issues its certificates.
    pub fn door(&self, url: &str) -> ConnectTo {
        let address = url.split_once("://").map_or(url, |(_, address)| address).to_owned();
        let authority = fs::read_to_string(self.authority()).ok().map(Into::into);
        ConnectTo { address, authority }
    }

    fn authority(&self) -> PathBuf {
        self.dir.join(sim::door::server::AUTHORITY)
    }

    fn log(&self) -> PathBuf {
        self.dir.join("cloud.log")
    }

    /// Whether it runs, and where.
    pub async fn status(&self) -> Status {
        let record = Record::read(&Self::record_file(&self.dir));
        let answer = match &record {
            Some(record) => self.ask(record).await,
            None => None,
        };
        let record = record.filter(|_| answer.is_some());
        let said = |key: &str| answer.as_ref()?[key].as_str().map(str::to_owned);
        Status {
            running: answer.is_some(),
            endpoint: record.as_ref().map(|record| record.endpoint.clone()),
            url: said("url"),
            second: said("second"),
            authority: answer.is_some().then(|| self.authority()),
            workload: said("workload"),
            account: said("account"),
            region: said("region"),
            pid: record.as_ref().map(|record| record.pid),
            log: self.log(),
        }
    }

    /// Starts it for the environment's account and region, unless it runs. One that runs as another account or in another
    /// region ends. Two that start it at the same time get the same one.
    ///
    /// # Errors
    /// [`LocalError`] when it does not come up.
    pub async fn start(&self, environment: &Environment) -> Result<Record, LocalError> {
        can_run(environment, SYSTEM, PROCESSOR)?;
        fs::create_dir_all(&self.dir).map_err(|error| LocalError::Folder(self.dir.clone(), error))?;
        let _lock = self.lock().await?;
        let file = Self::record_file(&self.dir);
        if let Some(record) = Record::read(&file) {
            let status = self.status().await;
            if status.running && status.mismatch(environment).is_none() {
                return Ok(record);
            }
            // It crashed, hangs, or is another account: nothing of it may be left before another takes its place.
            self.end(&record, status.running).await?;
        }
        let daemon = self.spawn(environment)?;
        let deadline = self.host.clock.mark().after(START_DEADLINE);
        loop {
            if let Some(record) = Record::read(&file).filter(|record| record.pid == daemon.pid)
                && self.answers(&record).await
            {
                return Ok(record);
            }
            if !daemon.is_alive() || deadline.remaining().is_zero() {
                daemon.kill()?;
                return Err(LocalError::NotUp { log: self.log(), tail: tail(&self.log()) });
            }
            self.host.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// The wishes for ports that it does not fulfil, a sentence each: it ran before, or the port was taken.
    pub fn other_ports(&self) -> Vec<String> {
        let Some(record) = Record::read(&Self::record_file(&self.dir)) else { return Vec::new() };
        let wishes = [(PORT, record.endpoint), (ALB_PORT, record.url)];
        let unfulfilled = wishes.into_iter().filter_map(|(variable, at)| {
            let wish = self.host.env.get(variable)?;
            let port = at.trim_end_matches('/').rsplit(':').next();
            (port != Some(wish)).then(|| {
                format!(
                    "{variable} asks for port {wish}, and the embedded cloud of this checkout is at {at}: `cargo xtask local \
                     stop` ends it, and the next deploy starts it at {wish} unless another program has that port"
                )
            })
        });
        unfulfilled.collect()
    }

    /// Sets what it runs tasks as that start from now on.
    ///
    /// # Errors
    /// [`LocalError::Refused`] when it is of another version of this tool.
    pub async fn run_tasks_as(&self, endpoint: &str, workload: Workload) -> Result<(), LocalError> {
        self.set(endpoint, &format!("workload/{}", workload.name()), Bytes::new()).await
    }

    /// Creates the network and the roles that the environment looks up, where they are missing.
    ///
    /// # Errors
    /// [`LocalError::Refused`] when it is of another version of this tool.
    pub async fn furnish(&self, endpoint: &str, environment: &Environment) -> Result<(), LocalError> {
        let zone = serde_json::to_vec(&landing_zone(environment)).unwrap_or_default();
        self.set(endpoint, "landing-zone", zone.into()).await
    }

    async fn set(&self, endpoint: &str, what: &str, body: Bytes) -> Result<(), LocalError> {
        let refused = || LocalError::Refused(what.to_owned());
        let request = http::Request::post(format!("{endpoint}/_cloud/{what}")).body(body);
        let answer = self.host.http.send(request.map_err(|_| refused())?, ANSWER_DEADLINE).await;
        answer.ok().filter(|answer| answer.status().is_success()).map(drop).ok_or_else(refused)
    }

    /// Keeps a copy of this program in the state folder: Cargo replaces the original, and sidecars that start later must still be
    /// this version. Returns where it is.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_program(dir: &Path) -> io::Result<PathBuf> {
        let (program, kept) = (Daemon::own_program()?, dir.join("sidecar"));
        fs::remove_file(&kept).or_else(absent_is_fine)?;
        // Another file system takes no second name for a file.
        fs::hard_link(&program, &kept).or_else(|_| fs::copy(&program, &kept).map(drop))?;
        Ok(kept)
    }

    /// Stops it with all that it runs.
    ///
    /// # Errors
    /// [`LocalError`] when its process cannot be ended.
    pub async fn stop(&self) -> Result<Stopped, LocalError> {
        let file = Self::record_file(&self.dir);
        if !self.dir.exists() {
            return Ok(Stopped::Nothing);
        }
        let _lock = self.lock().await?;
        match Record::read(&file) {
            Some(record) => self.end(&record, self.answers(&record).await).await,
            None => self.clear().await,
        }
    }

    fn spawn(&self, environment: &Environment) -> Result<Daemon, LocalError> {
        let program = Daemon::own_program().map_err(|error| LocalError::Folder(self.dir.clone(), error))?;
        let dir = self.dir.to_string_lossy();
        let mut args = vec!["local".to_owned(), "serve".to_owned(), "--state".to_owned(), dir.into_owned()];
        args.extend(["--region".to_owned(), environment.region.clone()]);
        args.extend(environment.account.iter().flat_map(|account| ["--account".to_owned(), account.clone()]));
        // Only wishes: a port that is taken is replaced by another.
        for (flag, variable) in [("--port", PORT), ("--alb-port", ALB_PORT)] {
            if let Some(port) = self.host.env.get(variable) {
                args.extend([flag.to_owned(), port.to_owned()]);
            }
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Ok(Daemon::start(&program, &args, &self.log(), &self.host.env)?)
    }

    /// Asks for an end, waits for it, and enforces it at the deadline. Ends only the process that is ours.
    async fn end(&self, record: &Record, answered: bool) -> Result<Stopped, LocalError> {
        let daemon = Daemon { pid: record.pid };
        let mut ended = None;
        if self.is_ours(daemon, answered) {
            daemon.terminate()?;
            ended = Some(Stopped::Ended);
            let deadline = self.host.clock.mark().after(STOP_DEADLINE);
            while self.is_ours(daemon, answered) {
                if deadline.remaining().is_zero() {
                    daemon.kill()?;
                    ended = Some(Stopped::Killed(daemon.pid));
                }
                self.host.clock.sleep(LOOK_EVERY).await;
            }
        }
        let left = self.clear().await?;
        let file = Self::record_file(&self.dir);
        fs::remove_file(&file).or_else(absent_is_fine).map_err(|error| LocalError::Folder(file, error))?;
        Ok(ended.unwrap_or(left))
    }

    /// Ends the tasks of a process that was killed outright.
    async fn clear(&self) -> Result<Stopped, LocalError> {
        let deadline = self.host.clock.mark().after(FREED_WITHIN);
        loop {
            match sim::door::server::clean_up(&self.dir) {
                Ok(0) => return Ok(Stopped::Nothing),
                Ok(count) => return Ok(Stopped::Leftovers(count)),
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock && !deadline.remaining().is_zero() =>
                {
                    self.host.clock.sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(LocalError::Folder(self.dir.clone(), error)),
            }
        }
    }

    /// Whether the process with that id is this workspace's embedded cloud: ids are used again. Where the system does not
    /// say what a process is, it is the one that answered on the recorded port with this id.
    fn is_ours(&self, daemon: Daemon, answered: bool) -> bool {
        let named = |line: String| line.contains(&*self.dir.to_string_lossy());
        daemon.is_alive() && daemon.command_line().map_or(answered, named)
    }

    /// The process of an embedded cloud that runs although it does not answer [`Self::status`].
    pub fn silent(&self) -> Option<u32> {
        let record = Record::read(&Self::record_file(&self.dir))?;
        self.is_ours(Daemon { pid: record.pid }, false).then_some(record.pid)
    }

    async fn answers(&self, record: &Record) -> bool {
        self.ask(record).await.is_some()
    }

    /// What the recorded process says about itself on the recorded port.
    async fn ask(&self, record: &Record) -> Option<serde_json::Value> {
        let request = http::Request::get(format!("{}/_cloud/status", record.endpoint)).body(Bytes::new());
        let answer = self.host.http.send(request.ok()?, ANSWER_DEADLINE).await.ok()?;
        let body = serde_json::from_slice::<serde_json::Value>(answer.body()).ok()?;
        (body["pid"].as_u64() == Some(u64::from(record.pid))).then_some(body)
    }

    /// Keeps two commands from starting or stopping it at the same time; freed by the system on any end.
    async fn lock(&self) -> Result<File, LocalError> {
        let path = self.dir.join("lock");
        let refused = |error| LocalError::Folder(path.clone(), error);
        let file = File::create(&path).map_err(refused)?;
        while let Err(error) = file.try_lock() {
            if let fs::TryLockError::Error(error) = error {
                return Err(refused(error));
            }
            self.host.clock.sleep(LOOK_EVERY).await;
        }
        Ok(file)
    }
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// Whether tasks can run as what the file says. `auto` takes containers where processes cannot be.
fn can_run(environment: &Environment, system: &str, machine: &str) -> Result<(), LocalError> {
    if environment.workload != Workload::Processes {
        return Ok(());
    }
    let name = |architecture| match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    };
    let tasks: BTreeSet<_> = environment.services.iter().map(|service| name(service.architecture)).collect();
    let foreign: Vec<_> = tasks.into_iter().filter(|task| system != "linux" || *task != machine).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(LocalError::Processes { tasks: foreign.join(" and "), here: format!("{system} on {machine}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_refused_before_anything_starts_because_tasks_cannot_be_processes_there() {
        let text = include_str!("../../deploy/tests/fixtures/ielts.toml");
        let mut environment = deploy::config::load("deploy.toml", text, Some("local")).unwrap().environment;
        environment.workload = Workload::Processes;
        can_run(&environment, "linux", "x86_64").unwrap();
        for (system, machine) in [("macos", "aarch64"), ("macos", "x86_64"), ("linux", "aarch64")] {
            let error = can_run(&environment, system, machine).unwrap_err().to_string();
            assert!(error.contains("Linux on x86_64") && error.contains(system), "{error}");
        }
        environment.workload = Workload::Auto;
        can_run(&environment, "macos", "aarch64").unwrap();
    }
}
