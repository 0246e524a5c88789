//! Commands in running tasks, by the tool's own client of the data channel and the embedded cloud's own server.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use deploy::event::{ExitCode, Kind, ProbeAnswer};
use deploy::model::{ServiceKey, SmokeCheck};
use sim::fault::{Fault, On};
use sim::testing::ApiError;
use sim::workload::scripted::Scripts;
use sim::workload::{Exec, Play, Printed, Typed};
use tokio::sync::mpsc;
use xtask::exec::{Ended, Error, Streams, Target, Wanted, capture, find, run};

use crate::transcripts::shows;
use crate::world::{World, story};

/// What a container with a shell does with the tool's script: `answer` gets the words behind it and the input, and gives the
/// output and the exit code. Its terminal puts a carriage return before each line feed.
fn with_shell(scripts: &Scripts, answer: impl Fn(&[String], &str) -> (String, i32) + Clone + Send + 'static) {
    scripts.on_command(move |exec: &Exec| {
        let [shell, _, script, _, words @ ..] = &exec.words[..] else { return None };
        if shell != "/bin/sh" {
            return None;
        }
        let nonce = script.split("\\036").nth(1)?.split(':').next()?.to_owned();
        let (words, answer, mut typed) = (words.to_vec(), answer.clone(), String::new());
        let play: Play = Box::new(move |turn| {
            match turn {
                None => return printed(&format!("\u{1e}{nonce}:input\u{1e}"), false),
                Some(Typed::Bytes(bytes)) => typed.push_str(&String::from_utf8(bytes).unwrap()),
                Some(Typed::Size { .. }) => {}
            }
            if !typed.ends_with(['\u{4}', '\u{3}']) {
                return Printed::default();
            }
            let (output, code) = answer(&words, &typed);
            printed(&format!("{}\u{1e}{nonce}:{code}\u{1e}", output.replace('\n', "\r\n")), true)
        });
        Some(play)
    });
}

/// What an image of one executable does: there is no shell, and `answer` gets the words.
fn without_shell(scripts: &Scripts, answer: impl Fn(&[String]) -> Option<String> + Send + 'static) {
    scripts.on_command(move |exec: &Exec| {
        let text = answer(&exec.words)?;
        let play: Play = Box::new(move |_| printed(&text, true));
        Some(play)
    });
}

fn printed(text: &str, ends: bool) -> Printed {
    Printed { after_ms: 50, text: text.to_owned(), ends }
}

async fn deployed() -> World {
    let mut world = World::new().await;
    let ended = Box::pin(world.deploy("v1", "v1")).await;
    assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
    // The deploying role may not run commands; a developer may.
    world.rights = None;
    world
}

async fn runs(world: &World, words: &[&str], input: &[&str]) -> (Result<Ended, Error>, String) {
    let wanted = Wanted { service: &world.environment.services[0], task: None, container: None };
    let target = find(&world.aws, &world.environment, wanted).await.unwrap();
    let (sender, receiver) = mpsc::channel(input.len().max(1));
    for piece in input {
        sender.send(Ok(piece.as_bytes().to_vec())).await.unwrap();
    }
    drop(sender);
    let mut kept = Vec::new();
    let mut output = |bytes: &[u8]| {
        kept.extend_from_slice(bytes);
        Ok(())
    };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let streams = Streams { input: Some(receiver), output: &mut output, terminal: false, signals: None };
    let ended = run(&world.host, &world.aws, &target, &words, streams).await;
    (ended, String::from_utf8(kept).unwrap())
}

#[test]
fn a_pipe_and_its_exit_code_read_well() {
    story(|| async {
        let world = deployed().await;
        with_shell(&world.scripts, |words, typed| match words[0].as_str() {
            "grep" => {
                let given = STANDARD.decode(typed.trim_end_matches('\u{4}').trim()).unwrap();
                let given = String::from_utf8(given).unwrap();
                let lines = given.lines().filter(|line| line.contains(&words[1]));
                let found: String = lines.map(|line| format!("{line}\n")).collect();
                let code = i32::from(found.is_empty());
                (found, code)
            }
            _ => ("no such table: bands\n".to_owned(), 3),
        });
        let mut text = String::new();
        for (typed, words, input) in [
            (
                "cat bands.txt | cargo xtask exec backend -- grep 7.5",
                &["grep", "7.5"][..],
                "band 6.0\nband 7.5\n",
            ),
            (
                "cat bands.txt | cargo xtask exec backend -- grep 9.0",
                &["grep", "9.0"],
                "band 6.0\nband 7.5\n",
            ),
            (
                "cargo xtask exec backend -- sqlite3 /data/bands.db .dump",
                &["sqlite3", "/data/bands.db", ".dump"],
                "",
            ),
        ] {
            let (ended, output) = runs(&world, words, &[input]).await;
            let Ok(Ended::Code(code)) = ended else { panic!("{ended:?}") };
            text.push_str(&format!("$ {typed}\n{output}$ echo $?\n{code}\n"));
        }
        shows("exec-in-a-pipe", |_| text.clone());
    });
}

