//! One container of a task: made, started, followed to its end.

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::select;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cloud::Cloud;
use super::engine::Engine;
use super::router::{self, Routes};
use super::{names, sidecar};
use crate::workload::machine::image::Image;
use crate::workload::machine::marked;
use crate::workload::machine::output;
use crate::workload::machine::task::{Inside, Stopped, Task, stop_asked};
use crate::workload::machine::terminal;
use crate::workload::terminal::Terminal;
use crate::workload::{ContainerStart, Exec, Mount, TaskStart};

/// The exit code of a container whose first process got SIGKILL.
const KILLED: i32 = 137;

/// What nobody types: an engine's own keys (Ctrl-P, Ctrl-Q) would hold back the first, and leave the command behind.
const DETACH_KEYS: &str = "ctrl-@,ctrl-^,ctrl-@";

/// What an ended container may still have to say.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Where a container's network namespace comes from.
pub(super) enum Network {
    /// It has its own: with these names and their addresses in its `/etc/hosts`, and with these
    /// loopback ports for ports of any container of the task.
    Own { hosts: Vec<(String, String)>, published: Vec<(u16, u16)> },
    /// It shares that of the container with this name.
    Of(String),
}

impl Network {
    fn arguments(&self, id: &str, start: &TaskStart) -> Vec<String> {
        match self {
            Self::Own { hosts, published } => {
                let hosts =
                    hosts.iter().map(|(name, address)| ["--add-host".into(), format!("{name}:{address}")]);
                let published = published.iter().map(|(port, container_port)| {
                    ["--publish".into(), format!("127.0.0.1:{port}:{container_port}")]
                });
                let network = ["--network".into(), names::network(id)];
                [network].into_iter().chain(hosts).chain(published).flatten().collect()
            }
            Self::Of(holder) => {
                vec!["--network".into(), format!("container:{}", names::container(start, holder))]
            }
        }
    }
}

