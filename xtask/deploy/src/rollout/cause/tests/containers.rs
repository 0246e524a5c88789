//! Tasks of several containers: whose end is the cause.

use super::*;

/// ECS gives exit codes and no order of them.
#[test]
fn the_container_that_failed_is_blamed_and_not_those_that_were_stopped_for_it() {
    let container = |name: &str, exit_code, reason: Option<&str>| ContainerSnapshot {
        name: name.into(),
        exit_code,
        reason: reason.map(str::to_owned),
        ..Default::default()
    };
    let given_up = Some("CannotStartContainerError: dependency graph: … did not exit successfully.");
    let memory = Some("OutOfMemoryError: Container killed due to memory usage");
    for (web, agent, blamed) in [
        ((Some(143), None), (Some(1), None), "agent"),
        ((Some(0), None), (Some(3), None), "agent"),
        ((Some(143), None), (Some(0), None), "agent"),
        ((Some(143), given_up), (Some(1), None), "agent"),
        ((Some(143), None), (Some(137), memory), "agent"),
        ((Some(2), None), (Some(143), None), "web"),
        ((Some(2), None), (Some(137), None), "web"),
        ((Some(0), None), (Some(0), None), "web"),
    ] {
        let containers = vec![container("web", web.0, web.1), container("agent", agent.0, agent.1)];
        let task = TaskSnapshot { containers, ..TaskSnapshot::default() };
        assert_eq!(task.ended_first().unwrap().name, blamed, "{web:?} {agent:?}");
    }
}

#[test]
fn a_health_check_that_failed_is_that_of_the_container_which_ecs_found_unhealthy() {
    let commands = [("agent", "agent health"), ("web", "/app/web probe")];
    let commands = commands.map(|(name, command)| (name.to_owned(), command.to_owned()));
    let mut task = unfit("a", "container");
    for (container, blamed) in [("agent", "`agent`, `agent health`"), ("web", "`web`, `/app/web probe`")] {
        let health = "UNHEALTHY".to_owned();
        task.containers = vec![ContainerSnapshot { name: container.into(), health, ..Default::default() }];
        let evidence = Evidence {
            stopped: vec![task.clone()],
            health_commands: commands.clone().into(),
            ..Default::default()
        };
        let cause = explain(&evidence).unwrap().cause;
        assert!(cause.ends_with(blamed), "{cause}");
    }
}

#[test]
fn a_start_period_is_advice_only_where_the_start_may_be_slow() {
    let remedy = |command: &str, printed: &str| {
        let log = TaskLog {
            task: "a".into(),
            container: "web".into(),
            lines: vec![printed.into()],
            last_ms: Some(100),
        };
        let evidence = Evidence {
            stopped: vec![unfit("a", "container")],
            health_commands: BTreeMap::from([("web".to_owned(), command.to_owned())]),
            logs: vec![log],
            ..Default::default()
        };
        explain(&evidence).unwrap().remedy
    };
    let program = "its program must be there";
    for (command, printed, slow) in [
        ("/app/web probe", "migrating", true),
        ("/app/web probe", "Listening on 8080", false),
        ("curl -f http://localhost/", "migrating", false),
    ] {
        let remedy = remedy(command, printed);
        assert!(
            remedy.contains(program) && remedy.contains("start-period-secs") == slow,
            "{command} {printed}: {remedy}"
        );
    }
}
