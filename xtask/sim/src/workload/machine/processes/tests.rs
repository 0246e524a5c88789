//! Real processes out of real images. The programs are shell scripts: the machine's own shell runs them.

mod definition;
mod exec;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::ecr::digest_of;
use crate::secret::Secret;
use crate::workload::machine::task::ReportSink;
use crate::workload::machine::{Connect, Kind, Machine, Place, Registry};
use crate::workload::{Effect, Report, TaskId};

/// Longer than a loaded machine needs for anything here; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// A registry of one repository: everything by its digest.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl Registry for Shelf {
    fn manifest(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.blob(repository, digest)
    }

    fn blob(&self, _: &str, digest: &str) -> Option<Bytes> {
        self.0.lock().unwrap().get(digest).cloned()
    }
}

/// Processes have a proxy.
struct Nobody;

impl Connect for Nobody {
    fn serve(&self, _: UnixListener, _: TaskId, _: u16) -> JoinHandle<()> {
        unreachable!("no sidecar stands beside a process")
    }
}

struct Bench {
    processes: Machine,
    ports: Ports,
    shelf: Shelf,
    reports: mpsc::UnboundedReceiver<Report>,
    folder: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sim-processes-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn bench(name: &str) -> Bench {
    let folder = folder(name);
    let shelf = Shelf::default();
    let (sender, reports) = mpsc::unbounded_channel();
    let sink: ReportSink = Arc::new(move |report| sender.send(report).unwrap_or_default());
    let ports = Ports::default();
    let place = Place {
        state_dir: folder.join("state"),
        scratch: folder.join("scratch"),
        region: "ap-southeast-1".to_owned(),
        proxy_port: 1,
        ports: ports.clone(),
        connect: Arc::new(Nobody),
        sidecar: None,
    };
    let processes = Machine::new(Arc::new(shelf.clone()), sink, place).unwrap();
    // The programs are scripts, which by themselves ask for a container.
    processes.set_kind(Kind::Processes);
    Bench { processes, ports, shelf, reports, folder }
}

impl Bench {
    fn push(&self, content: &[u8]) -> String {
        let digest = digest_of(content);
        self.shelf.0.lock().unwrap().insert(digest.clone(), content.to_vec().into());
        digest
    }

    /// Pushes an image with these executables and gives its digest.
    fn image(&self, files: &[(&str, &str)], config: Value) -> String {
        let mut layer = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            header.set_cksum();
            layer.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        let layer = self.push(&layer.into_inner().unwrap());
        let config = self.push(json!({ "os": "linux", "config": config }).to_string().as_bytes());
        let manifest = json!({ "config": { "digest": config }, "layers": [{ "digest": layer }] });
        self.push(manifest.to_string().as_bytes())
    }

    fn start(&self, digest: &str, connect: bool) {
        self.processes.carry_out(Effect::Start(Box::new(task(digest, connect))));
    }

    async fn report(&mut self) -> Report {
        timeout(PATIENCE, self.reports.recv()).await.expect("a report in time").unwrap()
    }

    async fn line(&mut self) -> String {
        match self.report().await {
            Report::Log { line, .. } => line,
            other => panic!("{other:?}"),
        }
    }

    async fn exit(&mut self) -> (i32, Option<String>) {
        match self.report().await {
            Report::Exited { exit_code, reason, .. } => (exit_code, reason),
            other => panic!("{other:?}"),
        }
    }

    async fn pulled(&mut self) {
        assert_eq!(self.report().await, Report::Pulled { task: "t1".to_owned() });
    }

    /// Starts a container of the task; gives what comes of it.
    async fn ask(&mut self, container: &str) -> Report {
        let (task, container) = ("t1".to_owned(), container.to_owned());
        self.processes.carry_out(Effect::StartContainer { task, container });
        self.report().await
    }

    async fn running(&mut self) {
        self.pulled().await;
        let (task, container) = ("t1".to_owned(), "app".to_owned());
        assert_eq!(self.ask("app").await, Report::Started { task, container });
    }

