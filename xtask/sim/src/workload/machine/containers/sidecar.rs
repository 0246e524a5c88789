//! The sidecar of a task: it connects the task to Service Connect, as the agent's container does on AWS.
//!
//! Service Connect's names are in the task's `/etc/hosts` and lead to the sidecar. It listens at the ports of the names
//! and forwards each connection to the cloud, through a socket in a folder that both see: a socket for each port, so
//! that the cloud knows who asks. On AWS the agent listens inside the task, behind packet filter rules that keep it out
//! of the way of the task's own ports; here it has a namespace and an address of its own. It runs this cloud's own
//! program.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{Error, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cloud::Cloud;
use super::forward::{ENDS, READY};
use super::loader::{self, Loader};
use super::names;
use crate::workload::{TaskId, TaskStart};

/// What a sidecar gets to come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// Where the sidecar finds its sockets and its program.
const FOLDER: &str = "/connect";
const PROGRAM: &str = "/sidecar";

/// The program that is the sidecar: this cloud's own, started to call [`sidecar`](super::sidecar).
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// The executable. It must stay as it is while the cloud runs.
    pub program: PathBuf,
    /// Its arguments; what it is to do is added as the last.
    pub arguments: Vec<String>,
}

/// Who answers what a task asks at a Service Connect name.
pub(crate) trait Connect: Send + Sync {
    /// Serves what `client` asks at `port` of any name, until the handle is aborted.
    fn serve(&self, listener: UnixListener, client: TaskId, port: u16) -> JoinHandle<()>;
}

/// The sidecar of a task's containers; the cloud's side of it ends when this is dropped.
#[derive(Default)]
pub(super) struct Beside {
    folder: PathBuf,
    served: Vec<JoinHandle<()>>,
    /// The names and where they lead, as `/etc/hosts` has them.
    pub(super) hosts: Vec<(String, String)>,
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.served.is_empty() {
            return;
        }
        self.served.iter().for_each(JoinHandle::abort);
        // An empty folder that stays is removed with the cloud's others.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Opens a task's sockets and starts its sidecar; resolves when the names lead somewhere. A task that
/// knows no names has none.
///
/// # Errors
/// Why it does not come up.
pub(super) async fn start(
    cloud: &Cloud,
    scratch: &Path,
    connect: &Arc<dyn Connect>,
    task: &TaskStart,
) -> std::result::Result<Beside, String> {
    if task.endpoints.is_empty() {
        return Ok(Beside::default());
    }
    let image = load(cloud).await?;
    // A socket's path has room for about a hundred bytes.
    let folder = scratch.join(task.task.chars().take(12).collect::<String>());
    let opened = open(&folder, connect, task);
    let (mut beside, ready) = opened.map_err(|error| format!("no sockets for the sidecar: {error}"))?;
    let loader = loader::own().map_err(|error| {
        format!("Service Connect needs an engine on the Linux machine that this program runs on: {error}")
    })?;
    let (name, network) = (names::container(task, names::SIDECAR), names::network(&cloud.id));
    // It listens on ports below 1024 where an alias has one, and may nothing else.
    let sockets = format!("{}:{FOLDER}", folder.display());
    let own = ["--detach", "--network", &network, "--cap-add", "NET_BIND_SERVICE", "--volume", &sockets];
    cloud.engine.run(&arguments(cloud, &loader, task, &image, &name, &own, FOLDER)).await?;
    match timeout(UP_WITHIN, ready.accept()).await {
        Ok(accepted) => drop(accepted.map_err(|error| format!("the sidecar's socket: {error}"))?),
        Err(_) => {
            let said = cloud.engine.run(&["logs", &name]).await.unwrap_or_default();
            return Err(format!("the sidecar did not come up within {} s: {said}", UP_WITHIN.as_secs()));
        }
    }
    let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = cloud.engine.run(&["inspect", "--format", address, &name]).await?;
    let names: BTreeSet<&String> = task.endpoints.iter().map(|(name, _)| name).collect();
    beside.hosts = names.into_iter().map(|name| (name.clone(), address.clone())).collect();
    Ok(beside)
}

fn open(folder: &Path, connect: &Arc<dyn Connect>, task: &TaskStart) -> Result<(Beside, UnixListener)> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    let mut beside = Beside { folder: folder.to_owned(), served: Vec::new(), hosts: Vec::new() };
    let listen = |name: &str| {
        let path = folder.join(name);
        let listener = UnixListener::bind(&path)?;
        // The sidecar is another user where the engine maps users.
        fs::set_permissions(&path, Permissions::from_mode(0o666))?;
        Ok::<_, Error>(listener)
    };
    let ports: BTreeSet<u16> = task.endpoints.iter().map(|(_, port)| *port).collect();
    for port in ports {
        beside.served.push(connect.serve(listen(&port.to_string())?, task.task.clone(), port));
    }
    Ok((beside, listen(READY)?))
}

