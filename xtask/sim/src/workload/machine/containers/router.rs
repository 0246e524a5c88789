//! The log router of a task (FireLens): its configuration as ECS's agent writes it, and the socket on which Docker gives it the
//! lines of the other containers.
//!
//! Source: amazon-ecs-agent, `taskresource/firelens`. Podman has no log driver for it.

use std::fs::{self, Permissions};
use std::io::Result;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::engine::Engine;
use crate::workload::{ContainerStart, LogRouter, TaskStart};

/// Where the router has its socket, and Fluent Bit its configuration.
const RUN: &str = "/var/run";
const SOCKET: &str = "fluent.sock";
const CONFIGURATION: &str = "/fluent-bit/etc/fluent-bit.conf";

/// Options of `awsfirelens` that are not the output's.
const NOT_THE_OUTPUT_S: [&str; 4] = ["Name", "include-pattern", "exclude-pattern", "log-driver-buffer-limit"];

/// What a task's router shares with the engine; it goes when this is dropped.
pub(super) struct Routes {
    folder: PathBuf,
    arn: String,
}

impl Drop for Routes {
    fn drop(&mut self) {
        // What stays is removed with the cloud's other folders.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Writes the configuration of a task's router; none where there is no router, or none that lines get to.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn open(engine: Engine, scratch: &Path, task: &TaskStart) -> Result<Option<Routes>> {
    let router = task.containers.iter().find_map(|container| container.router.as_ref());
    let reached = cfg!(target_os = "linux") && engine.name() == "docker";
    let Some(router) = router.filter(|router| reached && router.program == "fluentbit") else {
        return Ok(None);
    };
    // A socket's path has room for about a hundred bytes.
    let folder = scratch.join(task.task.chars().take(12).collect::<String>());
    fs::create_dir_all(folder.join("run"))?;
    let routes = Routes { folder, arn: task.task_arn.clone() };
    // The router is whatever user its image names.
    fs::set_permissions(routes.folder.join("run"), Permissions::from_mode(0o777))?;
    fs::write(routes.folder.join("conf"), configuration(task, router))?;
    Ok(Some(routes))
}

impl Routes {
    /// The arguments of a container that is the router, or whose lines are for it.
    pub(super) fn arguments(&self, container: &ContainerStart) -> Vec<String> {
        let here = self.folder.display();
        let mut arguments = Vec::new();
        if container.router.is_some() {
            let mounts = [format!("{here}/run:{RUN}"), format!("{here}/conf:{CONFIGURATION}:ro")];
            arguments.extend(mounts.into_iter().flat_map(|mount| ["--volume".to_owned(), mount]));
        }
        if let Some(options) = &container.routed {
            arguments.extend(["--log-driver".to_owned(), "fluentd".to_owned()]);
            let id = self.arn.rsplit('/').next().unwrap_or_default();
            let mut given = vec![
                format!("fluentd-address=unix://{here}/run/{SOCKET}"),
                // Its socket comes some moments after the router, and a container does not wait for its log.
                "fluentd-async=true".to_owned(),
                "fluentd-sub-second-precision=true".to_owned(),
                format!("tag={}-firelens-{id}", container.name),
            ];
            given.extend(
                options.get("log-driver-buffer-limit").map(|limit| format!("fluentd-buffer-limit={limit}")),
            );
            arguments.extend(given.into_iter().flat_map(|option| ["--log-opt".to_owned(), option]));
        }
        arguments
    }
}

/// The variables by which an application finds the router of its task.
pub(super) fn variables<'a>(container: &ContainerStart, routes: Option<&Routes>) -> Vec<(&'a str, &'a str)> {
    match (&container.routed, routes) {
        (Some(_), Some(_)) => vec![("FLUENT_HOST", "127.0.0.1"), ("FLUENT_PORT", "24224")],
        _ => Vec::new(),
    }
}

