//! The daemon: one embedded cloud on wall-clock time, on four loopback ports, until a stop is requested.
//!
//! One daemon per state folder: a lock that the system drops with the process distinguishes a running one from a crashed one.
//! What a crashed one left running is ended before anything else. The account is kept in memory only: a stopped cloud
//! is forgotten.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::alb::{self, Alb};
pub use super::bound::Bound;
use super::clock::SimClock;
use super::cloud::{CallRecord, Cloud};
use super::connect::{self, Connect};
use super::endpoint::Endpoint;
use super::listen::{self, Stop, Tls, bind};
use super::tls::Authority;
use crate::base::Pace;
use crate::base::Settings;
use crate::elb;
use crate::wire::iso8601;
pub use crate::workload::machine::Sidecar;
use crate::workload::machine::{self, Kind, Machine, Place, Ports};

/// What a stop leaves to the tasks before SIGKILL.
const TASKS_GRACE: Duration = Duration::from_secs(5);

/// In the state folder, the link to what is unpacked or shared with tasks.
const SCRATCH: &str = "scratch";

/// In the state folder, the certificate of the authority that the load balancer's certificates are issued by.
pub const AUTHORITY: &str = "ca.pem";

/// How the daemon is to run.
pub struct ServeOptions {
    /// What the account is like; `registry_host` is set to the endpoint that was bound.
    pub settings: Settings,
    /// The port of the APIs and the registry; a free one when it is taken.
    pub endpoint_port: u16,
    /// The port of the load balancer's first listener; a free one when it is taken. The second one gets the next port.
    pub alb_port: u16,
    /// Where the lock and the notes about what runs are kept.
    pub state_dir: PathBuf,
    /// What tasks run as, until somebody asks for another kind.
    pub workload: Kind,
    /// The sidecar program for tasks in containers; without it none can run.
    pub sidecar: Option<Sidecar>,
    /// What `/_cloud/status` gives as the version.
    pub version: String,
    /// Where a line per call goes; it never holds a header or a body.
    pub log: Box<dyn Write + Send>,
}

impl std::fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeOptions").field("state_dir", &self.state_dir).finish_non_exhaustive()
    }
}

impl ServeOptions {
    /// Port 4566 and 8088, a brisk account, no log.
    pub fn new(state_dir: PathBuf) -> Self {
        Self {
            settings: Settings { pace: Pace::local(), ..Settings::default() },
            endpoint_port: 4566,
            alb_port: 8088,
            state_dir,
            workload: Kind::default(),
            sidecar: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            log: Box::new(std::io::sink()),
        }
    }
}

/// Serves until SIGTERM, SIGINT or `POST /_cloud/stop`; then no process and no port is left. `ready` gets the
/// addresses once all of them answer.
///
/// # Errors
/// `WouldBlock` when another daemon has this state folder; otherwise what the system says about the folder, a port or
/// a signal.
pub async fn serve(options: ServeOptions, ready: impl FnOnce(&Bound)) -> Result<()> {
    let ServeOptions {
        mut settings,
        endpoint_port,
        alb_port,
        state_dir,
        workload,
        sidecar,
        version,
        mut log,
    } = options;
    // Before anything else: what a crashed daemon left may be ended by nobody who does not hold its folder.
    let _lock = hold(&state_dir)?;
    let ended = clear(&state_dir)?;
    let scratch = scratch_folder(&state_dir)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (endpoint_listener, connect_listener) = (bind(endpoint_port).await?, bind(0).await?);
    let alb_listener = bind(alb_port).await?;
    let second_listener = bind(alb_listener.local_addr()?.port().saturating_add(1)).await?;
    let authority = Authority::new()?;
    fs::write(state_dir.join(AUTHORITY), authority.pem())?;

    let clock = SimClock::wall();
    let bound = Bound {
        endpoint: endpoint_listener.local_addr()?,
        alb: alb_listener.local_addr()?,
        second: second_listener.local_addr()?,
        connect: connect_listener.local_addr()?,
        pid: std::process::id(),
        started: clock.millis(),
    };
    settings.registry_host = bound.endpoint.to_string();
    settings.messages = Some(format!("ws://{}", bound.endpoint));
    let region = settings.region.clone();
    let cloud = Cloud::new(settings, clock);
    if ended > 0 {
        writeln!(
            log,
            "{} ended {ended} leftover processes and containers of an earlier run",
            iso8601(bound.started)
        )?;
    }
    cloud.watch_calls(move |call| {
        // A full disk is no reason to stop serving.
        let _ = writeln!(log, "{}", line(call)).and_then(|()| log.flush());
    });
    let ports = Ports::default();
    let (endpoints, streams) = (connect::endpoints(cloud.clone()), connect::streams(cloud.clone()));
    let connect = Arc::new(Connect::new(endpoints, streams, ports.clone()));
    let place = Place {
        state_dir: state_dir.clone(),
        scratch,
        region,
        proxy_port: bound.connect.port(),
        ports: ports.clone(),
        connect: Arc::new(Arc::clone(&connect)),
        sidecar,
    };
    let reports = cloud.clone();
    let machine =
        Machine::new(Arc::new(cloud.clone()), Arc::new(move |report| reports.report(report)), place)?;
    machine.set_kind(workload);

    let (stop, stopping) = watch::channel(false);
    let mut doors = JoinSet::new();
    let api = Endpoint { cloud: cloud.clone(), machine: machine.clone(), bound, version, stop: stop.clone() };
    let api = Arc::new(api);
    doors.spawn(listen::serve(endpoint_listener, stopping.clone(), None, move |client, request| {
        let api = Arc::clone(&api);
        async move { api.answer(client, request).await }
    }));
    for (place, listener) in [alb_listener, second_listener].into_iter().enumerate() {
        let router = alb::listener(cloud.clone(), place);
        let doors_of = alb::doors(cloud.clone(), [bound.alb.port(), bound.second.port()]);
        let balancer = Arc::new(Alb::new(router, doors_of, ports.clone(), listener.local_addr()?.port()));
        let account = cloud.clone();
        let spoken = move || {
            account.look(|account| elb::listeners(&account.elb).get(place).is_some_and(|it| it.https))
        };
        let tls = Tls { acceptor: authority.acceptor()?, spoken: Arc::new(spoken) };
        doors.spawn(listen::serve(listener, stopping.clone(), Some(tls), move |client, request| {
            let balancer = Arc::clone(&balancer);
            async move { balancer.answer(client, request).await }
        }));
    }
    doors.spawn(listen::serve(connect_listener, stopping.clone(), None, move |_, request| {
        let connect = Arc::clone(&connect);
        async move { connect.answer(request).await }
    }));
    doors.spawn(drive(cloud, machine.clone(), stopping.clone()));
    ready(&bound);

    let mut stopping = stopping;
    select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = listen::asked(&mut stopping) => {}
    }
    stop.send_replace(true);
    // The doors before the tasks, so that requests in flight still get their answers.
    while doors.join_next().await.is_some() {}
    machine.shut_down(TASKS_GRACE).await?;
    clear(&state_dir)?;
    Ok(())
}