/// Creates and starts a container next to its sidecar.
///
/// # Errors
/// Why not, in the engine's words.
pub(super) async fn start(
    cloud: &Arc<Cloud>,
    region: &str,
    task: &Arc<Task>,
    index: usize,
    network: &Network,
    routes: Option<&Routes>,
) -> Result<(), String> {
    let definition = &task.start.containers[index];
    let name = names::container(&task.start, &definition.name);
    let image = task.images[index].as_deref();
    let arguments = arguments(&cloud.id, &task.start, definition, image, network, routes);
    let mut command = cloud.engine.command(&arguments);
    // A variable of several lines has no place in a list of lines; the engine's program then has it from its own
    // environment. Nothing that may be secret is an argument, or in a file.
    let fixed =
        [("AWS_REGION", region), ("AWS_DEFAULT_REGION", region), ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")];
    let known = router::variables(definition, routes);
    let (lines, long) = definition
        .variables()
        .chain(fixed)
        .chain(known)
        .partition::<Vec<_>, _>(|(_, value)| !value.contains('\n'));
    command.envs(long);
    let input: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    cloud.engine.exchange(command, input.as_bytes()).await?;
    cloud.engine.run(&["start", &name]).await?;
    if let Ok(said) = cloud.engine.run(&["inspect", "--format", "{{.State.Pid}} {{.Id}}", &name]).await
        && let Some(pid) = process_here(&said, |pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok())
    {
        task.meter.watch(pid);
    }
    task.entrances
        .open(&definition.name, Within { cloud: Arc::clone(cloud), task: Arc::downgrade(task), name });
    Ok(())
}

/// A container's first process, from `<pid> <id>`. An engine of another machine, or in a virtual one, names a process that is
/// somebody else's here: it is not in the container's group.
fn process_here(said: &str, group_of: impl Fn(u32) -> Option<String>) -> Option<u32> {
    let (pid, id) = said.trim().split_once(' ')?;
    let pid = pid.parse().ok()?;
    group_of(pid).filter(|group| !id.is_empty() && group.contains(id)).map(|_| pid)
}

/// The arguments that make a container. Its environment comes through standard input.
fn arguments(
    id: &str,
    start: &TaskStart,
    definition: &ContainerStart,
    image: Option<&Image>,
    network: &Network,
    routes: Option<&Routes>,
) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let name = names::container(start, &definition.name);
    let memory = format!("{}m", definition.memory_mib.unwrap_or(start.memory_mib));
    let mut arguments = own(&["create", "--name", &name, "--pull", "never"]);
    arguments.extend(network.arguments(id, start));
    arguments.extend(names::labels(id, start, names::CONTAINER, &definition.name));
    // As much swap as memory is none at all. The share of the CPU is no limit: a developer's machine has few cores.
    arguments.extend(own(&["--memory", &memory, "--memory-swap", &memory]));
    arguments.extend(own(&["--cpu-shares", &start.cpu.to_string()]));
    arguments.extend(routes.iter().flat_map(|routes| routes.arguments(definition)));
    if definition.logs.is_some() {
        // Whatever the engine's own default is, what was printed must be there to be read.
        arguments.extend(own(&["--log-driver", "json-file"]));
    }
    // ECS does not look at the image's health check.
    arguments.extend(own(&["--no-healthcheck", "--env-file", "/dev/stdin"]));
    for (variable, _) in definition.variables().filter(|(_, value)| value.contains('\n')) {
        arguments.extend(own(&["--env", variable]));
    }
    if definition.readonly_root {
        arguments.push("--read-only".to_owned());
    }
    // What the image declares as a volume is one by itself, with its folder's owner and mode. Other mounts are root's with
    // mode 0755 (ECS developer guide, bind mounts).
    let volumes = image.and_then(|image| image.config.volumes.as_ref());
    let declared = |path: &String| volumes.is_some_and(|volumes| volumes.contains_key(path));
    for Mount { volume, path, read_only } in &definition.mounts {
        let only = if *read_only { ":ro" } else { "" };
        if start.shares(volume) {
            arguments.extend(own(&["--volume", &format!("{}:{path}{only}", names::volume(start, volume))]));
        } else if !declared(path) {
            let only = only.replace(':', ",");
            arguments.extend(own(&["--tmpfs", &format!("{path}:mode=755{only}")]));
        }
    }
    for (flag, value) in [("--user", &definition.user), ("--workdir", &definition.working_directory)] {
        arguments.extend(value.iter().flat_map(|value| own(&[flag, value])));
    }
    // An entry point is one word here; the others come before the command.
    let mut entry_point = definition.entry_point.iter();
    arguments.extend(entry_point.next().iter().flat_map(|first| own(&["--entrypoint", first])));
    arguments.push(match image {
        Some(image) => names::image(id, definition.repository.as_deref().unwrap_or_default(), &image.digest),
        // Another registry's: the engine pulled it by this name.
        None => definition.image.clone(),
    });
    arguments.extend(entry_point.chain(&definition.command).cloned());
    arguments
}

/// Waits for a container's end, or brings it about, and reports it after its last line.
pub(super) async fn attend(task: Arc<Task>, index: usize, engine: Engine, stopped: Stopped) {
    let definition = &task.start.containers[index];
    let name = names::container(&task.start, &definition.name);
    let output = follow(&task, definition, engine, &name);
    let mut ended = std::pin::pin!(engine.wait(&name));
    let exit_code = select! {
        biased;
        ended = ended.as_mut() => ended,
        stop_timeout = stop_asked(stopped) => {
            let secs = stop_timeout.as_secs().to_string();
            // The image's stop signal, then SIGKILL. An engine that fails here is reported by the wait.
            let _ = engine.run(&["stop", "-t", &secs, &name]).await;
            ended.await
        }
    };
    for follower in output {
        // Late words are lost, the end of the container is not.
        let _ = timeout(LAST_WORDS, follower).await;
    }
    match exit_code {
        Ok(code) => {
            // The engine's flag is also set for a child process, which the container may have outlived.
            let reason = if code == KILLED { out_of_memory(engine, &name).await } else { None };
            task.exited(&definition.name, code, reason);
        }
        Err(why) => {
            task.exited(&definition.name, 255, Some(format!("CannotInspectContainerError: {why}")));
        }
    }
}

