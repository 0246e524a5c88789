//! Real, short processes: what they write, how they end, and that none is left behind.

use std::time::Duration;

use super::*;
use crate::host::Daemon;

fn shell() -> Shell {
    Shell::system(&Env::system())
}

fn sh(script: &str) -> Program {
    Program::new("sh", &["-c", script])
}

#[tokio::test]
async fn lines_of_both_streams_come_while_it_runs_and_a_last_one_without_an_end_is_not_lost() {
    let mut lines = Vec::new();
    let script = sh("echo one; echo two >&2; printf '\\377three'; exit 3");
    let exit = shell().stream(&script, |stream, line| lines.push((stream, line.to_owned()))).await.unwrap();
    assert_eq!(exit, Exit { code: Some(3) });
    lines.sort_by_key(|(stream, line)| (*stream == Stream::Stderr, line.clone()));
    let expected = [(Stream::Stdout, "one"), (Stream::Stdout, "\u{fffd}three"), (Stream::Stderr, "two")];
    assert_eq!(lines, expected.map(|(stream, line)| (stream, line.to_owned())));
}

#[tokio::test]
async fn a_password_goes_through_standard_input_and_not_through_arguments() {
    let program = Program { input: Some(b"secret".to_vec()), ..sh("cat; echo \"$GREETING\" >&2") };
    let output = shell().capture(&program.env("GREETING", "hello")).await.unwrap();
    assert_eq!(output.stdout, b"secret");
    assert_eq!(output.stderr, b"hello\n");
    assert!(output.exit.success());
}

#[tokio::test]
async fn a_process_that_does_not_read_its_input_is_judged_by_its_exit_code() {
    let program = Program { input: Some(vec![b'x'; 1 << 20]), ..sh("exit 4") };
    assert_eq!(shell().capture(&program).await.unwrap().exit.code, Some(4));
}

#[tokio::test]
async fn an_abandoned_build_does_not_go_on_in_the_background() {
    let mut pid = None;
    let (pids, mut started) = tokio::sync::mpsc::unbounded_channel();
    let (shell, program) = (shell(), sh("echo $$; exec sleep 600"));
    tokio::select! {
        biased;
        line = started.recv() => pid = line,
        _ = shell.stream(&program, |_, line| pids.send(line.parse::<u32>().unwrap()).unwrap()) => {}
    }
    let build = Daemon { pid: pid.unwrap() };
    while build.is_alive() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = shell().capture(&Program::new("no-such-program", &[])).await.unwrap_err();
    assert_eq!(error.to_string(), "no-such-program is not installed, or not on PATH");
    let error = shell().read("no-such-program", &[]).unwrap_err();
    assert_eq!(error.to_string(), "no-such-program is not installed, or not on PATH");
}

#[test]
fn a_failing_short_program_is_reported_with_its_output() {
    let error = shell().read("sh", &["-c", "echo out; echo why >&2; exit 1"]).unwrap_err();
    assert!(error.to_string().ends_with("failed: why"), "{error}");
}