fn configuration(task: &TaskStart, router: &LogRouter) -> String {
    let mut text = String::new();
    let section = |text: &mut String, name: &str, members: &[(&str, &str)]| {
        *text += &format!("[{name}]\n");
        members.iter().for_each(|(key, value)| *text += &format!("    {key} {value}\n"));
        *text += "\n";
    };
    let routed = || {
        let containers = task.containers.iter();
        containers.filter_map(|it| Some((format!("{}-firelens*", it.name), it.routed.as_ref()?)))
    };
    section(&mut text, "INPUT", &[("Name", "forward"), ("unix_path", &format!("{RUN}/{SOCKET}"))]);
    section(&mut text, "INPUT", &[("Name", "forward"), ("Listen", "127.0.0.1"), ("Port", "24224")]);
    for (tag, options) in routed() {
        for (option, rule) in [("include-pattern", "Regex"), ("exclude-pattern", "Exclude")] {
            if let Some(pattern) = options.get(option) {
                let members = [("Name", "grep"), ("Match", &*tag), (rule, &*format!("log {pattern}"))];
                section(&mut text, "FILTER", &members);
            }
        }
    }
    if router.options.get("enable-ecs-log-metadata").is_none_or(|value| value != "false") {
        let records = [
            format!("ecs_cluster {}", task.cluster),
            format!("ecs_task_arn {}", task.task_arn),
            format!("ecs_task_definition {}", task.task_definition),
        ];
        let records = records.iter().map(|record| ("Record", record.as_str()));
        let members: Vec<_> =
            [("Name", "record_modifier"), ("Match", "*")].into_iter().chain(records).collect();
        section(&mut text, "FILTER", &members);
    }
    if let Some(file) = router.options.get("config-file-value") {
        text += &format!("@INCLUDE {file}\n\n");
    }
    // Without a name the output is in the file that is included.
    for (tag, options, name) in routed().filter_map(|(tag, it)| Some((tag, it, it.get("Name")?))) {
        let own = options.iter().filter(|(key, _)| !NOT_THE_OUTPUT_S.contains(&key.as_str()));
        let own = own.map(|(key, value)| (key.as_str(), value.as_str()));
        let members: Vec<_> = [("Name", name.as_str()), ("Match", &tag)].into_iter().chain(own).collect();
        section(&mut text, "OUTPUT", &members);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_is_configured_as_ecs_s_agent_does_it() {
        let pairs = |pairs: &[(&str, &str)]| {
            Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
        };
        let web = ContainerStart {
            name: "web".to_owned(),
            routed: pairs(&[("Name", "loki"), ("exclude-pattern", "health"), ("host", "loki.internal")]),
            ..ContainerStart::default()
        };
        let quiet =
            ContainerStart { name: "quiet".to_owned(), routed: pairs(&[]), ..ContainerStart::default() };
        let task = TaskStart {
            task_arn: "arn:aws:ecs:r:1:task/c/0123".to_owned(),
            cluster: "c".to_owned(),
            task_definition: "web:7".to_owned(),
            containers: vec![web, quiet],
            ..TaskStart::default()
        };
        let options = pairs(&[("config-file-value", "/extra.conf")]).unwrap();
        let text = configuration(&task, &LogRouter { program: "fluentbit".to_owned(), options });
        let expected = "\
[INPUT]
    Name forward
    unix_path /var/run/fluent.sock

[INPUT]
    Name forward
    Listen 127.0.0.1
    Port 24224

[FILTER]
    Name grep
    Match web-firelens*
    Exclude log health

[FILTER]
    Name record_modifier
    Match *
    Record ecs_cluster c
    Record ecs_task_arn arn:aws:ecs:r:1:task/c/0123
    Record ecs_task_definition web:7

@INCLUDE /extra.conf

[OUTPUT]
    Name loki
    Match web-firelens*
    host loki.internal

";
        assert_eq!(text, expected);
        let routes = Routes { folder: PathBuf::from("/none"), arn: task.task_arn.clone() };
        let driver = routes.arguments(&task.containers[0]).join(" ");
        assert!(
            driver.starts_with("--log-driver fluentd --log-opt fluentd-address=unix:///none/run/fluent.sock")
        );
        assert!(driver.contains("tag=web-firelens-0123"), "{driver}");
    }
}