/// Lets the account live: what is due happens, what it asks of the workload is begun.
async fn drive(cloud: Cloud, machine: Machine, mut stop: Stop) {
    loop {
        let now = cloud.clock().millis();
        cloud.advance_to(now);
        for effect in cloud.take_effects() {
            machine.carry_out(effect);
        }
        let next = async {
            match cloud.next() {
                Some(next) => sleep(Duration::from_millis(next.since(now))).await,
                None => std::future::pending().await,
            }
        };
        select! {
            biased;
            () = listen::asked(&mut stop) => return,
            () = cloud.changed() => {}
            () = next => {}
        }
    }
}

/// A call's line in the log. A caller chooses the operation's name: it must not forge a line.
fn line(call: &CallRecord) -> String {
    let operation: String =
        call.operation.chars().map(|c| if c.is_control() { '?' } else { c }).take(128).collect();
    format!("{} {} {operation} {}", iso8601(call.at), call.api, call.outcome)
}

/// Makes the state folder, for its owner only, and takes its lock.
fn hold(state_dir: &Path) -> Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let lock = File::create(state_dir.join("daemon.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another embedded cloud runs with {}", state_dir.display());
            Err(Error::new(ErrorKind::WouldBlock, message))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Ends and removes what a daemon that crashed left behind; gives how many process groups that were.
///
/// # Errors
/// `WouldBlock` when a daemon runs with this state folder.
pub fn clean_up(state_dir: &Path) -> Result<usize> {
    let _lock = hold(state_dir)?;
    clear(state_dir)
}

fn clear(state_dir: &Path) -> Result<usize> {
    let ended = machine::reap(state_dir)?;
    let scratch = state_dir.join(SCRATCH);
    match fs::read_link(&scratch) {
        Ok(folder) => {
            remove_folder(&folder)?;
            fs::remove_file(&scratch)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(ended)
}

fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A new folder for what is unpacked or shared with tasks, in the system's folder for temporary files; a link in the
/// state folder remembers where. The state folder is for its owner only, and its path may be too long for sockets.
///
/// As root, tasks run as the users that their images name, who have to get at their executables: not below a folder that
/// is root's alone, as some systems give every user.
fn scratch_folder(state_dir: &Path) -> Result<PathBuf> {
    let mode = if geteuid().is_root() { 0o755 } else { 0o700 };
    let mut place = std::env::temp_dir();
    if geteuid().is_root() && !open_to_all(&place) {
        place = PathBuf::from("/tmp");
    }
    let mut attempt = 0;
    let folder = loop {
        let folder = place.join(format!("embedded-cloud-{}-{attempt}", std::process::id()));
        match DirBuilder::new().mode(mode).create(&folder) {
            Ok(()) => break folder,
            // Somebody else's: a folder that is not new is not trusted.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    };
    // A folder is made under the umask, which may take from others what they need here.
    fs::set_permissions(&folder, Permissions::from_mode(mode))?;
    symlink(&folder, state_dir.join(SCRATCH))?;
    Ok(folder)
}

/// Whether every user can get at what is in a folder.
fn open_to_all(folder: &Path) -> bool {
    folder
        .ancestors()
        .all(|part| fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Surface;
    use crate::wire::Api;

    #[test]
    fn a_caller_cannot_forge_a_line_of_the_log() {
        let call = CallRecord {
            at: super::super::clock::VIRTUAL_EPOCH,
            api: Surface::Api(Api::Elb),
            operation: format!("Evil\n2026 ecs DeleteCluster ok{}", "x".repeat(500)),
            access_key: Some("AKIDTEST".to_owned()),
            outcome: "InvalidAction".to_owned(),
            write: true,
        };
        let line = line(&call);
        let forged = "2025-10-09T08:53:20.000Z elasticloadbalancing Evil?2026 ecs DeleteCluster okx";
        assert!(line.starts_with(forged), "{line}");
        assert!(line.ends_with("x InvalidAction") && line.len() < 250, "{line}");
    }
}