/// Ends what a session left behind in a container: an engine's client takes nothing with it when it goes (moby#9098), and the
/// image may have no program that kills.
pub(super) async fn end_session(cloud: &Cloud, task: &TaskStart, container: &str, session: &str) {
    let (Ok(image), Ok(loader)) = (load(cloud).await, loader::own()) else { return };
    let name = names::container(task, session);
    let processes = format!("container:{container}");
    // Environments are readable by their owner only, whom the image or the definition chose.
    let may = ["DAC_READ_SEARCH", "KILL", "SYS_PTRACE"].map(|capability| ["--cap-add", capability]).concat();
    let own = [["--rm", "--network", "none", "--pid", &processes].as_slice(), &may].concat();
    let what = format!("{ENDS}{session}");
    // The container may have ended meanwhile, and everything in it.
    let _ = cloud.engine.run(&arguments(cloud, &loader, task, &image, &name, &own, &what)).await;
}

/// A container that runs this cloud's program, with arguments of its `own`.
fn arguments(
    cloud: &Cloud,
    loader: &Loader,
    task: &TaskStart,
    image: &str,
    name: &str,
    own: &[&str],
    what: &str,
) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut arguments =
        words(&["run", "--name", name, "--pull", "never", "--read-only", "--cap-drop", "ALL"]);
    arguments.extend(words(own));
    arguments.extend(names::labels(&cloud.id, task, names::SIDECAR, names::SIDECAR));
    // A labelling system such as SELinux would keep it from the sockets.
    arguments.extend(words(&["--security-opt", "no-new-privileges", "--security-opt", "label=disable"]));
    let mounts = loader.folders.iter().map(|folder| format!("{0}:{0}:ro", folder.display()));
    let mounts = mounts.chain([format!("{}:{PROGRAM}:ro", cloud.sidecar.program.display())]);
    arguments.extend(mounts.flat_map(|mount| ["--volume".to_owned(), mount]));
    let mut command = Vec::new();
    if let Some(program) = &loader.program {
        let folders: Vec<_> = loader.folders.iter().map(|folder| folder.display().to_string()).collect();
        command.extend([program.display().to_string(), "--library-path".to_owned(), folders.join(":")]);
    }
    command.push(PROGRAM.to_owned());
    command.extend(cloud.sidecar.arguments.iter().cloned());
    command.push(what.to_owned());
    arguments.extend(words(&["--entrypoint", &command[0], image]));
    arguments.extend(command.drain(1..));
    arguments
}

/// Brings the sidecar's image to the engine: an empty one. Gives its name.
async fn load(cloud: &Cloud) -> std::result::Result<String, String> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    // Two blocks of zeros are an archive without entries.
    let layer = Bytes::from_static(&[0; 1024]);
    let configuration = serde_json::json!({
        "os": "linux",
        "architecture": architecture,
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [crate::ecr::digest_of(&layer)] },
    });
    cloud
        .load_as(
            names::image(&cloud.id, names::SIDECAR, "latest"),
            &Bytes::from(configuration.to_string()),
            &[layer],
        )
        .await
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::forward::forward;
    use super::*;

    /// Says on each connection who asked at which port.
    struct Says;

    impl Connect for Says {
        fn serve(&self, listener: UnixListener, client: TaskId, port: u16) -> JoinHandle<()> {
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    stream.write_all(format!("{client} at {port}").as_bytes()).await.unwrap();
                }
            })
        }
    }

    #[tokio::test]
    async fn what_a_task_asks_at_a_port_comes_to_the_cloud_with_the_tasks_name_on_it() {
        let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = std::env::temp_dir().join(format!("sim-sidecar-{}", std::process::id()));
        let endpoints = vec![("a.local".to_owned(), port), ("b.local".to_owned(), port)];
        let task = TaskStart { task: "t1".to_owned(), endpoints, ..TaskStart::default() };
        let connect: Arc<dyn Connect> = Arc::new(Says);
        let (beside, ready) = open(&folder, &connect, &task).unwrap();
        let sidecar = tokio::spawn({
            let folder = folder.clone();
            async move { forward(&folder).await }
        });
        ready.accept().await.unwrap();
        let mut client = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, format!("t1 at {port}"));
        drop(beside);
        assert!(!folder.exists());
        sidecar.abort();
    }
}