    /// Lets the task go and waits until nothing is left of it.
    async fn remove(&mut self) {
        self.processes.carry_out(Effect::Remove { task: "t1".to_owned() });
        self.processes.gone().await;
    }
}

fn task(digest: &str, connect: bool) -> TaskStart {
    TaskStart {
        task: "t1".to_owned(),
        task_arn: String::new(),
        cluster: "c".to_owned(),
        service: "s".to_owned(),
        task_definition: "app:1".to_owned(),
        private_ip: "10.0.1.10".to_owned(),
        cpu: 256,
        memory_mib: 512,
        containers: vec![ContainerStart {
            name: "app".to_owned(),
            essential: true,
            image: format!("r/app@{digest}"),
            repository: Some("app".to_owned()),
            digest: Some(digest.to_owned()),
            environment: vec![
                ("COLOUR".to_owned(), "green".to_owned()),
                ("PORT".to_owned(), "8080".to_owned()),
            ],
            secrets: vec![("KEY".to_owned(), Secret::new("hunter2"))],
            ports: vec![8080],
            logs: Some(("g".to_owned(), "s".to_owned())),
            ..ContainerStart::default()
        }],
        connect,
        endpoints: Vec::new(),
    }
}

/// Waits for TERM in the shell itself, as `sleep` in the foreground would put it off.
/// Its `sleep` gets the signal too, and where that ends first the shell may say so on standard error.
const WAITS: &str = "#!/bin/sh\nexec 2>/dev/null\ntrap 'echo bye; exit 7' TERM\necho up\nwhile :; do sleep 1 & wait $!; done\n";
const DEAF: &str = "#!/bin/sh\ntrap '' TERM\necho up\nwhile :; do sleep 1; done\n";

#[tokio::test]
async fn a_task_knows_its_port_its_proxy_and_its_settings_and_nothing_of_the_daemons_environment() {
    let mut bench = bench("environment");
    let show = "#!/bin/sh\necho \"$COLOUR $SHAPE $HOST $1\"\necho \"$PORT $PORT_8080\"\necho \"$HTTP_PROXY $no_proxy\"\necho \"home ${HOME:-none}\"\necho \"$KEY\"\n";
    let config = json!({ "Entrypoint": ["/bin/show"], "Cmd": ["x"], "Env": ["COLOUR=red", "SHAPE=round"] });
    bench.start(&bench.image(&[("bin/show", show)], config), true);
    bench.running().await;
    assert_eq!(bench.line().await, "green round 127.0.0.1 x");
    let ports = bench.line().await;
    let (port, same) = ports.split_once(' ').unwrap();
    assert_eq!(port, same);
    assert_ne!(port, "8080");
    assert_eq!(bench.line().await, "http://t1:x@127.0.0.1:1 127.0.0.1,localhost");
    assert_eq!(bench.line().await, "home none");
    assert_eq!(bench.line().await, "hunter2");
    assert_eq!(bench.exit().await, (0, None));
}

#[tokio::test]
async fn sigterm_comes_first_and_the_last_words_come_before_the_end() {
    let mut bench = bench("term");
    bench.start(&bench.image(&[("waits", WAITS)], json!({ "Cmd": ["/waits"] })), false);
    bench.running().await;
    assert_eq!(bench.line().await, "up");
    bench.processes.carry_out(Effect::StopContainer {
        task: "t1".to_owned(),
        container: "app".to_owned(),
        timeout_secs: 30,
    });
    assert_eq!(bench.line().await, "bye");
    assert_eq!(bench.exit().await, (7, None));
    bench.processes.shut_down(Duration::ZERO).await.unwrap();
    assert_eq!(bench.ports.of(&"t1".to_owned(), 8080), None);
    assert_eq!(fs::read_dir(bench.folder.join("state/processes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_task_that_ignores_sigterm_is_killed_with_all_that_it_started() {
    let mut bench = bench("deaf");
    bench.start(&bench.image(&[("deaf", DEAF)], json!({ "Cmd": ["/deaf"] })), false);
    bench.running().await;
    assert_eq!(bench.line().await, "up");
    let note = fs::read_dir(bench.folder.join("state/processes")).unwrap().next().unwrap().unwrap();
    let pid: u32 = note.file_name().to_str().unwrap().parse().unwrap();
    bench.processes.shut_down(Duration::from_millis(50)).await.unwrap();
    assert_eq!(bench.exit().await, (137, None));
    let deadline = Instant::now() + PATIENCE;
    while rustix::process::test_kill_process_group(leftovers::group(pid).unwrap()).is_ok() {
        assert!(Instant::now() < deadline, "the group of {pid} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_crash_is_reported_with_its_exit_code() {
    let mut bench = bench("crash");
    bench.start(
        &bench.image(&[("crash", "#!/bin/sh\necho oh >&2\nexit 3\n")], json!({ "Cmd": ["/crash"] })),
        false,
    );
    bench.running().await;
    assert_eq!(bench.line().await, "oh");
    assert_eq!(bench.exit().await, (3, None));
}

#[tokio::test]
async fn an_executable_that_the_machines_shell_would_gladly_read_is_still_a_format_error() {
    let mut bench = bench("format");
    bench.start(&bench.image(&[("app", "echo not a program\n")], json!({ "Cmd": ["/app"] })), false);
    bench.running().await;
    assert_eq!(bench.line().await, "exec /app: exec format error");
    assert_eq!(bench.exit().await, (255, None));
}

#[tokio::test]
async fn a_missing_executable_and_a_missing_image_say_what_is_missing() {
    let mut bench = bench("missing");
    bench.start(&digest_of(b"never pushed"), false);
    match bench.report().await {
        Report::FailedToStart { reason, .. } => {
            assert!(
                reason.starts_with("CannotPullContainerError: ") && reason.ends_with(": not found"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    bench.remove().await;
    bench.start(&bench.image(&[("a", WAITS)], json!({ "Cmd": ["/usr/bin/env"] })), false);
    bench.pulled().await;
    match bench.ask("app").await {
        Report::CannotStart { reason, .. } => assert_eq!(
            reason,
            "CannotStartContainerError: container app: exec: \"/usr/bin/env\": executable file not found in the image"
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_container_check_runs_inside_the_image_with_the_tasks_environment() {
    let mut bench = bench("check");
    let check = "#!/bin/sh\n[ \"$COLOUR\" = green ] && [ \"$1\" = probe ]\n";
    bench.start(&bench.image(&[("waits", WAITS), ("check", check)], json!({ "Cmd": ["/waits"] })), false);
    bench.running().await;
    assert_eq!(bench.line().await, "up");
    for (command, expected) in [
        (vec!["CMD", "/check", "probe"], true),
        (vec!["CMD", "/check", "other"], false),
        (vec!["CMD", "/bin/true"], false),
        (vec!["CMD-SHELL", "exit 0"], false),
        (vec![], false),
    ] {
        let command = command.into_iter().map(str::to_owned).collect();
        let (task, container) = ("t1".to_owned(), "app".to_owned());
        bench.processes.carry_out(Effect::CheckContainer { task, container, command, timeout_secs: 20 });
        match bench.report().await {
            Report::ContainerHealth { healthy, .. } => assert_eq!(healthy, expected),
            other => panic!("{other:?}"),
        }
    }
    bench.processes.shut_down(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn an_image_with_a_users_name_runs_as_that_user_when_the_daemon_is_root() {
    if !geteuid().is_root() {
        return;
    }
    let mut bench = bench("user");
    let files = [("who", "#!/bin/sh\nid -u; id -g; id -G\n"), ("etc/passwd", "app:x:4711:4712::/:/none\n")];
    bench.start(&bench.image(&files, json!({ "Cmd": ["/who"], "User": "app" })), false);
    bench.running().await;
    assert_eq!((bench.line().await.as_str(), bench.line().await.as_str()), ("4711", "4712"));
    assert_eq!(bench.line().await, "4712");
    assert_eq!(bench.exit().await.0, 0);
}

#[tokio::test]
async fn what_a_killed_daemon_left_running_is_ended_by_the_next_and_a_strangers_process_is_not() {
    let folder = folder("leftovers");
    let sleeper =
        || tokio::process::Command::new("/bin/sleep").arg("600").process_group(0).kill_on_drop(true).spawn();
    let (mut ours, mut stranger) = (sleeper().unwrap(), sleeper().unwrap());
    let notes = Leftovers::open(&folder).unwrap();
    notes.note(ours.id().unwrap()).unwrap();
    // As if the id had been given to somebody else since.
    fs::write(folder.join("processes").join(stranger.id().unwrap().to_string()), "some other boot 1")
        .unwrap();
    assert_eq!(reap(&folder).unwrap(), 1);
    let ended = timeout(PATIENCE, ours.wait()).await.expect("it was killed").unwrap();
    assert_eq!(exit_code(ended), 137);
    assert!(stranger.try_wait().unwrap().is_none());
    assert_eq!(fs::read_dir(folder.join("processes")).unwrap().count(), 0);
    fs::remove_dir_all(Path::new(&folder)).unwrap();
}

#[tokio::test]
async fn an_index_gives_this_machines_image_and_damaged_content_never_runs() {
    let mut bench = bench("index");
    let image = bench.image(&[("crash", "#!/bin/sh\nexit 3\n")], json!({ "Cmd": ["/crash"] }));
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let index = |architecture: &str| {
        let platform = json!({ "os": "linux", "architecture": architecture });
        json!({ "manifests": [
            { "digest": "sha256:0", "platform": { "os": "unknown", "architecture": "unknown" } },
            { "digest": image, "platform": platform },
        ] })
    };
    bench.start(&bench.push(index(architecture).to_string().as_bytes()), false);
    bench.running().await;
    assert_eq!(bench.exit().await, (3, None));
    bench.remove().await;

    let foreign = bench.push(index("s390x").to_string().as_bytes());
    let damaged = bench.image(&[("crash", "#!/bin/sh\nexit 4\n")], json!({ "Cmd": ["/crash"] }));
    bench.shelf.0.lock().unwrap().insert(damaged.clone(), Bytes::from_static(b"{}"));
    for (digest, expected) in [
        (foreign, format!("does not contain descriptor matching platform 'linux/{architecture}'")),
        (damaged, "the content's digest is sha256:".to_owned()),
    ] {
        bench.start(&digest, false);
        match bench.report().await {
            Report::FailedToStart { reason, .. } => assert!(reason.contains(&expected), "{reason}"),
            other => panic!("{other:?}"),
        }
        bench.remove().await;
    }
}