/// Reads what a container prints from its first line on.
fn follow(task: &Task, definition: &ContainerStart, engine: Engine, name: &str) -> Vec<JoinHandle<()>> {
    if definition.logs.is_none() {
        return Vec::new();
    }
    let mut command = engine.command(&["logs", "--follow", name]);
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        return Vec::new();
    };
    let (log, reports) = (&definition.logs, &task.reports);
    let stdout = child.stdout.take().map(|out| output::follow(out, log.clone(), Arc::clone(reports)));
    let stderr = child.stderr.take().map(|err| output::follow(err, log.clone(), Arc::clone(reports)));
    let end = tokio::spawn(async move {
        // Its exit adds nothing to the container's own.
        let _ = child.wait().await;
    });
    stdout.into_iter().chain(stderr).chain([end]).collect()
}

/// `containers[].reason` of a container that was killed for its memory (ECS, "Stopped task error codes").
async fn out_of_memory(engine: Engine, name: &str) -> Option<String> {
    let killed = engine.run(&["inspect", "--format", "{{.State.OOMKilled}}", name]).await;
    (killed.ok()? == "true").then(|| "OutOfMemoryError: Container killed due to memory usage".to_owned())
}

/// What runs in a container apart from its own process.
struct Within {
    cloud: Arc<Cloud>,
    /// Weak, because the task owns this container.
    task: Weak<Task>,
    name: String,
}

impl Inside for Within {
    fn check(&self, words: Vec<String>, within: Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        Box::pin(check(self.cloud.engine, self.name.clone(), words, within))
    }

    fn open(&self, Exec { session, words, .. }: &Exec) -> Result<Terminal, String> {
        let mark = format!("{}={session}", marked::VARIABLE);
        let begin =
            ["exec", "--interactive", "--tty", "--detach-keys", DETACH_KEYS, "--env", &mark, &self.name];
        let arguments = begin.into_iter().map(str::to_owned).chain(words.iter().cloned());
        let command = self.cloud.engine.on_terminal(arguments);
        let (cloud, task) = (Arc::clone(&self.cloud), Weak::clone(&self.task));
        let (name, session) = (self.name.clone(), session.clone());
        let clear = async move {
            if let Some(task) = task.upgrade() {
                sidecar::end_session(&cloud, &task.start, &name, &session).await;
            }
        };
        // The engine ends it with its container.
        let started = terminal::start(command, None, None, std::future::pending(), clear);
        started.map(|terminal| Terminal { of_engine: true, ..terminal }).map_err(|error| error.to_string())
    }
}

