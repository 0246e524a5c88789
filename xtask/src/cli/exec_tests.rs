//! Programs that stand in for engines and the AWS CLI: shell scripts on a search path of their own.
#![expect(clippy::unwrap_used, reason = "a stage that cannot be set must fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::host::{Clock, Env, Http, Rng, Shell, Terminal};

fn host(path: &Path) -> Host {
    let env = Env::of([("PATH", path.to_str().unwrap())]);
    Host {
        clock: Clock::system(),
        rng: Rng::from_seed(1),
        http: Http::system().unwrap(),
        shell: Shell::system(&env),
        terminal: Terminal::none(),
        env,
    }
}

/// A folder with these programs, which are shell scripts.
fn programs(name: &str, scripts: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("exec-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, script) in scripts {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn target(takes_commands: bool) -> Target {
    Target {
        cluster: "prod".to_owned(),
        task: "arn:aws:ecs:eu-west-1:1:task/prod/0a1b".to_owned(),
        container: "web".to_owned(),
        takes_commands,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Notes, as the embedded cloud does, that this engine has the tasks.
fn noted(folder: &Path, engine: &str) {
    fs::write(folder.join("engine"), format!("{engine}\nDOCKER_HOST=unix:///the/cloud.sock\n")).unwrap();
}

#[tokio::test]
async fn the_engine_that_has_the_container_runs_the_command_and_its_code_is_ours() {
    let podman = r#"[ "$DOCKER_HOST" = unix:///the/cloud.sock ] && [ -z "${CONTAINER_HOST+set}" ] || exit 1
case "$1" in ps) echo 9f8e;; exec) [ "$*" = "exec -i 9f8e sh -c exit" ] && exit 42;; esac"#;
    let folder = programs("engines", &[("docker", "echo 1a1a"), ("podman", podman)]);
    noted(&folder, "podman");
    let host = host(&folder);
    let program = on_an_engine(&host, &folder, &target(true), &words(&["sh", "-c", "exit"])).await.unwrap();
    assert_eq!(program.program, folder.join("podman"));
    assert_eq!(on_this_terminal(&host, &program).await.unwrap(), 42);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_task_that_runs_as_a_process_is_said_to() {
    let folder = programs("none", &[("docker", "exit 0")]);
    for engine in [None, Some("docker")] {
        engine.into_iter().for_each(|engine| noted(&folder, engine));
        let failure =
            on_an_engine(&host(&folder), &folder, &target(true), &words(&["ls"])).await.unwrap_err();
        assert!(failure.error.contains("task 0a1b") && failure.error.contains("as a process"), "{failure:?}");
        assert!(failure.hint.unwrap().contains("workload = \"containers\""));
    }
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_not_taken_for_tasks_without_containers() {
    let folder = programs("silent", &[("docker", "echo no daemon >&2; exit 1")]);
    noted(&folder, "docker");
    let failure = on_an_engine(&host(&folder), &folder, &target(true), &words(&["ls"])).await.unwrap_err();
    assert_eq!(failure.error, "docker has the tasks' containers and does not answer: no daemon");
    noted(&folder, "podman");
    let failure = on_an_engine(&host(&folder), &folder, &target(true), &words(&["ls"])).await.unwrap_err();
    assert_eq!(failure.error, "the tasks are in containers of podman, which is not on PATH");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_ecs_exec_lacks_is_named_before_it_is_tried() {
    let folder = programs("lacks", &[]);
    let on = |takes_commands, command: &[&str]| {
        on_ecs(&host(&folder), &target(takes_commands), "eu-west-1", &words(command))
    };
    let closed = on(false, &["ls"]).unwrap_err();
    assert!(closed.error.contains("0a1b"), "{closed:?}");
    assert!(closed.hint.unwrap().contains("enable-execute-command"));
    assert!(on(true, &["ls"]).unwrap_err().error.contains("`aws` is not installed"));
    fs::write(folder.join("aws"), "").unwrap();
    let plugin = on(true, &["ls"]).unwrap_err();
    assert!(plugin.error.contains("`session-manager-plugin` is not installed"), "{plugin:?}");
    fs::write(folder.join("session-manager-plugin"), "").unwrap();
    assert_eq!(on(true, &["ls"]).unwrap().program.to_str(), Some("aws"));
    fs::remove_dir_all(folder).unwrap();
}
