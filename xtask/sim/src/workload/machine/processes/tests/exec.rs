//! Commands beside a task's process, on real terminals.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::*;
use crate::workload::Exec;
use crate::workload::terminal::Typed;

/// A shell script that stays until it is stopped, with a variable of the image and one of the definition.
async fn running(bench: &mut Bench, files: &[(&str, &str)]) {
    let config =
        json!({ "Cmd": ["/waits"], "Env": ["FROM_IMAGE=one", "PATH=/bin:/app"], "WorkingDir": "/srv" });
    let files: Vec<_> =
        [("waits", WAITS), ("srv/data", "")].into_iter().chain(files.iter().copied()).collect();
    let mut start = task(&bench.image(&files, config), true);
    start.containers[0].environment = vec![("FROM_DEFINITION".to_owned(), "two".to_owned())];
    bench.processes.carry_out(Effect::Start(Box::new(start)));
    bench.running().await;
    assert_eq!(bench.line().await, "up");
}

fn exec(words: &[&str]) -> Exec {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    static SESSIONS: AtomicU32 = AtomicU32::new(0);
    let session = format!("{}-{}", std::process::id(), SESSIONS.fetch_add(1, Ordering::Relaxed));
    Exec { session, task: "t1".to_owned(), container: "app".to_owned(), words }
}

/// What is printed until `wanted` is in it, or until the end.
async fn until(terminal: &mut Terminal, wanted: &str) -> String {
    let mut printed = String::new();
    while !printed.contains(wanted) {
        match timeout(PATIENCE, terminal.output.recv()).await.expect(wanted) {
            Some(piece) => printed += &String::from_utf8_lossy(&piece),
            None => return printed + "<end>",
        }
    }
    printed
}

fn typed(terminal: &Terminal, text: &str) {
    terminal.input.try_send(Typed::Bytes(text.as_bytes().to_vec())).unwrap();
}

#[tokio::test]
async fn a_command_has_the_task_s_environment_folder_and_paths() {
    let mut bench = bench("exec-beside");
    let shows = "#!/bin/sh\necho \"$FROM_IMAGE $FROM_DEFINITION ${PWD##*/} $1 $http_proxy\"\n";
    running(&mut bench, &[("bin/shows", shows)]).await;
    for name in ["/bin/shows", "shows"] {
        let mut terminal = bench.processes.exec(&exec(&[name, "a b"])).unwrap();
        let printed = until(&mut terminal, "\n").await;
        assert_eq!(printed, "one two srv a b http://t1:x@127.0.0.1:1\r\n");
    }
    let missing = bench.processes.exec(&exec(&["/bin/ls"])).unwrap_err();
    assert!(missing.contains("/bin/ls"), "this machine's is no file of the image: {missing}");
}

#[tokio::test]
async fn a_shell_that_the_image_has_not_is_this_machine_s_and_says_so_in_one_line() {
    let mut bench = bench("exec-shell");
    running(&mut bench, &[("app/shows", "#!/bin/sh\necho from the image | cat\n")]).await;
    let mut terminal = bench.processes.exec(&exec(&["/bin/sh"])).unwrap();
    let said = until(&mut terminal, "\n").await;
    assert!(said.starts_with(BORROWED_SHELL), "{said}");
    typed(&terminal, "echo $((6 * 7)) $FROM_IMAGE\r");
    assert!(until(&mut terminal, "42 one").await.contains("42 one"));
    typed(&terminal, "shows\r");
    assert!(until(&mut terminal, "from the image\r").await.contains("from the image\r"));
    typed(&terminal, "exit\r");
    assert!(until(&mut terminal, "\0").await.ends_with("<end>"));
}

#[tokio::test]
async fn a_terminal_has_the_client_s_size_and_its_ctrl_c_reaches_the_command() {
    // As the daemon does: what catches the signal passes it on by default, and a shell that starts this test with `&` has it ignored.
    let _caught = signal(SignalKind::interrupt()).unwrap();
    let mut bench = bench("exec-terminal");
    running(&mut bench, &[]).await;
    let script =
        "trap 'echo interrupted; exit' INT; trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    let mut terminal = bench.processes.exec(&exec(&["sh", "-c", script])).unwrap();
    until(&mut terminal, "ready").await;
    terminal.input.try_send(Typed::Size { cols: 132, rows: 43 }).unwrap();
    assert!(until(&mut terminal, "43 132").await.contains("43 132"));
    typed(&terminal, "\u{3}");
    let printed = until(&mut terminal, "\0").await;
    assert!(printed.contains("interrupted") && printed.ends_with("<end>"), "{printed}");
}

#[tokio::test]
async fn a_command_goes_with_its_container_and_with_its_client() {
    let mut bench = bench("exec-end");
    running(&mut bench, &[]).await;
    let deaf = ["sh", "-c", "trap '' HUP INT TERM; echo ready; while :; do sleep 0.05; done"];
    let mut left = bench.processes.exec(&exec(&deaf)).unwrap();
    until(&mut left, "ready").await;
    let mut stays = bench.processes.exec(&exec(&deaf)).unwrap();
    until(&mut stays, "ready").await;
    let notes = || fs::read_dir(bench.folder.join("state/processes")).unwrap().count();
    assert_eq!(notes(), 3);
    drop(left);
    let gone = async {
        while notes() > 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the command that lost its client");
    let stop = Effect::StopContainer { task: "t1".to_owned(), container: "app".to_owned(), timeout_secs: 30 };
    bench.processes.carry_out(stop);
    assert!(until(&mut stays, "\0").await.ends_with("<end>"));
    assert_eq!(bench.processes.exec(&exec(&["sh"])).unwrap_err(), "the container has ended");
}

#[tokio::test]
async fn what_a_command_leaves_behind_goes_with_its_session() {
    let mut bench = bench("exec-left");
    running(&mut bench, &[]).await;
    let leaves = "trap '' HUP TERM; setsid sleep 300 & echo \"left $! here\"";
    let mut terminal = bench.processes.exec(&exec(&["sh", "-c", leaves])).unwrap();
    let printed = until(&mut terminal, "here").await;
    let left = printed.split("left ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    drop(terminal);
    let runs = || match fs::read_to_string(format!("/proc/{left}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    };
    let gone = async {
        while runs() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("in a session of its own, and deaf to a hangup");
}

#[tokio::test]
async fn what_is_typed_for_a_command_that_does_not_read_is_bounded() {
    let mut bench = bench("exec-deaf");
    running(&mut bench, &[]).await;
    let terminal =
        bench.processes.exec(&exec(&["sh", "-c", "stty raw -echo; while :; do sleep 1; done"])).unwrap();
    let full = async {
        while terminal.input.try_send(Typed::Bytes(vec![b'x'; 1024])).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, full).await.expect("its input is bounded");
}