#[test]
fn the_exit_code_and_the_output_of_a_command_are_those_that_a_pipe_gets() {
    story(|| async {
        let world = deployed().await;
        with_shell(&world.scripts, |words, typed| {
            assert_eq!(words, ["sh", "-c", "it's a test"]);
            (format!("{typed:?}\nlast"), 42)
        });
        let (ended, output) = runs(&world, &["sh", "-c", "it's a test"], &["hello ", "world\n"]).await;
        assert_eq!(ended.unwrap(), Ended::Code(42));
        // base64 of the input, in one line, and the end.
        assert_eq!(output, "\"aGVsbG8gd29ybGQK\\n\\u{4}\"\nlast");
    });
}

#[test]
fn input_longer_than_the_line_takes_at_once_arrives_whole() {
    story(|| async {
        let world = deployed().await;
        with_shell(&world.scripts, |_, typed| (typed.len().to_string(), 0));
        let piece = "x".repeat(57 * 1000);
        let (ended, output) = runs(&world, &["wc"], &[&piece, &piece]).await;
        assert_eq!((ended.unwrap(), output.as_str()), (Ended::Code(0), "154001"));
    });
}

#[test]
fn a_command_that_reads_slowly_gets_all_of_its_input_and_one_that_never_reads_is_given_up() {
    story(|| async {
        let world = deployed().await;
        let reads_every = |ms: u64| {
            world.scripts.on_command(move |exec: &Exec| {
                let nonce = exec.words[2].split("\\036").nth(1)?.split(':').next()?.to_owned();
                let mut length = 0;
                let play: Play = Box::new(move |turn| {
                    let (text, ends) = match turn {
                        None => (format!("\u{1e}{nonce}:input\u{1e}"), false),
                        Some(Typed::Bytes(bytes)) if bytes.ends_with(b"\x04") => {
                            (format!("{}\u{1e}{nonce}:0\u{1e}", length + bytes.len()), true)
                        }
                        Some(Typed::Bytes(bytes)) => {
                            length += bytes.len();
                            (String::new(), false)
                        }
                        Some(Typed::Size { .. }) => (String::new(), false),
                    };
                    // It begins at once: the session is not idle before anything is typed.
                    Printed { after_ms: if length == 0 { 50 } else { ms }, text, ends }
                });
                Some(play)
            });
        };
        let piece = "x".repeat(3000);
        let pieces = vec![piece.as_str(); 200];
        reads_every(500);
        let (ended, output) = runs(&world, &["wc"], &pieces).await;
        // base64, and a line feed after each 76 characters.
        assert_eq!((ended.unwrap(), output.as_str()), (Ended::Code(0), "810528"));
        reads_every(3_600_000);
        let (ended, _) = runs(&world, &["wc"], &pieces).await;
        let ended = ended.unwrap();
        assert!(matches!(&ended, Ended::Unknown(why) if why.contains("five minutes")), "{ended:?}");
    });
}

#[test]
fn an_image_without_a_shell_runs_the_command_and_no_exit_code_is_made_up() {
    story(|| async {
        let world = deployed().await;
        without_shell(&world.scripts, |words| (words[0] == "/app/backend").then(|| "1.2.3\r\n".to_owned()));
        let (ended, output) = runs(&world, &["/app/backend", "--version"], &[]).await;
        assert!(matches!(ended.unwrap(), Ended::Unknown(why) if why.contains("no /bin/sh")));
        assert_eq!(output, "1.2.3\n");
        let (ended, _) = runs(&world, &["ls"], &[]).await;
        assert!(matches!(ended.unwrap(), Ended::NotStarted(why) if why.contains("\"ls\"")));
    });
}

/// ECS's words, with its typographic apostrophe.
fn agent_is_away() -> Fault {
    let text = "The execute command failed because execute command was not enabled when the task was run or the execute \
                command agent isn\u{2019}t running. Wait and try again.";
    Fault::Error(ApiError::new("InvalidParameterException", text))
}