/// Runs a container's health check; healthy is an exit code of 0 in time.
async fn check(engine: Engine, name: String, words: Vec<String>, within: Duration) -> bool {
    let mut command = engine.command(&[["exec".to_owned(), name].as_slice(), &words].concat());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return false };
    matches!(timeout(within, child.wait()).await, Ok(Ok(status)) if status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn start(containers: Vec<ContainerStart>) -> TaskStart {
        TaskStart {
            task: "0123456789abcdef".to_owned(),
            task_definition: "ielts-web:7".to_owned(),
            cpu: 256,
            memory_mib: 512,
            containers,
            ..TaskStart::default()
        }
    }

    fn container(name: &str) -> ContainerStart {
        ContainerStart {
            name: name.to_owned(),
            repository: Some("ielts/web".to_owned()),
            ..ContainerStart::default()
        }
    }

    fn line(start: &TaskStart, at: usize, network: &Network) -> String {
        let config = serde_json::from_str(r#"{"Volumes": {"/tmp": {}}}"#).unwrap();
        let image = Image::of_test("sha256:fedcba9876543210", config);
        arguments("c1", start, &start.containers[at], Some(&image), network, None).join(" ")
    }

    #[test]
    fn no_value_of_a_variable_is_an_argument() {
        let mut web = container("web");
        web.environment = vec![("PLAIN".to_owned(), "visible".to_owned())];
        web.secrets = vec![
            ("TOKEN".to_owned(), Secret::new("hunter2")),
            ("KEY".to_owned(), Secret::new("-----BEGIN\nhunter3")),
        ];
        let line = line(&start(vec![web]), 0, &Network::Of("web".to_owned()));
        assert!(!line.contains("hunter") && !line.contains("visible"), "{line}");
        assert!(line.contains("--env-file /dev/stdin --env KEY"), "{line}");
    }

    #[test]
    fn an_entry_point_of_several_words_drops_the_images_command_and_keeps_its_words() {
        let mut web = container("web");
        web.entry_point = ["java", "-jar"].map(str::to_owned).to_vec();
        web.command = vec!["app.jar".to_owned()];
        let line = line(&start(vec![web]), 0, &Network::Of("web".to_owned()));
        let image = "localhost/embedded-cloud-c1/ielts-web:fedcba987654";
        assert!(line.ends_with(&format!("--entrypoint java {image} -jar app.jar")), "{line}");
    }

    #[test]
    fn a_definitions_user_root_and_limits_are_the_containers() {
        let mut web = container("web");
        web.memory_mib = Some(128);
        web.user = Some("1000".to_owned());
        web.working_directory = Some("/srv".to_owned());
        web.readonly_root = true;
        let start = start(vec![web, container("log")]);
        let (web, log) = (
            line(&start, 0, &Network::Of("web".to_owned())),
            line(&start, 1, &Network::Of("web".to_owned())),
        );
        for part in ["--memory 128m --memory-swap 128m", "--read-only", "--user 1000", "--workdir /srv"] {
            assert!(web.contains(part), "{part}: {web}");
        }
        assert!(log.contains("--memory 512m") && !log.contains("--read-only"), "{log}");
    }

    fn mount(volume: &str, path: &str) -> Mount {
        Mount { volume: volume.to_owned(), path: path.to_owned(), read_only: false }
    }

    #[test]
    fn a_volume_of_two_containers_is_one() {
        let (mut web, mut log) = (container("web"), container("log"));
        web.mounts = vec![mount("spool", "/spool")];
        log.mounts = vec![Mount { read_only: true, ..mount("spool", "/in") }];
        let start = start(vec![web, log]);
        let of = |at| line(&start, at, &Network::Of("web".to_owned()));
        assert!(of(0).contains("--volume ecs-ielts-web-7-spool-0123456789ab:/spool "), "{}", of(0));
        assert!(of(1).contains("--volume ecs-ielts-web-7-spool-0123456789ab:/in:ro "), "{}", of(1));
    }

    #[test]
    fn a_mount_is_root_s_unless_the_image_declares_it_as_a_volume() {
        let mut web = container("web");
        web.mounts = vec![mount("agents", "/managed-agents"), mount("tmp", "/tmp")];
        let line = line(&start(vec![web]), 0, &Network::Of("web".to_owned()));
        assert!(line.contains("--tmpfs /managed-agents:mode=755"), "{line}");
        assert!(!line.contains("/tmp"), "{line}");
    }

    #[test]
    fn one_container_has_the_network_and_the_others_share_it() {
        let start = start(vec![container("web"), container("log")]);
        let network = Network::Own {
            hosts: vec![("backend.ielts.local".to_owned(), "172.18.0.2".to_owned())],
            published: vec![(20_001, 3000)],
        };
        let own = "--network embedded-cloud-c1 --add-host backend.ielts.local:172.18.0.2 --publish 127.0.0.1:20001:3000";
        assert!(line(&start, 0, &network).contains(own));
        let shared = "--network container:ecs-ielts-web-7-web-0123456789ab";
        assert!(line(&start, 1, &Network::Of("web".to_owned())).contains(shared));
    }

    #[test]
    fn the_process_of_another_machine_s_engine_is_not_measured() {
        let group = |of: &'static str| move |pid| (pid == 7).then(|| of.to_owned());
        let own = group("0::/system.slice/docker-c0ffee.scope\n");
        assert_eq!(process_here("7 c0ffee\n", own), Some(7));
        assert_eq!(process_here("7 c0ffee\n", group("0::/user.slice/session-1.scope\n")), None);
        assert_eq!(process_here("8 c0ffee\n", group("docker-c0ffee")), None, "there is none");
        assert_eq!(process_here("7 \n", group("anything")), None);
        assert_eq!(process_here("", group("anything")), None);
    }
}
