//! What a task definition says of its containers, and what becomes of it in processes.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::workload::LogRouter;
use crate::workload::machine::image::RunConfig;

#[tokio::test]
async fn a_sidecar_is_a_second_process_that_finds_the_application_and_stops_by_itself() {
    let mut bench = bench("sidecar");
    let asks = "#!/bin/sh\necho \"$PORT_8080 ${PORT:-none}\"\nexit 4\n";
    let mut start = task(&bench.image(&[("waits", WAITS)], json!({ "Cmd": ["/waits"] })), false);
    let mut sidecar = start.containers[0].clone();
    let digest = bench.image(&[("asks", asks)], json!({ "Cmd": ["/asks"] }));
    (sidecar.name, sidecar.essential, sidecar.ports) = ("log".to_owned(), false, Vec::new());
    (sidecar.digest, sidecar.environment) = (Some(digest), Vec::new());
    start.containers.push(sidecar);
    bench.processes.carry_out(Effect::Start(Box::new(start)));
    bench.running().await;
    assert_eq!(bench.line().await, "up");
    let (task, container) = ("t1".to_owned(), "log".to_owned());
    assert_eq!(bench.ask("log").await, Report::Started { task, container });
    let port = bench.ports.of(&"t1".to_owned(), 8080).unwrap();
    assert_eq!(bench.line().await, format!("{port} none"));
    assert_eq!(bench.exit().await, (4, None), "the application runs on");
    bench.processes.carry_out(Effect::StopContainer {
        task: "t1".to_owned(),
        container: "app".to_owned(),
        timeout_secs: 30,
    });
    assert_eq!(bench.line().await, "bye");
    assert_eq!(bench.exit().await, (7, None));
}

#[tokio::test]
async fn a_log_router_that_gets_no_lines_says_so_in_its_own_log() {
    let mut bench = bench("router");
    let mut start = task(&bench.image(&[("waits", WAITS)], json!({ "Cmd": ["/waits"] })), false);
    let mut web = start.containers[0].clone();
    (web.name, web.logs, web.routed) = ("web".to_owned(), None, Some(BTreeMap::new()));
    start.containers[0].router = Some(LogRouter::default());
    start.containers.push(web);
    bench.processes.carry_out(Effect::Start(Box::new(start)));
    bench.pulled().await;
    let Report::Log { group, line, .. } = bench.ask("app").await else { panic!("no word") };
    assert_eq!(group, "g");
    assert!(line.starts_with("embedded cloud: the lines of web do not get here"), "{line}");
}

#[tokio::test]
async fn an_image_of_another_registry_is_no_process_and_the_reason_says_what_it_needs() {
    let mut bench = bench("foreign");
    let mut start = task("sha256:0", false);
    (start.containers[0].repository, start.containers[0].digest) = (None, None);
    start.containers[0].image = "public.ecr.aws/datadog/agent:7".to_owned();
    bench.processes.carry_out(Effect::Start(Box::new(start)));
    match bench.report().await {
        Report::FailedToStart { reason, .. } => {
            let begins = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve \
                          ref public.ecr.aws/datadog/agent:7: ";
            assert!(reason.starts_with(begins) && reason.contains("workload \"containers\""), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_definitions_command_and_working_directory_come_before_the_images() {
    let mut bench = bench("definition");
    let files = [("bin/where", "#!/bin/sh\necho \"${PWD##*/} $1\"\n"), ("srv/data", "")];
    let config = json!({ "Entrypoint": ["/bin/where"], "Cmd": ["image"], "WorkingDir": "/bin" });
    let mut start = task(&bench.image(&files, config), false);
    start.containers[0].command = vec!["definition".to_owned()];
    start.containers[0].working_directory = Some("/srv".to_owned());
    bench.processes.carry_out(Effect::Start(Box::new(start)));
    bench.running().await;
    assert_eq!(bench.line().await, "srv definition");
}

#[tokio::test]
async fn host_and_port_of_the_definition_reach_the_application_and_what_fargate_would_not_reach_is_not_reached()
 {
    let says = "#!/bin/sh\necho \"$HOST $PORT\"\nexec sleep 60\n";
    let cases = [
        (&[("HOST", "127.0.0.1")][..], "HOST=127.0.0.1 is reached from inside the task only", false, 8080),
        (&[("HOST", "not-an-address")], "", true, 8080),
        (&[("HOST", "0.0.0.0"), ("PORT", "8080")], "", true, 8080),
        (&[("PORT", "8099")], "PORT=8099 is no container port of this container (8080)", true, 8099),
        (&[("PORT", "http")], "", true, 0),
    ];
    for (index, (variables, remark, outside, listens_at)) in cases.into_iter().enumerate() {
        let mut bench = bench(&format!("listens-{index}"));
        let mut start = task(&bench.image(&[("says", says)], json!({ "Cmd": ["/says"] })), false);
        start.containers[0].environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        bench.processes.carry_out(Effect::Start(Box::new(start)));
        // The remark is in the log before what the application prints; `Started` comes beside it.
        let mut lines = Vec::new();
        bench.pulled().await;
        bench
            .processes
            .carry_out(Effect::StartContainer { task: "t1".to_owned(), container: "app".to_owned() });
        while lines.len() < 1 + usize::from(!remark.is_empty()) {
            if let Report::Log { line, .. } = bench.report().await {
                lines.push(line);
            }
        }
        let id = "t1".to_owned();
        let host = match variables[0] {
            ("HOST", "0.0.0.0") | ("PORT", _) => "127.0.0.1",
            (_, own) => own,
        };
        let port = bench.ports.of(&id, listens_at).map_or("http".to_owned(), |port| port.to_string());
        assert_eq!(lines.last().unwrap(), &format!("{host} {port}"));
        assert!(lines[0].contains(remark), "{lines:?}");
        assert_eq!(bench.ports.host_port(&id, 8080).is_some(), outside, "{variables:?}");
        bench.processes.shut_down(Duration::ZERO).await.unwrap();
    }
}

#[tokio::test]
async fn an_executable_that_is_still_open_for_writing_is_started_a_moment_later() {
    let root = folder("busy");
    fs::write(root.join("program"), "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(root.join("program"), Permissions::from_mode(0o755)).unwrap();
    let writer = fs::File::options().append(true).open(root.join("program")).unwrap();
    let config = RunConfig { cmd: Some(vec!["/program".to_owned()]), ..RunConfig::default() };
    let container = ContainerStart::default();
    let program = Program::of(&root, &config, &container, &BTreeMap::new(), false).unwrap();
    let busy = program.command().spawn().unwrap_err();
    assert_eq!(busy.kind(), std::io::ErrorKind::ExecutableFileBusy);
    let closed = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(writer);
    };
    let (child, ()) = tokio::join!(program.spawn(Stdio::null), closed);
    assert_eq!(child.unwrap().wait().await.unwrap().code(), Some(3));
    fs::remove_dir_all(root).unwrap();
}