#[test]
fn an_agent_that_starts_after_its_task_is_waited_for_and_one_that_never_does_is_explained() {
    story(|| async {
        let world = deployed().await;
        with_shell(&world.scripts, |_, _| (String::new(), 0));
        world.cloud.add_rule(On::operation("ExecuteCommand").nth(1..=3).then(agent_is_away()));
        let (ended, _) = runs(&world, &["true"], &[]).await;
        assert_eq!(ended.unwrap(), Ended::Code(0));
        assert_eq!(world.cloud.calls().iter().filter(|call| call.operation == "ExecuteCommand").count(), 4);

        world.cloud.add_rule(On::operation("ExecuteCommand").then(agent_is_away()));
        let (ended, _) = runs(&world, &["true"], &[]).await;
        let error = ended.unwrap_err();
        assert!(
            matches!(&error, Error::Refused(_)) && error.hint().unwrap().contains("ssmmessages"),
            "{error}"
        );
    });
}

#[test]
fn a_task_that_was_started_without_exec_is_named_and_ecs_is_not_asked() {
    story(|| async {
        let world = deployed().await;
        let wanted = Wanted { service: &world.environment.services[0], task: None, container: None };
        let target = find(&world.aws, &world.environment, wanted).await.unwrap();
        let closed = Target { takes_commands: false, ..target };
        let refused = capture(&world.host, &world.aws, &closed, &["ls".to_owned()], false).await.unwrap_err();
        assert!(refused.hint().unwrap().contains("enable-execute-command"), "{refused}");
        assert!(world.cloud.calls().iter().all(|call| call.operation != "ExecuteCommand"));
    });
}

#[test]
fn a_task_that_ends_under_a_command_leaves_its_exit_code_unknown() {
    story(|| async {
        let world = deployed().await;
        with_shell(&world.scripts, |_, _| (String::new(), 0));
        let wanted = Wanted { service: &world.environment.services[0], task: None, container: None };
        let target = find(&world.aws, &world.environment, wanted).await.unwrap();
        let stops = async {
            world.host.clock.sleep(Duration::from_secs(5)).await;
            world.aws.stop_task(&target.cluster, &target.task, "by hand").await.unwrap();
        };
        // Nobody ends the input, so the command goes on.
        let (_open, receiver) = mpsc::channel(1);
        let (command, mut output) = (["cat".to_owned()], |_: &[u8]| Ok(()));
        let streams = Streams { input: Some(receiver), output: &mut output, terminal: false, signals: None };
        let (ended, ()) = tokio::join!(run(&world.host, &world.aws, &target, &command, streams), stops);
        let ended = ended.unwrap();
        assert!(matches!(&ended, Ended::Unknown(why) if why.contains("before the command did")), "{ended:?}");
    });
}

fn from_frontend(world: &mut World) {
    let check = SmokeCheck {
        from: Some(ServiceKey("frontend".to_owned())),
        url: Some("http://backend.ielts.local:8080/actuator/health".to_owned()),
        identity: Some("backend".to_owned()),
        ..SmokeCheck::default()
    };
    world.environment.services[0].smoke.push(check);
    world.environment.timeouts.smoke_secs = 20;
}

fn get(service: &'static str) -> impl Fn(&[String]) -> Option<String> + Send + 'static {
    move |words| {
        assert_eq!(words, ["/app/frontend", "get", "http://backend.ielts.local:8080/actuator/health"]);
        Some(format!(
            "HTTP/1.1 200 OK\r\n\r\n{{\"status\":\"UP\",\"service\":\"{service}\",\"version\":\"7\"}}"
        ))
    }
}

#[test]
fn a_release_is_proven_from_inside_where_the_caller_may_and_said_to_be_unasked_where_not() {
    story(|| async {
        let mut world = World::new().await;
        from_frontend(&mut world);
        without_shell(&world.scripts, get("backend"));
        let ended = Box::pin(world.deploy("v1", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let unasked = |event: &Kind| {
            matches!(event, Kind::Warned { text } if text.contains("was not asked from a task of frontend")
                && text.contains("may not ecs:ExecuteCommand"))
        };
        assert!(ended.events.iter().any(unasked), "{:#?}", ended.events);

        world.rights = None;
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Done, "{:#?}", ended.events);
        let passed = |event: &Kind| {
            matches!(event, Kind::Probed { passed: true, check, answer: ProbeAnswer::Right { version }, .. }
                if check.from.is_some() && version.as_deref() == Some("7"))
        };
        assert!(ended.events.iter().any(passed), "{:#?}", ended.events);
    });
}

#[test]
fn a_service_connect_name_that_leads_elsewhere_refutes_the_release() {
    story(|| async {
        let mut world = deployed().await;
        from_frontend(&mut world);
        without_shell(&world.scripts, get("frontend"));
        let ended = Box::pin(world.deploy("v2", "v1")).await;
        assert_eq!(ended.exit, ExitCode::Failed, "{:#?}", ended.events);
        let wrong =
            |event: &Kind| matches!(event, Kind::Probed { passed: false, check, .. } if check.from.is_some());
        assert!(ended.events.iter().any(wrong));
    });
}
