//! What a task definition says of its containers, and what becomes of it in processes.

use super::*;

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
